"""The corridors: a page for each of the largest, and one with the region as a map of flows and as ribbons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from pipeline.catalogue import charts, parts, ribbons
from pipeline.catalogue.atlas import world
from pipeline.catalogue.figures import Point
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.told import Corridor, Told, stock, told
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_EACH = 8  # of the largest origins, and of the largest destinations, of each country
_ON_MAP = 60
_ON_RIBBONS = 32
_MAX_LINES = 6


@dataclass(frozen=True)
class _Shown:
    """A corridor with its own page: its series, the pairs of figures of both countries, whether it has a way back."""

    pair: Corridor
    series: tuple[Told, ...]
    compared: list[dict[str, Any]]
    has_reverse: bool


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page of all corridors, and one for each that is shown by itself."""
    every = told(catalogue)
    sizes = {pair: found for pair, series in every.items() if (found := stock(series, catalogue)) is not None}
    shown = _shown(catalogue, every, sizes)
    if not shown:
        return
    compared = _compared(catalogue)
    yield Page(
        "corridors", "corridors.html", partial(_overview, catalogue, sizes, frozenset(shown)), _title, group="pages"
    )
    for pair in shown:
        yield Page(
            path(pair),
            "corridor.html",
            partial(_content, catalogue, _Shown(pair, every[pair], compared.get(pair, []), pair[::-1] in shown)),
            partial(_name, catalogue, pair),
            "corridors",
            pair,
        )


def path(pair: Corridor) -> str:
    """The page of a corridor, below the folder of a language."""
    return f"corridor/{pair[0]}/{pair[1]}"


def _title(words: Words) -> str:
    return str(texts("corridor", words.lang)["title"])


def _name(catalogue: Catalogue, pair: Corridor, words: Words) -> str:
    return " → ".join(_names(catalogue, pair, words))


def _names(catalogue: Catalogue, pair: Corridor, words: Words) -> tuple[str, str]:
    origin, destination = (parts.name_of(catalogue, "COUNTERPART_AREA", each, words) for each in pair)
    return origin, destination


def _shown(
    catalogue: Catalogue, every: Mapping[Corridor, tuple[Told, ...]], sizes: Mapping[Corridor, tuple[Told, Point]]
) -> list[Corridor]:
    """All between two countries of the run, and of each the largest from and to others; the largest first."""
    areas = catalogue.areas
    ordered = sorted(sizes, key=lambda pair: (-(sizes[pair][1].value or 0), pair))
    chosen = [pair for pair in ordered if set(pair) <= set(areas)]
    for area in areas:
        for side in (0, 1):
            chosen += [pair for pair in ordered if pair[side] == area][:_EACH]
    rest = [pair for pair in every if pair not in sizes and set(pair) <= set(areas)]
    return sorted(dict.fromkeys(chosen), key=ordered.index) + sorted(rest)


# ---------------------------------------------------------------- one corridor


def _content(catalogue: Catalogue, of: _Shown, words: Words) -> Content:
    pair, series, compared, said = of.pair, of.series, of.compared, texts("corridor", words.lang)
    origin, destination = _names(catalogue, pair, words)
    return {
        "c": said,
        "m": texts("mirror", words.lang),
        "title": _name(catalogue, pair, words),
        "origin": origin,
        "destination": destination,
        "lead": said["lead"].format(origin=origin, destination=destination),
        "figures": [_figure(catalogue, each, words) for each in series if each.line.latest is not None][:_MAX_LINES],
        "charts": list(_charts(catalogue, series, words)),
        "withheld": sum(point.is_suppressed for each in series for point in each.line.points),
        "pairs": list(_pairs(catalogue, compared, words)),
        "countries": [
            (f"country/{area}", name)
            for area, name in zip(pair, (origin, destination), strict=True)
            if area in catalogue.areas
        ],
        "reverse": path((pair[1], pair[0])) if of.has_reverse else "",
        "tables": list({each.view.path: each.view for each in series}.values()),
        "record": {
            "origin": pair[0],
            "destination": pair[1],
            "series": [
                {"told_by": each.view.area, "dataflow": each.view.flow.id, **parts.line_record(each.line)}
                for each in series
            ],
            "compared": compared,
        },
    }


def _figure(catalogue: Catalogue, of: Told, words: Words) -> Content:
    teller = words.name(catalogue.library.area_name(of.view.area))
    said = texts("corridor", words.lang)["told"].format(country=teller)
    figure = dict(parts.key_figure(catalogue, of.view, of.line, words))
    status = parts.status_of_line(catalogue, of.view, of.line, words)
    detail = " · ".join(each for each in (parts.concept(catalogue, of.basis, words), status) if each)
    return {**figure, "detail": detail, "source": f"{said} · {figure['source']}"}


