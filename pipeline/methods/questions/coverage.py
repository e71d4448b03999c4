"""How far a questionnaire covers the standard modules: scores, merged codes, tables it can feed (framework §7).

    s = u r       u  1 where the persons asked contain those of the standard, 0.5 where only ages are fewer, 0 else
                  r  pairs of codes that stay apart / pairs that must, the mean over the answers that are required

Items of one question add up: what two of them tell apart together stands apart, and the persons asked are those of
the widest item, since the others are asked of whom it leads to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import mean

from pipeline.methods.questions.described import Described, Item, atoms, described, issue
from pipeline.model import Issue
from pipeline.modules import WEIGHTS, Modules, Part, Question, Questionnaire, Tier, Universe

DERIVABLE = 0.5  # from here on an answer is good enough for a table
_COUNTRIES = "CL_ORIGIN"


@dataclass(frozen=True)
class Answer:
    """One required answer: pairs that must stay apart, those that do, and the codes that are one."""

    part: Part
    pairs: int
    kept: int
    merged: tuple[tuple[str, ...], ...] = ()
    absent: tuple[str, ...] = ()  # codes that no category holds
    rows: tuple[int, ...] = ()  # of the categories that merge

    @property
    def share(self) -> float:
        return self.kept / self.pairs if self.pairs else 0.0


@dataclass(frozen=True)
class Score:
    """How well one standard question is asked: `reach` is u, `detail` r, and `value` their product."""

    question: Question
    tier: Tier
    items: tuple[Item, ...]
    reach: float
    answers: tuple[Answer, ...]

    @property
    def detail(self) -> float:
        return mean(each.share for each in self.answers)

    @property
    def value(self) -> float:
        return self.reach * self.detail if self.items else 0.0

    @property
    def weight(self) -> int:
        return WEIGHTS[self.tier]


@dataclass(frozen=True)
class Coverage:
    """A questionnaire against the standard: scores by question, tables, cells of the matrix, and issues.

    `tables` says of each minimum table whether the questionnaire can feed it: None where it comes from records.
    `matrix` has the score of each item for each concept that it measures.
    """

    of: Questionnaire
    items: tuple[Item, ...]
    scores: Mapping[str, Score]
    tables: Mapping[str, bool | None]
    missing: Mapping[str, tuple[str, ...]]  # table that cannot be fed → questions that it lacks
    matrix: Mapping[tuple[str, str], float]
    issues: tuple[Issue, ...]

    @property
    def value(self) -> float:
        """The score of the whole: the mean of the questions, a core one counting twice."""
        counted = [each for each in self.scores.values() if each.weight]
        return sum(each.weight * each.value for each in counted) / sum(each.weight for each in counted)

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts of the standard in the order of its questions."""
        return tuple(dict.fromkeys(c for score in self.scores.values() for c in score.question.concepts))

    @property
    def is_fit(self) -> bool:
        return not any(each.severity == "E" for each in self.issues)


def covered(of: Questionnaire, modules: Modules) -> Coverage:
    """Hold a questionnaire against the standard modules."""
    read = described(of, modules)
    scores = {key: _score(question, read, modules) for key, question in modules.questions.items()}
    missing = {table: tuple(_missing(needed, scores)) for table, needed in modules.tables.items()}
    return Coverage(
        of,
        read.items,
        scores,
        {table: not missing[table] if needed else None for table, needed in modules.tables.items()},
        {table: lacks for table, lacks in missing.items() if lacks},
        {
            (item.id, concept): scores[item.question.id].value
            for item in read.items
            if item.question is not None
            for concept in item.question.concepts
        },
        (*read.issues, *_issues(read, scores)),
    )


def _score(question: Question, read: Described, modules: Modules) -> Score:
    items = tuple(each for each in read.items if each.question == question and each.part is not None)
    reach = max((_reach(each.universe, question.universe, modules) for each in items), default=0.0)
    answers = tuple(
        _answer(part, [each for each in items if each.part == part], atoms(part, read.of, modules))
        for part in question.parts
        if part.required
    )
    return Score(question, question.tiers[read.of.kind], items, reach, answers)


def _reach(asked: Universe | None, standard: Universe, modules: Modules) -> float:
    """u: 1, or 0.5 where the persons are fewer by their age alone."""
    if asked is None or asked.group not in modules.containing[standard.group]:
        return 0.0
    return 1.0 if asked.youngest <= standard.youngest and asked.oldest >= standard.oldest else 0.5


def _answer(part: Part, items: Sequence[Item], wanted: Sequence[str]) -> Answer:
    """What stays apart: codes are one where every item puts them into the same category."""
    places = {atom: tuple(_place(atom, item) for item in items) for atom in wanted}
    absent = tuple(atom for atom, place in places.items() if not any(place))
    classes: dict[tuple[object, ...], list[str]] = {}
    for atom, place in places.items():
        if atom not in absent:
            classes.setdefault(place, []).append(atom)
    held = len(wanted) - len(absent)
    kept = comb(held, 2) - sum(comb(len(each), 2) for each in classes.values())
    merged = {place: tuple(each) for place, each in classes.items() if len(each) > 1}
    rows = tuple(next(row for one in place if one for row in one[:1]) for place in merged)  # type: ignore[index]
    return Answer(part, comb(len(wanted), 2), kept, tuple(merged.values()), absent if items else (), rows)


def _place(atom: str, item: Item) -> tuple[int, str] | None:
    """The narrowest category of an item that holds a code: its row, and the code where it is written in."""
    holding = [each for each in item.categories if atom in each.codes]
    if not holding:
        return None
    narrowest = min(holding, key=lambda each: len(each.codes))
    return narrowest.row, atom if narrowest.is_written_in else ""


def _missing(needed: Iterable[Sequence[str]], scores: Mapping[str, Score]) -> Iterator[str]:
    """The questions that a table lacks; of several that would do, the first."""
    for any_of in needed:
        if all(scores[each].value < DERIVABLE for each in any_of):
            yield any_of[0]


def _issues(read: Described, scores: Mapping[str, Score]) -> Iterator[Issue]:
    """What of the answers is lost, and what should not be asked in this instrument."""
    for score in scores.values():
        for answer in score.answers:
            for codes, row in zip(answer.merged, answer.rows, strict=True):
                is_other = _COUNTRIES in answer.part.response and len(codes) > 1 and "NAT" not in codes
                code = "QST-03" if is_other else "QST-02"
                yield issue(code, "W", read.of, listed(codes), score.question.id, at=(row, "code"))
        if score.items and score.tier == "none":
            yield issue("QST-07", "W", read.of, score.question.id, at=(score.items[0].row, "question"))
    for item in read.items:
        if item.part is not None and not any(each.is_unknown for each in item.categories):
            yield issue("QST-04", "I", read.of, item.id, at=(item.row, "code"))


def listed(codes: Sequence[str], most: int = 5) -> str:
    """The first few of a list, and how many there are in all."""
    return ", ".join(codes[:most]) + (f" … ({len(codes)})" if len(codes) > most else "")
