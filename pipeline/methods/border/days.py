"""Civil days as whole numbers: days since 1970-01-01, without time zones."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

DAY_SECONDS = 86_400
_EPOCH = dt.date(1970, 1, 1)

Days = npt.NDArray[np.int32]


def day_number(text: str) -> int:
    """The number of a day written YYYY-MM-DD."""
    return (dt.date.fromisoformat(text) - _EPOCH).days


def day_text(number: int) -> str:
    """A day written YYYY-MM-DD."""
    return (_EPOCH + dt.timedelta(days=number)).isoformat()
