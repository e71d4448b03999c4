"""SUR: what is said of the precision of a survey estimate agrees with itself and with the standard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.checks.finding import Finding, Mask, Table, texts
from pipeline.framework import Rule
from pipeline.precision import LABELS, Figures, highest_se, labels, log_cv


def reliability(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`ECLAC_2023 PT`: no estimate has a better label than its precision allows (SUR-01).

    The standard is the country's own where it declares one; figures in the unit named are
    proportions. The cases bound the effective sample from above. Design effect and degrees of
    freedom are not in the table: they can only make a label worse, which is for the office to know.
    """
    standard, proportion = rule.argument.split()
    series = table.library.countries[table.area].series.get(table.flow.id)
    standard = (series.reliability if series else "") or standard
    label = texts(table.frame["RELIABILITY"])
    given = rows & label.isin(LABELS).to_numpy()
    if not given.any():
        return
    is_proportion = (table.frame["UNIT_MEASURE"] == proportion).to_numpy()
    figures = _figures(table, is_proportion)
    best = labels(table.library.standards[standard], figures, is_proportion=is_proportion)
    rank = {each: number for number, each in enumerate(LABELS)}
    claimed = label.map(rank).fillna(-1).to_numpy()
    for number, possible in enumerate(LABELS):
        wrong = given & (best == possible) & (claimed < number)
        yield Finding(wrong, label if wrong.any() else "", f"{possible} ({standard})", "RELIABILITY")


def product(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`SE CV OBS_VALUE 0.01`: the first figure is the product of the next two, within a share of it (SUR-03)."""
    whole, one, other, share = rule.argument.split()
    expected = _column(table, one) * np.abs(_column(table, other))
    found = _column(table, whole)
    with np.errstate(invalid="ignore"):
        wrong = rows & (np.abs(found - expected) > float(share) * expected)
    yield Finding(wrong, "", f"{whole} = {one} × {other}", whole)


def _figures(table: Table, is_proportion: Mask) -> dict[str, Figures]:
    """The inputs of the standards that a table holds."""
    cases, value = _column(table, "N_OBS"), _column(table, "OBS_VALUE")
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(np.isnan(_column(table, "CV")), _column(table, "SE") / np.abs(value), _column(table, "CV"))
        p = np.where(is_proportion, value / 100, np.nan)
        se_to_q = cv * p / highest_se(p)
    return {"n": cases, "cases": cases, "ess": cases, "cv": cv, "p": p, "log_cv": log_cv(cv, p), "se_to_q": se_to_q}


def _column(table: Table, name: str) -> Figures:
    """A column of figures; all NaN where the table does not have it."""
    if name not in table.frame or table.frame[name].dtype.kind != "f":
        return np.full(len(table.frame), np.nan)
    return table.frame[name].to_numpy(dtype=np.float64)
