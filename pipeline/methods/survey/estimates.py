"""Estimates with their precision, and whether they may be published (framework §10.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.framework import Grade
from pipeline.methods.survey.calibration import Distance, Matrix
from pipeline.methods.survey.design import Design
from pipeline.methods.survey.records import Codes, Figures
from pipeline.methods.survey.statistics import Statistics
from pipeline.methods.survey.variance import Replicates, Sample, Weighted, replicated, spread, totals
from pipeline.precision import highest_se, labels, log_cv

_KNOWN = 1e-9  # of a figure: a standard error below this is what numbers leave over
STATUS: Mapping[str, str] = {"R": "A", "W": "U", "N": "Q"}  # framework §10.3


@dataclass(frozen=True)
class Precision:
    """What labels are given by: the grades of a standard, and what the office says of its domains."""

    grades: Sequence[Grade]
    is_known_domain: bool
    is_df_justified: bool


@dataclass(frozen=True)
class Estimated:
    """Estimates as a table, and how many replicates there were and failed."""

    table: pd.DataFrame
    replicates: int
    failed: int


def estimates(
    asked: Statistics,
    sample: Sample,
    weighted: Weighted,
    *,
    kept: Distance,
    design: Design,
    precision: Precision,
    start: Figures,
) -> Estimated:
    """Each statistic with its standard errors, its cases and effective sample, and its label.

    Columns: stat, domain, estimate, se, cv_percent, se_replicate, estimate_base, se_base, n (persons of the sample that
    the estimate is about), cases (those that add to it), df (clusters less strata), deff, ess, reliability,
    obs_status. Standard errors are linearised, but `se_replicate`; `_base` is by the weights before calibration.
    """
    values = asked.values
    above, below = np.array(asked.above), np.array(asked.below)
    before = Weighted(weighted.base, weighted.pattern, np.ones_like(weighted.g), None)
    found, se, first, first_se = (
        made for of in (weighted, before) for made in _with_error(sample, of, values, above, below)
    )
    cases, n = _cases(values, above), _cases(values, np.array(asked.domain))
    with np.errstate(divide="ignore", invalid="ignore"):
        deff = np.where(se > 0, se**2 / _random(weighted, values, asked, found), np.nan)
        figures = {"n": n, "df": _freedom(sample, values[:, np.array(asked.domain)]), "deff": deff}
        figures |= {"ess": n / deff, "cases": cases, "cv": np.abs(se / found)}
    is_share = np.array(asked.is_share)
    share = np.where(is_share, found, np.nan)
    judged = {
        **figures,
        "p": share,
        "log_cv": log_cv(figures["cv"], share),
        "se_to_q": np.where(is_share, se / highest_se(np.clip(share, 0, 1)), np.nan),
    }
    label = labels(
        precision.grades,
        judged,
        is_proportion=is_share,
        is_known_domain=precision.is_known_domain,
        is_df_justified=precision.is_df_justified,
    )
    again: list[Figures] = []
    scales: list[float] = []
    failed = 0
    if design.replicates != "none":
        ways = Replicates(design.replicates, sample, design.replicate_count, design.seed)
        again, scales, failed = replicated(ways, weighted, kept, values, start)
    table = pd.DataFrame(
        {
            "stat": [name for name, _ in asked.names],
            "domain": [domain for _, domain in asked.names],
            "estimate": found,
            "se": se,
            "cv_percent": 100 * figures["cv"],
            "se_replicate": _replicate_error(again, scales, above, below),
            "estimate_base": first,
            "se_base": first_se,
            **{name: figures[name] for name in ("n", "cases", "df", "deff", "ess")},
            "reliability": label,
            "obs_status": pd.Series(label).map(STATUS).to_numpy(),
        }
    )
    return Estimated(table.astype({"n": int, "cases": int, "df": int}), len(again), failed)


def _with_error(sample: Sample, of: Weighted, values: Matrix, above: Codes, below: Codes) -> tuple[Figures, Figures]:
    """Statistics and their standard errors; one that is a control, or follows from controls, has none."""
    found = _ratios(totals(of, values), above, below)
    se: Figures = np.sqrt(spread(sample, of, values, (above, below, found)))
    return found, np.where(se > _KNOWN * np.abs(found), se, 0)


def _ratios(added: Figures, above: Codes, below: Codes) -> Figures:
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Figures = np.where(below >= 0, added[above] / added[below], added[above])
    return made


def _cases(values: Matrix, columns: Codes) -> Figures:
    made: Figures = np.diff(values.indptr)[columns].astype(np.float64)
    return made


def _random(weighted: Weighted, values: Matrix, asked: Statistics, found: Figures) -> Figures:
    """The variance that a simple random sample of as many persons would have, drawn with replacement."""
    above, below = np.array(asked.above), np.array(asked.below)
    added = totals(weighted, values)
    squares: Figures = values.multiply(values).T @ weighted.weights
    size, n = weighted.weights.sum(), float(asked.persons)
    is_ratio = below >= 0
    people = np.where(is_ratio, added[below], size)
    count = np.where(is_ratio, _cases(values, below), n)
    mean = np.where(is_ratio, found, added[above] / size)
    with np.errstate(divide="ignore", invalid="ignore"):
        one = (squares[above] / people - mean**2) * count / (count - 1) / count
        made: Figures = np.where(is_ratio, one, one * size**2)
    return np.where(made > 1e-12 * mean**2, made, np.nan)


def _freedom(sample: Sample, members: Matrix) -> Figures:
    """Clusters less strata that have a person in each domain."""
    count = len(sample.stratum)
    rows = np.arange(len(sample.cluster))
    clusters = sparse.csr_array((np.ones(len(rows)), (sample.cluster, rows)), shape=(count, len(rows))) @ members
    clusters.data[:] = 1
    strata = sparse.csr_array((np.ones(count), (sample.stratum, np.arange(count)))) @ clusters
    made: Figures = np.asarray(strata.sum(axis=0)).ravel() - (strata > 0).sum(axis=0)
    return made


def _replicate_error(again: list[Figures], scales: list[float], above: Codes, below: Codes) -> Figures:
    """Standard error between replicates, about their mean."""
    if not again:
        return np.full(len(above), np.nan)
    every = np.array([_ratios(added, above, below) for added in again])
    made: Figures = np.sqrt(np.array(scales) @ (every - every.mean(axis=0)) ** 2)
    return made
