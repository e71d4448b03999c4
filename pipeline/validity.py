"""When a row of `codes.csv` holds: ISO 8601 and SDMX periods as days that compare as text."""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange

from pipeline.model import CodeRow

_PERIOD = re.compile(r"(\d{4})(?:-(?:([ASTQMW])(\d{1,3})|(\d\d)(?:-(\d\d))?))?")
_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}


def days(period: str) -> tuple[str, str]:
    """The first and last day of a period (SDMX 3.0 section 6 §4.2.1); two empty texts when it is none.

    `2011` → (`2011-01-01`, `2011-12-31`); also `2011-07`, `2011-07-09`, `2011-Q3`, `2011-S2`, `2011-T1`, `2011-W27`.
    """
    match = _PERIOD.fullmatch(period.strip())
    if match is None:
        return "", ""
    year, kind, number, month, day = match.groups()
    try:
        if day:
            first = last = dt.date(int(year), int(month), int(day))
        elif kind == "W":
            first = dt.date.fromisocalendar(int(year), int(number), 1)
            last = first + dt.timedelta(days=6)
        else:
            first, last = _months(int(year), kind or ("M" if month else "A"), int(number or month or 1))
    except ValueError:
        return "", ""
    return first.isoformat(), last.isoformat()


def _months(year: int, kind: str, number: int) -> tuple[dt.date, dt.date]:
    end = number * _MONTHS[kind]
    start = end - _MONTHS[kind] + 1
    return dt.date(year, start, 1), dt.date(year, end, monthrange(year, end)[1])


def span(row: CodeRow) -> tuple[str, str]:
    """The first and last day on which a row holds; an open side lies beyond every day."""
    return days(row.valid_from)[0] if row.valid_from else "", days(row.valid_to)[1] if row.valid_to else "9999-12-31"


def holds(row: CodeRow, day: str) -> bool:
    """Whether a row holds for figures whose period begins on `day`; a dated row never does for an unknown day."""
    if not row.valid_from and not row.valid_to:
        return True
    first, last = span(row)
    return bool(day) and first <= day <= last
