"""`metadata/calendar.csv`: which table comes out on which day, as the offices announce it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from pipeline.framework import LANGUAGES, Planned
from pipeline.library import authored
from pipeline.library.authored import refuse

_COLUMNS = ("date", "area", "dataflow", "period", *(f"note_{lang}" for lang in LANGUAGES))


def timetable(path: Path, *, areas: Collection[str], flows: Collection[str]) -> tuple[Planned, ...]:
    """Load the calendar, by day; none where there is no file.

    Raises:
        SetupError: a row names no day, or a country or dataflow that does not exist.
    """
    if not path.exists():
        return ()
    found = []
    for number, row in authored.rows(path, _COLUMNS):
        try:
            dt.date.fromisoformat(row["date"])
        except ValueError:
            refuse(path, number, f'"{row["date"]}" is not a day: 2026-12-01')
        for column, known in (("area", areas), ("dataflow", flows)):
            if row[column] not in known:
                refuse(path, number, f'{column} "{row[column]}" does not exist; known are {", ".join(sorted(known))}')
        note = {lang: row[f"note_{lang}"] for lang in LANGUAGES if row[f"note_{lang}"]}
        found.append(Planned(row["date"], row["area"], row["dataflow"], row["period"], note))
    return tuple(sorted(found, key=lambda each: (each.date, each.area, each.flow)))
