"""ACC-13: what is pending is what was pending before, and what came and went since."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.checks.finding import Mask, Table, key_numbers
from pipeline.checks.lines import Lines
from pipeline.checks.series import ordinals

_BEFORE = "(-1)"


def of_carried(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    """`ADM_EVENT: PEND = PEND(-1) + APPL - GRANT - REJ - CLOSE`, where all of them are given.

    The figure of the period before counts in the line of its successor, so it stands in two lines.
    """
    component, _, equation = (each.strip() for each in argument.partition(":"))
    total, _, parts = (each.strip() for each in equation.partition("="))
    frame = table.frame
    flows = {word: sign for sign, word in _signed(parts) if not word.endswith(_BEFORE)}
    used = np.flatnonzero(rows & frame[component].isin([total, *flows]).to_numpy())
    code = frame[component].iloc[used].astype("str").to_numpy()
    if not (code == total).any():
        return
    period = ordinals(frame.iloc[used])
    stocks, now = np.flatnonzero(code == total), np.ones(len(used), dtype=bool)
    entries = np.concatenate([np.arange(len(used)), stocks])  # each stock once more, for the period after
    is_before = np.concatenate([~now, np.ones(len(stocks), dtype=bool)])
    others = tuple(each for each in table.flow.structure.dimensions if each != component)
    keys = frame.iloc[used[entries]][list(others)].assign(period=period[entries] + is_before)
    is_total = (code[entries] == total) & ~is_before
    sign = np.where(is_before, -1.0, [flows.get(each, 1.0) for each in code[entries]])
    lines = Lines(component, total, key_numbers(keys, (*others, "period")), used[entries], sign, is_total)
    lines = Lines(**{**vars(lines), "needed": len(flows) + 1, "is_needed": ~is_total, "written": equation})
    yield lines.keep(np.ones(len(lines.line), dtype=bool)).asserted()


def _signed(parts: str) -> Iterator[tuple[float, str]]:
    """Each part of the right side, with the sign that brings all figures to zero: -1 for what is added."""
    sign = -1.0
    for word in parts.split():
        if word in "+-":
            sign = -1.0 if word == "+" else 1.0
        else:
            yield sign, word
