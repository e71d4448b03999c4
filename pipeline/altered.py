"""Counts changed at random instead of withheld: rounding to base 3, and cell keys (framework §11).

What becomes of a count is drawn from its key and the office's secret, so that the same cell is changed in the same
way in every table and every release: asking twice tells nothing. The secret stands in no file of a release.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array

from pipeline.checks.finding import Mask, Table
from pipeline.controlled import BASE, controlled
from pipeline.errors import SetupError
from pipeline.linked import keys, link
from pipeline.thresholds import is_count

Vector = npt.NDArray[np.float64]

VARIABLE = "TRAYECTO_DISCLOSURE_KEY"  # the environment variable that names the file of the secret
_SHORTEST = 16  # bytes of a secret
# What a count becomes, with which probability: never 1 or 2, a zero stays, and the mean of each row is the count.
_CELL_KEYS = {
    1: ((0, 2 / 3), (3, 1 / 3)),
    2: ((0, 1 / 3), (3, 2 / 3)),
    3: ((0, 0.1), (3, 0.6), (4, 0.3)),
    4: ((3, 0.3), (4, 0.4), (5, 0.3)),
}
_LARGER = ((-2, 0.1), (-1, 0.2), (0, 0.4), (1, 0.2), (2, 0.1))


def secret() -> bytes:
    """What the draws are made from, besides the key of each cell.

    Raises:
        SetupError: there is no such file, or it is too short to be a secret.
    """
    name = os.environ.get(VARIABLE, "")
    try:
        content = Path(name).read_bytes().strip() if name else b""
    except OSError:
        content = b""
    if len(content) < _SHORTEST:
        raise SetupError(
            "{variable} must name a file with a secret of {count} characters or more, because a dataflow is protected "
            "by chance; `openssl rand -hex 32` makes one.",
            variable=VARIABLE,
            count=_SHORTEST,
        )
    return content


def altered(tables: Sequence[Table], said: bytes, standing: Sequence[Table] = ()) -> list[tuple[pd.DataFrame, Mask]]:
    """The rows of each table with their counts changed by the method of its dataflow, and which may not go out at all.

    Those are the rates of the table: what was made of the true counts would undo the change. What `standing`, the
    release before, shows of a count is kept where its sums are.
    """
    is_linked = [each.flow.protection.method == "controlled_rounding" for each in tables]
    linked = iter(_controlled(list(compress(tables, is_linked)), said, standing) if any(is_linked) else ())
    return [
        _altered(table, next(linked) if together else _alone(table, said))
        for table, together in zip(tables, is_linked, strict=True)
    ]


def _altered(table: Table, made: Vector) -> tuple[pd.DataFrame, Mask]:
    values = table.frame["OBS_VALUE"].to_numpy(dtype=np.float64)
    counts = _counts(table)
    frame = table.frame.assign(OBS_VALUE=np.where(counts, made, values) + 0.0)
    return frame, ~is_count(frame, table.library.list_of) & ~np.isnan(values)


def _counts(table: Table) -> Mask:
    """Rows with a count that is changed."""
    found: Mask = is_count(table.frame, table.library.list_of) & _is_whole(table.frame)
    return found & table.frame["OBS_VALUE"].notna().to_numpy()


def _alone(table: Table, said: bytes) -> Vector:
    """What becomes of each figure by a method that takes cell by cell."""
    values, draw = np.rint(np.nan_to_num(table.frame["OBS_VALUE"].to_numpy(dtype=np.float64))), _draws(table, said)
    change = rounded if table.flow.protection.method == "random_rounding" else perturbed
    made: Vector = np.sign(values) * change(np.abs(values), draw)
    return made


def _controlled(tables: Sequence[Table], said: bytes, standing: Sequence[Table]) -> list[Vector]:
    """What becomes of each figure of tables that are rounded together, so that the sums of all of them hold."""
    whole = [
        replace(each, frame=each.frame.assign(OBS_VALUE=each.frame["OBS_VALUE"].round().where(_counts(each))))
        for each in tables
    ]
    linked = link(whole)
    values = np.nan_to_num(linked.values(each.frame for each in whole))
    draw, shown = np.zeros(linked.count), np.full(linked.count, np.nan)
    before = _shown(standing)
    for table, cells in zip(whole, linked.cells, strict=True):
        draw[cells] = _draws(table, said)
        shown[cells] = _cells(table).map(before).to_numpy(dtype=np.float64)
    sums = linked.sums[np.abs(linked.sums @ values) < 0.5]  # estimates were rounded: not all need hold any more
    made = controlled(sums, values, draw, shown)
    return [made[cells] for cells in linked.cells]


def _shown(standing: Sequence[Table]) -> dict[str, float]:
    """The figures of the release before, by their cell."""
    found: dict[str, float] = {}
    for table in standing:
        there = table.frame["OBS_VALUE"].notna().to_numpy()
        found.update(zip(_cells(table)[there], table.frame["OBS_VALUE"][there], strict=True))
    return found


def is_unchanged(table: Table) -> Mask:
    """Counts that no method of chance would leave as they are: multiples of the base are asked for, or no 1 and 2."""
    values = np.abs(table.frame["OBS_VALUE"].to_numpy(dtype=np.float64))
    counts = is_count(table.frame, table.library.list_of) & _is_whole(table.frame)
    with np.errstate(invalid="ignore"):
        wrong = {
            "random_rounding": values % BASE != 0,
            "controlled_rounding": values % BASE != 0,
            "cell_key": (values > 0) & (values < BASE),
        }.get(table.flow.protection.method, np.zeros(len(values), dtype=bool))
    found: Mask = counts & wrong & ~np.isnan(values)
    return found


def rounded(counts: Vector, draw: Vector) -> Vector:
    """The multiple of 3 below or above, the nearer one twice as often: the mean is the count."""
    rest = counts % BASE
    return np.where(draw < rest / BASE, counts - rest + BASE, counts - rest)


def perturbed(counts: Vector, draw: Vector) -> Vector:
    """Counts moved by two at most, three where they are small."""
    made = counts + _drawn(_LARGER, draw)
    for count, becomes in _CELL_KEYS.items():
        made = np.where(counts == count, _drawn(becomes, draw), made)
    return np.where(counts == 0, 0.0, made)


def _drawn(becomes: tuple[tuple[int, float], ...], draw: Vector) -> Vector:
    ends = np.cumsum([share for _, share in becomes])[:-1]
    return np.array([float(value) for value, _ in becomes])[np.searchsorted(ends, draw, side="right")]


def _draws(table: Table, said: bytes) -> Vector:
    """A number from 0 to below 1 for each row: keyed SipHash of its key, which nobody can turn round."""
    texts = _cells(table).to_numpy(dtype=object)
    key = base64.b64encode(hashlib.sha256(said).digest())[:16].decode()
    hashed = hash_array(texts, hash_key=key)
    return (hashed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _cells(table: Table) -> pd.Series:
    """The cell of each row, by its linked key."""
    found: pd.Series = keys(table).agg("\x1f".join, axis=1)
    return found


def _is_whole(frame: pd.DataFrame) -> Mask:
    """Rows whose figure is the count itself: one in thousands is rounded already."""
    if "UNIT_MULT" not in frame:
        return np.ones(len(frame), dtype=bool)
    whole: Mask = frame["UNIT_MULT"].isin(["", "0"]).to_numpy()
    return whole
