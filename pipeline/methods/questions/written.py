"""What is written of questions: the modules and a coverage as JSON and CSV, and the report that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline import report
from pipeline.framework import LANGUAGES
from pipeline.methods.questions import told
from pipeline.methods.questions.coverage import Coverage, covered
from pipeline.model import Library
from pipeline.modules import Modules, Question, Universe
from pipeline.plain import as_csv, as_json
from pipeline.texts import said

FOLDER = "files/questions"
_DECIMALS = 3


def files(library: Library) -> Iterator[tuple[str, bytes]]:
    """The modules and the examples with their coverage, by path in the release."""
    if not library.modules.questions:
        return
    yield (
        f"{FOLDER}/modules.json",
        as_json({"questions": [record(each) for each in library.modules.questions.values()]}),
    )
    yield f"{FOLDER}/modules.csv", _modules(library.modules)
    for identifier, example in library.modules.examples.items():
        found = covered(example, library.modules)
        columns = list(example.rows[0][1]) if example.rows else []
        yield f"{FOLDER}/{identifier}.csv", as_csv(columns, (list(cells.values()) for _, cells in example.rows))
        yield f"{FOLDER}/{identifier}.matrix.csv", matrix(found)
        yield f"{FOLDER}/{identifier}.coverage.json", as_json(coverage_record(found, library.modules))


def record(question: Question) -> dict[str, object]:
    """A standard question for machines."""
    return {
        "id": question.id,
        "title": dict(question.title),
        "wording": dict(question.wording),
        "caveat": dict(question.caveat),
        "universe": _universe(question.universe),
        "concepts": list(question.concepts),
        "ipums": question.ipums.split(),
        "tiers": dict(question.tiers),
        "answers": [
            {"id": each.id, "name": dict(each.name), "response": each.response, "required": each.required}
            for each in question.parts
        ],
    }


def coverage_record(found: Coverage, modules: Modules) -> dict[str, object]:
    """A coverage for machines; `area` and `source` are those of an example."""
    of = found.of
    return {
        "questionnaire": of.id,
        "area": of.area,
        "kind": of.kind,
        "year": of.year,
        "source": dict(of.source),
        "score": _rounded(found.value),
        "questions": [
            {
                "id": score.question.id,
                "tier": score.tier,
                "items": [each.id for each in score.items],
                "reach": score.reach,
                "detail": _rounded(score.detail),
                "score": _rounded(score.value),
            }
            for score in found.scores.values()
        ],
        "tables": dict(found.tables),
        "gaps": {
            language: {score.question.id: text for score, text in told.gaps(found, modules, language)}
            for language in LANGUAGES
        },
        "issues": [
            {"code": each.code, "severity": each.severity, "row": each.cells[0] if each.cells else ""}
            for each in found.issues
        ],
    }


def matrix(found: Coverage) -> bytes:
    """Items in rows, concepts in columns, and the score of the question where an item measures a concept."""
    rows = (
        [
            item.id,
            item.question.id if item.question else "",
            *(_shown(found.matrix.get((item.id, concept))) for concept in found.concepts),
        ]
        for item in found.items
    )
    return as_csv(["item", "question", *found.concepts], rows)


def readable(found: Coverage, library: Library, language: str) -> str:
    """The report of a coverage in Markdown, in one language."""
    say, of = told.words(language), found.of
    lines = [f"# {said(of.name, language)}", "", summary(found, language), ""]
    lines += [f"## {say['by_question']}", "", *_heading(say, "question", "tier", "items", "reach", "detail", "score")]
    lines += [
        f"| {score.question.id} {said(score.question.title, language)} | {say['tiers'][score.tier]} "
        f"| {', '.join(each.id for each in score.items) or '–'} | {score.reach:g} | {_percent(score.detail)} "
        f"| {_percent(score.value)} |"
        for score in found.scores.values()
    ]
    lines += ["", f"## {say['matrix']}", "", f"| {say['column']['item']} | {' | '.join(found.concepts)} |"]
    lines += ["|" + "---|" * (1 + len(found.concepts))]
    lines += [
        f"| {item.id} | "
        + " | ".join(_percent(found.matrix[item.id, c]) if (item.id, c) in found.matrix else "" for c in found.concepts)
        + " |"
        for item in found.items
    ]
    lines += ["", f"## {say['tables']}", "", *(f"- {table}: {text}" for table, text in told.tables(found, language))]
    lines += ["", f"## {say['gaps']}", ""]
    lines += [
        f"- **{score.question.id} {said(score.question.title, language)}**: {text}"
        for score, text in told.gaps(found, library.modules, language)
    ]
    lines += ["", f"## {say['issues']}", "", *(f"- {each}" for each in _findings(found, library, language))]
    return "\n".join(lines) + "\n"


def summary(found: Coverage, language: str) -> str:
    """A coverage in one sentence."""
    say = told.words(language)
    fed, asked = list(found.tables.values()), [each for each in found.scores.values() if each.items and each.weight]
    text: str = say["summary"].format(
        score=_percent(found.value),
        asked=len(asked),
        questions=sum(1 for each in found.scores.values() if each.weight),
        fed=fed.count(True),
        tables=len(fed) - fed.count(None),
    )
    return text


def _findings(found: Coverage, library: Library, language: str) -> Iterator[str]:
    for each in found.issues:
        yield " ".join(report.terminal(each, library, language).split())


def _heading(say: Mapping[str, Mapping[str, str]], *columns: str) -> list[str]:
    return [f"| {' | '.join(say['column'][each] for each in columns)} |", "|" + "---|" * len(columns)]


def _modules(modules: Modules) -> bytes:
    words = [f"{stem}_{lang}" for stem in ("title", "wording", "caveat") for lang in LANGUAGES]
    columns = ["id", "part", "census", "survey", "universe", "concepts", "response", "required", "ipums", *words]
    rows = (
        [
            question.id,
            part.id,
            question.tiers["census"],
            question.tiers["survey"],
            _universe(question.universe),
            " ".join(question.concepts),
            part.response,
            part.required,
            question.ipums,
            *(text.get(lang, "") for text in (question.title, question.wording, question.caveat) for lang in LANGUAGES),
        ]
        for question in modules.questions.values()
        for part in question.parts
    )
    return as_csv(columns, rows)


def _universe(universe: Universe) -> str:
    return f"{universe.group} {universe.ages}".rstrip()


def _rounded(value: float) -> float:
    return round(value, _DECIMALS)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{_rounded(value):g}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
