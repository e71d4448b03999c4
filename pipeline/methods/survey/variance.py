"""Variance of calibrated totals: by linearisation between clusters, and by replicate weights calibrated again.

Linearised as in Deville and Särndal (1992): what calibration explains of a variable has no variance. Clusters are
taken as drawn with replacement in each stratum, with a correction for a finite number of them where it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.methods.survey.calibration import Distance, Margins, Matrix
from pipeline.methods.survey.records import Codes, Figures

_AT_ONCE = 32  # variables, so that a sample of persons without clusters stays in memory


@dataclass(frozen=True)
class Sample:
    """Clusters of every record, strata of every cluster, and the share of a stratum's clusters that is not drawn."""

    cluster: Codes
    stratum: Codes
    unseen: Figures  # by stratum, 1 without correction
    is_adjusted: bool

    @property
    def clusters(self) -> Codes:
        """How many clusters a stratum has."""
        return np.bincount(self.stratum)


@dataclass(frozen=True)
class Weighted:
    """A sample with base weights, ratios g by pattern, and the margins that they meet; none before calibration."""

    base: Figures
    pattern: Codes
    g: Figures
    margins: Margins | None

    @property
    def weights(self) -> Figures:
        made: Figures = self.base * self.g[self.pattern]
        return made


def totals(weighted: Weighted, values: Matrix) -> Figures:
    """Weighted totals of variables, the columns of `values`."""
    made: Figures = values.T @ weighted.weights
    return made


def spread(sample: Sample, weighted: Weighted, values: Matrix, ratios: tuple[Codes, Codes, Figures]) -> Figures:
    """Linearised variance of statistics: (numerator, denominator or -1, value) of each, columns of `values`."""
    above, below, of = ratios
    found = np.zeros(len(above))
    size = np.maximum(totals(weighted, values), np.finfo(float).tiny)
    for begin in range(0, len(above), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        up, down, value = above[part], below[part], of[part]
        is_ratio = down >= 0
        moved = _moved(sample, weighted, values[:, up])
        if is_ratio.any():
            base = _moved(sample, weighted, values[:, down[is_ratio]])
            moved[:, is_ratio] = (moved[:, is_ratio] - value[is_ratio] * base) / size[down[is_ratio]]
        found[part] = _between(sample, moved)
    return found


def _moved(sample: Sample, weighted: Weighted, values: Matrix) -> Figures:
    """What each cluster adds to each total, less what the margins explain."""
    count = len(sample.stratum)
    rows = np.arange(len(sample.cluster))
    of = sparse.csr_array((weighted.weights, (sample.cluster, rows)), shape=(count, len(rows)))
    added: Figures = (of @ values).toarray()
    if weighted.margins is None:
        return added
    x = weighted.margins.x
    by_pattern = sparse.csr_array((weighted.base, (weighted.pattern, rows)), shape=(x.shape[0], len(rows)))
    crossed = (x.T @ (by_pattern @ values)).toarray()
    base = np.bincount(weighted.pattern, weighted.base, minlength=x.shape[0])
    information = (x.T @ (sparse.diags_array(base) @ x)).toarray()
    scale = np.sqrt(information.diagonal())
    inverse = np.linalg.pinv(information / np.outer(scale, scale), rcond=1e-11, hermitian=True)
    explained = inverse @ (crossed / scale[:, None]) / scale[:, None]
    shared = sparse.csr_array((weighted.weights, (sample.cluster, weighted.pattern)), shape=(count, x.shape[0]))
    left: Figures = added - (shared @ x) @ explained
    return left


def _between(sample: Sample, moved: Figures) -> Figures:
    clusters = sample.clusters
    is_one = clusters == 1
    of = sparse.csr_array((np.ones(len(sample.stratum)), (sample.stratum, np.arange(len(sample.stratum)))))
    mean = (of @ moved) / clusters[:, None]
    mean[is_one] = 0  # about nothing: the total of what the margins leave over
    scale = np.where(is_one, float(sample.is_adjusted), clusters / np.maximum(clusters - 1, 1)) * sample.unseen
    made: Figures = scale[sample.stratum] @ (moved - mean[sample.stratum]) ** 2
    return made


@dataclass(frozen=True)
class Replicates:
    """How base weights of clusters change in each replicate, and the weight of its squared difference."""

    kind: str
    sample: Sample
    count: int
    seed: int

    def __iter__(self) -> Iterator[tuple[Figures, float]]:
        return self._jackknife() if self.kind == "jackknife" else self._bootstrap()

    def _jackknife(self) -> Iterator[tuple[Figures, float]]:
        """Each cluster left out once, the others of its stratum standing for it."""
        clusters, unseen, stratum = self.sample.clusters, self.sample.unseen, self.sample.stratum
        for one, own in enumerate(stratum):
            if clusters[own] > 1:
                factor = np.where(stratum == own, clusters[own] / (clusters[own] - 1), 1.0)
                factor[one] = 0
                yield factor, float((clusters[own] - 1) / clusters[own] * unseen[own])

    def _bootstrap(self) -> Iterator[tuple[Figures, float]]:
        """One cluster fewer than there are, drawn with replacement in each stratum (Rao, Wu and Yue, 1992)."""
        chance, clusters, stratum = np.random.default_rng(self.seed), self.sample.clusters, self.sample.stratum
        order = np.argsort(stratum, kind="stable")
        begin = np.cumsum(clusters) - clusters
        drawn = np.maximum(clusters - 1, 1)
        for _ in range(self.count):
            pick = np.repeat(begin, drawn) + (chance.random(drawn.sum()) * np.repeat(clusters, drawn)).astype(np.int64)
            factor = np.zeros(len(stratum))
            factor[order] = np.bincount(pick, minlength=len(stratum)) * (clusters / drawn)[stratum[order]]
            yield factor, 1 / self.count


def replicated(
    replicates: Replicates, weighted: Weighted, kept: Distance, values: Matrix, start: Figures
) -> tuple[list[Figures], list[float], int]:
    """Totals of `values` in every replicate calibrated again, the weight of each, and how many missed the margins."""
    found, scales, failed = [], [], 0
    for factor, scale in replicates:
        base = weighted.base * factor[replicates.sample.cluster]
        g = weighted.g
        if weighted.margins is not None:
            own: Figures = np.bincount(weighted.pattern, base, minlength=len(weighted.g)).astype(np.float64)
            solved = _again(weighted.margins, own, kept, start)
            if solved is None:
                failed += 1
                continue
            g = solved
        found.append(values.T @ (base * g[weighted.pattern]))
        scales.append(scale)
    return found, scales, failed


def _again(margins: Margins, base: Figures, kept: Distance, start: Figures) -> Figures | None:
    if (margins.x.T @ base == 0).any():
        return None
    solved = margins.solve(base, kept, start)
    return solved.g if solved.is_met else None
