"""The attack on everything that a release would publish, as a gate (framework §11, CNF-02).

It sees the protected tables, the release before, and which figures add up to which: no figure that is withheld.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from pipeline.attack import SAFE, Published, attack
from pipeline.linked import Linked
from pipeline.model import Issue, Library, Protected
from pipeline.thresholds import threshold_persons

log = logging.getLogger("trayecto")

CODE = "CNF-02"
_PRIMARY = "A"
_FAR = 1e9
_NEED = 1.0


def audit(
    tables: Sequence[Protected], standing: Sequence[Protected], linked: Linked, library: Library
) -> dict[tuple[str, str], tuple[Issue, ...]]:
    """What can be told of the figures marked as small, by delivery; nothing when the release is safe.

    Whoever attacks knows that a figure marked A lies from 1 to below its threshold, that no other
    withheld count is negative, and every figure of the release before. What that one had told is lost.
    """
    frames = [each.frame for each in (*tables, *standing)]
    known = linked.any_of(
        [np.zeros(len(t.frame), dtype=bool) for t in tables]
        + [f["OBS_VALUE"].notna().to_numpy() for f in frames[len(tables) :]]
    )
    marked = linked.any_of(
        (t.frame["CONF_STATUS"] == _PRIMARY).to_numpy() & t.frame["OBS_VALUE"].isna().to_numpy() for t in tables
    )
    values, high = linked.values(frames), np.full(linked.count, _FAR)
    for table, cells in zip(tables, linked.cells, strict=False):
        limit = threshold_persons(table.flow, table.frame, library.list_of) - 1.0
        is_small = (table.frame["CONF_STATUS"] == _PRIMARY).to_numpy() & (limit > 0)
        high[cells[is_small]] = limit[is_small]
    signed = (values < 0).any()
    low = np.full(linked.count, -_FAR if signed else 0.0)
    low[marked] = 1.0
    targets = marked & ~known
    seen = Published(linked.sums, values, low, high, targets, np.full(linked.count, _NEED), np.zeros_like(targets))
    verdict = attack(seen)
    unsafe = targets & (verdict.state != SAFE)
    log.info("attacked %d withheld figures: %d can be told", int(targets.sum()), int(unsafe.sum()))
    found: dict[tuple[str, str], tuple[Issue, ...]] = {}
    for table, cells in zip(tables, linked.cells, strict=False):
        if count := int(unsafe[cells].sum()):
            found[table.area, table.flow.id] = (_issue(table, count),)
    return found


def _issue(table: Protected, count: int) -> Issue:
    return Issue(CODE, "E", table.area, table.flow.id, found="Q", expected="Σ", component="OBS_VALUE", count=count)
