"""Structure-specific SDMX-ML, grouped by time series: what versions 2.1 and 3.0 share.

SDMX 2.1 section 3A part 4 and SDMX 3.0 section 3: the two differ in their namespaces and in how the
header names the dataflow, by a reference element or by its URN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pandas as pd

from pipeline.formats import validity
from pipeline.formats.columns import Ahead, Column, chunks, components, opening, rendered, repeated, starts
from pipeline.framework import GROUP
from pipeline.model import Description, Library, Protected
from pipeline.structures import xsd

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# Control characters that XML 1.0 cannot hold become the replacement character.
_ESCAPES = dict.fromkeys(range(32), "�") | str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def escaped(text: str) -> str:
    """Text as an XML attribute value that reads back the same."""
    return text.translate(_ESCAPES)


@dataclass(frozen=True)
class Version:
    """What sets a version apart. `usage` writes the reference to a dataflow of an agency.

    A flat message has each observation with its whole key, one by one.
    """

    of: xsd.Version
    usage: Callable[[str, str], str]
    is_flat: bool = False


def write(version: Version, protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations; a withheld one has its status and no value. Figures without periods are series alone."""
    write_all(version, [(protected, description)], library, file)


def write_all(
    version: Version, datasets: Sequence[tuple[Protected, Description]], library: Library, file: BinaryIO
) -> None:
    """Write a data set for each version of the same table, the newest last."""
    file.write(_head(version, *datasets[-1], library).encode())
    for (protected, description), held in zip(datasets, validity(datasets), strict=True):
        file.write(_opening(version, protected, description, held).encode())
        file.writelines(_groups(protected))
        file.writelines(chunks(_flat(protected) if version.is_flat else _series(protected)))
        tail = "</Series>" if len(protected.frame) and not version.is_flat else ""
        file.write(f"{tail}</message:DataSet>".encode())
    file.write(b"</message:StructureSpecificData>\n")


def _head(version: Version, protected: Protected, description: Description, library: Library) -> str:
    flow, structure = protected.flow.id, protected.flow.structure.id
    own = xsd.namespace(structure, library.agency, is_flat=version.is_flat)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:StructureSpecificData xmlns:message="{version.of.schemas}/message" '
        f'xmlns:ss="{version.of.schemas}/data/structurespecific" xmlns:common="{version.of.schemas}/common" '
        f'xmlns:xsi="{_INSTANCE}" xmlns:ns1="{own}">'
        f"<message:Header><message:ID>{flow}_{protected.area or 'ALL'}</message:ID>"
        f"<message:Test>false</message:Test><message:Prepared>{description.last_update}T00:00:00Z</message:Prepared>"
        f'<message:Sender id="{library.agency}"/><message:Structure structureID="{structure}" '
        f'namespace="{own}" dimensionAtObservation="{xsd.observed(is_flat=version.is_flat)}">'
        f"<common:StructureUsage>{version.usage(library.agency, flow)}</common:StructureUsage></message:Structure>"
        "<message:DataSetAction>Information</message:DataSetAction></message:Header>\n"
    )


def _opening(version: Version, protected: Protected, description: Description, held: Mapping[str, str]) -> str:
    structure = protected.flow.structure.id
    scope = 'ss:dataScope="DataStructure" ' if version.of is xsd.V21 else ""  # 3.0 has no scopes
    days = "".join(f'ss:{name}Date="{moment}" ' for name, moment in held.items())
    return (
        f'<message:DataSet {scope}{days}xsi:type="ns1:DataSetType" ss:structureRef="{structure}" '
        f'ss:action="Information" VINTAGE="{escaped(description.vintage)}" '
        f'LAST_UPDATE="{description.last_update}" LICENCE="{escaped(description.licence)}">'
    )


def _attribute(name: str, column: pd.Series) -> Column:
    return rendered(column, lambda text: f' {name}="{escaped(text)}"' if text else "")


def _groups(protected: Protected) -> Iterator[bytes]:
    """The group elements: attributes said once for a reference area, source type and measure."""
    structure = protected.flow.structure
    attributes = [a for a in structure.attributes("group") if a in protected.frame]
    if not attributes:
        return iter(())
    distinct = protected.frame[[*structure.group, *attributes]].drop_duplicates(list(structure.group))
    begin, end = (repeated(text, len(distinct)) for text in (f'<Group xsi:type="ns1:{GROUP}"', "/>\n"))
    return chunks([begin, *(_attribute(name, distinct[name]) for name in distinct.columns), end])


def _series(protected: Protected) -> list[Column | Ahead]:
    structure, frame = protected.flow.structure, protected.frame
    on_series = [*structure.dimensions, *(a for a in structure.attributes("measure") if a in frame)]
    rows = len(frame)
    begin = opening("<Series", "</Series>\n<Series", rows)
    said = (_attribute(name, frame[name]) for name in on_series)
    before = Ahead(starts(frame, structure.dimensions), [begin, *said, repeated(">\n", rows)])
    if "TIME_PERIOD" not in frame:
        return [before]
    on_observation = [
        *components(protected, "time", "measure"),
        *(a for a in structure.attributes("observation") if a in frame),
    ]
    return [before, *_observations(protected, on_observation)]


def _flat(protected: Protected) -> list[Column | Ahead]:
    structure = protected.flow.structure
    attributes = (a for a in structure.attributes("measure", "observation") if a in protected.frame)
    return _observations(protected, [*components(protected, "dimension", "time", "measure"), *attributes])


def _observations(protected: Protected, said: Sequence[str]) -> list[Column | Ahead]:
    frame = protected.frame
    begin, end = (repeated(text, len(frame)) for text in ("<Obs", "/>\n"))
    return [begin, *(_attribute(name, frame[name]) for name in said), end]
