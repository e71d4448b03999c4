"""The page of a dataflow: what it is, its structure, and every country that has it side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.catalogue import charts, parts
from pipeline.catalogue.machine import addresses, structure_files
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.framework import Component, Dataflow

_CLASS = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow"


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """One page for each dataflow of the release."""
    for flow in catalogue.flows:
        yield Page(f"data/{flow.id}", "flow.html", partial(_content, catalogue, flow), partial(_name, flow), "topics")


def _name(flow: Dataflow, words: Words) -> str:
    return words.name(flow.name)


def _content(catalogue: Catalogue, flow: Dataflow, words: Words) -> Content:
    views = catalogue.of_flow(flow.id)
    countries = [_country(catalogue, view, words) for view in views]
    return {
        "flow": flow,
        "urn": f"{_CLASS}={catalogue.library.agency}:{flow.id}(1.0.0)",
        "category": catalogue.library.categories.codes[flow.category].name,
        "countries": countries,
        "said": parts.common([each["figure"] for each in countries if each["figure"] is not None]),
        "held_back": [
            (catalogue.library.area_name(area), reason)
            for (area, held), reason in catalogue.release.held_back.items()
            if held == flow.id
        ],
        "components": [_component(each, views) for each in flow.structure.of_role("dimension", "time", "measure")],
        "attributes": [_component(each, views) for each in flow.structure.of_role("attribute")],
        "uses_counterpart": "COUNTERPART_AREA" in flow.structure.components,
        "protection": flow.protection,
        "structure_files": structure_files(catalogue, flow.structure.id),
        "addresses": addresses(catalogue, flow.id),
        "record": {
            "dataflow": flow.id,
            "structure": flow.structure.id,
            "dimensions": list(flow.structure.dimensions),
            "areas": [view.area for view in views],
        },
    }


def _country(catalogue: Catalogue, view: View, words: Words) -> Content:
    """A small multiple: the series this country has in common with most others."""
    line = catalogue.line(view)
    return {
        "area": view.area,
        "path": view.path,
        "name": words.name(catalogue.library.area_name(view.area)),
        "covered": words.span(view.periods[0], view.periods[-1]) if view.periods else "",
        "observations": words.number(len(view.package.data.frame)),
        "figure": parts.key_figure(catalogue, view, line, words) if line is not None else None,
        "curve": charts.spark(line, words, width=200, height=64) if line is not None else None,
    }


def _component(component: Component, views: tuple[View, ...]) -> Content:
    """A component with the number of codes that the published tables use."""
    used = {code for view in views for code in view.used.get(component.id, ())}
    return {"component": component, "used": len(used)}
