"""dsd/concepts.csv, terms.csv, structures.toml and attributes.csv → concepts and structures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.framework import Codelist, Component, Concept, Role, Structure
from pipeline.library import authored
from pipeline.library.authored import NAMES, refuse

_TEXT_TYPES = (
    "Double",
    "GregorianDay",
    "GregorianTimePeriod",
    "Integer",
    "ObservationalTimePeriod",
    "String",
)
_ATTACHMENTS = ("observation", "measure", "group", "dataset")


def concepts(path: Path, lists: Mapping[str, Codelist]) -> dict[str, Concept]:
    """Concepts of CS_MIG (with a representation) or CS_MIG_TERM (with the basis of the definition)."""
    is_structural = path.stem == "concepts"
    own = ("representation", "cross_domain") if is_structural else ("basis",)
    columns = ("id", *NAMES, "definition_en", "definition_es", "definition_pt", *own)
    found: dict[str, Concept] = {}
    for row, cells in authored.rows(path, columns):
        identifier = authored.unique(path, row, cells["id"], found)
        representation = cells.get("representation", "")
        if is_structural and representation not in lists and representation not in _TEXT_TYPES:
            refuse(path, row, f'"{representation}" is neither a code list nor one of {", ".join(_TEXT_TYPES)}')
        found[identifier] = Concept(
            identifier,
            authored.name(path, row, cells),
            authored.name(path, row, cells, "definition"),
            representation,
            cells.get("cross_domain") or "",
            cells.get("basis") or "",
        )
    return found


def structures(folder: Path, known: Mapping[str, Concept], lists: Mapping[str, Codelist]) -> dict[str, Structure]:
    """The data structures. Those with a `tail` share one head, so their first positions are identical."""
    path = folder / "structures.toml"
    content = authored.toml(path)
    head = content.pop("head", [])
    attributes = _attributes(folder / "attributes.csv", known, content)
    found = {}
    for identifier, table in content.items():
        authored.keys(path, table, ("name", "tail", "dimensions", "measure"), ("name", "measure"))
        dimensions = [*head, *table["tail"]] if "tail" in table else table.get("dimensions", [])
        roles: list[tuple[str, Role]] = [(each, "dimension") for each in dimensions]
        components: dict[str, Component] = {}
        for concept, role in (*roles, ("TIME_PERIOD", "time"), ("OBS_VALUE", "measure")):
            if concept not in known or concept in components:
                refuse(path, None, f'"{concept}" of {identifier} stands twice or is not in concepts.csv')
            components[concept] = Component(known[concept], role, lists.get(known[concept].representation))
            if role == "dimension" and components[concept].codelist is None:
                refuse(path, None, f'dimension "{concept}" of {identifier} has no code list')
        if table["measure"] not in dimensions:
            refuse(path, None, f'measure "{table["measure"]}" of {identifier} is not one of its dimensions')
        for cells in attributes:
            if not cells["structures"] or identifier in cells["structures"].split():
                meaning = known[cells["id"]]
                components[meaning.id] = Component(
                    meaning,
                    "attribute",
                    lists.get(meaning.representation),
                    cells["attachment"],
                    cells["assignment"] == "mandatory",
                )
        found[identifier] = Structure(identifier, table["name"], components, table["measure"])
    return found


def _attributes(path: Path, known: Mapping[str, Concept], content: Mapping[str, Any]) -> list[dict[str, str]]:
    attributes: dict[str, dict[str, str]] = {}
    for row, cells in authored.rows(path, ("id", "attachment", "assignment", "structures")):
        authored.unique(path, row, cells["id"], attributes)
        if cells["id"] not in known:
            refuse(path, row, f'"{cells["id"]}" is not a concept of concepts.csv')
        if cells["attachment"] not in _ATTACHMENTS or cells["assignment"] not in ("mandatory", "conditional"):
            refuse(
                path,
                row,
                f"attachment must be one of {', '.join(_ATTACHMENTS)}; assignment mandatory or conditional",
            )
        for identifier in cells["structures"].split():
            if identifier not in content:
                refuse(path, row, f'"{identifier}" is not a structure of structures.toml')
        attributes[cells["id"]] = cells
    return list(attributes.values())
