"""Time between the end of a period and a day, in whole months."""

from __future__ import annotations

import pandas as pd


def end(period: str) -> pd.Timestamp:
    """The last moment of a period such as 2024, 2024-Q1 or 2024-03."""
    return pd.Period(period).end_time


def latest(periods: list[str]) -> str:
    """The period that ends last; blank of none."""
    return max(periods, key=end, default="")


def months(period: str, day: str) -> int:
    """Months from the end of a period to a day; 0 where it has not ended."""
    to, since = pd.Timestamp(day), end(period)
    return max(0, (to.year - since.year) * 12 + to.month - since.month)
