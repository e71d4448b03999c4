"""What a questionnaire lacks, in the words of a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.methods.questions.coverage import Answer, Coverage, Score, listed
from pipeline.modules import Modules, Universe
from pipeline.texts import said, texts

WORDS = "questions"  # site/text/questions.<language>.toml


def words(language: str) -> Mapping[str, Any]:
    """The words of everything that speaks of questionnaires."""
    return texts(WORDS, language)


def universe(of: Universe | None, modules: Modules, language: str) -> str:
    """Of whom a question is asked."""
    if of is None:
        return str(words(language)["unclear"])
    name = said(modules.groups[of.group].name, language)
    form = "between" if "-" in of.ages else "from" if of.ages else ""
    if not form:
        return name
    return f"{name}, {words(language)['ages'][form].format(youngest=of.youngest, oldest=of.oldest)}"


def gaps(found: Coverage, modules: Modules, language: str) -> Iterator[tuple[Score, str]]:
    """Every question of the standard that is not wholly covered, the core ones first, and what is lacking of it."""
    counted = (each for each in found.scores.values() if each.weight and each.value < 1)
    for score in sorted(counted, key=lambda each: -each.weight):
        yield score, " ".join(_gap(score, modules, language))


def _gap(score: Score, modules: Modules, language: str) -> Iterator[str]:
    say = words(language)["gap"]
    if not score.items:
        yield say["none"]
        return
    if score.reach < 1:
        asked = max(
            (each.universe for each in score.items if each.universe), key=lambda each: each.oldest, default=None
        )
        parts = {
            "asked": universe(asked, modules, language),
            "standard": universe(score.question.universe, modules, language),
        }
        yield say["ages" if score.reach else "reach"].format(**parts)
    for answer in score.answers:
        if answer.kept < answer.pairs:
            yield from _lost(answer, score, language)


def _lost(answer: Answer, score: Score, language: str) -> Iterator[str]:
    say, part = words(language)["gap"], said(answer.part.name, language)
    if not any(each.part == answer.part for each in score.items):
        yield say["part"].format(part=part)
        return
    for codes in answer.merged:
        yield say["merged"].format(part=part, codes=listed(codes))
    if answer.absent:
        yield say["absent"].format(part=part, codes=listed(answer.absent))


def tables(found: Coverage, language: str) -> Iterator[tuple[str, str]]:
    """Each minimum table, and whether the questionnaire can feed it."""
    say = words(language)["feeds"]
    for table, is_fed in found.tables.items():
        if is_fed is None:
            yield table, say["records"]
        elif is_fed:
            yield table, say["yes"]
        else:
            yield table, say["no"].format(questions=", ".join(found.missing[table]))
