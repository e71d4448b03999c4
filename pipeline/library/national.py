"""metadata/national/<AREA>/ → one `Country`: producers, agreements, layouts, codes and metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from pipeline import derived
from pipeline.address import has_password
from pipeline.dominance import CONTRIBUTORS
from pipeline.framework import LANGUAGES, Codelist, Provider, Structure
from pipeline.labels import folded
from pipeline.library import authored, capacity
from pipeline.library.agreements import agreements
from pipeline.library.authored import refuse
from pipeline.library.corrections import corrections
from pipeline.library.dataflows import stricter
from pipeline.library.described import metadata, not_known, text
from pipeline.library.revisions import revisions
from pipeline.model import CodeRow, Country, Layout, Library, Series
from pipeline.validity import days, span

_LAYOUT = {field.name: field for field in fields(Layout) if field.name != "is_template"}  # never authored
_REQUIRED = [name for name, field in _LAYOUT.items() if field.default is MISSING and field.default_factory is MISSING]
_TEXTS = ("title", "source_operation", "stat_pop")
_COUNTRY = ("language", "focal", "providers", "agreement", "metadata", "not_known")
_SERIES = ("hierarchies", "rounding_base", "working_age", "reliability", "metadata", "not_known", "protection")


def country(folder: Path, framework: Library) -> Country:
    """Load a reporting country. `framework` is the library without its countries.

    Raises:
        SetupError: a file names something that does not exist; the message says which file and row.
    """
    area = folder.name
    path = folder / "country.toml"
    areas = framework.list_of("REF_AREA")
    if areas is None or area not in areas.select("kind=country"):
        refuse(path, None, f'"{area}" is not a country of CL_AREA')
    table = authored.toml(path)
    authored.keys(path, table, _COUNTRY, ("language", "focal"))
    if table["language"] not in LANGUAGES:
        refuse(path, None, f'language "{table["language"]}" must be one of {", ".join(LANGUAGES)}')
    providers = _providers(path, table.get("providers", {}), framework, area)
    if table["focal"] not in providers:
        refuse(path, None, f'focal "{table["focal"]}" is not one of the providers')
    known = {**framework.providers, **providers}
    agreed = agreements(path, table.get("agreement", []), known, framework.dataflows)
    series = _templates(folder.parents[2] / "data" / area, framework) | {
        each.stem: _series(each, area, known, framework) for each in sorted(folder.glob("*.toml")) if each != path
    }
    return Country(
        area=area,
        language=table["language"],
        focal=table["focal"],
        providers=providers,
        agreements=frozenset((each.provider, flow) for each in agreed for flow in each.flows) | _computed(framework),
        codes=_codes(folder / "codes.csv", framework),
        metadata=metadata(path, table.get("metadata", {}), framework.fields),
        not_known=not_known(path, table, framework.fields),
        series=series,
        corrections=corrections(folder / "corrections.csv", series),
        revisions=revisions(folder / "revisions.csv", series, framework.dataflows),
        exchanges=agreed,
        replies=capacity.answers(folder / "capacity.csv", framework.capacity),
    )


def _templates(data: Path, framework: Library) -> dict[str, Series]:
    """Workbooks named as a dataflow: filled templates, which say their own layout when they are received."""
    found = [path for path in sorted(data.glob("*.xlsx")) if path.stem in framework.dataflows]
    return {path.stem: Series(data.name, path.stem, (), (), 0, {}, template=path.name) for path in found}


def _providers(path: Path, table: Mapping[str, Any], framework: Library, area: str) -> dict[str, Provider]:
    agency = f"{framework.agency}.{area}"
    if agency not in framework.agencies:
        refuse(path, None, f'"{agency}" has no row in metadata/agencies.csv')
    found: dict[str, Provider] = {}
    for identifier, each in table.items():
        authored.unique(path, None, identifier, {**framework.providers, **found})
        authored.keys(path, each, ("name", "url", "metadata"), ("name",))
        name, said = text(path, each["name"], f"name of {identifier}"), each.get("metadata", {})
        known = metadata(path, said, framework.fields)
        found[identifier] = Provider(identifier, agency, area, name, each.get("url", ""), known)
    return found


def _computed(framework: Library) -> frozenset[tuple[str, str]]:
    """What the publisher computes from a country's published tables needs no agreement of its own."""
    return frozenset((of.provider, of.flow) for of in (framework.indicators, framework.capacity) if of.flow)


