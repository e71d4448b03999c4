"""Content negotiation: what a request accepts (RFC 9110 §12.5) → a format, its media type and its writer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from pipeline.formats import Format, csv10, csv20, json20, ml, ml21, ml30
from pipeline.model import Description, Library, Protected
from pipeline.service.faults import NOT_ACCEPTABLE, RequestError
from pipeline.structures import json20 as structures_json
from pipeline.structures import ml21 as structures_21
from pipeline.structures import ml30 as structures_30


@dataclass(frozen=True)
class Media:
    """One form of an answer. `names` are the media types that ask for it, `version` the one that it has.

    Data is written as `write(datasets, library, file, is_flat=…)`: each version of a table with its description, and,
    when flat, each observation with its whole key.
    """

    id: str
    type: str
    names: tuple[str, ...]
    version: str
    write: Callable[..., Any]


Datasets = Sequence[tuple[Protected, Description]]


def _xml(version: ml.Version) -> Callable[..., None]:
    def write(datasets: Datasets, library: Library, file: BinaryIO, *, is_flat: bool) -> None:
        ml.write_all(replace(version, is_flat=is_flat), datasets, library, file)

    return write


def _rows(form: Format) -> Callable[..., None]:
    """Row after row, one an observation in any case."""

    def write(datasets: Datasets, library: Library, file: BinaryIO, *, is_flat: bool) -> None:
        for number, (protected, description) in enumerate(datasets):
            part: Any = _WithoutHeading(file) if number else file
            form.write(protected, description, library, part)

    return write


class _WithoutHeading:
    """A file that drops the first thing written to it: a table's heading, which its writer writes alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._is_begun = file, False

    def write(self, content: bytes) -> None:
        if self._is_begun:
            self._file.write(content)
        self._is_begun = True

    def writelines(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            self.write(part)


def _data(form: Format, names: tuple[str, ...], version: str, write: Callable[..., None]) -> Media:
    return Media(form.id, form.media_type, names, version, write)


_ANY_XML = ("application/xml", "text/xml")
_ANY_CSV = ("application/vnd.sdmx.data+csv", "text/csv")
_ANY_JSON = ("application/vnd.sdmx.data+json", "application/json")
DATA: Mapping[str, Media] = {
    each.id: each
    for each in (
        _data(
            ml21.FORMAT,
            ("application/vnd.sdmx.structurespecificdata+xml", *_ANY_XML),
            "2.1",
            _xml(ml21.VERSION),
        ),
        _data(ml30.FORMAT, ("application/vnd.sdmx.data+xml", *_ANY_XML), "3.0.0", _xml(ml30.VERSION)),
        _data(csv20.FORMAT, _ANY_CSV, "2.0.0", _rows(csv20.FORMAT)),
        _data(csv10.FORMAT, _ANY_CSV, "1.0.0", _rows(csv10.FORMAT)),
        _data(json20.FORMAT, _ANY_JSON, "2.0.0", json20.write_all),
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
