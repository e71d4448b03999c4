"""The data formats: one module writes one file of a package. Add a module and it is published.

A module declares `FORMAT`. Its writer takes the protected figures and their description, nothing
else that holds figures, and gives the same bytes for the same input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import BinaryIO

from pipeline.framework import Text
from pipeline.model import Description, Library, Protected


@dataclass(frozen=True)
class Format:
    """One output: its id in `publish.toml`, its path below the release, its media type and its writer.

    `folder` is `files` or `packages`; the file stands in `<folder>/<FLOW>/<AREA>/<file>`.
    """

    id: str
    folder: str
    file: str
    media_type: str
    label: Text
    write: Callable[[Protected, Description, Library, BinaryIO], None]

    def path(self, flow: str, area: str) -> str:
        return f"{self.folder}/{flow}/{area}/{self.file}"


def formats() -> Mapping[str, Format]:
    """Every format of this folder, by id, in order of the modules' names."""
    found = {}
    for module in sorted(iter_modules(__path__), key=lambda each: each.name):
        declared = getattr(import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if declared is not None:
            found[declared.id] = declared
    return found


def validity(datasets: Sequence[tuple[Protected, Description]]) -> list[dict[str, str]]:
    """`validFrom` and `validTo` of the versions of a table: each holds until the next; one alone says neither."""
    moments = [f"{said.last_update}T00:00:00Z" for _, said in datasets]
    if len(moments) == 1:
        return [{}]
    ends = [{"validTo": moment} for moment in moments[1:]]
    return [{"validFrom": moment, **end} for moment, end in zip(moments, [*ends, {}], strict=True)]