def _codes(path: Path, framework: Library) -> tuple[CodeRow, ...]:
    found: list[CodeRow] = []
    by_label: dict[tuple[str, str, str], list[CodeRow]] = {}
    for row, cells in authored.rows(
        path, ("component", "column", "label", "code", "note"), optional=("valid_from", "valid_to")
    ):
        each = CodeRow(**cells)
        check_fate(path, row, each, framework)
        _check_validity(path, row, each)
        others = by_label.setdefault((each.component, each.column, folded(each.label)), [])
        for other in others:
            _check_overlap(path, row, each, other)
        others.append(each)
        found.append(each)
    return tuple(found)


def check_fate(path: Path, row: int, each: CodeRow, framework: Library, *, remedy: str = "") -> None:
    """Refuse a row whose component or code does not exist, or that ignores a label without a reason."""
    if each.component not in framework.concepts:
        refuse(path, row, f'"{each.component}" is not a concept of dsd/concepts.csv')
    codelist = framework.list_of(each.component)
    if codelist is not None and each.code and each.code not in codelist.codes:
        refuse(path, row, f'"{each.code}" is not a code of {codelist.ref}{remedy}')
    if not each.code and not each.note:
        refuse(path, row, f'"{each.label}" is ignored without a reason: fill its note')


def _check_validity(path: Path, row: int, each: CodeRow) -> None:
    for name, period in (("valid_from", each.valid_from), ("valid_to", each.valid_to)):
        if period and not days(period)[0]:
            refuse(path, row, f'{name} "{period}" is not a period such as 2011, 2011-07, 2011-Q3 or 2011-07-09')
        if period and each.component == "TIME_PERIOD":
            refuse(path, row, "a period cannot itself hold for some periods only: empty valid_from and valid_to")
    first, last = span(each)
    if first > last:
        refuse(path, row, f'"{each.label}" ends before it begins: {each.valid_from} to {each.valid_to}')


def _check_overlap(path: Path, row: int, each: CodeRow, other: CodeRow) -> None:
    """One label has one fate at a time. Undated rows may differ in case and accents, as tables do."""
    is_dated = any((each.valid_from, each.valid_to, other.valid_from, other.valid_to))
    if not is_dated and each.label == other.label:
        refuse(path, row, f'"{each.label}" stands twice')
    (first, last), (other_first, other_last) = span(each), span(other)
    if is_dated and first <= other_last and other_first <= last:
        refuse(path, row, f'"{each.label}" stands twice for the same time; let valid_from and valid_to not overlap')


def _series(path: Path, area: str, providers: Mapping[str, Provider], framework: Library) -> Series:
    if path.stem not in framework.dataflows:
        refuse(path, None, f'"{path.stem}" is not a dataflow')
    table = authored.toml(path)
    authored.keys(path, table, (*_SERIES, "table"), ("table",))
    for identifier in table.get("hierarchies", []):
        if identifier not in framework.hierarchies:
            refuse(path, None, f'hierarchy "{identifier}" does not exist')
    if (standard := table.get("reliability", "")) and standard not in framework.standards:
        refuse(path, None, f'reliability "{standard}" is not a standard of dsd/reliability.csv')
    return Series(
        area=area,
        flow=path.stem,
        layouts=tuple(_layout(path, each, providers, framework) for each in table["table"]),
        hierarchies=tuple(table.get("hierarchies", [])),
        rounding_base=table.get("rounding_base", 0),
        metadata=metadata(path, table.get("metadata", {}), framework.fields),
        not_known=not_known(path, table, framework.fields),
        working_age=table.get("working_age", 0),
        reliability=table.get("reliability", ""),
        protection=stricter(path, asked, framework.dataflows[path.stem])
        if (asked := table.get("protection"))
        else None,
    )


