"""REV: what a delivery changes of the figures that were published before (framework §4).

The table holds the figures about to be released, then the observations that are gone. Its further
columns say what stood there before: `OLD_VALUE`, `OLD_STATUS`, the kind of `CHANGE` (blank for none)
and whether a note explains it (`IS_NOTED`). Rows that are gone have `IS_GONE`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.checks.finding import Finding, Mask, Table, shown
from pipeline.framework import Rule

OLD_VALUE, OLD_STATUS, CHANGE, IS_NOTED, IS_GONE = "OLD_VALUE", "OLD_STATUS", "CHANGE", "IS_NOTED", "IS_GONE"
REVISED, STATUS, NEW, VANISHED = "revised", "status", "new", "vanished"

_WHOLE = ("_T", "_Z")
_TOLD = 50  # categories of one component that are told apart


def revised(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """REV-01: figures that were another before.

    The size of all changes is RMAR = Σ|new - old| / Σ|new|, over every figure that was published then and is now
    (framework §5).
    """
    changed = rows & _is(table, REVISED)
    old, new = _values(table)
    whole = float(np.abs(new[~np.isnan(old) & ~np.isnan(new)]).sum())
    yield Finding(changed, f"{np.abs(new - old)[changed].sum() / whole:.1%}" if whole else "", "")


def large(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """REV-02: a figure that was not final changes by more than the rule's share, and no note says why."""
    limit = float(rule.argument)
    old, new = _values(table)
    wide = np.abs(new - old) > limit * np.abs(old)
    final_before = (table.frame[OLD_STATUS] == "A").to_numpy()  # the matter of REV-03
    wrong = rows & _is(table, REVISED) & wide & ~final_before & ~_noted(table)
    yield Finding(wrong, _widest(old, new, wrong), f"{limit:.0%}")


def final(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """REV-03: a figure that was published as final (OBS_STATUS A) changes, and no note says why."""
    old, new = _values(table)
    was_final = (table.frame[OLD_STATUS] == rule.argument).to_numpy()
    wrong = rows & _is(table, REVISED) & was_final & ~_noted(table)
    yield Finding(wrong, _widest(old, new, wrong), "OBS_STATUS P")


def vanished(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """REV-04: published observations are gone. A category that is gone altogether is told once, by its name.

    An observation of several such categories counts under the largest of them.
    """
    left = rows & _is(table, VANISHED) & ~_noted(table)
    for component, code, mine in sorted(_lost(table, left), key=lambda each: -int(each[2].sum())):
        if (left & mine).any():
            yield Finding(left & mine, _named(table, component, code), code, component)
            left = left & ~mine
    if left.any():
        yield Finding(left, _first(table, left), "")


def _lost(table: Table, left: Mask) -> Iterator[tuple[str, str, Mask]]:
    """(component, code, rows) of every category that no row has which is still there."""
    gone = table.frame[IS_GONE].to_numpy(dtype=bool)
    for component in table.flow.structure.key if gone.any() else ():
        column = table.frame[component].astype("str")
        stays = set(column[~gone].unique())
        lost = [code for code in column[left & gone].unique() if code not in stays]
        yield from ((component, code, left & (column == code).to_numpy()) for code in lost[:_TOLD])


def _is(table: Table, kind: str) -> Mask:
    found: Mask = (table.frame[CHANGE] == kind).to_numpy(dtype=bool)
    return found


def _noted(table: Table) -> Mask:
    return table.frame[IS_NOTED].to_numpy(dtype=bool)


def _values(table: Table) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return table.frame[OLD_VALUE].to_numpy(dtype=np.float64), table.frame["OBS_VALUE"].to_numpy(dtype=np.float64)


def _widest(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], rows: Mask) -> str:
    """The greatest of the changes, in words: both figures are public."""
    if not rows.any():
        return ""
    at = np.flatnonzero(rows)[np.argmax(np.abs(new - old)[rows])]
    size = f" ({(new[at] - old[at]) / old[at]:+.1%})" if old[at] and abs(old[at]) >= 10 <= abs(new[at]) else ""
    return f"{shown(old[at])} → {shown(new[at])}{size}"


def _named(table: Table, component: str, code: str) -> str:
    """A category as its country calls it, with its code."""
    country, codelist = table.library.countries.get(table.area), table.library.list_of(component)
    labels = [row.label for row in country.codes if (row.component, row.code) == (component, code)] if country else []
    names = codelist.codes[code].name if codelist is not None and code in codelist.codes else {}
    name = labels[0] if labels else names.get(country.language if country else "en") or names.get("en", code)
    return f"{name} ({component} {code})" if name != code else f"{component} {code}"


def _first(table: Table, rows: Mask) -> str:
    """What identifies the first of the rows, without the dimensions that it is the whole of."""
    row = table.frame[rows].iloc[0]
    parts = [f"{c} {row[c]}" for c in table.flow.structure.key if str(row[c]) not in _WHOLE]
    return ", ".join(parts) + (" …" if rows.sum() > 1 else "")
