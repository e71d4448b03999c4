"""Labels without a code → ranked suggestions for a person to accept, and how far `codes.csv` covers the tables.

Nothing here changes a mapping: `pipeline.accept` adds to `codes.csv` what a person has marked.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.framework import Dataflow, Structure, Text
from pipeline.guess import Guess, Guesser, guesser
from pipeline.labels import folded
from pipeline.model import CodeRow, Country, Library
from pipeline.names import Aliases
from pipeline.read import read_all
from pipeline.recode import Mapped, mapped
from pipeline.texts import texts
from pipeline.validity import days, holds

COLUMNS = (
    "accept", "component", "column", "label", "cells", "rank", "code", "name", "score", "sure", "why", "note",
)  # fmt: skip
_PERIODS = ("TIME_PERIOD", "REF_DATE")
_WORD = re.compile(r"[^\W\d_]{3}")
_FORMULA = re.compile(r"[=+\-@\t\r']")


@dataclass(frozen=True)
class Unmapped:
    """A label that no row of `codes.csv`, no code and no official name answers to, with its guesses."""

    component: str
    column: str
    label: str
    cells: int
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class Coverage:
    """For one component: distinct labels in the tables, and rows of `codes.csv`, used and not.

    `unused` names the rows that no label of this dataflow meets; `never_used` those that none of
    the country's dataflows meets.
    """

    component: str
    labels: int
    unmapped: int
    rows: int
    used: int
    unused: tuple[str, ...]
    never_used: tuple[str, ...]


def words(language: str) -> Mapping[str, str]:
    """The words of suggestions in one language."""
    return texts("suggest", language)


def labels(root: Path, country: Country, flow: Dataflow) -> list[Mapped]:
    """The labels of a country's tables of one dataflow, with what becomes of each.

    Raises:
        InputError: a table cannot be read, or has not the form that its layout says.
    """
    tables = read_all(root / "data" / country.area, country.series[flow.id].layouts)
    return list(mapped(tables, country, flow))


def other_labels(
    root: Path, country: Country, library: Library, flow: str
) -> tuple[list[list[Mapped]], dict[str, Text]]:
    """The labels of the country's other dataflows; of those that cannot be read, why."""
    found: list[list[Mapped]] = []
    unread: dict[str, Text] = {}
    for other in country.series:
        if other != flow:
            try:
                found.append(labels(root, country, library.dataflows[other]))
            except InputError as error:
                unread[other] = error.text()
    return found, unread


def distinct(pieces: Iterable[Mapped]) -> set[tuple[str, str]]:
    """Each component with each of its labels, folded."""
    return {(piece.component, folded(str(label))) for piece in pieces for label in piece.text.unique()}


def unmapped(
    pieces: Iterable[Mapped], structure: Structure, country: Country, library: Library, known: Aliases
) -> list[Unmapped]:
    """The labels that have no fate, most cells first within a component, each with its guesses."""
    guessers: dict[str, Guesser | None] = {}
    found: dict[tuple[str, str, str], Unmapped] = {}
    for piece in pieces:
        if piece.component not in guessers:
            guessers[piece.component] = guesser(piece.component, country.area, library, known)
        for label, cells in piece.text[_is_unmapped(piece, structure)].value_counts().items():
            each = _guessed(piece, str(label), guessers[piece.component])
            key = (each.component, each.column, each.label)
            before = found[key].cells if key in found else 0
            found[key] = Unmapped(*key, before + int(cells), each.guesses)
    order = list(guessers)
    return sorted(found.values(), key=lambda each: (order.index(each.component), -each.cells, folded(each.label)))


def _is_unmapped(piece: Mapped, structure: Structure) -> pd.Series[bool]:
    codelist = structure.components[piece.component].codelist
    is_open = (piece.text != "") & (piece.ignored == "")
    if codelist is not None and piece.is_whole:
        return is_open & ~piece.codes.isin(list(codelist.codes))
    if piece.component in _PERIODS:
        return is_open & piece.codes.str.contains(_WORD)
    return pd.Series(data=False, index=piece.text.index)


def _guessed(piece: Mapped, label: str, finder: Guesser | None) -> Unmapped:
    """A label that only its column explains is suggested for that column alone."""
    guesses = tuple(finder.guesses(label)) if finder is not None else ()
    is_general = piece.is_whole and bool(guesses) and (guesses[0].is_sure or guesses[0].is_tied)
    is_general = is_general and len(folded(label)) > 1 and piece.component not in ("AGE", *_PERIODS)
    return Unmapped(piece.component, "" if is_general else piece.heading, label, 0, guesses)


# ---------------------------------------------------------------- coverage


