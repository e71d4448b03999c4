"""The home page: a few figures of the region, the countries, the datasets by topic, what is where."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pipeline.catalogue import charts, parts
from pipeline.catalogue.atlas import america
from pipeline.catalogue.figures import Line, Point
from pipeline.catalogue.periods import order
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View, common_period, line_key
from pipeline.catalogue.wording import Words

_MAX_RELEASES = 4
_RADIUS = 15
_FEATURED = ("DF_STOCK", "DF_EMIG", "DF_REFUGEE", "DF_REMIT")  # amounts that can be added over countries
_MACHINE_FILES = (
    "catalog.ttl",
    "catalog.jsonld",
    "files/structures/structures-2.1.xml",
    "feed.atom",
    "manifest.json",
)


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The home page of a language."""
    yield Page("", "home.html", partial(_content, catalogue), lambda words: words.name(catalogue.settings.title))


def _content(catalogue: Catalogue, words: Words) -> Content:
    first = "DF_STOCK" if catalogue.of_flow("DF_STOCK") or not catalogue.flows else catalogue.flows[0].id
    countries = [_country(catalogue, area, first, words) for area in catalogue.areas]
    views = list(catalogue.views.values())
    described = catalogue.library.dataflows[first]
    return {
        "figures": [each for flow in _FEATURED if (each := _headline(catalogue, flow, words)) is not None],
        "countries": countries,
        "chart": _chart(catalogue, first, words),
        "said": parts.common([each["line"] for each in countries if each["line"] is not None]),
        "first": described,
        "map": _map(catalogue, first, words),
        "releases": list(_releases(catalogue, words)),
        "revised": list(_revised(catalogue)),
        "changes": [each for each in _changes(catalogue) if each in catalogue.written],
        "topics": list(_topics(catalogue, words)),
        "flows": catalogue.flows,
        "matrix": [(area, catalogue.library.area_name(area), _row(catalogue, area, words)) for area in catalogue.areas],
        "machine_files": [path for path in _MACHINE_FILES if path in catalogue.written],
        "observations": words.number(sum(len(view.package.data.frame) for view in catalogue.views.values())),
        "datasets": len(catalogue.views),
        "record": {
            "datasets": [{"dataflow": view.flow.id, "area": view.area, "path": view.path} for view in views],
            "areas": list(catalogue.areas),
        },
    }


def _changes(catalogue: Catalogue) -> tuple[str, ...]:
    """Where the release says what it changed, and what comes next."""
    release = catalogue.settings.release
    return f"releases/{release}/changes.md", "releases/index.json", "calendar.ics"


def _releases(catalogue: Catalogue, words: Words) -> Iterator[Content]:
    """The releases that the datasets came with, the latest first: the day, and the datasets by topic."""
    came: dict[tuple[str, str], list[View]] = {}
    for view in catalogue.views.values():
        came.setdefault((view.package.description.last_update, view.package.description.vintage), []).append(view)
    for day, vintage in sorted(came, reverse=True)[:_MAX_RELEASES]:
        of = came[day, vintage]
        flows = [(flow, sum(view.flow.id == flow.id for view in of)) for flow in catalogue.flows]
        yield {
            "release": vintage,
            "day": words.day(day),
            "datasets": len(of),
            "flows": [(flow, count) for flow, count in flows if count],
        }


def _revised(catalogue: Catalogue) -> Iterator[Content]:
    """The tables whose figures changed, with the number of changes and the table of them."""
    for view in catalogue.views.values():
        path = f"reports/{view.area}/revisions/{view.flow.id}.csv"
        content = catalogue.release.records.get(path, b"")
        count = content.decode().count("\n") - 1
        if count > 0:
            yield {"view": view, "title": view.package.description.title, "count": count, "path": path}


def _map(catalogue: Catalogue, flow: str, words: Words) -> Content:
    """The countries of the run on a map, each with a circle as large as its latest figure of a dataset."""
    atlas = america(catalogue.site)
    shown: list[dict[str, Any]] = []
    for area in catalogue.areas:
        view = catalogue.views.get((area, flow))
        line = catalogue.line(view) if view is not None else None
        latest = line.latest if line is not None else None
        value = latest.value if latest is not None else None
        if area in atlas.places:
            x, y = atlas.places[area]
            shown.append({"area": area, "x": round(x, 1), "y": round(y, 1), "value": value})
    largest = max((abs(each["value"]) for each in shown if each["value"] is not None), default=0) or 1
    for each in shown:
        each["name"] = words.name(catalogue.library.area_name(each["area"]))
        each["figure"] = words.number(each["value"]) if each["value"] is not None else words.texts["home"]["no_figure"]
        each["radius"] = round(3 + _RADIUS * (abs(each["value"] or 0) / largest) ** 0.5, 1)
        each["is_left"] = any(0 < o["x"] - each["x"] < 70 and abs(o["y"] - each["y"]) < 20 for o in shown)
    return {"atlas": atlas, "shown": sorted(shown, key=lambda each: -each["radius"])}


