"""What the service answers, told for programs: its own queries as an OpenAPI 3.1 document.

Addresses, parameters, their values, media types and status codes are those that the service itself goes by. What a
JSON schema cannot say is named by a format: `sdmx-key`, `sdmx-condition` and `sdmx-period` (SDMX REST).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import serve as files
from pipeline.model import Library
from pipeline.service import ask, faults, lookup, media

ADDRESS = "/openapi.json"
BASES = {"v1": "SDMX REST 1.5", "v2": "SDMX REST 2.x", "v2xml": "SDMX REST 2.x in SDMX-ML"}
FAULTS = {
    400: "The query cannot be understood; the message says what to do.",
    404: "There is nothing of that name, or no observation fits.",
    406: "None of the forms that are accepted can be had.",
    413: "The query names too many values, or its answer has too many observations.",
    501: "A part of the standard that is not served; the message says what is.",
    503: "The framework has changed since the release was made: only its files are served.",
}
_CONDITIONAL = ("If-None-Match", "If-Modified-Since")
# What files of the release answer alone: address, and the ending of the documents.
_FILED = (
    ("/sdmx/v1/metadata/{id}", "xml"),
    ("/sdmx/v2/schema/dataflow/{agency}/{id}/{version}", "json"),
    ("/sdmx/v2/schema/datastructure/{agency}/{id}/{version}", "json"),
    ("/sdmx/v2/metadata/metadataflow/{agency}/{id}/{version}", "json"),
    ("/sdmx/v2/metadata/metadataset/{agency}/{id}/{version}", "json"),
    ("/sdmx/v2/metadata/structure/dataflow/{agency}/{id}/{version}", "json"),
    ("/sdmx/v2xml/metadata/structure/dataflow/{agency}/{id}/{version}", "xml"),
)

Node = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A kind of query below a base: the parts of its address, of which `least` must be there, and what may be asked."""

    base: str
    kind: str
    parts: Sequence[str]
    least: int
    asked: Iterable[str]
    answer: str


