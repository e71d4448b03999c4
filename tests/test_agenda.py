"""The calendar of releases, read back by an independent reader of iCalendar."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from icalendar import Calendar

from pipeline.agenda import agenda
from pipeline.errors import SetupError
from pipeline.framework import Planned
from pipeline.library.timetable import timetable
from pipeline.model import Library, Settings

TITLE = {"en": "Migration; O'Higgins, \\ and more", "es": "Migración", "pt": "Migração"}
SETTINGS = Settings((), (), (), "https://example.org/", "2026-11-24.2", "es", TITLE)


def events(content: bytes) -> list[dict[str, object]]:
    found = Calendar.from_ical(content)
    return [{key.lower(): value for key, value in each.items()} for each in found.walk("VEVENT")]


def test_releases_that_are_out_and_planned_ones_are_events(library: Library) -> None:
    planned = (
        Planned("2020-01-01", "CL", "DF_STOCK", "2019", {}),
        Planned("2027-03-31", "CL", "DF_BORDER", "2026", {"en": "First, with a note"}),
    )
    names = ("2026-10-01.1", "2026-11-24.2")
    content = agenda(names, replace(library, planned=planned), SETTINGS, language="en")
    found = events(content)
    assert [str(each["uid"]) for each in found] == [
        "2026-10-01.1@example.org",
        "2026-11-24.2@example.org",
        "2027-03-31-CL-DF_BORDER@example.org",
    ]
    assert [each["dtstart"].dt for each in found] == [  # type: ignore[attr-defined]
        dt.date(2026, 10, 1),
        dt.date(2026, 11, 24),
        dt.date(2027, 3, 31),
    ]
    assert str(found[0]["url"]) == "https://example.org/releases/2026-10-01.1/changes.md"
    assert str(found[2]["summary"]) == "Border crossings · Chile: 2026"
    assert str(found[2]["description"]) == "First, with a note"
    assert str(Calendar.from_ical(content)["x-wr-calname"]) == f"Releases: {TITLE['en']}"
    assert content == agenda(names, replace(library, planned=planned), SETTINGS, language="en")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2026-13-01,CL,DF_STOCK,2025,,,", "is not a day"),
        ("2026-12-01,ZZ,DF_STOCK,2025,,,", 'area "ZZ" does not exist'),
        ("2026-12-01,CL,DF_NONE,2025,,,", 'dataflow "DF_NONE" does not exist'),
    ],
)
def test_a_wrong_row_of_the_calendar_is_told(tmp_path: Path, row: str, fault: str) -> None:
    path = tmp_path / "calendar.csv"
    path.write_text(f"date,area,dataflow,period,note_en,note_es,note_pt\n{row}\n", encoding="utf-8")
    with pytest.raises(SetupError, match=fault):
        timetable(path, areas=["CL"], flows=["DF_STOCK"])


def test_the_calendar_is_by_day(tmp_path: Path) -> None:
    path = tmp_path / "calendar.csv"
    rows = ("2027-03-31,CL,DF_STOCK,2026,,Tarde,", "2026-12-01,CL,DF_STOCK,2025,,,")
    path.write_text("\n".join(("date,area,dataflow,period,note_en,note_es,note_pt", *rows)), encoding="utf-8")
    found = timetable(path, areas=["CL"], flows=["DF_STOCK"])
    assert [(each.date, each.period, each.note) for each in found] == [
        ("2026-12-01", "2025", {}),
        ("2027-03-31", "2026", {"es": "Tarde"}),
    ]
    assert timetable(tmp_path / "none.csv", areas=[], flows=[]) == ()
