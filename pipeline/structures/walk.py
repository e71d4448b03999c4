"""The way through a set of artefacts that all writers share: section by section, each artefact once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sdmx.model import common
from sdmx.urn import URN

Written = TypeVar("Written")


@dataclass(frozen=True)
class Section(Generic[Written]):
    """How one class of artefacts stands in a message: under which name, and what writes it."""

    kind: type[common.MaintainableArtefact]
    name: str
    write: Callable[[Any], Written]


def sections(
    artefacts: Iterable[common.MaintainableArtefact], table: Sequence[Section[Written]]
) -> Iterator[tuple[str, list[Written]]]:
    """Yield (name of the section, its artefacts written), in the order of the table, without empty ones.

    Raises:
        TypeError: an artefact is of a class that the table does not have.
    """
    chosen = list({id(each): each for each in artefacts}.values())
    for each in chosen:
        if not any(isinstance(each, row.kind) for row in table):
            raise TypeError(f"no section for {each!r}: add its class to the writer's table")
    for name in dict.fromkeys(row.name for row in table):
        written = [
            _written(row, each) for row in table if row.name == name for each in chosen if isinstance(each, row.kind)
        ]
        if written:
            yield name, written


def _written(row: Section[Written], each: common.MaintainableArtefact) -> Written:
    """What the section writes of an artefact, kept with it: the same list stands in hundreds of messages."""
    kept: dict[Section[Written], Written] = vars(each).setdefault("_written", {})
    if row not in kept:
        kept[row] = row.write(each)
    return kept[row]


def urn(kind: str, of: common.MaintainableArtefact, *path: str) -> str:
    """The URN of an artefact, or of what `path` leads to inside it (SDMX 2.1 section 5 §6.2).

    `kind` is its package and class, such as `codelist.Code`.
    """
    package, _, klass = kind.partition(".")
    return str(URN(None, package, klass, agency(of), str(of.id), str(of.version), ".".join(path)))


def agency(of: common.MaintainableArtefact) -> str:
    assert of.maintainer is not None
    return of.maintainer.id


def scheme(item: common.Item[Any]) -> common.ItemScheme[Any]:
    """The scheme that holds an item."""
    found = item.get_scheme()  # type: ignore[no-untyped-call]  # sdmx1 leaves it untyped
    assert isinstance(found, common.ItemScheme)
    return found


def text_type(representation: common.Representation) -> str:
    """The SDMX name of a text type: `observationalTimePeriod` → `ObservationalTimePeriod`."""
    kind = representation.non_enumerated[0].value_type
    assert kind is not None
    return kind.name[0].upper() + kind.name[1:]


def parent(item: common.Item[Any]) -> str:
    """The id of the item above, or nothing at the top."""
    return item.parent.id if isinstance(item.parent, type(item)) else ""


def flow_of(constraint: Any) -> common.BaseDataflow:  # sdmx1 types the content as any artefact
    """The one dataflow that a constraint of ours is attached to."""
    (flow,) = constraint.content
    assert isinstance(flow, common.BaseDataflow)
    return flow


def is_attribute(component: common.Component) -> bool:
    return isinstance(component, common.DataAttribute)
