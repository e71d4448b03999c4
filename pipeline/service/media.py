"""Content negotiation: what a request accepts (RFC 9110 §12.5) → a format, its media type and its writer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pipeline.formats import csv10, csv20, json20, ml, ml21, ml30
from pipeline.service.faults import NOT_ACCEPTABLE, RequestError
from pipeline.structures import json20 as structures_json
from pipeline.structures import ml21 as structures_21
from pipeline.structures import ml30 as structures_30


@dataclass(frozen=True)
class Media:
    """One form of an answer. `names` are the media types that ask for it, `version` the one that it has."""

    id: str
    type: str
    names: tuple[str, ...]
    version: str
    write: Callable[..., Any]
    write_flat: Callable[..., Any] | None = None


_ANY_XML = ("application/xml", "text/xml")
DATA: Mapping[str, Media] = {
    each.id: each
    for each in (
        Media(
            "ml21",
            ml21.FORMAT.media_type,
            ("application/vnd.sdmx.structurespecificdata+xml", *_ANY_XML),
            "2.1",
            ml21.FORMAT.write,
            partial(ml.write, replace(ml21.VERSION, is_flat=True)),
        ),
        Media(
            "ml30",
            ml30.FORMAT.media_type,
            ("application/vnd.sdmx.data+xml", *_ANY_XML),
            "3.0.0",
            ml30.FORMAT.write,
            partial(ml.write, replace(ml30.VERSION, is_flat=True)),
        ),
        Media(
            "csv",
            csv20.FORMAT.media_type,
            ("application/vnd.sdmx.data+csv", "text/csv"),
            "2.0.0",
            csv20.FORMAT.write,
            csv20.FORMAT.write,  # a row an observation in any case
        ),
        Media(
            "csv10",
            csv10.FORMAT.media_type,
            ("application/vnd.sdmx.data+csv", "text/csv"),
            "1.0.0",
            csv10.FORMAT.write,
            csv10.FORMAT.write,
        ),
        Media(
            "json20",
            json20.FORMAT.media_type,
            ("application/vnd.sdmx.data+json", "application/json"),
            "2.0.0",
            json20.FORMAT.write,
        ),
    )
}
_STRUCTURE = "application/vnd.sdmx.structure"
STRUCTURES: Mapping[str, Media] = {
    each.id: each
    for each in (
        Media("ml21", f"{_STRUCTURE}+xml;version=2.1", (f"{_STRUCTURE}+xml", *_ANY_XML), "2.1", structures_21.write),
        Media(
            "ml30", f"{_STRUCTURE}+xml;version=3.0.0", (f"{_STRUCTURE}+xml", *_ANY_XML), "3.0.0", structures_30.write
        ),
        Media(
            "json20",
            f"{_STRUCTURE}+json;version=2.0.0",
            (f"{_STRUCTURE}+json", "application/json"),
            "2.0.0",
            structures_json.write,
        ),
    )
}
# What each base address answers first, as the static tree does.
FIRST: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "v1": (("ml21", "ml30", "csv", "csv10", "json20"), ("ml21", "ml30", "json20")),
    "v2": (("csv", "csv10", "json20", "ml30", "ml21"), ("json20", "ml30", "ml21")),
    "v2xml": (("ml30", "csv", "csv10", "json20", "ml21"), ("ml30", "ml21", "json20")),
}
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def data(accept: str, base: str) -> Media:
    """The form of an answer of data.

    Raises:
        RequestError: none of the forms is accepted.
    """
    return _chosen(accept, [DATA[each] for each in FIRST[base][0]])


def structures(accept: str, base: str) -> Media:
    """The form of an answer of structures.

    Raises:
        RequestError: none of the forms is accepted.
    """
    return _chosen(accept, [STRUCTURES[each] for each in FIRST[base][1]])


def _chosen(accept: str, forms: Sequence[Media]) -> Media:
    ranges = [each.strip() for each in (accept or "*/*").split(",")]
    wanted = sorted(filter(None, ranges), key=_quality, reverse=True)
    for each in wanted:
        if _quality(each) > 0:
            for form in forms:
                if _fits(each, form):
                    return form
    known = ", ".join(form.type for form in forms)
    raise RequestError(NOT_ACCEPTABLE, f"Nothing of what is accepted can be had. There is {known}.")


def _quality(text: str) -> float:
    """How much a range is wished for; 1 where it does not say."""
    found = [_QUALITY.fullmatch(part.strip()) for part in text.split(";")[1:]]
    said = [float(match[1]) for match in found if match]
    return said[0] if said else 1.0


def _fits(text: str, form: Media) -> bool:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    if name in ("*/*", "application/*"):
        return True
    versions = [each.partition("=")[2].strip('"') for each in parameters if each.startswith("version=")]
    is_version = not versions or form.version.startswith(versions[0])
    return name in form.names and is_version
