"""ACC-14: no part is larger than its whole, where the sums cannot tell.

A sum whose parts all have a value says so itself, with the right formula. It says nothing of memo
items, which are no parts of the sum, nor of a line with a figure that has no value: what is left
of such a line can still be impossible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Numbers, Table
from pipeline.checks.lines import ESTIMATE_TOLERANCE, is_estimate
from pipeline.framework import Rule


@dataclass(frozen=True)
class _Tree:
    """The rows judged, each with its place (line and code) and the place of the code above it."""

    row: Numbers
    place: Numbers
    code: Numbers
    parent: Numbers  # of each code of the list, -1 for none
    is_memo: Mask  # of each row

    def above(self, among: Mask) -> Numbers:
        """The code of the nearest figure above each row of those `among`, -1 for none."""
        there = np.unique(self.place[among])
        line = self.place - self.code
        above = self.parent[self.code]
        while (climbing := (above >= 0) & ~np.isin(line + above, there)).any():
            above[climbing] = self.parent[above[climbing]]
        return above


def within(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`LABOUR_STATUS DURATION`: the employed are among the labour force, the recent among all."""
    value = table.frame["OBS_VALUE"].to_numpy(dtype=np.float64)
    for component in rule.argument.split():
        if not table.codelist(component).is_nested([*map(str, table.frame.loc[rows, component].unique())]):
            continue
        tree = _tree(table, component, rows)
        has_value = ~np.isnan(value[tree.row])
        above = tree.above(has_value)
        whole = _value_at(tree, tree.place - tree.code + above, value, has_value)
        tolerance = np.maximum(table.rounding_base, ESTIMATE_TOLERANCE * whole * is_estimate(table)[tree.row])
        wrong = (above >= 0) & has_value & (value[tree.row] > whole + tolerance) & ~_is_told(tree, has_value)
        codelist = table.codelist(component)
        names = np.array([*codelist.codes, ""], dtype=object)
        for code in np.unique(tree.code[wrong]):
            for wholes in np.unique(above[wrong & (tree.code == code)]):
                here = np.zeros(len(table.frame), dtype=bool)
                here[tree.row[wrong & (tree.code == code) & (above == wholes)]] = True
                yield Finding(here, "", f"{component}: {names[code]} ≤ {names[wholes]}")


def _tree(table: Table, component: str, rows: Mask) -> _Tree:
    codelist = table.codelist(component)
    order = {code: number for number, code in enumerate(codelist.codes)}
    parent = np.array([order.get(code.parent, -1) for code in codelist.codes.values()], dtype=np.int64)
    memo = np.array([code.notes.get("role") == "memo" for code in codelist.codes.values()])
    used = np.flatnonzero(rows & table.frame[component].isin(list(order)).to_numpy())
    numbers, distinct = pd.factorize(table.frame[component].iloc[used])
    code = np.array([order[str(each)] for each in distinct], dtype=np.int64)[numbers] if len(used) else used
    place = table.line_numbers(component)[used] * len(order) + code
    return _Tree(used, place, code, parent, memo[code])


def _is_told(tree: _Tree, has_value: Mask) -> Mask:
    """Rows whose sum can be compared: it has a total, and no part of it is without a value."""
    everything = np.ones(len(tree.row), dtype=bool)
    above = tree.above(everything)
    whole = tree.place - tree.code + above
    broken = np.unique(np.concatenate([whole[~has_value & ~tree.is_memo], tree.place[~has_value]]))
    told: Mask = ~tree.is_memo & ~np.isin(whole, broken)
    return told


def _value_at(tree: _Tree, places: Numbers, value: np.ndarray, has_value: Mask) -> np.ndarray:
    """The figure at each place, NaN where there is none."""
    order = np.argsort(tree.place[has_value], kind="stable")
    there, rows = tree.place[has_value][order], tree.row[has_value][order]
    if not len(there):
        return np.full(len(places), np.nan)
    at = np.clip(np.searchsorted(there, places), 0, len(there) - 1)
    found: np.ndarray = np.where(there[at] == places, value[rows[at]], np.nan)
    return found
