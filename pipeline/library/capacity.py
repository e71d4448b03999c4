"""metadata/capacity/, the list of items and dsd/<DATAFLOW>/computed.toml → the capacity assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import cast, get_args

from pipeline.assessed import Capacity, Derivation, Finding, Item, Kind, Reply, Role, Source
from pipeline.framework import LANGUAGES, Code, Codelist, Component, Dataflow, Field, Licence, Provider
from pipeline.library import authored, replies
from pipeline.library.authored import NAMES, refuse
from pipeline.library.dataflows import check_condition
from pipeline.library.described import described

ITEM, DIMENSION = "CAP_ITEM", "CAP_DIM"
_COLUMNS = ("dimension", "kind", "levels", "weight", "evidence", "origin", "derive", "select")
_AMOUNTS = ("list", "number")
# How an item can be worked out, and what it names; docs/capacity.md says what each gives.
TABLES, ROWS, ATTRIBUTE, METADATA = "tables", "rows", "attribute", "metadata"
MANDATORY, PUBLISHED, COORDINATES, INDICATORS = "mandatory", "published", "coordinates", "indicators"
_OF_NOTHING = (MANDATORY, PUBLISHED, INDICATORS)


def capacity(
    root: Path,
    flows: Mapping[str, Dataflow],
    *,
    providers: Mapping[str, Provider],
    licences: Mapping[str, Licence],
    fields: Mapping[str, Field],
) -> Capacity:
    """Load the assessment; empty where no dataflow is one.

    Raises:
        SetupError: an item, a source, a role or a finding names what does not exist.
    """
    found = [flow for flow in flows.values() if flow.structure.measure_dimension == ITEM]
    if not found or not (root / "dsd" / found[0].id / "computed.toml").exists():
        return Capacity()
    flow, folder = found[0], root / "metadata/capacity"
    codelist, dimensions = (flow.structure.components[each].codelist for each in (ITEM, DIMENSION))
    assert codelist is not None
    assert dimensions is not None
    path = root / "codelists" / codelist.agency / f"{codelist.id}-{codelist.version}.csv"
    sources = _sources(folder / "sources.csv")
    return Capacity(
        flow=flow.id,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        items=_items(path, codelist, _Known(flows, fields, dimensions)),
        sources=sources,
        roles=_roles(folder / "roles.csv"),
        findings=_findings(folder / "findings.csv", sources, dimensions, flow),
        **described(root / "dsd" / flow.id / "computed.toml", providers=providers, licences=licences, fields=fields),
    )


# ---------------------------------------------------------------- items


class _Known:
    """What the items may name."""

    def __init__(self, flows: Mapping[str, Dataflow], fields: Mapping[str, Field], dimensions: Codelist) -> None:
        self.flows, self.fields, self.dimensions = flows, fields, dimensions
        self.tables = {name: flow for flow in flows.values() for name in flow.minimum_tables}
        self.components: Mapping[str, Component] = {
            name: each for flow in flows.values() for name, each in flow.structure.components.items()
        }

    def named(self, way: str) -> Collection[str]:
        """What a way of deriving may name."""
        return {
            TABLES: self.tables,
            ROWS: self.flows,
            ATTRIBUTE: [name for name, each in self.components.items() if each.role == "attribute"],
            METADATA: self.fields,
            COORDINATES: [name for name, each in self.components.items() if _has_coordinates(each)],
        }.get(way, ())


def _has_coordinates(component: Component) -> bool:
    codelist = component.codelist
    return codelist is not None and any("latitude" in code.notes for code in codelist.codes.values())


def _items(path: Path, codelist: Codelist, known: _Known) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for row, cells in authored.rows(path, ("code", *NAMES, *_COLUMNS, *_texts("text")), extra=True):
        if cells["code"]:
            found[cells["code"]] = _item(path, row, codelist.codes[cells["code"]], known)
    return found


def _item(path: Path, row: int, code: Code, known: _Known) -> Item:
    said = code.notes
    if said["dimension"] not in known.dimensions.codes:
        refuse(path, row, f'dimension "{said["dimension"]}" is not a code of {known.dimensions.ref}')
    if said["kind"] not in get_args(Kind):
        refuse(path, row, f'kind "{said["kind"]}" must be one of {", ".join(get_args(Kind))}')
    if said["evidence"] not in ("yes", "no"):
        refuse(path, row, f'evidence "{said["evidence"]}" must be yes or no')
    return Item(
        code.id,
        said["dimension"],
        cast("Kind", said["kind"]),
        _levels(path, row, said),
        _weight(path, row, said["weight"]),
        said["evidence"] == "yes",
        said["origin"],
        _derivation(path, row, said["derive"], said["select"], known),
        authored.every(path, row, said, "text"),
        row,
    )


def _levels(path: Path, row: int, said: Mapping[str, str]) -> tuple[float, ...]:
    """What is worth a half and what is worth one, of a list or a number."""
    try:
        levels = tuple(float(each) for each in said["levels"].split())
    except ValueError:
        levels = ()
    needed = 2 if said["kind"] in _AMOUNTS else 0
    if len(set(levels)) != needed or len(said["levels"].split()) != needed:
        refuse(
            path, row, "levels must be two different numbers, worth 0.5 and 1, of a list or a number; else it is empty"
        )
    return levels


def _weight(path: Path, row: int, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        refuse(path, row, f'weight "{text}" must be a number above zero')
    return weight


def _derivation(path: Path, row: int, text: str, select: str, known: _Known) -> Derivation | None:
    if not text:
        if select:
            refuse(path, row, "select stands without derive")
        return None
    way, _, rest = (part.strip() for part in text.partition(":"))
    names, allowed = tuple(rest.split()), known.named(way)
    if (way not in _OF_NOTHING and not allowed) or (way in _OF_NOTHING and names):
        refuse(path, row, f'derive "{text}" is not understood; docs/capacity.md lists the ways')
    if way not in _OF_NOTHING and (not names or (unknown := [each for each in names if each not in allowed])):
        refuse(path, row, f'derive: "{unknown[0] if names else ""}" is not known; known are {", ".join(allowed)}')
    check_condition(path, row, select, known.components)
    return Derivation(way, names, select)


# ---------------------------------------------------------------- sources, roles, findings


def _sources(path: Path) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for row, cells in authored.rows(path, ("id", "date", "url", *_texts("title"))):
        if cells["date"] and not replies.is_date(cells["date"]):
            refuse(path, row, f'date "{cells["date"]}" is not a date such as 2026, 2026-11 or 2026-11-24')
        if cells["url"] and not replies.is_url(cells["url"]):
            refuse(path, row, f'url "{cells["url"]}" must begin with https:// or http://')
        identifier = authored.unique(path, row, cells["id"], found)
        found[identifier] = Source(identifier, authored.every(path, row, cells, "title"), cells["url"], cells["date"])
    return found


def _roles(path: Path) -> dict[str, Role]:
    found: dict[str, Role] = {}
    for row, cells in authored.rows(path, ("id", "office", *NAMES)):
        if cells["office"] not in ("yes", "no"):
            refuse(path, row, f'office "{cells["office"]}" must be yes or no')
        identifier = authored.unique(path, row, cells["id"], found)
        found[identifier] = Role(identifier, authored.every(path, row, cells, "name"), cells["office"] == "yes")
    return found


def _findings(path: Path, sources: Collection[str], dimensions: Codelist, flow: Dataflow) -> tuple[Finding, ...]:
    areas = flow.structure.components["REF_AREA"].codelist
    assert areas is not None
    found = []
    for row, cells in authored.rows(path, ("areas", "clear", "dimension", "source", *_texts("text"))):
        if unknown := [each for each in cells["areas"].split() if each not in areas.select("kind=country")]:
            refuse(path, row, f'"{unknown[0]}" is not a country')
        if cells["clear"] not in ("yes", "no"):
            refuse(path, row, f'clear "{cells["clear"]}" must be yes or no')
        if cells["dimension"] and cells["dimension"] not in dimensions.codes:
            refuse(path, row, f'dimension "{cells["dimension"]}" is not a code of {dimensions.ref}')
        if cells["source"] not in sources:
            refuse(path, row, f'source "{cells["source"]}" has no row in sources.csv')
        found.append(
            Finding(
                tuple(cells["areas"].split()),
                cells["clear"] == "yes",
                cells["dimension"],
                cells["source"],
                authored.every(path, row, cells, "text"),
            )
        )
    return tuple(found)


# ---------------------------------------------------------------- what a country answers


def answers(path: Path, of: Capacity) -> tuple[Reply, ...]:
    """The answers of a country, if it has any.

    Raises:
        SetupError: a row is at fault, with the code of its issue (CAP-01 to CAP-05).
    """
    if not path.exists():
        return ()
    found = [_reply(row, cells) for row, cells in authored.rows(path, replies.COLUMNS)]
    for each in found:
        for issue in replies.faults(each, of, path.parent.name):
            refuse(path, each.row, f"{issue.code}  {issue.found}  docs/issues/{issue.code}")
    seen: set[tuple[str, str]] = set()
    for each in found:
        if (each.item, each.year) in seen:
            refuse(path, each.row, f"{each.item} is answered twice for {each.year}")
        seen.add((each.item, each.year))
    return tuple(found)


def _reply(row: int, cells: Mapping[str, str]) -> Reply:
    item, year, answer, source, url, date, role = (cells[name] for name in replies.COLUMNS[:7])
    return Reply(item, year, answer, source, url, date, role, authored.words(cells, "comment"), row)


def _texts(stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}_{lang}" for lang in LANGUAGES)
