"""`calendar.ics`: the releases that are out and those that are planned, for calendars of people (RFC 5545)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from pipeline.framework import Planned
from pipeline.model import Library, Settings
from pipeline.texts import said, texts

PATH = "calendar.ics"


def agenda(
    releases: Iterable[str],
    library: Library,
    settings: Settings,
    *,
    language: str,
    expected: Iterable[Planned] = (),
) -> bytes:
    """The calendar in a language; whole days, and nothing of the clock of the machine.

    `expected` are the deliveries that agreements name a day for.
    """
    words, host = texts("calendar", language), urlsplit(settings.base_url).hostname or ""
    base = settings.base_url.rstrip("/")
    found = Calendar()
    found.add("prodid", "-//Trayecto//calendar//EN")
    found.add("version", "2.0")
    found.add("x-wr-calname", words["title"].format(title=said(settings.title, language)))
    stamp = dt.datetime.combine(dt.date.fromisoformat(settings.release_day), dt.time(), dt.UTC)
    for release in releases:
        url = f"{base}/releases/{release}/changes.md"
        title = words["released"].format(release=release)
        found.add_component(_event(f"{release}@{host}", release.partition(".")[0], title, stamp, url=url))
    for each in (*library.planned, *expected):
        if each.date > settings.release_day:
            title = words["planned"].format(table=_table(each, library, language), period=each.period)
            body = each.note.get(language) or each.note.get("en", "")
            name = f"{each.date}-{each.area}-{each.flow}@{host}"
            found.add_component(_event(name, each.date, title, stamp, body=body))
    content: bytes = found.to_ical()
    return content


def _table(planned: Planned, library: Library, language: str) -> str:
    names = (library.dataflows[planned.flow].name, library.area_name(planned.area))
    return " · ".join(said(name, language) for name in names)


def _event(name: str, day: str, title: str, stamp: dt.datetime, *, url: str = "", body: str = "") -> Event:
    event = Event()
    event.add("uid", name)
    event.add("dtstamp", stamp)
    event.add("dtstart", dt.date.fromisoformat(day))
    event.add("summary", title)
    for key, text in (("url", url), ("description", body)):
        if text:
            event.add(key, text)
    return event
