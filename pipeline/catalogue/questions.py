"""The pages of the question modules: the standard questions, and each example questionnaire held against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pipeline import report
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.framework import Codelist
from pipeline.methods.questions import coverage, told, written
from pipeline.methods.questions.coverage import Coverage
from pipeline.modules import Question, Questionnaire
from pipeline.texts import texts


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page of the modules, and one for each example."""
    modules = catalogue.library.modules
    if not modules.questions:
        return
    found = {key: coverage.covered(each, modules) for key, each in modules.examples.items()}
    yield Page("questions", "questions.html", partial(_modules, catalogue, found), _title)
    for each in found.values():
        yield Page(
            f"questions/{each.of.id}",
            "questionnaire.html",
            partial(_questionnaire, catalogue, each),
            partial(_named, each.of),
            areas=(each.of.area,),
        )


def _title(words: Words) -> str:
    return str(texts("questions", words.lang)["title"])


def _named(of: Questionnaire, words: Words) -> str:
    return words.name(of.name)


def _modules(catalogue: Catalogue, found: Mapping[str, Coverage], words: Words) -> Content:
    modules, rows = catalogue.library.modules, [_row(catalogue, each, words) for each in _ordered(catalogue)]
    return {
        "q": texts("questions", words.lang),
        "groups": [
            ("core", [each for each in rows if "core" in each["tiers"].values()]),
            ("extended", [each for each in rows if "core" not in each["tiers"].values()]),
        ],
        "examples": [
            {"of": each.of, "coverage": each, "percent": _percent(each.value, words)} for each in found.values()
        ],
        "files": [each for each in _files("modules.csv", "modules.json") if each in catalogue.written],
        "record": {"questions": [written.record(each) for each in modules.questions.values()]},
    }


def _ordered(catalogue: Catalogue) -> list[Question]:
    return list(catalogue.library.modules.questions.values())


def _row(catalogue: Catalogue, question: Question, words: Words) -> Content:
    """A standard question as a row: whom it asks, which lists its answers come from, what it measures."""
    modules, say = catalogue.library.modules, texts("questions", words.lang)["answers"]
    return {
        "question": question,
        "tiers": question.tiers,
        "asked_of": told.universe(question.universe, modules, words.lang),
        "answers": [
            (words.name(each.name), modules.codelists.get(each.response), say.get(each.response, ""))
            for each in question.parts
        ],
        "concepts": [_concept(catalogue, each, words) for each in question.concepts],
    }


def _concept(catalogue: Catalogue, identifier: str, words: Words) -> tuple[str, str, str]:
    """A concept with its name, and the page where it is explained."""
    library = catalogue.library
    name = words.name(library.modules.concepts[identifier])
    if identifier in library.concepts:
        return identifier, name, f"concepts#concept-{identifier}"
    if identifier in library.terms:
        return identifier, name, "concepts#terms"
    holder = _list_with(library.codelists, identifier)
    return identifier, name, f"code/{holder.id}" if holder is not None else "concepts"


def _list_with(codelists: Mapping[str, Codelist], code: str) -> Codelist | None:
    return next((each for each in codelists.values() if code in each.codes), None)


def _questionnaire(catalogue: Catalogue, found: Coverage, words: Words) -> Content:
    library, of, fed = catalogue.library, found.of, list(found.tables.values())
    concepts = [each for each in found.concepts if any((item.id, each) in found.matrix for item in found.items)]
    counted = [each for each in found.scores.values() if each.weight]
    return {
        "q": texts("questions", words.lang),
        "of": of,
        "percent": _percent(found.value, words),
        "asked": sum(1 for each in counted if each.items),
        "questions": len(counted),
        "fed": fed.count(True),
        "tables_count": len(fed) - fed.count(None),
        "concepts": [_concept(catalogue, each, words) for each in concepts],
        "items": [
            (item, [_cell(found.matrix.get((item.id, each)), words) for each in concepts]) for item in found.items
        ],
        "scores": [
            (each, words.number(each.reach), _percent(each.detail, words), _percent(each.value, words))
            for each in found.scores.values()
        ],
        "tables": list(told.tables(found, words.lang)),
        "gaps": list(told.gaps(found, library.modules, words.lang)),
        "issues": [report.told(each, library, words.lang) for each in report.by_severity(found.issues)],
        "files": [
            each
            for each in _files(f"{of.id}.csv", f"{of.id}.matrix.csv", f"{of.id}.coverage.json")
            if each in catalogue.written
        ],
        "record": {"coverage": written.coverage_record(found, library.modules)},
    }


def _cell(value: float | None, words: Words) -> tuple[str, str]:
    """A cell of the matrix: how it looks, and the share in words."""
    if value is None:
        return "blank", ""
    return ("whole" if value == 1 else "half" if value >= coverage.DERIVABLE else "little"), _percent(value, words)


def _percent(value: float, words: Words) -> str:
    return f"{words.number(100 * value, 0)} %"


def _files(*names: str) -> tuple[str, ...]:
    return tuple(f"{written.FOLDER}/{name}" for name in names)
