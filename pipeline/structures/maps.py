"""National labels and layouts → SDMX 3.0 structure maps and representation maps (SDMX 3.0 section 2, §9).

A national table is a structure of its own: its dimensions are the label columns and the heading rows
that the layout names, as text. A structure map leads from it to the dataflow: labels through a
representation map, what a template joins through one with several sources, constants as fixed values.
What SDMX cannot say (sheet, heading rows, marks …) stands in annotations of type LAYOUT, one a field,
so that codes and layouts can be rebuilt from the maps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields

from sdmx.model import common, v21

from pipeline.model import CodeRow, Layout

_FOLDERS = re.compile(r"^(?:/|[A-Za-z]:[\\/]).*[\\/]")
_SECRET = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True)
class Value:
    """One mapping of a representation map: as many `sources` as it has; no `target` leaves the cells out."""

    sources: tuple[str, ...]
    target: str | None
    valid_from: str = ""
    valid_to: str = ""
    regex: tuple[bool, ...] = (False,)
    annotations: tuple[common.BaseAnnotation, ...] = ()


@dataclass(eq=False)
class RepresentationMap(common.MaintainableArtefact):
    """Labels → codes. `target` is the code list, or None where the target is text."""

    sources: int = 1
    target: common.Codelist | None = None
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class ComponentMap:
    """How a component of the dataflow follows from dimensions of the national table."""

    sources: tuple[str, ...]
    target: str
    through: RepresentationMap | None = None
    annotations: tuple[common.BaseAnnotation, ...] = ()


@dataclass(frozen=True)
class FixedValue:
    """A component that has one value in the whole table."""

    target: str
    value: str


@dataclass(eq=False)
class StructureMap(common.MaintainableArtefact):
    """From the structure of one national table to a dataflow, or from a structure of ours to another agency's."""

    source: v21.DataStructureDefinition | None = None
    target: v21.DataflowDefinition | v21.DataStructureDefinition | None = None
    components: tuple[ComponentMap, ...] = ()
    fixed: tuple[FixedValue, ...] = ()


@dataclass(frozen=True)
class Maps:
    """The maps of all countries, and the structures of the tables that they lead from."""

    structure: tuple[StructureMap, ...]
    representation: tuple[RepresentationMap, ...]
    concepts: Mapping[str, common.ConceptScheme]  # by agency

    @property
    def all(self) -> tuple[common.MaintainableArtefact, ...]:
        tables = (each.source for each in self.structure if each.source is not None)
        return (*self.concepts.values(), *tables, *self.structure, *self.representation)

    def with_map(self, each: common.MaintainableArtefact) -> tuple[common.MaintainableArtefact, ...]:
        """All that a structure map stands on."""
        assert isinstance(each, StructureMap)
        assert each.source is not None
        assert each.target is not None
        assert each.maintainer is not None
        through = (part.through for part in each.components if part.through is not None)
        return (each.source, each.target, self.concepts[each.maintainer.id], *through)


def _encoded(name: str, value: object, kind: str) -> str:
    """A field as an annotation holds it: text as it is, anything else as JSON.

    What a release must not tell is cut: the folders of a file outside `data`, a password in an address.
    """
    text = str(value) if kind == "str" else json.dumps(value, ensure_ascii=False, default=asdict)
    return _SECRET.sub("//", _FOLDERS.sub("", text) if name == "file" else text)


def note(kind: str, text: str, identifier: str = "") -> common.BaseAnnotation:
    return v21.Annotation(id=identifier or None, type=kind, title=text)


def notes(kind: str, of: Layout | CodeRow, left_out: Collection[str]) -> Iterator[common.BaseAnnotation]:
    """The fields that are not at their default, each an annotation with the name of the field as its id."""
    for each in fields(of):
        value, default = getattr(of, each.name), "" if each.default is MISSING else each.default
        if each.default_factory is not MISSING:
            default = each.default_factory()
        if each.name not in left_out and value != default:
            yield note(kind, _encoded(each.name, value, str(each.type)), each.name)
