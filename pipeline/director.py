"""One page for whoever signs the release: what goes out, what is held back and why, waivers, what has changed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from pipeline import vintages, waivers
from pipeline.framework import LANGUAGES
from pipeline.model import Library, Release, Report, Settings
from pipeline.texts import LOCALES, SITE, environment, said, texts

_MOST = {"held_back": 6, "waivers": 3, "changes": 8}  # rows that leave all of it on one sheet of A4

Row = Mapping[str, Any]


def pages(release: Release, library: Library, settings: Settings) -> dict[str, bytes]:
    """`director.<language>.html`, one for each language. They stay with the office: they are no part of a release."""
    return {f"director.{language}.html": _page(release, library, settings, language) for language in LANGUAGES}


def _page(release: Release, library: Library, settings: Settings, language: str) -> bytes:
    template = environment().get_template("director.html")
    lists = {
        "held_back": _held_back(release, library, language),
        "waivers": _waivers(library, settings, language),
        "changes": _changes(release, library, settings, language),
    }
    flows = list(dict.fromkeys(flow for _, flow in _keys(release)))
    text = template.render(
        lang=language,
        w=texts("director", language),
        title=said(settings.title, language),
        release=settings.release,
        day=_day(settings.release_day, language),
        published=len(release.packages),
        flows=[said(library.dataflows[flow].name, language) for flow in flows],
        countries=_countries(release, library, flows, language),
        withheld=sum(sum(package.data.suppressed.values()) for package in release.packages),
        totals={name: len(rows) for name, rows in lists.items()},
        lists={name: rows[: _MOST[name]] for name, rows in lists.items()},
        number=lambda value: format_decimal(value, locale=LOCALES[language]),
        look=(SITE / "assets/theme.css").read_text(encoding="utf-8"),
    )
    return text.encode()


def _keys(release: Release) -> list[tuple[str, str]]:
    found = [(package.data.area, package.data.flow.id) for package in release.packages]
    return list(dict.fromkeys((*found, *release.held_back)))


def _countries(release: Release, library: Library, flows: Sequence[str], language: str) -> list[Row]:
    """Of each country, for each dataflow: how many observations go out, and whether its delivery is held back."""
    sizes = {(p.data.area, p.data.flow.id): len(p.data.frame) for p in release.packages}
    return [
        {
            "name": said(library.area_name(area), language),
            "cells": [(sizes.get((area, flow)), (area, flow) in release.held_back) for flow in flows],
        }
        for area in dict.fromkeys(area for area, _ in _keys(release))
    ]


def _held_back(release: Release, library: Library, language: str) -> list[Row]:
    packages = {(package.data.area, package.data.flow.id) for package in release.packages}
    return [
        {
            **_names(library, area, flow, language),
            "why": _why(release.reports.get((area, flow)), library, language) or said(message, language).rstrip("."),
            "stands": (area, flow) in packages,
        }
        for (area, flow), message in release.held_back.items()
    ]


def _why(report: Report | None, library: Library, language: str) -> str:
    """The errors of a delivery by their titles; nothing when it is held back for another reason."""
    cells: Counter[str] = Counter()
    for issue in report.issues if report else ():
        if issue.severity == "E" and not issue.waiver:
            cells[issue.code] += issue.count
    titles = {code: said(library.issue_types[code].title, language) for code in cells}
    return "; ".join(f"{titles[code]} ({code}: {count})" for code, count in cells.items())


def _waivers(library: Library, settings: Settings, language: str) -> list[Row]:
    return [
        {
            **_names(library, each.area, each.flow, language),
            "error": f"{said(library.issue_types[each.code].title, language)} ({each.code})",
            "reason": said(each.reason, language),
            "role": each.role,
            "until": _day(each.expiry, language),
            "state": waivers.state(each, settings.release_day),
            "reference": each.reference,
        }
        for each in library.waivers
    ]


def _changes(release: Release, library: Library, settings: Settings, language: str) -> list[Row]:
    """Of each table that this release revises, the observations by kind of change and the greatest change."""
    found = []
    for area, flow in _keys(release):
        content = release.records.get(vintages.path(area, flow), b"")
        rows = [r for r in csv.DictReader(io.StringIO(content.decode())) if r["release"] == settings.release]
        if rows:
            kinds = Counter(row["kind"] for row in rows)
            widest = max((float(row["r"]) for row in rows if row["r"]), key=abs, default=None)
            size = "" if not widest else format_percent(widest, "+0.0%;-0.0%", locale=LOCALES[language])
            found.append({**_names(library, area, flow, language), "kinds": kinds, "widest": size})
    return sorted(found, key=lambda row: -row["kinds"].total())


def _names(library: Library, area: str, flow: str, language: str) -> dict[str, str]:
    return {
        "area": said(library.area_name(area), language),
        "flow": said(library.dataflows[flow].name, language),
    }


def _day(iso: str, language: str) -> str:
    return format_date(date.fromisoformat(iso), format="long", locale=LOCALES[language])
