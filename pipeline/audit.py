"""The attack on everything that a release would publish, as a gate (framework §11, CNF-02).

It sees the protected tables, the release before, and which figures add up to which: no figure that is withheld.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline import rates
from pipeline.attack import SAFE, Mask, Published, attack
from pipeline.checks.finding import Table
from pipeline.framework import Severity
from pipeline.linked import Linked, Vector
from pipeline.model import Issue, Library, Protected
from pipeline.thresholds import is_forbidden, is_withheld, may_be_negative, threshold_persons

log = logging.getLogger("trayecto")

CODE = "CNF-02"
_PRIMARY = "A"
_FAR = 1e9
_NEED = 1.0


def audit(
    tables: Sequence[Protected],
    standing: Sequence[Protected],
    linked: Linked,
    library: Library,
    *,
    needs: Vector | None = None,
    reach: Vector | None = None,
) -> dict[tuple[str, str], tuple[Issue, ...]]:
    """What can be told of the confidential figures, by delivery; nothing when the release is safe.

    Whoever attacks knows that a figure marked A lies from 1 to below its threshold, that no other
    withheld figure but a balance is negative, and every figure of the release before. What that one had told is
    lost, and what only it helps to tell is a warning. They also turn percentages and means round. `needs` has how
    wide an interval must be left of each cell that is confidential, whatever it is marked as, and `reach` how far up
    that of an amount must go: the attack does not use them, it is held against them.
    """
    frames = [each.frame for each in (*tables, *standing)]
    known = linked.any_of(
        [np.zeros(len(t.frame), dtype=bool) for t in tables]
        + [f["OBS_VALUE"].notna().to_numpy() for f in frames[len(tables) :]]
    )
    marked = linked.any_of(
        (t.frame["CONF_STATUS"] == _PRIMARY).to_numpy() & t.frame["OBS_VALUE"].isna().to_numpy() for t in tables
    )
    forbidden = linked.any_of(
        is_forbidden(t.flow, t.frame, library.list_of) & t.frame["OBS_VALUE"].isna().to_numpy() for t in tables
    )
    values, high = linked.values(frames), np.full(linked.count, _FAR)
    for table, cells in zip(tables, linked.cells, strict=False):
        limit = threshold_persons(table.flow, table.frame, library.list_of) - 1.0
        is_small = (table.frame["CONF_STATUS"] == _PRIMARY).to_numpy() & (limit > 0)
        high[cells[is_small]] = limit[is_small]
    new = linked.values([each.frame for each in tables])
    signed = linked.any_of(may_be_negative(each.flow, each.frame) for each in (*tables, *standing))
    low = np.where(signed, -_FAR, 0.0)
    low[marked] = 1.0
    needs = np.zeros(linked.count) if needs is None else needs
    targets = (marked | forbidden | (needs > 0)) & ~known
    seen = Published(linked.sums, values, low, high, targets, np.maximum(needs, _NEED), np.zeros_like(targets), reach)
    old = _told(seen)
    # With the release before, who kept it may tell what no choice of cells can hide any more.
    unsafe = old & _told(replace(seen, values=new)) if old.any() and standing else old
    log.info(
        "attacked %d withheld figures: %d can be told, %d more with the release before",
        int(targets.sum()),
        int(unsafe.sum()),
        int((old & ~unsafe).sum()),
    )
    found: dict[tuple[str, str], tuple[Issue, ...]] = {}
    for table, cells, turned in zip(tables, linked.cells, _turned_round(tables, library), strict=False):
        errors = int(unsafe[cells].sum()) + turned
        counts: dict[Severity, int] = {"E": errors, "W": int((old & ~unsafe)[cells].sum())}
        issues = tuple(_issue(table, severity, count) for severity, count in counts.items() if count)
        if issues:
            delivery = table.area, table.flow.id
            found[delivery] = (*found.get(delivery, ()), *issues)
    return found


def _told(seen: Published) -> Mask:
    """Which of the targets can be told, or stand published in another table."""
    can_be_told: Mask = (attack(seen).state != SAFE) | ~np.isnan(seen.values)
    return seen.targets & can_be_told


def _turned_round(tables: Sequence[Protected], library: Library) -> tuple[int, ...]:
    """For each table, how many of its percentages and means tell a count that is withheld."""
    shown = [Table(each.area, each.flow, each.frame, each.sources, library, "") for each in tables]
    told = rates.telling(shown, [is_withheld(each.frame) for each in tables])
    return tuple(int(each.sum()) for each in told)


def _issue(table: Protected, severity: Severity, count: int) -> Issue:
    return Issue(CODE, severity, table.area, table.flow.id, found="Q", expected="Σ", component="OBS_VALUE", count=count)