def document(library: Library, release: str) -> Node:
    """The document of a release."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SDMX REST over a release of Trayecto",
            "version": release,
            "description": "HEAD answers like GET, without the body. The form of an answer is what Accept asks for. "
            "An address is the same with a slash at its end.",
        },
        "paths": {path: {"get": asked} for path, asked in (*_answered(library), *_filed())},
        "components": {"parameters": _parameters(library), "responses": _responses()},
    }


# ---------------------------------------------------------------- addresses


def _answered(library: Library) -> Iterator[tuple[str, Node]]:
    """Every address that queries are answered at, at each of the lengths that it may have."""
    figures = ("c", *ask.KNOWN)
    for base in BASES:
        is_old = base == "v1"
        names, least = (ask.PARTS_V1, 1) if is_old else (ask.PARTS_V2, 3)
        yield from _levels(Query(base, "data", names[:-1], least, figures, "data"), _of_figures(library))
        kind = "availableconstraint" if is_old else "availability"
        yield from _levels(Query(base, kind, names, least, figures, "structures"), _of_figures(library))
        asked = [f"structure-{name}" for name in lookup.CHOICES]
        kind = "" if is_old else "structure"
        yield from _levels(Query(base, kind, lookup.PARTS, 1, asked, "structures"), _of_structures(base))


def _of_figures(library: Library) -> Mapping[str, Node]:
    return {
        "flow": _one_of(name for flow in library.dataflows for name in (flow, f"{library.agency},{flow}")),
        "context": _one_of(ask.CONTEXTS),
        "agency": _one_of((library.agency, *ask.ANY)),
        "id": _one_of(library.dataflows),
        "version": _one_of(ask.VERSIONS),
        "key": _text("sdmx-key"),
        "provider": _one_of(ask.ANY),
        "component": _one_of(ask.ANY),
    }


def _of_structures(base: str) -> Mapping[str, Node]:
    kinds = _one_of((*lookup.KINDS, lookup.EVERY[base != "v1"]))
    return {"kind": kinds, "agency": _text(), "id": _text(), "version": _text(), "item": _one_of(ask.ANY)}


def _levels(query: Query, places: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    asked = [_reference("parameters", name) for name in (*query.asked, *_CONDITIONAL)]
    for count in range(query.least, len(query.parts) + 1):
        parts = query.parts[:count]
        path = "/".join(("/sdmx", query.base, *filter(None, (query.kind,)), *(f"{{{name}}}" for name in parts)))
        said = {
            "summary": f"{BASES[query.base]}: {query.kind or 'structures'} by {', '.join(parts)}",
            "parameters": [*(_parameter(name, places[name], "path") for name in parts), *asked],
            "responses": {
                "200": _reference("responses", f"{query.base}-{query.answer}"),
                "304": _reference("responses", "unchanged"),
                **{str(status): _reference("responses", f"{query.base}-{status}") for status in FAULTS},
            },
        }
        yield path, said


def _filed() -> Iterator[tuple[str, Node]]:
    """Schemas and reference metadata, and this document."""
    for path, ending in _FILED:
        kind = files.media_type(Path(path, f"index.{ending}"))
        names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        said = {
            "summary": "A document of the release",
            "parameters": [
                *(_parameter(name, _text(), "path") for name in names),
                *(_reference("parameters", name) for name in _CONDITIONAL),
            ],
            "responses": {
                "200": _response("The document.", [str(kind)]),
                "304": _reference("responses", "unchanged"),
                "404": _reference("responses", f"{path.split('/')[2]}-404"),
            },
        }
        yield path, said
    yield ADDRESS, {"summary": "This document", "responses": {"200": _response("It.", ["application/json"])}}


# ---------------------------------------------------------------- parameters


def _parameters(library: Library) -> Node:
    """What may be asked, by name."""
    schemas = {
        **{name: _one_of(values) for name, values in ask.CHOICES.items()},
        **dict.fromkeys(ask.PERIODS, _text("sdmx-period")),
        **{name: {"type": "integer", "minimum": 1, "maximum": ask.MOST_COUNTED} for name in ask.COUNTS},
    }
    components = {
        each.id: _text("sdmx-condition")
        for flow in library.dataflows.values()
        for each in flow.structure.components.values()
        if each.attachment != "dataset"
    }
    conditions = {"type": "object", "properties": components, "additionalProperties": False}
    return {
        **{name: _parameter(name, schema, "query") for name, schema in schemas.items()},
        "c": _parameter("c", conditions, "query") | {"style": "deepObject", "explode": True},
        **{f"structure-{name}": _parameter(name, _one_of(values), "query") for name, values in lookup.CHOICES.items()},
        **{name: _parameter(name, {"type": "string"}, "header") for name in _CONDITIONAL},
    }


def _parameter(name: str, schema: Node, place: str) -> Node:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _one_of(values: Iterable[str]) -> Node:
    return {"type": "string", "enum": list(values)}


def _text(form: str = "") -> Node:
    return {"type": "string", "minLength": 1, **({"format": form} if form else {})}


# ---------------------------------------------------------------- answers


def _responses() -> Node:
    """What is answered, by base and by kind or status."""
    unchanged = {"description": "What the client has is what there is.", "headers": _HEADERS}
    return {
        "unchanged": unchanged,
        **{
            f"{base}-{kind}": _response("What was asked for.", [forms[each].type for each in order], _HEADERS)
            for base, orders in media.FIRST.items()
            for kind, forms, order in zip(("data", "structures"), (media.DATA, media.STRUCTURES), orders, strict=True)
        },
        **{
            f"{base}-{status}": _response(text, [faults.media_type(base)])
            for base in BASES
            for status, text in FAULTS.items()
        },
    }


_HEADERS = {
    name: {"description": text, "schema": {"type": "string"}}
    for name, text in (
        ("ETag", "The mark of this answer, in this release"),
        ("Last-Modified", "The day of the release"),
        ("Link", "Where this document is"),
    )
}


def _response(text: str, kinds: Iterable[str], headers: Node | None = None) -> Node:
    content = {kind: {"schema": {"type": "object" if "json" in kind else "string"}} for kind in kinds}
    return {"description": text, "content": content, **({"headers": headers} if headers else {})}


def _reference(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}
