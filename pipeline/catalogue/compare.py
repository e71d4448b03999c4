"""The comparison of sources: where one country has several figures for one thing, side by side, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from pipeline.catalogue import charts, parts
from pipeline.catalogue.figures import Line
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View, common_period
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_DEFINES = ("REF_DATE", "RES_CRITERION", "METHOD", "SOURCE_OPERATION", "TIME_PER_COLLECT")
_NAMED = ("RES_CRITERION", "METHOD", "TIME_PER_COLLECT")
_UNSAID = ("", "_U", "_Z")
_WHOLE = ("_T", "_Z", "")
_MAX_LINES = 6


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page of comparisons."""
    if catalogue.views:
        yield Page("compare", "compare.html", partial(_content, catalogue), _title)


def _title(words: Words) -> str:
    return str(texts("compare", words.lang)["title"])


def _content(catalogue: Catalogue, words: Words) -> Content:
    cases = [case for view in catalogue.views.values() if (case := _case(catalogue, view, words)) is not None]
    return {
        "k": texts("compare", words.lang),
        "m": texts("mirror", words.lang),
        "cases": cases,
        "tables": [table for flow in catalogue.flows if (table := _table(catalogue, flow.id, words)) is not None],
        "record": {
            "cases": [
                {"dataflow": each["view"].flow.id, "area": each["view"].area, "differs": each["differs"]}
                for each in cases
            ]
        },
    }


def _case(catalogue: Catalogue, view: View, words: Words) -> dict[str, Any] | None:
    """One table with figures of several kinds of source."""
    lines = [line for line in view.lines if line.latest is not None and line.key.get("SOURCE_TYPE")][:_MAX_LINES]
    if len({line.key["SOURCE_TYPE"] for line in lines}) < 2:
        return None
    period = common_period(line.points for line in lines) or ""
    told = [_attributes(view, line) for line in lines]
    named = list(zip(parts.line_names(catalogue, view, lines, words), lines, strict=True))
    said = texts("mirror", words.lang)["reasons"]
    differs = [each for each in said if len({of.get(each, "") for of in told} - set(_UNSAID)) > 1]
    return {
        "id": f"{view.flow.id}-{view.area}".lower().replace("_", "-"),
        "view": view,
        "title": view.package.description.title,
        "period": words.period(period),
        "rows": [_row(catalogue, view, (line, of), period, words) for line, of in zip(lines, told, strict=True)],
        "differs": differs,
        "chart": {
            "title": parts.measure(catalogue, view, lines[0], words),
            "unit": parts.unit(catalogue, lines[0], words),
            "detail": "",
            "chart": charts.line_chart(named, words),
            **parts.numbers(named, words),
            "source": words.listed(list(dict.fromkeys(parts.source(catalogue, view, line, words) for line in lines))),
        },
    }


def _attributes(view: View, line: Line) -> dict[str, str]:
    """What defines the latest figure of a series, by the names of the reasons why figures differ."""
    frame, latest = view.package.data.frame, line.latest
    assert latest is not None
    rows = (frame["TIME_PERIOD"] == latest.at).to_numpy()
    for dimension, code in line.key.items():
        rows = rows & (frame[dimension] == code).to_numpy()
    first = frame.iloc[int(np.flatnonzero(rows)[0])]
    basis = next(
        (each for each in ("COUNTRY_BIRTH", "CITIZENSHIP") if line.key.get(each, "_T") not in ("_T", "_Z")), ""
    )
    return {
        "SOURCE_TYPE": line.key["SOURCE_TYPE"],
        "BASIS": basis,
        **{each: str(first[each]) for each in _DEFINES if each in frame},
    }


def _row(catalogue: Catalogue, view: View, told: tuple[Line, dict[str, str]], period: str, words: Words) -> Content:
    line, of = told
    latest = line.latest
    assert latest is not None
    at = next((point for point in line.points if point.at == period), None)
    names = [parts.name_of(catalogue, each, of[each], words) for each in _NAMED if of.get(each, "") not in _UNSAID]
    return {
        "source": parts.source(catalogue, view, line, words),
        "what": parts.detail(catalogue, view, line, words),
        "common": charts.figure(at, words) if at is not None else "–",
        "latest": charts.figure(latest, words),
        "at": words.period(latest.at),
        "definition": "; ".join(names),
        "operation": of.get("SOURCE_OPERATION", ""),
    }


def _table(catalogue: Catalogue, flow: str, words: Words) -> dict[str, Any] | None:
    """Countries by kinds of source: the latest figure of each, where a dataflow has several kinds."""
    views = catalogue.of_flow(flow)
    kinds = list(dict.fromkeys(code for view in views for code in view.used.get("SOURCE_TYPE", ())))
    if len(kinds) < 2:
        return None
    rows = []
    for view in views:
        cells = []
        for kind in kinds:
            line = next((e for e in view.lines if e.key.get("SOURCE_TYPE") == kind and e.latest is not None), None)
            cells.append(parts.key_figure(catalogue, view, line, words) if line is not None else None)
        rows.append((view, words.name(catalogue.library.area_name(view.area)), cells))
    return {
        "flow": catalogue.library.dataflows[flow],
        "kinds": [parts.name_of(catalogue, "SOURCE_TYPE", kind, words) for kind in kinds],
        "rows": rows,
    }
