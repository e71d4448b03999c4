"""A described questionnaire → its items with categories and codes, and what of the description is not sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from openpyxl.utils import get_column_letter

from pipeline.framework import LANGUAGES, Severity, Text
from pipeline.model import Issue
from pipeline.modules import NUMBER, YEAR, YES_NO, Modules, Part, Question, Questionnaire, Universe

UNKNOWN = ("_U", "_Z")  # not known; outside of whom it is asked: understood of every answer
_YES_WORDS = {"yes", "y", "1", "x", "sí", "si", "sim"}
_NO_WORDS = {"", "no", "n", "0", "não", "nao"}
_EARLIER = "earlier"


@dataclass(frozen=True)
class Category:
    """One category of an answer: the codes it stands for, and whether what is meant is written in."""

    row: int
    text: Text
    codes: frozenset[str]
    is_written_in: bool
    is_unknown: bool


@dataclass(frozen=True)
class Item:
    """One question of a questionnaire, and what of the standard it answers: no question where it answers none."""

    id: str
    row: int
    text: Text
    question: Question | None
    part: Part | None
    universe: Universe | None
    categories: tuple[Category, ...]
    routing: str = ""


@dataclass(frozen=True)
class Described:
    """The items of a questionnaire in its order, and what was found wrong."""

    of: Questionnaire
    items: tuple[Item, ...]
    issues: tuple[Issue, ...] = field(default=())


def described(of: Questionnaire, modules: Modules) -> Described:
    """Understand the rows of a questionnaire. A fault is an issue; what cannot be understood answers nothing."""
    issues: list[Issue] = []
    items = [_item(of, rows, modules, issues) for rows in _by_item(of, issues)]
    return Described(of, tuple(items), tuple(issues))


def atoms(part: Part, of: Questionnaire, modules: Modules) -> tuple[str, ...]:
    """What must stay apart in an answer, one by one."""
    if part.response == YEAR:
        latest = (str(of.year - back) for back in range(int(part.required or 0)))
        return (*latest, _EARLIER) if part.required else ()
    if part.response == NUMBER:
        return ("0", "1") if part.required else ()  # any two numbers
    if part.response == YES_NO:
        return tuple(part.required.split())
    codelist = modules.codelists[part.response]
    wanted: set[str] = set().union(*(codelist.select(each) for each in part.required.split()))
    return tuple(code for code in codelist.codes if code in wanted and code != of.area)


def issue(
    code: str, severity: Severity, of: Questionnaire, found: str, expected: str = "", *, at: tuple[int, str]
) -> Issue:
    """An issue of a questionnaire; `at` is the row of the file and the column where it stands."""
    row, column = at
    cell = f"{get_column_letter(of.columns.index(column) + 1)}{row}" if column in of.columns else str(row)
    return Issue(code, severity, "", "", found, expected, file=of.file, heading=column, cells=(cell,))


def _by_item(of: Questionnaire, issues: list[Issue]) -> Iterator[list[tuple[int, Mapping[str, str]]]]:
    """The rows of each item; a row without an item belongs to the one above it."""
    rows: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    last = ""
    for number, cells in of.rows:
        last = cells["item"] or last
        if last:
            rows.setdefault(last, []).append((number, cells))
        else:
            issues.append(issue("QST-05", "E", of, '""', "item", at=(number, "item")))
    yield from rows.values()


def _item(of: Questionnaire, rows: list[tuple[int, Mapping[str, str]]], modules: Modules, issues: list[Issue]) -> Item:
    number, first = rows[0]
    question, part = _answered(of, number, first, modules, issues)
    universe = modules.universe(first["universe"]) if question is not None else None
    if question is not None and universe is None:
        issues.append(issue("QST-06", "E", of, first["universe"], ", ".join(modules.groups), at=(number, "universe")))
    categories = tuple(each for row in rows if (each := _category(of, row, part, modules, issues)) is not None)
    text = _words(first, "text")
    return Item(first["item"], number, text, question, part, universe, categories, first["routing"])


def _answered(
    of: Questionnaire, number: int, cells: Mapping[str, str], modules: Modules, issues: list[Issue]
) -> tuple[Question | None, Part | None]:
    """The standard question and its part that an item names; an item that names none is of another topic."""
    asked = cells["question"]
    if not asked:
        return None, None
    question = modules.questions.get(asked)
    if question is None:
        issues.append(issue("QST-05", "E", of, asked, ", ".join(modules.questions), at=(number, "question")))
        return None, None
    parts = {each.id: each for each in question.parts}
    part = parts.get(cells["part"]) if cells["part"] else question.parts[0]
    if part is None:
        issues.append(issue("QST-05", "E", of, f"{asked} {cells['part']}", ", ".join(parts), at=(number, "part")))
    return question, part


def _category(
    of: Questionnaire, row: tuple[int, Mapping[str, str]], part: Part | None, modules: Modules, issues: list[Issue]
) -> Category | None:
    """A category with its codes; None where it has none, which is an issue."""
    number, cells = row
    text = _words(cells, "category")
    if part is None:
        return None
    tokens = cells["code"].split()
    wrong = [each for each in tokens if not _is_known(each, part, modules)]
    mark = cells["write_in"].casefold()
    if mark not in _YES_WORDS | _NO_WORDS:
        issues.append(issue("QST-08", "E", of, cells["write_in"], "yes", at=(number, "write_in")))
    if wrong or not tokens:
        shown = f"{next(iter(text.values()), '')}: {' '.join(wrong)}".rstrip(": ")
        issues.append(issue("QST-01", "E", of, shown, part.response, at=(number, "code")))
        return None
    codes = frozenset(
        atom for atom in atoms(part, of, modules) if any(_covers(each, atom, part, of, modules) for each in tokens)
    )
    return Category(number, text, codes, mark in _YES_WORDS, "_U" in tokens)


def _is_known(token: str, part: Part, modules: Modules) -> bool:
    """Whether a code means anything in an answer of this kind."""
    if token in UNKNOWN:
        return True
    if part.response == YEAR:
        return token == YEAR or _years(token) is not None
    if part.response == NUMBER:
        return token == NUMBER
    if part.response == YES_NO:
        return token in ("Y", "N")
    try:
        return bool(modules.codelists[part.response].select(token))
    except ValueError:  # `column>=text`
        return False


def _covers(token: str, atom: str, part: Part, of: Questionnaire, modules: Modules) -> bool:
    """Whether a category of this code holds, wholly or in part, what must stay apart."""
    if token in UNKNOWN:
        return False
    if token == part.response:  # YEAR, NUMBER: any
        return True
    if part.response == YEAR:
        years = _years(token)
        assert years is not None
        first, last = years
        return first <= of.year - int(part.required) if atom == _EARLIER else first <= int(atom) <= last
    if part.response == YES_NO:
        return token == atom
    codelist = modules.codelists[part.response]
    found = codelist.select(token)
    return any(each in codelist.ancestors(atom) or atom in codelist.ancestors(each) for each in found)


def _years(token: str) -> tuple[int, int] | None:
    """`1990-1999`, `2010-`, `-1989` or `2015` as first and last year."""
    first, dash, last = token.partition("-")
    if not all(each.isdigit() and len(each) == 4 for each in (first, last) if each) or not (first or last):
        return None
    return int(first or 0), int(last or (9999 if dash else first))


def _words(cells: Mapping[str, str], stem: str) -> Text:
    return {lang: cells[f"{stem}_{lang}"] for lang in LANGUAGES if cells[f"{stem}_{lang}"]}