def _headline(catalogue: Catalogue, flow: str, words: Words) -> Content | None:
    """The sum of the series that most countries share, in the period that most of them have."""
    shared = [
        (view, line)
        for view in catalogue.of_flow(flow)
        for line in view.lines
        if line_key(line) == catalogue.shared[flow]
    ]
    period = common_period(line.points for _, line in shared)
    if period is None:
        return None
    added = [
        (view, line, point.value)
        for view, line in shared
        for point in line.points
        if point.at == period and point.value is not None
    ]
    view, line, _ = added[0]
    if len({(each.unit, each.multiplier) for _, each, _ in added}) > 1:
        return None
    return {
        "flow": view.flow,
        "value": words.number(sum(value for _, _, value in added)),
        "unit": parts.unit(catalogue, line, words),
        "measure": parts.measure(catalogue, view, line, words),
        "detail": parts.detail(catalogue, view, line, words),
        "period": words.period(period),
        "countries": len(added),
        "source": _sources(catalogue, [(v, each) for v, each, _ in added], words),
        "curve": charts.spark(_sum([each for _, each in shared], len(added)), words, width=150, height=36),
    }


def _sum(lines: list[Line], countries: int) -> Line:
    """The sum of the series in the periods in which as many countries have a figure as in the one that is shown."""
    values: dict[str, list[float]] = {}
    for line in lines:
        for point in line.points:
            if point.value is not None:
                values.setdefault(point.at, []).append(point.value)
    points = [Point(at, sum(found), "A") for at, found in values.items() if len(found) == countries]
    return Line({}, (), "", "", tuple(sorted(points, key=lambda each: order(each.at))))


def _sources(catalogue: Catalogue, added: list[tuple[View, Line]], words: Words) -> str:
    names = (name for view, line in added for name in parts.producers(catalogue, view, words, line.tables))
    return words.listed(list(dict.fromkeys(names))[:3])


def _country(catalogue: Catalogue, area: str, flow: str, words: Words) -> Content:
    """A row of the table of countries: the latest figure, its source and the curve up to it."""
    view = catalogue.views.get((area, flow))
    line = catalogue.line(view) if view is not None else None
    row: dict[str, object] = {
        "area": area,
        "name": words.name(catalogue.library.area_name(area)),
        "datasets": len(catalogue.of_area(area)),
        "line": None,
    }
    if view is not None and line is not None:
        row["line"] = parts.key_figure(catalogue, view, line, words)
        row["curve"] = charts.spark(line, words, width=150, height=36)
    return row


def _chart(catalogue: Catalogue, flow: str, words: Words) -> Content | None:
    """The series that countries have in common, on one scale."""
    found = [(view, line) for view in catalogue.of_flow(flow) if (line := catalogue.line(view)) is not None]
    shared = [(view, line) for view, line in found if line_key(line) == catalogue.shared[flow]]
    if len(shared) < 2:
        return None
    named = [(words.name(catalogue.library.area_name(view.area)), line) for view, line in shared]
    view, line = shared[0]
    return {
        "title": words.name(view.flow.name),
        "detail": parts.detail(catalogue, view, line, words),
        "unit": parts.unit(catalogue, line, words),
        "chart": charts.line_chart(named, words, width=460, height=310, right=160, names=True),
        **parts.numbers(named, words),
        "source": _sources(catalogue, shared, words),
    }


def _topics(catalogue: Catalogue, words: Words) -> Iterator[Content]:
    for category in catalogue.library.categories.codes.values():
        flows = [flow for flow in catalogue.flows if flow.category == category.id]
        if flows:
            cards = [{"flow": flow, "countries": len(catalogue.of_flow(flow.id))} for flow in flows]
            yield {"name": category.name, "cards": cards}


def _row(catalogue: Catalogue, area: str, words: Words) -> list[Content]:
    """One country of the matrix: the periods that each dataflow covers, or that it was held back."""
    cells: list[Content] = []
    for flow in catalogue.flows:
        view = catalogue.views.get((area, flow.id))
        covered = words.span(view.periods[0][:4], view.periods[-1][:4]) if view is not None and view.periods else ""
        cells.append(
            {
                "path": view.path if view is not None else "",
                "covered": covered,
                "held_back": (area, flow.id) in catalogue.release.held_back,
            }
        )
    return cells
