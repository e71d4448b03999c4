"""Which figures of a table add up to which: one sparse system for all its sums at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from pipeline.checks.accounting import candidates
from pipeline.checks.finding import Table
from pipeline.checks.lines import Lines, of_periods, of_tree

_TOLERANCE = 0.5  # counts are whole: a line that misses by one does not hold
_NOT_ADDED = ("FREQ", "SOURCE_TYPE", "MIG_MEASURE", "INDICATOR")  # their codes are no parts of one whole

Mask = npt.NDArray[np.bool_]


def equations(table: Table, hidden: Mask) -> csr_array:
    """Every sum that the figures of `table` satisfy.

    `hidden` marks figures that came without their value because they are confidential: a line with
    one is taken to hold where the rules say that it must.

    Returns:
        Matrix of shape (sums, rows of the frame) with 1 for the total and -1 for its parts (1 for a
        part that is subtracted), such that matrix @ values is zero. A line whose parts fall short of
        its total is left out: nothing can be worked out from it exactly.
    """
    empty = np.zeros(0, dtype=np.int64)
    lines, rows, signs = [empty], [empty], [empty.astype(float)]
    start = 0
    for every in (*candidates(table), *_of_lists(table)):
        for kept in (_that_hold(table, every), _that_must(every.asserted(), table, hidden)):
            lines.append(start + kept.line)
            rows.append(kept.row)
            signs.append(kept.sign)
            start += int(kept.line.max(initial=-1)) + 1
    place = np.concatenate(lines), np.concatenate(rows)
    return csr_array((np.concatenate(signs), place), shape=(start, len(table.frame)), dtype=np.float64)


def _of_lists(table: Table) -> Iterator[Lines]:
    """Sums that no rule asks for, but that whoever knows the code lists and the calendar can try."""
    rows = np.ones(len(table.frame), dtype=bool)
    for component in table.flow.structure.dimensions:
        if component not in _NOT_ADDED:
            yield from of_tree(table, component, rows)
    for whole, part in (("A", "M"), ("A", "Q"), ("Q", "M")):
        yield of_periods(table, rows, whole, part)


def _that_hold(table: Table, lines: Lines) -> Lines:
    """The lines whose figures are all there and add up, whether or not the rules ask it of them."""
    values = table.frame["OBS_VALUE"].to_numpy()[lines.row]
    size = int(lines.line.max(initial=-1)) + 1
    balance = np.bincount(lines.line, weights=lines.sign * np.nan_to_num(values), minlength=size)
    is_known = np.bincount(lines.line, weights=np.isnan(values), minlength=size) == 0
    holds = is_known & (np.abs(balance) < _TOLERANCE)
    return lines.keep(holds[lines.line])


def _that_must(lines: Lines, table: Table, hidden: Mask) -> Lines:
    """The lines that the rules assert and in which only confidential figures are not there."""
    size = int(lines.line.max(initial=-1)) + 1
    blank = table.frame["OBS_VALUE"].isna().to_numpy()[lines.row]
    blanks = np.bincount(lines.line, weights=blank, minlength=size)
    hiddens = np.bincount(lines.line, weights=hidden[lines.row], minlength=size)
    return lines.keep(((hiddens > 0) & (blanks == hiddens))[lines.line])
