"""How precise a survey estimate must be: the labels of the standards in `dsd/reliability.csv` (framework §10.3)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.framework import Grade

LABELS = ("R", "W", "N")  # best first

Figures = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_OPERATORS: Mapping[str, Callable[[Figures, float], Mask]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def labels(
    grades: Sequence[Grade],
    figures: Mapping[str, Figures],
    *,
    is_proportion: Mask,
    is_known_domain: bool = False,
    is_df_justified: bool = False,
) -> npt.NDArray[np.str_]:
    """The label of each estimate under one standard: that of the first grade it meets, else `N`.

    Args:
        grades: the rows of one standard, best first.
        figures: by name, as the columns of `dsd/reliability.csv`. What is absent or NaN counts as
            good enough, so that of an estimate with few inputs the best possible label is told.
        is_proportion: the estimates that are judged as proportions; the others are totals and means.
        is_known_domain: the domain was planned: a low design effect may stand on enough cases.
        is_df_justified: few degrees of freedom are accepted where the standard lets them be.
    """
    found = np.full(len(is_proportion), LABELS[-1])
    is_open = np.ones(len(is_proportion), dtype=bool)
    for grade in grades:
        met = is_open & (is_proportion == (grade.kind == "proportion"))
        for name, limit in grade.limits.items():
            fits = _meets(figures, name, limit)
            if name == "deff" and is_known_domain and grade.known_domain:
                fits |= _meets(figures, "n", grade.known_domain)
            if name == "df" and is_df_justified and grade.is_df_waivable:
                continue
            met &= fits
        found[met] = grade.label
        is_open &= ~met
    return found


def log_cv(cv: Figures, p: Figures) -> Figures:
    """Coefficient of variation of the logarithm of a proportion, or of its complement above a half."""
    rare = np.where(p < 0.5, p, 1 - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((rare > 0) & (rare < 1), cv / -np.log(rare), np.nan)


def highest_se(p: Figures) -> Figures:
    """q(p) of INE Chile: the largest standard error that a proportion may have."""
    rare: Figures = np.where(p <= 0.5, p, 1 - p)
    highest: Figures = np.clip(rare, 0, None) ** (2 / 3) / 9
    return highest


def _meets(figures: Mapping[str, Figures], name: str, limit: tuple[str, float]) -> Mask:
    if name not in figures:
        return np.ones(len(next(iter(figures.values()))), dtype=bool)
    sign, bound = limit
    return np.isnan(figures[name]) | _OPERATORS[sign](figures[name], bound)
