"""The indicators: which country has which, and of each one its formula, what it serves, its figures and its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from pipeline.catalogue import charts, parts
from pipeline.catalogue.figures import Line, Point, point
from pipeline.catalogue.periods import order
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.computed import Answer, Indicator, IndicatorInput
from pipeline.framework import Code, Codelist
from pipeline.methods.indicators.answers import answers_path, inputs_path
from pipeline.methods.indicators.definitions import LISTED
from pipeline.methods.indicators.formula import names, parse
from pipeline.structures import sdg
from pipeline.texts import texts

PATH = "indicators"
_WHOLE = ("_T", "_Z")
_NOT_NATIONAL = ("ORG", "MIR")
Lines = Mapping[str, Sequence[Line]]  # by country
_GROUPS = (("sdg", "SDG_"), ("policy", ("MC", "GCM")), ("migration", ""))


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The overview, and a page for each indicator."""
    if not catalogue.release.answers:
        return
    lines = {area: _lines(catalogue, area) for area in catalogue.areas}
    yield Page(PATH, "indicators.html", partial(_overview, catalogue, lines), lambda words: str(_words(words)["title"]))
    for each in catalogue.library.indicators.rows.values():
        content = partial(_indicator, catalogue, lines, each)
        yield Page(f"{PATH}/{each.id}", "indicator.html", content, _named(catalogue, each))


def _words(words: Words) -> Any:
    return texts("indicators", words.lang)


def _named(catalogue: Catalogue, each: Indicator) -> Any:
    code = _code(catalogue, each.id)
    return lambda words: words.name(code.name)


def _codes(catalogue: Catalogue) -> Codelist:
    found = catalogue.library.list_of("INDICATOR")
    assert found is not None
    return found


def _code(catalogue: Catalogue, indicator: str) -> Code:
    return _codes(catalogue).codes[indicator]


def _unit(catalogue: Catalogue, indicator: str, words: Words) -> str:
    return parts.name_of(catalogue, "UNIT_MEASURE", _code(catalogue, indicator).notes["unit"], words)


def _group(indicator: str) -> str:
    return next(group for group, start in _GROUPS if indicator.startswith(start))


# ---------------------------------------------------------------- the overview


def _overview(catalogue: Catalogue, lines: Lines, words: Words) -> Content:
    release, library = catalogue.release, catalogue.library
    said = {(each.area, each.indicator): each for each in release.answers}
    areas = [area for area in catalogue.areas if any(each.area == area for each in release.answers)]
    groups = [
        {
            "id": group,
            "rows": [
                {
                    "id": each.id,
                    "name": words.name(_code(catalogue, each.id).name),
                    "unit": _unit(catalogue, each.id, words),
                    "cells": [_cell(said[area, each.id], lines[area], words) for area in areas],
                }
                for each in library.indicators.rows.values()
                if _group(each.id) == group
            ],
        }
        for group in ("migration", "sdg", "policy")
    ]
    has = sum(1 for each in release.answers if each.figures)
    return {
        "k": _words(words),
        "areas": [(area, words.name(library.area_name(area))) for area in areas],
        "groups": groups,
        "computed": has,
        "without": len(release.answers) - has,
        "withheld": sum(1 for each in release.answers if each.is_withheld),
        "record": {"answers": [_record(each) for each in release.answers]},
    }


def _record(each: Answer) -> Content:
    """An answer for machines."""
    found: dict[str, Any] = {"area": each.area, "indicator": each.indicator, "figures": each.figures}
    return found | ({"first": each.first, "last": each.last} if each.figures else {"reason": dict(each.reason)})


def _cell(each: Answer, lines: Sequence[Line], words: Words) -> Content:
    line = next((line for line in lines if line.key["INDICATOR"] == each.indicator and line.latest), None)
    latest = line.latest if line is not None else None
    return {
        "area": each.area,
        "state": "has" if each.figures else "withheld" if each.is_withheld else "none",
        "value": charts.figure(latest, words) if latest is not None else "",
        "period": words.period(latest.at) if latest is not None else "",
        "reason": words.name(each.reason),
    }


# ---------------------------------------------------------------- one indicator