def _charts(catalogue: Catalogue, series: tuple[Told, ...], words: Words) -> Iterator[Content]:
    """One chart for each thing that is counted, with every country and source that tells of it."""

    def group(of: Told) -> tuple[bool, str, str]:
        is_stock = of.view.flow.id in ("DF_STOCK", "DF_EMIG")
        return not is_stock, "" if is_stock else of.view.flow.id, of.line.unit

    for _, members in groupby(sorted(series, key=group), key=group):
        of = [each for each in members if each.line.latest is not None][:_MAX_LINES]
        if not of:
            continue
        named = [(_line_name(catalogue, each, words), each.line) for each in of]
        measures = dict.fromkeys(parts.measure(catalogue, each.view, each.line, words) for each in of)
        yield {
            "title": " · ".join(measures),
            "unit": parts.unit(catalogue, of[0].line, words),
            "detail": "",
            "chart": charts.line_chart(named, words),
            **parts.numbers(named, words),
            "source": words.listed(
                list(dict.fromkeys(parts.source(catalogue, each.view, each.line, words) for each in of))
            ),
        }


def _line_name(catalogue: Catalogue, of: Told, words: Words) -> str:
    teller = words.name(catalogue.library.area_name(of.view.area))
    told_by = texts("corridor", words.lang)["told"].format(country=teller)
    basis = parts.concept(catalogue, of.basis, words) if of.basis != "COUNTERPART_AREA" else ""
    source = parts.source_type(catalogue, of.line, words)
    status = parts.status_of_line(catalogue, of.view, of.line, words)
    return " · ".join(each for each in (told_by, source, basis, status) if each)


def _compared(catalogue: Catalogue) -> Mapping[Corridor, list[dict[str, Any]]]:
    """The pairs of figures of both countries, for all persons, as the mirror rules have them, by corridor."""
    found: dict[Corridor, list[dict[str, Any]]] = {}
    for kind, table in catalogue.release.compared.mirrors.items():
        whole = table[table["sex"] == "_T"] if len(table) else table
        for row in whole.astype(object).where(whole.notna(), None).to_dict("records"):
            told = {"kind": kind, **{str(name): value for name, value in row.items()}}
            found.setdefault((row["origin"], row["destination"]), []).append(told)
    return found


def _pairs(catalogue: Catalogue, rows: list[dict[str, Any]], words: Words) -> Iterator[Content]:
    """The same for people, with what defines the figures and how they differ."""
    said, sources = texts("mirror", words.lang), catalogue.library.list_of("SOURCE_TYPE")
    for row in rows:
        has_figures = row["origin_figure"] is not None and row["destination_figure"] is not None
        yield {
            "sides": [
                {
                    "figure": words.number(row[f"{side}_figure"])
                    if has_figures
                    else words.texts["figure"]["suppressed"],
                    "period": words.period(row[f"{side}_period"]),
                    "source": words.code(sources, row[f"{side}_source_type"]),
                }
                for side in ("origin", "destination")
            ],
            "is_withheld": not has_figures,
            "ratio": words.number(row["ratio"], 2) if row["ratio"] is not None else "",
            "cc": words.number(row["cc"], 2) if row["cc"] is not None else "",
            "state": row["comparison"],
            "differences": [said["reasons"][each]["name"] for each in row["differences"].split()],
        }


# ---------------------------------------------------------------- all of them


def _overview(
    catalogue: Catalogue,
    sizes: Mapping[Corridor, tuple[Told, Point]],
    shown: frozenset[Corridor],
    words: Words,
) -> Content:
    ordered = sorted(sizes, key=lambda pair: (-(sizes[pair][1].value or 0), pair))
    into = [pair for pair in ordered if pair[1] in catalogue.areas][:_ON_RIBBONS]
    rows = [_row(catalogue, pair, sizes[pair], words) for pair in ordered if pair in shown]
    names = {area: parts.name_of(catalogue, "COUNTERPART_AREA", area, words) for pair in ordered for area in pair}
    return {
        "c": texts("corridor", words.lang),
        "rows": rows,
        "flows": ribbons.arcs(world(catalogue.site), [(p, sizes[p][1].value or 0) for p in ordered[:_ON_MAP]], names),
        "atlas": world(catalogue.site),
        "ours": frozenset(catalogue.areas),
        "ribbons": ribbons.sankey([(pair, sizes[pair][1].value or 0) for pair in into], names, words),
        "record": {
            "corridors": [
                {"origin": pair[0], "destination": pair[1], "period": at.at, "value": at.value, "told_by": of.view.area}
                for pair, (of, at) in sizes.items()
            ]
        },
    }


def _row(catalogue: Catalogue, pair: Corridor, size: tuple[Told, Point], words: Words) -> Content:
    of, latest = size
    return {
        "path": path(pair),
        "into": pair[1] in catalogue.areas,
        "name": _name(catalogue, pair, words),
        "value": words.number(latest.value or 0),
        "period": words.period(latest.at),
        "curve": charts.spark(of.line, words, width=110, height=28),
        "source": parts.source(catalogue, of.view, of.line, words),
    }
