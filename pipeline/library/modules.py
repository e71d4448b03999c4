"""metadata/modules/ → the standard questions, and the questionnaires described as examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from pipeline.framework import LANGUAGES, Codelist, Concept, Dataflow, Text
from pipeline.library import authored
from pipeline.library.authored import NAMES, refuse
from pipeline.modules import (
    NUMBER,
    WEIGHTS,
    YEAR,
    YES_NO,
    Group,
    Instrument,
    Modules,
    Part,
    Question,
    Questionnaire,
    Tier,
)

COLUMNS = (
    *("item", "question", "part", "universe"),
    *(f"{stem}_{lang}" for stem in ("text", "category") for lang in LANGUAGES),
    *("code", "write_in", "routing"),
)
_WORDS = tuple(f"{stem}_{lang}" for stem in ("title", "wording", "caveat") for lang in LANGUAGES)
_SOURCES = tuple(f"source_{lang}" for lang in LANGUAGES)
_NOTES = tuple(f"note_{lang}" for lang in LANGUAGES)
_NAMING = ("CL_MIG_MEASURE", "CL_INDICATOR", "CL_REMIT_ITEM")  # codes that a question may be about


def modules(
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    concepts: Collection[Concept],
    flows: Mapping[str, Dataflow],
) -> Modules:
    """Load the question modules.

    Raises:
        SetupError: a file is absent, or names a universe, concept, code list, question or table that does not exist.
    """
    groups = _groups(folder / "universes.csv")
    named = _named(codelists, concepts)
    found = Modules(groups=groups, concepts=named, codelists=codelists)
    questions = _questions(folder / "questions.csv", found)
    parts = _parts(folder / "answers.csv", questions, codelists)
    found = replace(found, questions={key: replace(each, parts=tuple(parts[key])) for key, each in questions.items()})
    tables = _tables(folder / "tables.csv", questions, flows)
    return replace(found, tables=tables, examples=_examples(folder, codelists))


def _groups(path: Path) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for row, cells in authored.rows(path, ("id", "within", *NAMES)):
        within = tuple(cells["within"].split())
        if unknown := [each for each in within if each not in found]:
            refuse(path, row, f"{', '.join(unknown)} must stand above what it contains")
        name = authored.name(path, row, cells)
        found[authored.unique(path, row, cells["id"], found)] = Group(cells["id"], within, name)
    return found


def _named(codelists: Mapping[str, Codelist], concepts: Collection[Concept]) -> dict[str, Text]:
    """What a question can be about: a concept, a term, or a code that says what is counted."""
    named = {each.id: each.name for each in concepts}
    for codelist in codelists.values():
        if codelist.id in _NAMING:
            named |= {code.id: code.name for code in codelist.codes.values()}
    return named


def _questions(path: Path, known: Modules) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for row, cells in authored.rows(path, ("id", "census", "survey", "concepts", "universe", "ipums", *_WORDS)):
        universe = known.universe(cells["universe"])
        if universe is None:
            refuse(path, row, f'"{cells["universe"]}" is not a universe: {", ".join(known.groups)}, perhaps with ages')
        tiers = {kind: cells[kind] for kind in get_args(Instrument)}
        if wrong := [tier for tier in tiers.values() if tier not in WEIGHTS]:
            refuse(path, row, f'"{wrong[0]}" must be one of {", ".join(WEIGHTS)}')
        concepts = tuple(cells["concepts"].split())
        if unknown := [each for each in concepts if each not in known.concepts]:
            refuse(path, row, f"{', '.join(unknown)}: no concept, term, measure or indicator has this id")
        title, wording = (authored.name(path, row, cells, stem) for stem in ("title", "wording"))
        found[authored.unique(path, row, cells["id"], found)] = Question(
            cells["id"],
            cast("Mapping[Instrument, Tier]", tiers),
            concepts,
            universe,
            cells["ipums"],
            title,
            wording,
            authored.words(cells, "caveat"),
        )
    return found


def _parts(path: Path, questions: Mapping[str, Question], codelists: Mapping[str, Codelist]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {key: [] for key in questions}
    for row, cells in authored.rows(path, ("question", "part", "response", "required", *NAMES)):
        if cells["question"] not in questions:
            refuse(path, row, f'"{cells["question"]}" is not a question')
        response, required = cells["response"], cells["required"].split()
        if response not in codelists and response not in (YES_NO, YEAR, NUMBER):
            refuse(path, row, f'"{response}" is neither a code list nor one of {YES_NO}, {YEAR}, {NUMBER}')
        if response in codelists and (wrong := [each for each in required if not codelists[response].select(each)]):
            refuse(path, row, f"{', '.join(wrong)}: no code of {response}")
        if response == YEAR and required and not cells["required"].isdigit():
            refuse(path, row, "of a year, `required` is how many years must stay apart")
        own = found[cells["question"]]
        part = authored.unique(path, row, cells["part"], [each.id for each in own])
        own.append(Part(cells["question"], part, authored.name(path, row, cells), response, cells["required"]))
    if absent := [key for key, parts in found.items() if not any(each.required for each in parts)]:
        refuse(path, None, f"{', '.join(absent)}: no answer is required")
    return found


def _tables(
    path: Path, questions: Mapping[str, Question], flows: Mapping[str, Dataflow]
) -> dict[str, tuple[tuple[str, ...], ...]]:
    known = [table for flow in flows.values() for table in flow.minimum_tables]
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for row, cells in authored.rows(path, ("table", "questions")):
        if cells["table"] not in known:
            refuse(path, row, f'"{cells["table"]}" is not a minimum table; known are {", ".join(known)}')
        needed = tuple(tuple(each.split("|")) for each in cells["questions"].split())
        if unknown := [one for each in needed for one in each if one not in questions]:
            refuse(path, row, f'"{unknown[0]}" is not a question')
        found[authored.unique(path, row, cells["table"], found)] = needed
    if absent := [table for table in known if table not in found]:
        refuse(path, None, f"{', '.join(absent)}: the table has no row")
    return found


def _examples(folder: Path, codelists: Mapping[str, Codelist]) -> dict[str, Questionnaire]:
    path = folder / "questionnaires.csv"
    found: dict[str, Questionnaire] = {}
    areas = {code for each in codelists.values() if each.id == "CL_AREA" for code in each.codes}
    for row, cells in authored.rows(path, ("id", "area", "kind", "year", *NAMES, *_SOURCES, "url", *_NOTES)):
        identifier = authored.unique(path, row, cells["id"], found)
        if cells["kind"] not in get_args(Instrument):
            refuse(path, row, f'kind "{cells["kind"]}" must be one of {", ".join(get_args(Instrument))}')
        if cells["area"] not in areas:
            refuse(path, row, f'"{cells["area"]}" is not a country')
        if not cells["year"].isdigit():
            refuse(path, row, f'"{cells["year"]}" is not a year')
        file = folder / "questionnaires" / f"{identifier}.csv"
        found[identifier] = Questionnaire(
            identifier,
            cells["area"],
            cast("Instrument", cells["kind"]),
            int(cells["year"]),
            authored.name(path, row, cells),
            tuple(authored.rows(file, COLUMNS)),
            COLUMNS,
            authored.name(path, row, cells, "source"),
            cells["url"],
            authored.words(cells, "note"),
            file.name,
        )
    return found
