"""CNF: what is about to be released gives no small count away (framework §11)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.checks import accounting
from pipeline.checks.finding import Finding, Mask, Table, key_numbers
from pipeline.framework import Rule
from pipeline.thresholds import is_small


def threshold(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """CNF-01: no count from 1 to k - 1 has a value."""
    small = is_small(table.flow, table.frame, table.library.list_of)
    yield Finding(rows & small, "", "Q")


def recoverable(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """CNF-02: no line has exactly one suppressed cell, which subtraction would give back."""
    frame = table.frame
    confidential = (frame["CONF_STATUS"].isin(["A", "D"]) & frame["OBS_VALUE"].isna()).to_numpy()
    present = {component: set(frame[component].unique()) for component in table.flow.structure.dimensions}
    for component, total, parts in accounting.relations(table):
        used = [part for part in parts if part in present[component]]
        if total not in present[component] or not used:
            continue
        codes = frame[component]
        in_line = codes.isin([total, *used]).to_numpy()
        line = key_numbers(frame, tuple(c for c in table.flow.structure.key if c != component))
        has_total = np.isin(line, line[in_line & (codes == total).to_numpy()])
        has_part = np.isin(line, line[in_line & (codes != total).to_numpy()])
        in_line &= has_total & has_part
        blanks = np.bincount(line[in_line & frame["OBS_VALUE"].isna().to_numpy()], minlength=line.max() + 1)
        yield Finding(rows & in_line & confidential & (blanks[line] == 1), "", f"{component}: {total}", component)
