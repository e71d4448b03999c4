"""CNF: what is about to be released gives no small count away (framework §11)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from pipeline.altered import is_unchanged
from pipeline.checks import accounting
from pipeline.checks.finding import Finding, Mask, Table
from pipeline.framework import Rule
from pipeline.thresholds import has_few_cases, is_forbidden, is_small, is_withheld


def threshold(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """CNF-01: no count from 1 to k - 1 has a value, and no estimate from too few sample cases.

    Where counts are changed at random, none is as it was received.
    """
    small = is_small(table.flow, table.frame, table.library.list_of) | has_few_cases(table.flow, table.frame)
    yield Finding(rows & (small | is_unchanged(table)), "", "Q")


def forbidden(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """CNF-03: nothing is published that is too fine for what it tells, or of a group too small for it."""
    wrong = is_forbidden(table.flow, table.frame, table.library.list_of) & table.frame["OBS_VALUE"].notna().to_numpy()
    yield Finding(rows & wrong, "", "Q")


def recoverable(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """CNF-02: no line has exactly one figure without a value, withheld, which subtraction would give back.

    Lines are those that the accounting rules assert to be sums of what they show. A line with an
    estimate is no exact sum and gives nothing back.
    """
    frame = table.frame
    is_blank, withheld = frame["OBS_VALUE"].isna().to_numpy(), is_withheld(frame)
    if not withheld.any():
        return
    for lines in map(partial(accounting.exact, table), accounting.candidates(table)):
        blanks = np.bincount(lines.line[is_blank[lines.row]], minlength=int(lines.line.max(initial=-1)) + 1)
        given_back = np.zeros(len(frame), dtype=bool)
        given_back[lines.row[(blanks[lines.line] == 1) & withheld[lines.row]]] = True
        yield Finding(rows & given_back, "", f"{lines.component}: {lines.total} = Σ", lines.component)
