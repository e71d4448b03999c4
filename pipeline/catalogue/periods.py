"""Periods of SDMX in time, whatever their frequency: a year, a quarter, a month or a day."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PERIOD = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})(?:-(\d{2}))?))?")
_DAY = 1 / 372


def moment(period: str) -> float:
    """Where a period begins in time, in years; 0 for what is no period."""
    return span(period)[0]


def span(period: str) -> tuple[float, float]:
    """Where a period begins and ends, in years of twelve months of 31 days."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        return 0.0, 0.0
    year, quarter, month, day = found.groups()
    months = (int(quarter) - 1) * 3 if quarter else int(month) - 1 if month else 0
    begins = int(year) + months / 12 + (int(day) - 1 if day else 0) * _DAY
    length = _DAY if day else 1 / 12 if month else 1 / 4 if quarter else 1.0
    return begins, begins + length


def order(period: str) -> tuple[float, float]:
    """By the end, then by the beginning: of 2024, 2024-06 and 2024-Q3 the year is the latest."""
    begins, ends = span(period)
    return round(ends, 6), round(begins, 6)


def latest(periods: Iterable[str]) -> str:
    """The period that ends last; of several, the shortest. Blank when there is none."""
    return max(periods, key=order, default="")