def coverage(
    pieces: Sequence[Mapped], others: Iterable[Sequence[Mapped]], structure: Structure, country: Country
) -> list[Coverage]:
    """How far the rows of `codes.csv` and the labels of the tables meet; `others` are the other dataflows' labels."""
    used = _used(pieces, country)
    anywhere = used.union(*(_used(each, country) for each in others))
    by_component: dict[str, set[tuple[str, str]]] = {}
    lost: dict[str, set[tuple[str, str]]] = {}
    for piece in pieces:
        at = piece.heading
        by_component.setdefault(piece.component, set()).update((at, each) for each in piece.text.unique() if each)
        wrong = piece.text[_is_unmapped(piece, structure)].unique()
        lost.setdefault(piece.component, set()).update((at, each) for each in wrong)
    found = []
    for component, labels in by_component.items():
        rows = [row for row in country.codes if row.component == component]
        if structure.components[component].codelist is None and not rows and not lost[component]:
            continue
        found.append(
            Coverage(
                component,
                len(labels),
                len(lost[component]),
                len(rows),
                sum(row in used for row in rows),
                tuple(_shown(row) for row in rows if row not in used),
                tuple(_shown(row) for row in rows if row not in anywhere),
            )
        )
    return found


def _used(pieces: Iterable[Mapped], country: Country) -> set[CodeRow]:
    """The rows that decide some figure's code: of two for a label, the one of its column."""
    used: set[CodeRow] = set()
    for piece in pieces:
        mine = [row for row in country.codes if row.component == piece.component]
        first_days: dict[str, list[str]] = {}
        for label, period in dict.fromkeys(zip(piece.text, piece.periods, strict=True)):
            first_days.setdefault(folded(label), []).append(days(str(period))[0])
        for label, starts in first_days.items():
            for day in starts:
                rows = [row for row in mine if folded(row.label) == label and holds(row, day)]
                own = [row for row in rows if row.column == piece.heading and row.column]
                used.update((own or [row for row in rows if not row.column])[-1:])
    return used


def _shown(row: CodeRow) -> str:
    return f"{row.column}: {row.label}" if row.column else row.label


# ---------------------------------------------------------------- what a person sees


def table(
    found: Iterable[Unmapped],
    library: Library,
    words: Mapping[str, str],
    *,
    language: str,
    marks: Mapping[tuple[str, str, str, str], tuple[str, str]],
) -> bytes:
    """The suggestions as a CSV that spreadsheets open with its accents; one row a guess.

    Nothing is marked but what a person marked before: `marks` gives, by component, column, label
    and code, what they wrote in accept and note.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in found:
        for guess in each.guesses or (None,):
            code = guess.code if guess else ""
            mark, note = marks.get((each.component, each.column, each.label, code), ("", ""))
            told = (
                _cells(each.component, guess, library, words, language)
                if guess
                else ("", "", "", "", "", words["none"])
            )
            where = (each.component, shielded(each.column), shielded(each.label), each.cells)
            writer.writerow((mark, *where, *told, note))
    return text.getvalue().encode("utf-8-sig")


def _cells(
    component: str, guess: Guess, library: Library, words: Mapping[str, str], language: str
) -> tuple[str | int, ...]:
    sure = words["sure"] if guess.is_sure else words["ambiguous"] if guess.is_tied else ""
    why = words[guess.why] + (f": {guess.text}" if guess.text else "")
    return guess.rank, guess.code, name_of(component, guess.code, library, language), f"{guess.score:.2f}", sure, why


def shielded(label: str) -> str:
    """A label that a spreadsheet would take for a formula, behind an apostrophe."""
    return f"'{label}" if _FORMULA.match(label) else label


def unshielded(label: str) -> str:
    """The label as the national table has it."""
    return label.removeprefix("'")


def record(area: str, flow: str, found: Collection[Unmapped], covered: Iterable[Coverage]) -> dict[str, object]:
    """Coverage and suggestions for machines."""
    return {
        "area": area,
        "dataflow": flow,
        "coverage": [asdict(each) for each in covered],
        "suggestions": [
            {
                "component": each.component,
                "column": each.column,
                "label": each.label,
                "cells": each.cells,
                "codes": [{"code": g.code, "score": g.score, "rank": g.rank, "sure": g.is_sure} for g in each.guesses],
            }
            for each in found
        ],
    }


def told(found: Collection[Unmapped], covered: Iterable[Coverage], words: Mapping[str, str]) -> Iterator[str]:
    """The short summary: a line a component, then what there is to decide."""
    for each in covered:
        yield words["coverage"].format(
            component=each.component,
            labels=each.labels,
            unmapped=each.unmapped,
            used=each.used,
            rows=each.rows,
            unused=len(each.unused),
            never=len(each.never_used),
        )
    sure = sum(each.guesses[0].is_sure for each in found if each.guesses)
    without = sum(not each.guesses for each in found)
    yield words["summary"].format(labels=len(found), sure=sure, doubtful=len(found) - sure - without, none=without)


def name_of(component: str, code: str, library: Library, language: str) -> str:
    """What a code is called; nothing for the parts of a period."""
    codelist = library.list_of(component)
    name: Text = codelist.codes[code].name if codelist is not None and code in codelist.codes else {}
    return name.get(language) or name.get("en", "")
