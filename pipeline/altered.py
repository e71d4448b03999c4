"""Counts changed at random instead of withheld: random rounding to base 3, and cell keys (framework §11).

What becomes of a count is drawn from its key and the office's secret, so that the same cell is changed in the same
way in every table and every release: asking twice tells nothing. The secret stands in no file of a release.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array

from pipeline.checks.finding import Mask, Table
from pipeline.errors import SetupError
from pipeline.linked import keys
from pipeline.thresholds import is_count

Vector = npt.NDArray[np.float64]

VARIABLE = "TRAYECTO_DISCLOSURE_KEY"  # the environment variable that names the file of the secret
BASE = 3
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


def altered(table: Table, said: bytes) -> tuple[pd.DataFrame, Mask]:
    """The rows with their counts changed by the method of the dataflow, and which rows may not go out at all.

    Those are the rates of the table: what was made of the true counts would undo the change.
    """
    frame = table.frame.copy()
    values = frame["OBS_VALUE"].to_numpy(dtype=np.float64, copy=True)
    has_value, is_counted = ~np.isnan(values), is_count(frame, table.library.list_of)
    counts = is_counted & has_value & _is_whole(frame)
    draw = _draws(table, said)[counts]
    size = np.rint(np.abs(values[counts]))
    made = rounded(size, draw) if table.flow.protection.method == "random_rounding" else perturbed(size, draw)
    values[counts] = np.sign(values[counts]) * made
    frame["OBS_VALUE"] = values + 0.0
    return frame, ~is_counted & has_value


def is_unchanged(table: Table) -> Mask:
    """Counts that no method of chance would leave as they are: multiples of the base are asked for, or no 1 and 2."""
    values = np.abs(table.frame["OBS_VALUE"].to_numpy(dtype=np.float64))
    counts = is_count(table.frame, table.library.list_of) & _is_whole(table.frame)
    with np.errstate(invalid="ignore"):
        wrong = {
            "random_rounding": values % BASE != 0,
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
    texts = keys(table).agg("\x1f".join, axis=1).to_numpy(dtype=object)
    key = base64.b64encode(hashlib.sha256(said).digest())[:16].decode()
    hashed = hash_array(texts, hash_key=key)
    return (hashed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _is_whole(frame: pd.DataFrame) -> Mask:
    """Rows whose figure is the count itself: one in thousands is rounded already."""
    if "UNIT_MULT" not in frame:
        return np.ones(len(frame), dtype=bool)
    whole: Mask = frame["UNIT_MULT"].isin(["", "0"]).to_numpy()
    return whole
