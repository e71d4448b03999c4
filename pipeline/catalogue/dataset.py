"""The page of one country and dataflow: figures, charts, rows, files, metadata and where it all comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pipeline.catalogue import charts, machine, parts
from pipeline.catalogue.definition import definition, departures, reasons, revisions
from pipeline.catalogue.parts import line_record, point_records
from pipeline.catalogue.quality import issue_counts, issue_rows
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.sample import Row, Sample
from pipeline.catalogue.sites import gathered
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.framework import LANGUAGES, Text
from pipeline.model import Report
from pipeline.report import record_path

_MAX_KEY_FIGURES = 4
_MAX_BAR_CHARTS = 6
_PARTS = (
    "definition",
    "downloads",
    "preview",
    "withheld",
    "metadata",
    "validation",
    "revisions",
    "lineage",
    "cite",
)  # of the page, in their order
_UNREMARKABLE = ("A", "Q")  # normal; withheld, which the figure itself says


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """One page for each dataset of the release."""
    for view in catalogue.views.values():
        yield Page(
            view.path,
            "dataset.html",
            partial(_content, catalogue, view),
            partial(_name, view),
            "datasets",
            (view.area,),
        )


def _name(view: View, words: Words) -> str:
    return words.name(view.package.description.title)


def _content(catalogue: Catalogue, view: View, words: Words) -> Content:
    description = view.package.description
    figures, said = parts.key_figures(catalogue, view, words, _MAX_KEY_FIGURES)
    files = machine.downloads(catalogue, view, words)
    report = catalogue.release.reports.get((view.area, view.flow.id))
    line_charts = parts.line_charts(catalogue, view, words)
    bar_charts = [parts.bar_chart(catalogue, view, each, words) for each in view.breakdowns[:_MAX_BAR_CHARTS]]
    return {
        "view": view,
        "flow": view.flow,
        "area_name": catalogue.library.area_name(view.area),
        "description": description,
        "publisher": _publisher(catalogue, words),
        "producers": parts.producers(catalogue, view, words),
        "covered": words.span(view.periods[0], view.periods[-1]) if view.periods else "",
        "observations": words.number(len(view.package.data.frame)),
        "units": _names_used(catalogue, view, "UNIT_MEASURE", words),
        "source_types": _names_used(catalogue, view, "SOURCE_TYPE", words),
        "figures": figures,
        "said": said,
        "line_charts": line_charts,
        "bar_charts": bar_charts,
        "panels": _panels(line_charts, bar_charts, words),
        "reasons": reasons(catalogue, view, words),
        "definition": definition(catalogue, view),
        "departures": departures(catalogue, view, words),
        "revisions": revisions(catalogue, view, words),
        "next_update": description.fields.get("REL_CAL_POLICY"),
        "contents": _contents([*line_charts, *bar_charts], words),
        "report_path": record_path(view.area, view.flow.id),
        "bibtex": _bibtex(catalogue, view, words),
        "preview": _preview(catalogue, view, words),
        "downloads": files,
        "snippets": machine.snippets(catalogue, view.flow.id, view.area),
        "fields": [
            (field, description.fields[field.id])
            for field in catalogue.library.fields.values()
            if field.id in description.fields
        ],
        "missing": [catalogue.library.fields[each].name for each in description.missing],
        "applied": len(report.applied) if report is not None else 0,
        "counts": issue_counts(report, words),
        "issues": issue_rows(catalogue, report, words),
        "held_back": catalogue.release.held_back.get((view.area, view.flow.id)),
        "ledger": _ledger(report, words, catalogue.library.reasons),
        "sources": [_source(catalogue, view, number, words) for number in range(len(view.package.data.sources))],
        "gathered": [gathered(each, words) for each in description.gathered],
        "address": f"{catalogue.settings.base_url.rstrip('/')}/{words.lang}/{view.path}/",
        "year": catalogue.settings.release_day[:4],
        "json_ld": _json_ld(catalogue, view, files, words),
        "record": _record(catalogue, view, files, words),
    }


def _panels(lines: list[Content], bars: list[Content], words: Words) -> list[tuple[str, str, list[Content]]]:
    """(id, title, charts) of each way to break the figures down, over time first."""
    panels = [("time", str(words.texts["chart"]["over_time"]), lines)] if lines else []
    for title in dict.fromkeys(each["title"] for each in bars):
        of = [each for each in bars if each["title"] == title]
        panels.append((str(of[0]["id"]), title, of))
    return panels


def _contents(charts: list[Content], words: Words) -> list[tuple[str, str]]:
    """The parts of the page: (place, title)."""
    wanted = ("charts", *_PARTS) if charts else _PARTS
    return [(each, str(words.texts["dataset"][each])) for each in wanted]


def _bibtex(catalogue: Catalogue, view: View, words: Words) -> str:
    description = view.package.description
    fields = {
        "title": words.name(description.title),
        "author": "{" + "} and {".join(parts.producers(catalogue, view, words)) + "}",
        "year": catalogue.settings.release_day[:4],
        "version": description.vintage,
        "publisher": _publisher(catalogue, words),
        "url": f"{catalogue.settings.base_url.rstrip('/')}/{words.lang}/{view.path}/",
    }
    said = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{{view.flow.id.lower()}_{view.area.lower()}_{description.vintage.replace('.', '_')},\n{said}\n}}"


def _record(catalogue: Catalogue, view: View, files: list[Content], words: Words) -> Content:
    """What the page shows, for machines: series and breakdowns as they are drawn, and where all of it is."""
    return {
        "dataflow": view.flow.id,
        "area": view.area,
        "vintage": view.package.description.vintage,
        "last_update": view.package.description.last_update,
        "licences": [each.id for each in view.package.description.licences],
        "observations": len(view.package.data.frame),
        "withheld": view.suppressed,
        "series": [line_record(line) for line in view.lines],
        "breakdowns": [
            {
                "dimension": each.dimension,
                "key": dict(each.key),
                "period": each.period,
                "figures": point_records(each.points),
            }
            for each in view.breakdowns[:_MAX_BAR_CHARTS]
        ],
        "metadata": {name: words.name(text) for name, text in sorted(view.package.description.fields.items())},
        "downloads": [{key: each[key] for key in ("path", "media_type", "bytes", "sha256")} for each in files],
    }


def _publisher(catalogue: Catalogue, words: Words) -> str:
    """Who puts the release out. Who produced the figures stands apart: they may know nothing of it."""
    return words.name(catalogue.library.agencies[catalogue.library.agency])


def _names_used(catalogue: Catalogue, view: View, component: str, words: Words) -> list[str]:
    return [parts.name_of(catalogue, component, code, words) for code in view.used.get(component, ())]


def _ledger(report: Report | None, words: Words, reasons: Mapping[str, Text]) -> list[tuple[str, str]]:
    """What became of the cells that were read: (what, how many), the first being all of them."""
    of, texts = report.ledger if report is not None else None, words.texts
    if of is None:
        return []
    left_out, rejected = texts["ledger"]["left_out"], texts["ledger"]["rejected"]
    said = {reason: left_out.format(reason=text[words.lang]) for reason, text in reasons.items()}
    said |= {"blank": texts["ledger"]["blank"], "added": texts["ledger"]["added"]}
    rows = [
        (texts["ledger"]["read"], of.read),
        (texts["ledger"]["published"], of.observations - of.suppressed),
        (texts["ledger"]["suppressed"], of.suppressed),
        *((said.get(reason) or left_out.format(reason=reason), n) for reason, n in of.ignored.items()),
        *((rejected.format(heading=heading), n) for heading, n in of.rejected.items()),
    ]
    return [(what, words.number(count)) for what, count in rows if count]


def _source(catalogue: Catalogue, view: View, number: int, words: Words) -> Content:
    """One file that figures were read from."""
    origin = view.package.data.sources[number]
    provider = catalogue.provider(view.area, origin.provider)
    described = view.package.description.sources
    return {
        "number": number + 1,
        "file": origin.file.rpartition("/")[2],
        "sheet": origin.sheet,
        "sha256": origin.sha256,
        "producer": words.name(provider.name) if provider is not None else origin.provider,
        "licence": catalogue.library.licences.get(origin.licence),
        "path": described[number].get("path", "") if number < len(described) else "",
        "figures": words.number(int((view.package.data.frame["table"] == number).sum())),
    }


def _preview(catalogue: Catalogue, view: View, words: Words) -> Content:
    """Some rows of the latest period with names for codes. What all rows share is said once."""
    sample = view.sample
    return {
        "columns": [parts.concept(catalogue, each, words) for each in (*sample.columns, "TIME_PERIOD")],
        "constant": [
            (parts.concept(catalogue, each, words), parts.name_of(catalogue, each, code, words))
            for each, code in sample.constant.items()
        ],
        "rows": [_preview_row(catalogue, sample, row, words) for row in sample.rows],
        "period": words.period(view.periods[-1]) if view.periods else "",
    }


def _preview_row(catalogue: Catalogue, sample: Sample, row: Row, words: Words) -> Content:
    names = [parts.name_of(catalogue, each, code, words) for each, code in zip(sample.columns, row.codes, strict=True)]
    status = "" if row.point.status in _UNREMARKABLE else row.point.status
    return {
        "cells": [*names, words.period(row.point.at)],
        "kind": "given" if row.point.value is not None else charts.reason(row.point.status),
        "value": charts.figure(row.point, words),
        "status": parts.name_of(catalogue, "OBS_STATUS", status, words) if status else "",
        "place": row.place,
    }


def _json_ld(catalogue: Catalogue, view: View, files: list[Content], words: Words) -> Content:
    """The dataset for search engines (schema.org/Dataset)."""
    description, base = view.package.description, catalogue.settings.base_url.rstrip("/")
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": f"{base}/{words.lang}/{view.path}/",
        "url": f"{base}/{words.lang}/{view.path}/",
        "name": words.name(description.title),
        "description": words.name(view.flow.description),
        "identifier": f"{view.flow.id}/{view.area}",
        "inLanguage": list(LANGUAGES),
        "isAccessibleForFree": True,
        "license": [licence.url for licence in description.licences],
        "creator": [{"@type": "Organization", "name": name} for name in parts.producers(catalogue, view, words)],
        "publisher": {"@type": "Organization", "name": _publisher(catalogue, words)},
        "spatialCoverage": words.name(catalogue.library.area_name(view.area)),
        "temporalCoverage": f"{view.periods[0][:4]}/{view.periods[-1][:4]}" if view.periods else "",
        "dateModified": description.last_update,
        "version": description.vintage,
        "variableMeasured": words.name(view.flow.name),
        "distribution": [
            {
                "@type": "DataDownload",
                "name": each["label"],
                "contentUrl": f"{base}/{each['path']}",
                "encodingFormat": each["media_type"],
                "contentSize": f"{each['bytes']} B",
                "sha256": each["sha256"],
            }
            for each in files
        ],
    }