def _indicator(catalogue: Catalogue, lines: Lines, each: Indicator, words: Words) -> Content:
    library, code = catalogue.library, _code(catalogue, each.id)
    inputs = _inputs(catalogue, each)
    answers = [answer for answer in catalogue.release.answers if answer.indicator == each.id]
    rows = [_country(catalogue, lines[answer.area], answer, words) for answer in answers]
    periods = sorted({at for row in rows for line in row["lines"] for at in line["at"]}, key=order)
    return {
        "k": _words(words),
        "indicator": each,
        "name": words.name(code.name),
        "group": _group(each.id),
        "unit": _unit(catalogue, each.id, words),
        "series": code.notes.get("sdg_series", ""),
        "sdg_map": sdg.FILE if sdg.FILE in catalogue.written else "",
        "said": words.name(each.words),
        "reason": words.name(each.reason),
        "commitments": [library.indicators.commitments[name] for name in each.commitments],
        "inputs": [
            {
                "name": of.name,
                "label": words.name(of.label),
                "flow": library.dataflows[of.flow],
                "is_out": any(flow.id == of.flow for flow in catalogue.flows),
                "select": of.select,
                "by": [parts.concept(catalogue, dimension, words) for dimension in of.by],
            }
            for of in inputs
        ],
        "periods": [(at, words.period(at)) for at in periods],
        "rows": [row for row in rows if row["lines"]],
        "without": [row for row in rows if not row["lines"]],
        "record": {
            "indicator": each.id,
            "formula": each.formula,
            "unit": code.notes["unit"],
            "sdg": each.sdg,
            "sdg_series": code.notes.get("sdg_series", ""),
            "commitments": list(each.commitments),
            "inputs": {of.name: {"dataflow": of.flow, "select": of.select, "by": dict(of.by)} for of in inputs},
            "answers": [_record(answer) for answer in answers],
        },
    }


def _inputs(catalogue: Catalogue, each: Indicator) -> list[IndicatorInput]:
    if not each.formula:
        return []
    named = dict.fromkeys(names(parse(each.formula)))
    return [catalogue.library.indicators.inputs[name] for name in named if name != LISTED]


def _country(catalogue: Catalogue, every: Sequence[Line], answer: Answer, words: Words) -> dict[str, Any]:
    flow, area = catalogue.library.indicators.flow, answer.area
    lines = [line for line in every if line.key["INDICATOR"] == answer.indicator]
    paths = (inputs_path(flow, area), answers_path(flow, area), f"files/{flow}/{area}/data.csv")
    return {
        "area": area,
        "name": words.name(catalogue.library.area_name(area)),
        "page": f"data/{flow}/{area}" if (area, flow) in catalogue.views else "",
        "reason": words.name(answer.reason),
        "figures": answer.figures,
        "lines": [_line(catalogue, line, words) for line in lines],
        "files": [path for path in paths if path in catalogue.written],
    }


def _line(catalogue: Catalogue, line: Line, words: Words) -> Content:
    latest = line.latest
    source = line.key["SOURCE_TYPE"]
    birth = line.key["COUNTRY_BIRTH"]
    told = [parts.name_of(catalogue, "SOURCE_TYPE", source, words)] if source not in _WHOLE else []
    told += [parts.name_of(catalogue, "COUNTRY_BIRTH", birth, words)] if birth not in _WHOLE else []
    return {
        "source": ", ".join(told),
        "spark": charts.spark(line, words),
        "latest": charts.figure(latest, words) if latest is not None else "",
        "at": {each.at: charts.figure(each, words) for each in line.points},
        "period": words.period(latest.at) if latest is not None else "",
    }


def _lines(catalogue: Catalogue, area: str) -> list[Line]:
    """The series of the whole country, each sex and age together; national sources first."""
    view = catalogue.views.get((area, catalogue.library.indicators.flow))
    if view is None:
        return []
    frame = view.package.data.frame
    whole = frame["REF_AREA"].astype(str) == area
    for dimension in ("SEX", "AGE", "CITIZENSHIP", "COUNTERPART_AREA"):
        whole &= frame[dimension].astype(str).isin(_WHOLE)
    key = ["INDICATOR", "SOURCE_TYPE", "COUNTRY_BIRTH"]
    rows = frame[whole].astype(dict.fromkeys([*key, "TIME_PERIOD", "OBS_STATUS", "UNIT_MEASURE"], str))
    found = [_as_line(dict(zip(key, map(str, of), strict=True)), same) for of, same in rows.groupby(key, sort=False)]
    return sorted(found, key=lambda line: line.key["SOURCE_TYPE"] in _NOT_NATIONAL)


def _as_line(key: dict[str, str], rows: pd.DataFrame) -> Line:
    points: list[Point] = [
        point(at, value, status)
        for at, value, status in zip(rows["TIME_PERIOD"], rows["OBS_VALUE"], rows["OBS_STATUS"], strict=True)
    ]
    ordered = tuple(sorted(points, key=lambda each: order(each.at)))
    return Line(key, (0,), str(rows["UNIT_MEASURE"].iloc[0]), "0", ordered)
