"""Days that a period of SDMX covers (SDMX 2.1 section 6 §4.2), to compare periods of any frequency."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Mapping

from pipeline.service.faults import SYNTAX, RequestError

_YEAR = re.compile(r"[0-9]{4}")
_PART = re.compile(r"([0-9]{4})-([ASQTW])([0-9]{1,2})")
_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3}
_MONTH = re.compile(r"([0-9]{4})-M?([0-9]{2})")

Span = tuple[str, str]  # first and last day


def span(text: str) -> Span:
    """The first and last day of a year, half-year, trimester, quarter, month, week, day or moment.

    Raises:
        RequestError: it is no period.
    """
    try:
        if _YEAR.fullmatch(text):
            return f"{text}-01-01", f"{text}-12-31"
        if found := _MONTH.fullmatch(text):
            return _months(int(found[1]), int(found[2]), 1)
        if found := _PART.fullmatch(text):
            return _part(int(found[1]), found[2], int(found[3]))
        day = dt.datetime.fromisoformat(text.replace(" ", "+")).date().isoformat()
        return day, day
    except ValueError:
        raise RequestError(SYNTAX, f'"{text}" is not a period such as 2024, 2024-Q1, 2024-01 or 2024-01-31.') from None


def _part(year: int, kind: str, number: int) -> Span:
    if kind == "W":
        days = (dt.date.fromisocalendar(year, number, day).isoformat() for day in (1, 7))
        return next(days), next(days)
    return _months(year, (number - 1) * _MONTHS[kind] + 1, _MONTHS[kind])


def _months(year: int, first: int, count: int) -> Span:
    last = first + count - 1
    if not (1 <= first <= last <= 12):
        raise ValueError(first)
    return f"{year:04}-{first:02}-01", f"{year:04}-{last:02}-{calendar.monthrange(year, last)[1]}"


# How a period of the data stands to the one that was asked, both as spans.
COMPARED: Mapping[str, Callable[[Span, Span], bool]] = {
    "ge": lambda mine, asked: mine[0] >= asked[0],
    "gt": lambda mine, asked: mine[0] > asked[1],
    "le": lambda mine, asked: mine[1] <= asked[1],
    "lt": lambda mine, asked: mine[1] < asked[0],
    "eq": lambda mine, asked: mine == asked,
    "ne": lambda mine, asked: mine != asked,
}
