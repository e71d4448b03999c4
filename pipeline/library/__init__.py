"""dsd/ + codelists/ + metadata/ → `Library`. Whatever does not fit together is refused, by file and row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pipeline.framework import LANGUAGES, Field, IssueType, Licence, Provider, Text
from pipeline.library import (
    authored,
    capacity,
    dataflows,
    indicators,
    lists,
    modules,
    national,
    standards,
    structures,
    timetable,
    waivers,
)
from pipeline.library.authored import NAMES, refuse
from pipeline.library.described import metadata
from pipeline.model import Country, Library

AGENCY = "MIGLAC"  # placeholder: not registered anywhere (framework §0)


def load(root: Path) -> Library:
    """Load the whole framework and every country below `root`.

    Raises:
        SetupError: an authored file is inconsistent; the message names file and row.
    """
    codelists = lists.codelists(root / "codelists", AGENCY)
    hierarchies = lists.hierarchies(root / "codelists", codelists)
    concepts = structures.concepts(root / "dsd/concepts.csv", codelists)
    found = structures.structures(root / "dsd", concepts, codelists)
    categories = lists.codelist(root / "dsd/categories.csv", AGENCY, "CAS_MIG", "1.0.0")
    issue_types = _issue_types(root / "metadata/issues.csv")
    terms = structures.concepts(root / "dsd/terms.csv", codelists)
    agencies, providers = _agencies(root / "metadata/agencies.csv")
    flows = dataflows.dataflows(root / "dsd", found, hierarchies, categories, issue_types)
    licences, fields = _licences(root / "metadata/licences.csv"), _fields(root / "metadata/fields.csv")
    providers = _with_metadata(root / "metadata/providers.toml", providers, fields)
    framework = Library(
        agency=AGENCY,
        codelists=codelists,
        hierarchies=hierarchies,
        concepts=concepts,
        terms=terms,
        structures=found,
        dataflows=flows,
        categories=categories,
        agencies=agencies,
        providers=providers,
        licences=licences,
        fields=fields,
        phrases=_phrases(root / "metadata/phrases.csv"),
        reasons=_reasons(root / "metadata/reasons.csv"),
        issue_types=issue_types,
        countries={},
        standards=standards.standards(root / "dsd/reliability.csv"),
        modules=modules.modules(
            root / "metadata/modules",
            codelists=codelists,
            concepts=(*concepts.values(), *terms.values()),
            flows=flows,
        ),
        indicators=indicators.indicators(root / "dsd", flows, providers=providers, licences=licences, fields=fields),
        capacity=capacity.capacity(root, flows, providers=providers, licences=licences, fields=fields),
    )
    folders = sorted(path.parent for path in (root / "metadata/national").glob("*/country.toml"))
    if not folders:
        refuse(root / "metadata/national", None, "no country has a country.toml here")
    countries = {folder.name: national.country(folder, framework) for folder in folders}
    return replace(
        framework,
        countries=countries,
        waivers=waivers.waivers(root / "metadata/waivers.csv", countries, framework.dataflows),
        planned=timetable.timetable(root / "metadata/calendar.csv", areas=countries, flows=framework.dataflows),
        untranslated=(*_untranslated(framework), *_reasons_in_one_language(countries.values(), framework)),
    )


def _agencies(path: Path) -> tuple[dict[str, Text], dict[str, Provider]]:
    agencies: dict[str, Text] = {}
    providers: dict[str, Provider] = {}
    for row, cells in authored.rows(path, ("id", "kind", *NAMES, "url")):
        name = authored.name(path, row, cells)
        if cells["kind"] == "provider":
            providers[cells["id"]] = Provider(cells["id"], AGENCY, "", name, cells["url"])
        elif cells["kind"] == "agency":
            agencies[cells["id"]] = name
        else:
            refuse(path, row, f'kind "{cells["kind"]}" must be agency or provider')
    return agencies, providers


def _with_metadata(path: Path, providers: Mapping[str, Provider], fields: Mapping[str, Field]) -> dict[str, Provider]:
    """The international providers with what is known of all tables of each."""
    said = authored.toml(path)
    authored.keys(path, said, tuple(providers), ())
    return {
        identifier: replace(each, metadata=metadata(path, said.get(identifier, {}), fields))
        for identifier, each in providers.items()
    }


def _licences(path: Path) -> dict[str, Licence]:
    rows = [cells for _, cells in authored.rows(path, ("id", "name", "name_es", "name_pt", "url"))]
    return {
        cells["id"]: Licence(
            cells["id"],
            cells["name"],
            cells["url"],
            {"en": cells["name"], "es": cells["name_es"], "pt": cells["name_pt"]},
        )
        for cells in rows
    }


def _fields(path: Path) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for row, cells in authored.rows(path, ("id", "sims", *NAMES, "obligation", "derived", "dcat", "frictionless")):
        authored.unique(path, row, cells["id"], fields)
        if cells["obligation"] not in ("M", "C", "O"):
            refuse(path, row, "obligation must be M, C or O")
        rest = {key: cells[key] for key in ("id", "sims", "obligation", "derived", "dcat", "frictionless")}
        fields[cells["id"]] = Field(name=authored.name(path, row, cells), **cast("dict[str, Any]", rest))
    return fields


def _phrases(path: Path) -> dict[str, Text]:
    phrases: dict[str, Text] = {}
    for row, cells in authored.rows(path, ("id", *LANGUAGES)):
        phrases[authored.unique(path, row, cells.pop("id"), phrases)] = cells
        if not all(cells.values()):
            refuse(path, row, "a language is empty")
    return phrases


def _reasons(path: Path) -> dict[str, Text]:
    """Why cells are left out, in three languages, by the text of each of them."""
    reasons: dict[str, Text] = {}
    for row, cells in authored.rows(path, LANGUAGES):
        if not all(cells.values()):
            refuse(path, row, "a language is empty")
        for text in dict.fromkeys(cells.values()):
            if text in reasons:
                refuse(path, row, f'"{text}" stands twice')
            reasons[text] = cells
    return reasons


def _reasons_in_one_language(countries: Iterable[Country], framework: Library) -> Iterator[str]:
    """LNG-01: reasons for leaving cells out that only their own country can read."""
    for country in countries:
        layouts = (layout for series in country.series.values() for layout in series.layouts)
        told = [row.note for row in country.codes if not row.code]
        told += [reason for layout in layouts for reason in layout.ignore.values()]
        for reason in dict.fromkeys(told):
            if reason not in framework.reasons:
                yield f'{country.area}, "{reason}": {" ".join(LANGUAGES)}'


def _issue_types(path: Path) -> dict[str, IssueType]:
    stems = ("title", "when", "message", "remedy")
    columns = ("code", "who", *(f"{stem}_{lang}" for stem in stems for lang in LANGUAGES))
    types: dict[str, IssueType] = {}
    for row, cells in authored.rows(path, columns):
        authored.unique(path, row, cells["code"], types)
        texts = {stem: authored.name(path, row, cells, stem) for stem in stems}
        types[cells["code"]] = IssueType(cells["code"], cells["who"], **texts)
    return types


def _untranslated(library: Library) -> tuple[str, ...]:
    """LNG-01: what still lacks a name or definition in one of the three languages."""
    named: dict[str, Text] = {}
    for codelist in (*library.codelists.values(), library.categories):
        named |= {f"{codelist.ref}.{code.id}": code.name for code in codelist.codes.values()}
    for concept in (*library.concepts.values(), *library.terms.values()):
        named |= {concept.id: concept.name, f"{concept.id}, definition": concept.definition}
    named |= {each.id: each.name for each in library.structures.values()}
    named |= {each.id: each.name for each in library.dataflows.values()}
    named |= {each.id: each.name for each in library.hierarchies.values()}
    for question in library.modules.questions.values():
        named |= {question.id: question.title, f"{question.id}, wording": question.wording}
    named |= {codelist.ref: codelist.name for codelist in library.codelists.values()}
    return tuple(f"{what}: {lang}" for what, text in named.items() for lang in LANGUAGES if lang not in text)
