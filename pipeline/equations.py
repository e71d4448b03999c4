"""Which figures of a table add up to which: one sparse system for all its sums at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from pipeline.checks.accounting import relations
from pipeline.checks.finding import Table, key_numbers

_SPANS = (
    ("A", "M", 4, 12),
    ("A", "Q", 4, 4),
    ("Q", "M", 7, 3),
)  # whole, part, letters of the whole's period, parts
_TOLERANCE = 1e-6

Entries = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]  # line, row, sign


def equations(table: Table) -> csr_array:
    """Every sum that the figures of `table` satisfy.

    Returns:
        Matrix of shape (sums, rows of the frame) with 1 for the total and -1 for its parts, such
        that matrix @ values is zero. A line whose parts fall short of its total is left out: nothing
        can be worked out from it exactly.
    """
    lines, rows, signs = [], [], []
    start = 0
    for entries in _lines(table):
        line, row, sign = _that_hold(table, *entries)
        lines.append(start + line)
        rows.append(row)
        signs.append(sign)
        start += int(line.max(initial=-1)) + 1
    empty = np.zeros(0, dtype=np.int64)
    place = np.concatenate([empty, *lines]), np.concatenate([empty, *rows])
    return csr_array((np.concatenate([empty, *signs]), place), shape=(start, len(table.frame)), dtype=np.float64)


def _lines(table: Table) -> Iterator[Entries]:
    frame, key = table.frame, table.flow.structure.key
    rest_of: dict[str, npt.NDArray[np.int64]] = {}
    for component, total, parts in relations(table):
        codes = frame[component].astype(str).to_numpy()
        used = np.flatnonzero(np.isin(codes, [total, *parts]))
        if component not in rest_of:
            rest_of[component] = key_numbers(frame, tuple(c for c in key if c != component))
        sign = np.where(codes[used] == total, 1.0, -1.0)
        yield rest_of[component][used], used, sign
    yield from _periods(frame, key)


def _periods(frame: pd.DataFrame, key: tuple[str, ...]) -> Iterator[Entries]:
    """Months and quarters against their year, for what is summed over time."""
    is_summed = (frame["TIME_PER_COLLECT"].astype(str) == "S").to_numpy() if "TIME_PER_COLLECT" in frame else None
    if is_summed is None or frame["FREQ"].nunique() < 2:
        return
    rest = key_numbers(frame, tuple(c for c in key if c not in ("FREQ", "TIME_PERIOD")))
    frequency, period = frame["FREQ"].astype(str).to_numpy(), frame["TIME_PERIOD"].astype(str)
    quarter = (
        period.str.slice(0, 5)
        + "Q"
        + ((pd.to_numeric(period.str.slice(5, 7), errors="coerce") + 2) // 3).astype("Int64").astype(str)
    )
    for whole, part, letters, _ in _SPANS:
        span = quarter.where(frequency == "M", period) if letters == 7 else period.str.slice(0, letters)
        used = np.flatnonzero(is_summed & np.isin(frequency, [whole, part]))
        line = key_numbers(pd.DataFrame({"rest": rest[used], "span": span.to_numpy()[used]}), ("rest", "span"))
        yield line, used, np.where(frequency[used] == whole, 1.0, -1.0)


def _that_hold(
    table: Table, line: npt.NDArray[np.int64], row: npt.NDArray[np.int64], sign: npt.NDArray[np.float64]
) -> Entries:
    """The lines with a total and parts that make it; others give nothing away exactly."""
    _, line = np.unique(line, return_inverse=True)
    values = table.frame["OBS_VALUE"].to_numpy()[row]
    size = int(line.max(initial=-1)) + 1
    balance = np.bincount(line, weights=sign * np.nan_to_num(values), minlength=size)
    has_total = np.bincount(line, weights=sign > 0, minlength=size) == 1
    has_part = np.bincount(line, weights=sign < 0, minlength=size) > 0
    is_known = np.bincount(line, weights=np.isnan(values), minlength=size) == 0
    scale = np.bincount(line, weights=np.abs(np.nan_to_num(values)), minlength=size)
    holds = has_total & has_part & is_known & (np.abs(balance) <= _TOLERANCE * np.maximum(scale, 1))
    kept = holds[line]
    _, renumbered = np.unique(line[kept], return_inverse=True)
    return renumbered, row[kept], sign[kept]
