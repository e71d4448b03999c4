"""What several pages show alike: key figures, charts with their tables, and names of sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pipeline.catalogue import charts
from pipeline.catalogue.figures import Breakdown, Line, Point
from pipeline.catalogue.periods import order
from pipeline.catalogue.render import Content
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words

_SILENT = ("_T", "_Z", "")
_MAX_CHARTS = 6
_MAX_LINES = 6


def name_of(catalogue: Catalogue, dimension: str, code: str, words: Words) -> str:
    """The name of a code of a dimension."""
    return words.code(catalogue.library.list_of(dimension), code)


def within(name: str) -> str:
    """A name as it stands inside a sentence."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def concept(catalogue: Catalogue, dimension: str, words: Words) -> str:
    """The name of a dimension."""
    return words.name(catalogue.library.concepts[dimension].name)


def unit(catalogue: Catalogue, shown: Line | Breakdown, words: Words) -> str:
    """The unit and, unless figures are in units, what they are multiples of."""
    name = name_of(catalogue, "UNIT_MEASURE", shown.unit, words)
    if shown.multiplier in ("", "0"):
        return name
    return f"{name}, {within(name_of(catalogue, 'UNIT_MULT', shown.multiplier, words))}"


def measure(catalogue: Catalogue, view: View, shown: Line | Breakdown, words: Words) -> str:
    """What is counted."""
    dimension = view.flow.structure.measure_dimension
    return name_of(catalogue, dimension, shown.key[dimension], words)


def detail(catalogue: Catalogue, view: View, shown: Line | Breakdown, words: Words) -> str:
    """The codes that make the series narrower than the whole: `Country of birth: Foreign country`."""
    return " · ".join(_details(catalogue, view, shown, words).values())


def _details(catalogue: Catalogue, view: View, shown: Line | Breakdown, words: Words) -> dict[str, str]:
    silent = {"FREQ", "REF_AREA", "SOURCE_TYPE", view.flow.structure.measure_dimension}
    return {
        dimension: f"{concept(catalogue, dimension, words)}: {name_of(catalogue, dimension, code, words)}"
        for dimension, code in shown.key.items()
        if dimension not in silent and code not in _SILENT
    }


def status_of_line(catalogue: Catalogue, view: View, line: Line, words: Words) -> str:
    """What narrows a series beyond its country: the legal status, the event, the reason."""
    silent = {"FREQ", "REF_AREA", "SOURCE_TYPE", "CITIZENSHIP", "COUNTRY_BIRTH", "COUNTERPART_AREA"}
    silent.add(view.flow.structure.measure_dimension)
    codes = {each: code for each, code in line.key.items() if each not in silent and code not in _SILENT}
    return ", ".join(name_of(catalogue, each, code, words) for each, code in codes.items())


def source_type(catalogue: Catalogue, shown: Line | Breakdown, words: Words) -> str:
    """The kind of source; empty for a dataflow that has none."""
    code = shown.key.get("SOURCE_TYPE", "")
    return name_of(catalogue, "SOURCE_TYPE", code, words) if code else ""


def producers(catalogue: Catalogue, view: View, words: Words, tables: Sequence[int] | None = None) -> list[str]:
    """Names of the institutions behind the given tables, or behind all."""
    sources = view.package.data.sources
    chosen = [sources[number] for number in (range(len(sources)) if tables is None else tables)]
    found = (catalogue.provider(view.area, source.provider) for source in chosen)
    names = (words.name(provider.name) if provider else "" for provider in found)
    return [name for name in dict.fromkeys(names) if name]


def source(catalogue: Catalogue, view: View, shown: Line | Breakdown, words: Words) -> str:
    """Kind of source and producers, as they stand under a figure."""
    names = words.listed(producers(catalogue, view, words, shown.tables))
    return " · ".join(part for part in (source_type(catalogue, shown, words), names) if part)


def key_figure(catalogue: Catalogue, view: View, line: Line, words: Words) -> Content:
    """The latest figure of a series, with everything needed to read it."""
    latest = line.latest
    assert latest is not None
    assert latest.value is not None
    return {
        "value": words.number(latest.value),
        "unit": unit(catalogue, line, words),
        "period": words.period(latest.at),
        "measure": measure(catalogue, view, line, words),
        "detail": detail(catalogue, view, line, words),
        "source": source(catalogue, view, line, words),
        "curve": charts.spark(line, words),
    }


