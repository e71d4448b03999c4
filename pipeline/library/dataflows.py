"""dsd/<DATAFLOW>/ and dsd/rules.csv → dataflows with their content, rules and protection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

from pipeline import conditions, dominance
from pipeline.across import arguments
from pipeline.checks.known import CHECKS
from pipeline.errors import SetupError
from pipeline.framework import (
    LANGUAGES,
    Codelist,
    Component,
    Dataflow,
    Hierarchy,
    IssueType,
    Rule,
    Severity,
    Structure,
)
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.protection import BY_CHANCE, Floor, FullCell, Magnitude, Protection, SameAs, Threshold

_STAGES = ("received", "figures", "release", "revision", "across")
_METHODS = ("suppression", *BY_CHANCE, "none")
_OF_SUPPRESSION = ("threshold", "minimum_cases", "forbidden", "floor", "full_cell", "magnitude")
_PROTECTION = ("method", "reason", "same_as", *_OF_SUPPRESSION)
_REQUIRED = ("structure", "category", "name", "description", "counterpart", "allowed")


def dataflows(
    folder: Path,
    structures: Mapping[str, Structure],
    hierarchies: Mapping[str, Hierarchy],
    categories: Codelist,
    issue_types: Mapping[str, IssueType],
) -> dict[str, Dataflow]:
    """Every folder of dsd/ with a `structure.toml`. Its own `rules.csv` adds to the shared rules."""
    shared = _rules(folder / "rules.csv", structures, issue_types)
    flows = {}
    for path in sorted(folder.glob("*/structure.toml")):
        table = authored.toml(path)
        authored.keys(path, table, (*_REQUIRED, "region", "minimum_table"), _REQUIRED)
        if table["structure"] not in structures:
            refuse(path, None, f'structure "{table["structure"]}" does not exist')
        if table["category"] not in categories.codes:
            refuse(path, None, f'category "{table["category"]}" is not in dsd/categories.csv')
        structure = structures[table["structure"]]
        own = path.with_name("rules.csv")
        rules = shared + (_rules(own, structures, issue_types) if own.exists() else [])
        flow = path.parent.name
        flows[flow] = Dataflow(
            id=flow,
            name=table["name"],
            description=table["description"],
            counterpart=table["counterpart"],
            category=table["category"],
            structure=structure,
            regions=tuple(
                _selection(path, {**table["allowed"], **region}, structure, hierarchies)
                for region in table.get("region", [{}])
            ),
            minimum_tables={
                each.pop("id"): _selection(path, each, structure, hierarchies)
                for each in table.get("minimum_table", [])
            },
            rules=tuple(rule for rule, only in rules if (not only or flow in only) and applies(rule, structure)),
            protection=_protection(path.with_name("protect.toml"), structure),
        )
    return flows


def applies(rule: Rule, structure: Structure) -> bool:
    """A rule that names no dataflows applies wherever the components it is about exist (framework §4)."""
    if rule.stage == "across":
        return True  # it names its dataflows, or looks at whatever they have in common
    named = {clause.component for clause in conditions.parse(rule.then)}
    if CHECKS[rule.check].names_components:
        named |= set(rule.argument.partition(":")[0].split())
    return named <= structure.components.keys()


def _selection(
    path: Path, table: Mapping[str, list[str]], structure: Structure, hierarchies: Mapping[str, Hierarchy]
) -> dict[str, frozenset[str]]:
    selection: dict[str, frozenset[str]] = {}
    for component, patterns in table.items():
        codelist = structure.components[component].codelist if component in structure.components else None
        if codelist is None:
            refuse(path, None, f'"{component}" is not a coded component of {structure.id}')
        codes: set[str] = set()
        for pattern in patterns:
            found = hierarchies[pattern].codes if pattern in hierarchies else codelist.select(pattern)
            if not found:
                refuse(path, None, f'"{pattern}" matches no code of {codelist.ref}')
            codes |= found
        selection[component] = frozenset(codes)
    return selection


def _rules(
    path: Path, structures: Mapping[str, Structure], issue_types: Mapping[str, IssueType]
) -> list[tuple[Rule, tuple[str, ...]]]:
    """Rules of a file, each with the dataflows it is limited to."""
    components = {id_: each for structure in structures.values() for id_, each in structure.components.items()}
    rules = []
    columns = ("id", "severity", "stage", "check", "argument", "when", "then", "dataflows")
    for row, cells in authored.rows(path, columns):
        if cells["id"] not in issue_types:
            refuse(path, row, f'"{cells["id"]}" has no row in metadata/issues.csv')
        if cells["severity"] not in get_args(Severity) or cells["stage"] not in _STAGES:
            refuse(path, row, f"severity must be E, W or I, and stage one of {', '.join(_STAGES)}")
        known = arguments.CHECKS if cells["stage"] == "across" else CHECKS
        if cells["check"] not in known:
            refuse(path, row, f'"{cells["check"]}" is not a check; known are {", ".join(sorted(known))}')
        check_condition(path, row, f"{cells['when']} and {cells['then']}", components)
        if cells["stage"] == "figures" and cells["severity"] == "E":
            refuse(path, row, "what is only implausible is W or I: it cannot hold a delivery back")
        limited = tuple(cells.pop("dataflows").split())
        rule = Rule(**cast("dict[str, Any]", cells))
        if rule.stage == "across":
            rule = replace(rule, dataflows=limited)
            _check_across(path, row, rule)
        rules.append((rule, limited))
    return rules


def _check_across(path: Path, row: int, rule: Rule) -> None:
    """A rule between tables says what it compares, names dataflows that exist, and holds nothing back."""
    try:
        arguments.settings(rule)
    except SetupError as error:
        refuse(path, row, str(error))
    if rule.severity == "E":
        refuse(path, row, "what is found between published tables is W or I: it cannot hold a delivery back")
    if not rule.dataflows and rule.check != "same":
        refuse(path, row, "dataflows must name whose figures are compared")
    for flow in rule.dataflows:
        if not (path.parent / flow / "structure.toml").exists():
            refuse(path, row, f'dataflow "{flow}" does not exist')


def check_condition(path: Path, row: int | None, text: str, components: Mapping[str, Component]) -> None:
    """Refuse a condition that is not understood, or that names a component or code that does not exist."""
    try:
        clauses = conditions.parse(text)
    except SetupError as error:
        refuse(path, row, str(error))
    for clause in clauses:
        if clause.component not in components:
            refuse(path, row, f'"{clause.component}" is not a component of the structure')
        codelist = components[clause.component].codelist
        if codelist is None or clause.operator not in ("in", "not in"):
            continue
        for value in clause.values:
            if not codelist.select(value) and not _may_be_none(value, clause.operator, codelist):
                refuse(path, row, f'"{value}" matches no code of {codelist.ref}')


def _may_be_none(pattern: str, operator: str, codelist: Codelist) -> bool:
    """Whether no code needs to match: all but those of a kind are wanted, and the list has none of this kind."""
    column, sign, _ = pattern.partition("=")
    return operator == "not in" and bool(sign) and any(column in code.notes for code in codelist.codes.values())


def _protection(path: Path, structure: Structure) -> Protection:
    table = authored.toml(path)
    authored.keys(path, table, _PROTECTION, ("method", "reason"))
    if table["method"] not in _METHODS:
        refuse(path, None, f'method "{table["method"]}" is not known; use one of {", ".join(_METHODS)}')
    if table["method"] in BY_CHANCE and (more := sorted({*table} & {*_OF_SUPPRESSION})):
        refuse(
            path, None, f"there is one method for a dataflow: {table['method']} withholds nothing, take out {more[0]}"
        )
    thresholds = _thresholds(path, table, structure)
    if table["method"] == "suppression" and (not thresholds or thresholds[-1].when):
        refuse(path, None, "the last threshold must apply to every row: give it no `when`")
    return Protection(
        table["method"],
        thresholds,
        table.get("minimum_cases", 0),
        table["reason"],
        tuple(_same_as(path, each, structure) for each in table.get("same_as", [])),
        _forbidden(path, table, structure),
        tuple(_floor(path, each, structure) for each in table.get("floor", [])),
        tuple(_full_cell(path, each, structure) for each in table.get("full_cell", [])),
        _magnitudes(path, table, structure),
    )


def stricter(path: Path, table: Mapping[str, Any], flow: Dataflow) -> Protection:
    """The protection of a dataflow with what the law of a country asks for beside it."""
    base, structure = flow.protection, flow.structure
    authored.keys(path, table, ("law", *_OF_SUPPRESSION), ("law",))
    if base.method != "suppression":
        refuse(path, None, f"protection: nothing is withheld of {flow.id}, whose method is {base.method}")
    if any(not table["law"].get(each) for each in LANGUAGES):
        refuse(path, None, f"protection: law must name what asks for it, in {', '.join(LANGUAGES)}")
    national, least = _thresholds(path, table, structure), min(each.persons for each in base.thresholds)
    cases = table.get("minimum_cases", base.minimum_cases)
    if any(each.persons <= least for each in national) or cases < base.minimum_cases:
        refuse(path, None, "protection: a country may ask for more than dsd/ does, never for less")
    return replace(
        base,
        national=national,
        minimum_cases=cases,
        forbidden=(*base.forbidden, *_forbidden(path, table, structure)),
        floors=(*base.floors, *(_floor(path, each, structure) for each in table.get("floor", []))),
        full_cells=(*base.full_cells, *(_full_cell(path, each, structure) for each in table.get("full_cell", []))),
        magnitudes=(*base.magnitudes, *_magnitudes(path, table, structure)),
        law=table["law"],
    )


def _thresholds(path: Path, table: Mapping[str, Any], structure: Structure) -> tuple[Threshold, ...]:
    found = []
    for each in table.get("threshold", []):
        authored.keys(path, each, ("persons", "when"), ("persons",))
        found.append(Threshold(each["persons"], each.get("when", "")))
        check_condition(path, None, found[-1].when, structure.components)
    return tuple(found)


def _forbidden(path: Path, table: Mapping[str, Any], structure: Structure) -> tuple[str, ...]:
    for each in table.get("forbidden", []):
        authored.keys(path, each, ("when",), ("when",))
        check_condition(path, None, each["when"], structure.components)
    return tuple(each["when"] for each in table.get("forbidden", []))


def _magnitudes(path: Path, table: Mapping[str, Any], structure: Structure) -> tuple[Magnitude, ...]:
    found = []
    for each in table.get("magnitude", []):
        authored.keys(path, each, ("p", "n", "k", "when"), ())
        try:
            rule = dominance.rule({name: value for name, value in each.items() if name != "when"})
        except (ValueError, TypeError) as error:
            refuse(path, None, f"magnitude: {error}")
        check_condition(path, None, each.get("when", ""), structure.components)
        found.append(Magnitude(rule, each.get("when", "")))
    return tuple(found)


def _floor(path: Path, table: Mapping[str, Any], structure: Structure) -> Floor:
    authored.keys(path, table, ("persons", "of", "total", "when"), ("persons", "of", "total", "when"))
    check_condition(path, None, table["when"], structure.components)
    _check_total(path, "floor", table, structure)
    return Floor(table["persons"], table["of"], table["total"], table["when"])


def _full_cell(path: Path, table: Mapping[str, Any], structure: Structure) -> FullCell:
    authored.keys(path, table, ("of", "total", "when"), ("of", "total"))
    check_condition(path, None, table.get("when", ""), structure.components)
    _check_total(path, "full_cell", table, structure)
    return FullCell(table["of"], table["total"], table.get("when", ""))


def _check_total(path: Path, kind: str, table: Mapping[str, Any], structure: Structure) -> None:
    codelist = structure.components[table["of"]].codelist if table["of"] in structure.key else None
    if codelist is None or table["total"] not in codelist.codes:
        refuse(path, None, f'{kind}: "{table["total"]}" is not a code of a dimension "{table["of"]}"')


def _same_as(path: Path, table: Mapping[str, str], structure: Structure) -> SameAs:
    check_condition(path, None, table.get("when", ""), structure.components)
    key = {component: said for component, said in table.items() if component != "when"}
    for component, said in key.items():
        named = {component, said[1:-1]} if said.startswith("{") else {component}
        if unknown := named - {*structure.key}:
            refuse(path, None, f'same_as names "{min(unknown)}", which is no dimension of {structure.id}')
    return SameAs(table.get("when", ""), key)
