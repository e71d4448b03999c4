"""metadata/national/<AREA>/revisions.csv → why published figures of a country change; most have none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pipeline.framework import LANGUAGES, Dataflow, RevisionNote, Text
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.library.dataflows import check_condition
from pipeline.model import Series

_COLUMNS = ("flow", "date", "scope", *(f"reason_{language}" for language in LANGUAGES))


def revisions(path: Path, series: Mapping[str, Series], flows: Mapping[str, Dataflow]) -> tuple[RevisionNote, ...]:
    """Load the notes on revisions, if there are any.

    Raises:
        SetupError: a row names no dataflow of the country, has no day, a scope that is not understood or
            a reason that lacks a language, or stands twice.
    """
    found: dict[tuple[str, str, str], RevisionNote] = {}
    for row, cells in authored.rows(path, _COLUMNS) if path.exists() else ():
        flow = cells["flow"]
        if flow not in series:
            refuse(path, row, f'"{flow}" is not a dataflow of this country; those are {", ".join(series)}')
        day(path, row, "date", cells["date"])
        check_condition(path, row, cells["scope"], flows[flow].structure.components)
        reason = reasons(path, row, cells)
        each = RevisionNote(flow, cells["date"], cells["scope"], reason)
        if (each.flow, each.date, each.scope) in found:
            refuse(path, row, "a note of the same day and scope stands above")
        found[each.flow, each.date, each.scope] = each
    return tuple(found.values())


def day(path: Path, row: int, column: str, text: str) -> date:
    """An ISO day of an authored file."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(path, row, f'{column} "{text}" is not a day such as 2026-11-24')


def reasons(path: Path, row: int, cells: Mapping[str, str]) -> Text:
    """A reason that is published: in the three languages."""
    for language in LANGUAGES:
        if not cells[f"reason_{language}"]:
            refuse(path, row, f"reason_{language} is empty: the reason is published in the three languages")
    return authored.words(cells, "reason")
