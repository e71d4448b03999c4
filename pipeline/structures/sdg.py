"""DF_INDIC → the structure of the SDG indicators, as an SDMX 3.0 structure map (dsd/DF_INDIC/sdg.toml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sdmx.model import common, v21

from pipeline.model import Library
from pipeline.structures.artefacts import VERSION, Artefacts
from pipeline.structures.maps import ComponentMap, FixedValue, RepresentationMap, StructureMap, Value

MAP = "SM_INDIC_SDG"
FILE = "files/structures/sdg-3.0.xml"


def sdg(library: Library, of: Artefacts) -> tuple[common.MaintainableArtefact, ...]:
    """The structure map and the representation maps that it uses; nothing where no map is authored."""
    table, flow = library.indicators.sdg, library.indicators.flow
    if not table:
        return ()
    own: dict[str, Any] = {
        "maintainer": common.Agency(id=library.agency),
        "version": VERSION,
        "is_final": True,
        "is_external_reference": False,
    }
    through = {
        there: RepresentationMap(
            id=f"RM_INDIC_SDG_{there}",
            name=library.concepts[said["from"]].name,
            values=tuple(_values(library, said)),
            **own,
        )
        for there, said in table["component"].items()
        if "note" in said or "codes" in said
    }
    target = v21.DataStructureDefinition(
        id=table["id"],
        maintainer=common.Agency(id=table["agency"]),
        version=table["version"],
        is_external_reference=True,
    )
    made = StructureMap(
        id=MAP,
        name=table["name"],
        source=of.structures[library.dataflows[flow].structure.id],
        target=target,
        components=tuple(
            ComponentMap((said["from"],), there, through.get(there)) for there, said in table["component"].items()
        ),
        fixed=tuple(FixedValue(there, value) for there, value in table["fixed"].items()),
        **own,
    )
    return (*through.values(), made)


def _values(library: Library, said: Mapping[str, Any]) -> Iterator[Value]:
    """Our code → theirs. A code without one is left out: the SDG structure has no place for it."""
    if "codes" in said:
        yield from (Value((here,), there) for here, there in said["codes"].items())
        return
    codelist = library.list_of(said["from"])
    assert codelist is not None
    for code in codelist.codes.values():
        if there := code.notes.get(said["note"], ""):
            yield Value((code.id,), there.lstrip("0") if there.isdecimal() else there)
