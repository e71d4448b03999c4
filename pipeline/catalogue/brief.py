"""The brief of a country: two printed pages of sentences and charts, every sentence made from published figures.

How sure a sentence sounds follows the status of its figure (OBS_STATUS): what was estimated is said to
be an estimate, what is provisional to be provisional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pipeline.catalogue import parts, printed
from pipeline.catalogue.figures import Breakdown, Line, Point
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_FLOWS = ("DF_STOCK", "DF_EMIG", "DF_REFUGEE", "DF_REMIT")
_SURE, _BREAK = "A", "B"
_LARGEST, _SOURCES = 3, 3
_CHARTS = (("DF_STOCK", ("COUNTRY_BIRTH", "CITIZENSHIP")), ("DF_EMIG", ("COUNTERPART_AREA",)))


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """One brief for each country with figures."""
    for area in catalogue.areas:
        if catalogue.of_area(area):
            path = f"country/{area}/brief"
            yield Page(
                path,
                "brief.html",
                partial(_content, catalogue, area),
                partial(_name, catalogue, area),
                "countries",
                (area,),
                {printed.NAME: partial(printed.brief, path=path, catalogue=catalogue)},
            )


def _name(catalogue: Catalogue, area: str, words: Words) -> str:
    said = texts("brief", words.lang)
    return str(said["title"]).format(country=words.name(catalogue.library.area_name(area)))


def _content(catalogue: Catalogue, area: str, words: Words) -> Content:
    views = [catalogue.views[area, flow] for flow in _FLOWS if (area, flow) in catalogue.views]
    topics = [topic for view in views if (topic := _topic(catalogue, view, words)) is not None]
    return {
        "b": texts("brief", words.lang),
        "area": area,
        "countries": catalogue.library.list_of("REF_AREA"),
        "title": _name(catalogue, area, words),
        "topics": topics,
        "bars": list(_bars(catalogue, area, words)),
        "withheld": sum(view.suppressed for view in views),
        "sources": list(dict.fromkeys(name for view in views for name in parts.producers(catalogue, view, words))),
        "record": {"area": area, "sentences": [each for topic in topics for each in topic["sentences"]]},
    }


def _topic(catalogue: Catalogue, view: View, words: Words) -> dict[str, Any] | None:
    """One dataset: its sentences, and its chart over time."""
    lines = [line for line in view.lines if line.latest is not None]
    if not lines:
        return None
    shown, sentences = _largest(view), []
    told_of: list[Line | Breakdown] = [*lines, *([shown] if shown is not None else [])]
    sources = {parts.source(catalogue, view, each, words) for each in told_of}
    for line in lines[:_SOURCES]:
        source = _bracketed(catalogue, view, line, words) if len(sources) > 1 else ""
        told = (_sentence(catalogue, view, line, words, source=source), _change(line, words))
        sentences.append(" ".join(each for each in told if each))
    if shown is not None:
        source = _bracketed(catalogue, view, shown, words) if len(sources) > 1 else ""
        sentences.append(_largest_said(catalogue, view, shown, words, source=source))
    figure, charts = parts.key_figure(catalogue, view, lines[0], words), parts.line_charts(catalogue, view, words)
    return {"view": view, "flow": view.flow, "figure": figure, "sentences": sentences, "charts": charts[:1]}


def _bracketed(catalogue: Catalogue, view: View, shown: Line | Breakdown, words: Words) -> str:
    """The source, as it stands in a sentence of a topic with several; else it stands under the chart alone."""
    return f" ({parts.source(catalogue, view, shown, words)})"


def _sentence(catalogue: Catalogue, view: View, line: Line, words: Words, *, source: str) -> str:
    """The latest figure of a series as a sentence, as sure as its status."""
    said, latest = texts("brief", words.lang), line.latest
    assert latest is not None
    assert latest.value is not None
    return str(said["sentences"][view.flow.id]).format(
        period=words.period(latest.at),
        value=words.number(latest.value),
        unit=parts.within(parts.unit(catalogue, line, words)),
        country=words.name(catalogue.library.area_name(view.area)),
        who=_who(line, said),
        what=parts.within(parts.status_of_line(catalogue, view, line, words)),
        hedge=hedge(latest, catalogue, words),
        source=source,
    )


def hedge(point: Point, catalogue: Catalogue, words: Words) -> str:
    """What a sentence adds for the status of its figure; nothing where it is a normal one."""
    if point.status == _SURE:
        return ""
    hedges: Mapping[str, str] = texts("brief", words.lang)["hedges"]
    status = parts.within(parts.name_of(catalogue, "OBS_STATUS", point.status, words))
    return hedges.get(point.status, hedges["other"]).format(status=status)


def _who(line: Line, said: Mapping[str, Any]) -> str:
    """By birth or by citizenship."""
    is_by_birth = line.key.get("COUNTRY_BIRTH", "_T") not in ("_T", "_Z", "")
    return str(said["by_birth" if is_by_birth else "by_citizenship"])


def _change(line: Line, words: Words) -> str:
    """How the latest figure stands to the first of the same source; nothing across a break or from zero."""
    told = [point for point in line.points if point.value is not None]
    if len(told) < 2 or not told[0].value or any(point.status == _BREAK for point in line.points):
        return ""
    said, first, last = texts("brief", words.lang), told[0], told[-1]
    share = ((last.value or 0.0) / (first.value or 1.0) - 1) * 100
    kind = "more" if share >= 0.5 else "less" if share <= -0.5 else "same"
    return str(said[kind]).format(
        percent=words.number(abs(share), 0), period=words.period(first.at), value=words.number(first.value or 0.0)
    )


def _largest(view: View) -> Breakdown | None:
    """Where people come from, or where they live."""
    wanted = ("COUNTRY_BIRTH", "CITIZENSHIP", "COUNTERPART_AREA")
    return next((each for each in view.breakdowns if each.dimension in wanted), None)


def _largest_said(catalogue: Catalogue, view: View, shown: Breakdown, words: Words, *, source: str) -> str:
    said, points = texts("brief", words.lang), [point for point in shown.points if point.value is not None]
    named = [
        f"{parts.name_of(catalogue, shown.dimension, point.at, words)} ({words.number(point.value or 0.0)})"
        for point in points[:_LARGEST]
    ]
    return str(said["largest"]).format(
        period=words.period(shown.period),
        basis=parts.within(parts.bar_chart(catalogue, view, shown, words)["dimension"]),
        named=words.listed(named),
        source=source,
    )


def _bars(catalogue: Catalogue, area: str, words: Words) -> Iterator[Content]:
    for flow, dimensions in _CHARTS:
        view = catalogue.views.get((area, flow))
        found = [each for each in view.breakdowns if each.dimension in dimensions] if view is not None else []
        if view is not None and found:
            yield parts.bar_chart(catalogue, view, found[0], words)
