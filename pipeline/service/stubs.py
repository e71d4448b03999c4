"""Stubs: artefacts by name alone, for who lists them before asking for one (SDMX REST, `detail` of structure queries).

The message in full is written first and its artefacts are emptied: a stub is of the same form in each of the formats.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from lxml import etree

from pipeline.structures import walk
from pipeline.structures.resources import Answer

DETAILS = (
    "full",
    "raw",
    "allstubs",
    "allcompletestubs",
    "referencestubs",
    "referencecompletestubs",
    "referencepartial",  # answered in full: a service may give more than is asked for
)
_IDENTITY = ("id", "agencyID", "version", "links", "name", "names", "isExternalReference")
_COMPLETE = ("description", "descriptions", "annotations")

# The schemas want what a provision agreement binds, and the codes of a hierarchy.
_WANTED = ("StructureUsage", "Dataflow", "DataProvider", "HierarchicalCode", "Level")

Named = Collection[tuple[str, str]]


def named(artefacts: Answer) -> Named:
    """Maintainer and id of artefacts, which no two of different kinds share here."""
    return {(walk.agency(each), str(each.id)) for each in artefacts}


def emptied(body: bytes, detail: str, chosen: Named, *, address: str) -> bytes:
    """The message with what `detail` asks for as stubs.

    Args:
        body: a message of structures, in XML or JSON.
        detail: one of `DETAILS`.
        chosen: what the query names; the rest are references.
        address: of the service for this version, where each can be had in full.
    """
    if not detail.endswith("stubs"):
        return body
    full: Named = () if detail.startswith("all") else chosen
    is_complete = "complete" in detail
    if body.startswith(b"{"):
        return _json(json.loads(body), full, address, kept=(*_IDENTITY, *(_COMPLETE if is_complete else ())))
    beside = ("Description", "Annotations") if is_complete else ()
    return _xml(body, full, address, kept=("Name", *_WANTED, *beside))


def _xml(body: bytes, full: Named, address: str, *, kept: Collection[str]) -> bytes:
    root = etree.fromstring(body)
    for artefact in root.iterfind("{*}Structures/*/*"):
        name = (artefact.get("agencyID", ""), artefact.get("id", ""))
        if name not in full:
            for child in [each for each in artefact if etree.QName(each).localname not in kept]:
                artefact.remove(child)
            artefact.set("isExternalReference", "true")
            kind = etree.QName(artefact).localname.lower()
            artefact.set("structureURL", "/".join((address, kind, *name, artefact.get("version", ""))))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _json(message: dict[str, Any], full: Named, address: str, *, kept: Collection[str]) -> bytes:
    for artefacts in message["data"].values():
        artefacts[:] = [
            each if (each["agencyID"], each["id"]) in full else _stub(each, address, kept) for each in artefacts
        ]
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _stub(artefact: Mapping[str, Any], address: str, kept: Collection[str]) -> dict[str, Any]:
    (link,) = artefact["links"]
    place = "/".join((address, link["type"], artefact["agencyID"], artefact["id"], artefact["version"]))
    said = {name: value for name, value in artefact.items() if name in kept}
    return said | {"isExternalReference": True, "links": [link, {"rel": "external", "href": place}]}