def _layout(path: Path, table: Mapping[str, Any], providers: Mapping[str, Provider], framework: Library) -> Layout:
    authored.keys(path, table, _LAYOUT, (*_REQUIRED, *_TEXTS))
    if table["provider"] not in providers:
        refuse(path, None, f'provider "{table["provider"]}" does not exist')
    if table["licence"] not in framework.licences:
        refuse(path, None, f'licence "{table["licence"]}" is not in metadata/licences.csv')
    texts = {name: text(path, table[name], name) for name in _TEXTS}
    headings = {component: str(place) for component, place in table.get("headings", {}).items()}
    lists = {name: tuple(table[name]) for name in ("header", "values", "add") if isinstance(table.get(name), list)}
    layout = Layout(**{**table, **texts, **lists, "headings": headings})
    if bool(layout.database) != layout.file.lower().endswith(".sql"):
        refuse(path, None, f"{layout.file}: a file .sql with a query and `database` go together")
    if has_password(layout.database):
        refuse(path, None, f"{layout.file}: no password may stand in `database`; write ${{NAME}} for a variable")
    if not layout.contributors.keys() <= {*CONTRIBUTORS} or (layout.contributors and layout.add):
        refuse(path, None, f"{layout.file}: contributors are {', '.join(CONTRIBUTORS)}, and cannot be added up")
    _check_components(path, layout, framework.dataflows[path.stem].structure, framework)
    return layout


def _check_components(path: Path, layout: Layout, structure: Structure, framework: Library) -> None:
    places: dict[str, str] = {}
    for way, components in (
        ("labels", layout.labels),
        ("headings", layout.headings),
        ("constants", layout.constants),
    ):
        for component in components:
            if component not in structure.components:
                refuse(path, None, f'{layout.file}: "{component}" is not a component of {structure.id}')
            if component in places:
                refuse(path, None, f"{layout.file}: {component} stands in {places[component]} and in {way}")
            places[component] = way
    for component in structure.key:
        if component not in places:
            refuse(path, None, f"{layout.file}: {component} is in none of labels, headings and constants")
    for component, code in layout.constants.items():
        codelist = structure.components[component].codelist
        if codelist is not None and code not in codelist.codes:
            refuse(path, None, f'{layout.file}: {component} "{code}" is not a code of {codelist.ref}')
    _check_statuses(path, layout, framework.list_of("OBS_STATUS"))
    _check_columns(path, layout)


def _check_statuses(path: Path, layout: Layout, statuses: Codelist | None) -> None:
    for mark, status in (*layout.missing.items(), *layout.marks.items()):
        is_note = mark in layout.marks and not status  # a mark that says nothing about the status
        if statuses is not None and not is_note and status not in statuses.codes:
            refuse(
                path,
                None,
                f'{layout.file}: mark "{mark}" means "{status}", which is not a code of {statuses.ref}',
            )


def _check_columns(path: Path, layout: Layout) -> None:
    """Columns made of others: their keys, and patterns that can be used."""
    for name, column in layout.columns.items():
        authored.keys(path, column, derived.KEYS, ("source",))
        if column.get("by", "indent") not in derived.WAYS or column.get("fill", "down") != "down":
            refuse(path, None, f'{layout.file}: column "{name}": by is one of {", ".join(derived.WAYS)}; fill is down')
        if not column.get("level", "1").isdigit():
            refuse(path, None, f'{layout.file}: column "{name}": level is a number in quotes, from 1')
    patterns = [each[key] for each in layout.columns.values() for key in ("pattern", "parents") if key in each]
    for pattern in (*patterns, layout.footnote):
        try:
            re.compile(pattern)
        except re.error as error:
            refuse(path, None, f'{layout.file}: pattern "{pattern}" is not a regular expression ({error})')
