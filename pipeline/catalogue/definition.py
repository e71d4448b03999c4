"""What the figures of a dataset count, how that departs from the shared framework, and what was revised."""

from __future__ import annotations

import csv
import io
from itertools import islice

from pipeline.catalogue import parts
from pipeline.catalogue.charts import reason
from pipeline.catalogue.render import Content
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.framework import Text

_FIELDS = ("STAT_CONC_DEF", "STAT_POP", "REF_PERIOD", "MIG_RES_CRITERION", "COMPAR_GEO", "COHER_X_DOM")
_COMPONENTS = (
    "SOURCE_TYPE",
    "RES_CRITERION",
    "METHOD",
    "TIME_PER_COLLECT",
    "BREAK_REASON",
    "RELIABILITY",
    "OBS_STATUS",
)
_AS_SHARED = {"RES_CRITERION": ("M12", "_Z"), "OBS_STATUS": ("A",), "METHOD": ("_Z",)}
_ROWS = 30


def definition(catalogue: Catalogue, view: View) -> list[tuple[Text, Text]]:
    """The fields of the reference metadata that say what is counted."""
    stated = view.package.description.fields
    return [(catalogue.library.fields[each].name, stated[each]) for each in _FIELDS if each in stated]


def departures(catalogue: Catalogue, view: View, words: Words) -> list[tuple[str, list[tuple[str, str]]]]:
    """(concept, codes with their names) of the attributes in which figures differ from the shared definition."""
    found = []
    for component in _COMPONENTS:
        used = [code for code in view.used.get(component, ()) if code not in _AS_SHARED.get(component, ())]
        if used:
            named = [(code, parts.name_of(catalogue, component, code, words)) for code in used]
            found.append((parts.concept(catalogue, component, words), named))
    return found


def revisions(catalogue: Catalogue, view: View, words: Words) -> Content:
    """The table of figures that the last delivery changed: how many, and the first of them by name."""
    path = f"reports/{view.area}/revisions/{view.flow.id}.csv"
    content = catalogue.release.records.get(path, b"").decode()
    rows = csv.DictReader(io.StringIO(content))
    shown = list(islice(rows, _ROWS))
    dimensions = [each for each in view.flow.structure.dimensions if len({row.get(each) for row in shown}) > 1]
    return {
        "path": path,
        "count": len(shown) + sum(1 for _ in rows),
        "columns": [parts.concept(catalogue, each, words) for each in (*dimensions, "TIME_PERIOD")],
        "rows": [
            {
                "cells": [
                    *(parts.name_of(catalogue, each, row[each], words) for each in dimensions),
                    words.period(row.get("TIME_PERIOD") or ""),
                ],
                "before": _figure(row.get("old"), row.get("old_status"), words),
                "now": _figure(row.get("new"), row.get("new_status"), words),
                "reason": row.get(f"note_{words.lang}") or row.get("note_en") or "",
            }
            for row in shown
        ],
    }


def _figure(value: str | None, status: str | None, words: Words) -> str:
    """The figure, or why there is none; a period that had no row at all has a dash."""
    if value:
        return words.number(float(value))
    return "–" if not status else str(words.texts["figure"][reason(status)])


def reasons(catalogue: Catalogue, view: View, words: Words) -> str:
    """Why a table has no figure at all, as its statuses say it; blank when it has one, or no series to speak of."""
    points = [point for line in view.lines for point in line.points]
    if not points or any(point.value is not None for point in points):
        return ""
    statuses = dict.fromkeys(point.status for point in points)
    return words.listed([parts.name_of(catalogue, "OBS_STATUS", each, words) for each in statuses])