def common(figures: Sequence[Content]) -> Content:
    """What all the figures have in common, to be said once; the rest is empty."""
    said = {}
    for part in ("measure", "detail", "unit", "source", "period"):
        distinct = {figure[part] for figure in figures}
        said[part] = distinct.pop() if len(distinct) == 1 and len(figures) > 1 else ""
    return said


def key_figures(catalogue: Catalogue, view: View, words: Words, most: int) -> tuple[list[Content], Content]:
    """The latest figures of a dataset, each source by itself, and what they have in common."""
    lines = [line for line in view.lines if line.latest is not None][:most]
    details = [_details(catalogue, view, line, words) for line in lines]
    first = details[0] if details else {}
    shared = {key: text for key, text in first.items() if all(each.get(key) == text for each in details)}
    figures = [dict(key_figure(catalogue, view, line, words)) for line in lines]
    said = dict(common(figures))
    if len(figures) > 1:
        said["detail"] = " · ".join(shared.values())
        for figure, texts in zip(figures, details, strict=True):
            figure["detail"] = " · ".join(text for key, text in texts.items() if key not in shared)
    return list(figures), said


def line_charts(catalogue: Catalogue, view: View, words: Words) -> list[Content]:
    """One chart for each measure and frequency, with the series of every source in it."""
    dimension = view.flow.structure.measure_dimension

    def group(line: Line) -> tuple[str, str, str]:
        return line.key[dimension], line.key["FREQ"], line.unit

    drawn = sorted((line for line in view.lines if line.latest is not None), key=group)
    charted = [list(lines)[:_MAX_LINES] for _, lines in groupby(drawn, key=group)]
    return [_line_chart(catalogue, view, lines, words) for lines in charted[:_MAX_CHARTS]]


def _line_chart(catalogue: Catalogue, view: View, lines: Sequence[Line], words: Words) -> Content:
    named = list(zip(line_names(catalogue, view, lines, words), lines, strict=True))
    return {
        "title": measure(catalogue, view, lines[0], words),
        "unit": unit(catalogue, lines[0], words),
        "detail": name_of(catalogue, "FREQ", lines[0].key["FREQ"], words),
        "chart": charts.line_chart(named, words),
        **numbers(named, words),
        "source": words.listed(list(dict.fromkeys(source(catalogue, view, line, words) for line in lines))),
    }


def numbers(named: Sequence[tuple[str, Line]], words: Words) -> Content:
    """The figures of a line chart as a table: names of the columns, and rows of period and figures."""
    periods = sorted({point.at for _, line in named for point in line.points}, key=order)
    by_period = [{point.at: charts.figure(point, words) for point in line.points} for _, line in named]
    return {
        "names": [name for name, _ in named],
        "rows": [(words.period(at), [column.get(at, "–") for column in by_period]) for at in periods],
    }


def line_names(catalogue: Catalogue, view: View, lines: Sequence[Line], words: Words) -> list[str]:
    """A name for each line; of several lines, what they have in common is left out."""
    parts = [{"": source_type(catalogue, line, words), **_details(catalogue, view, line, words)} for line in lines]
    told = [
        [text for key, text in each.items() if text and (len(lines) == 1 or {o.get(key) for o in parts} != {text})]
        for each in parts
    ]
    return [" · ".join(texts) for texts in told]


def bar_chart(catalogue: Catalogue, view: View, shown: Breakdown, words: Words) -> Content:
    """The figures by one dimension; of many codes the largest ten."""
    codelist = catalogue.library.list_of(shown.dimension)
    name = concept(catalogue, shown.dimension, words)
    if shown.dimension == "COUNTERPART_AREA":
        name = words.name(view.flow.counterpart)
    return {
        "id": shown.dimension.lower().replace("_", "-"),
        "title": words.texts["chart"]["by"].format(dimension=within(name)),
        "dimension": name,
        "measure": measure(catalogue, view, shown, words),
        "detail": detail(catalogue, view, shown, words),
        "unit": unit(catalogue, shown, words),
        "source": source(catalogue, view, shown, words),
        "chart": charts.bar_chart(shown, codelist, words),
        "shown": len(shown.points),
        "codes": shown.codes,
        "suppressed": shown.suppressed,
        "periods": [words.period(each) for each in (shown.period, *(period for period, _ in shown.earlier))],
    }


def line_record(line: Line) -> Content:
    """A series for machines."""
    return {
        "key": dict(line.key),
        "unit": line.unit,
        "multiplier": line.multiplier,
        "figures": point_records(line.points),
    }


def point_records(points: Sequence[Point]) -> list[Content]:
    """Figures for machines: period or code, value (null where there is none), and status."""
    return [{"at": point.at, "value": point.value, "status": point.status} for point in points]
