"""`Protected` + `Description` → `Package`: the files of one country and dataflow, each with its writer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import BinaryIO

from pipeline.formats import Format, lineage
from pipeline.model import Description, Library, Package, Protected


def package(data: Protected, description: Description, library: Library, *, formats: Iterable[Format]) -> Package:
    """Bind each format's writer to the figures and their description.

    Lineage and `metadata.json` are always there: a later release that keeps this package needs them.
    """
    every = {each.id: each for each in (*formats, lineage.FORMAT)}.values()
    files = {each.path(data.flow.id, data.area): partial(each.write, data, description, library) for each in every}
    files[metadata_path(data.flow.id, data.area)] = partial(_write_metadata, data, description)
    return Package(data, description, files)


def metadata_path(flow: str, area: str) -> str:
    """Where a package keeps its reference metadata and the origin of its figures."""
    return f"packages/{flow}/{area}/metadata.json"


def _write_metadata(data: Protected, description: Description, file: BinaryIO) -> None:
    origins = [
        {"file": o.file, "sheet": o.sheet, "sha256": o.sha256, "provider": o.provider, "licence": o.licence}
        for o in data.sources
    ]
    said = asdict(description)
    if not description.gathered:
        del said["gathered"]  # what an office publishes of its own
    content = {
        "description": said,
        "method_of_protection": data.flow.protection.method,
        "origins": origins,
        "suppressed": dict(data.suppressed),
    }
    file.write(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n")
