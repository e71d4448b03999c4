"""Civil days as whole numbers: days since 1970-01-01, without time zones."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

DAY_SECONDS = 86_400
_EPOCH = dt.date(1970, 1, 1)

Days = npt.NDArray[np.int32]

_FIRST, _LAST = -36_524, 73_048  # 1870-01-01 to 2169-12-31
_DATES = np.arange(_FIRST, _LAST).astype("datetime64[D]")
_YEARS = _DATES.astype("datetime64[Y]")
_MONTHS = (
    (_YEARS.astype(np.int64) + 1970) * 100 + (_DATES.astype("datetime64[M]") - _YEARS).astype(np.int64) + 1
).astype(np.int32)


def month_number(days: Days) -> Days:
    """The month of each day, such as 202403."""
    found: Days = _MONTHS[np.clip(days, _FIRST, _LAST - 1) - _FIRST]
    return found


def day_number(text: str) -> int:
    """The number of a day written YYYY-MM-DD."""
    return (dt.date.fromisoformat(text) - _EPOCH).days


def day_text(number: int) -> str:
    """A day written YYYY-MM-DD."""
    return (_EPOCH + dt.timedelta(days=number)).isoformat()
