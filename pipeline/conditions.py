"""The small language of conditions in `rules.csv` and `protect.toml`.

    SOURCE_TYPE in NTS/ and OBS_VALUE not empty

Clauses are joined by ` and `. The operators are `in`, `not in` (codes or patterns, see
`Codelist.select`), `empty`, `not empty`, `>=`, `<=` and `whole`. A clause about a component that
the table does not have is false, except that it is surely `empty` and `not in` anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pipeline.errors import SetupError
from pipeline.framework import Codelist

ListOf = Callable[[str], Codelist | None]

_CLAUSE = re.compile(
    r"(?P<component>[A-Z][A-Z_]*) (?P<operator>not in|in|not empty|empty|>=|<=|whole)(?: (?P<values>.+))?"
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WITHOUT_VALUES = {"empty", "not empty", "whole"}


@dataclass(frozen=True)
class Clause:
    component: str
    operator: str
    values: tuple[str, ...]


def parse(text: str) -> tuple[Clause, ...]:
    """Read a condition; the empty text has no clauses and always holds.

    Raises:
        SetupError: naming the part that is not understood.
    """
    clauses = []
    for part in filter(None, (part.strip() for part in text.split(" and "))):
        match = _CLAUSE.fullmatch(part)
        if match is None or (match["operator"] in _WITHOUT_VALUES) != (match["values"] is None):
            raise SetupError('the condition "{part}" is not understood', part=part)
        if match["operator"] in (">=", "<=") and not _NUMBER.fullmatch(match["values"]):
            raise SetupError(
                'the condition "{part}" is not understood: "{values}" is not a number',
                part=part,
                values=match["values"],
            )
        clauses.append(Clause(match["component"], match["operator"], tuple((match["values"] or "").split())))
    return tuple(clauses)


def selected(values: tuple[str, ...], codelist: Codelist | None) -> frozenset[str]:
    """The codes that a clause lists, patterns written out."""
    if codelist is None:
        return frozenset(values)
    return frozenset().union(*(codelist.select(value) for value in values))


def holds(clauses: tuple[Clause, ...], frame: pd.DataFrame, list_of: ListOf) -> pd.Series[bool]:
    """Rows of `frame` where every clause is true."""
    verdict = pd.Series(data=True, index=frame.index)
    for clause in clauses:
        verdict &= _holds(clause, frame, list_of)
    return verdict


def _holds(clause: Clause, frame: pd.DataFrame, list_of: ListOf) -> pd.Series[bool]:
    if clause.component not in frame:
        return pd.Series(clause.operator in ("empty", "not in"), index=frame.index)
    column = frame[clause.component]
    match clause.operator:
        case "in" | "not in":
            found = column.isin(list(selected(clause.values, list_of(clause.component))))
            return found if clause.operator == "in" else ~found
        case "empty" | "not empty":
            blank = column.isna() | (column == "")
            return blank if clause.operator == "empty" else ~blank
        case ">=":
            return _numbers(column) >= float(clause.values[0])
        case "<=":
            return _numbers(column) <= float(clause.values[0])
        case _:
            return (_numbers(column) % 1) == 0


def _numbers(column: pd.Series) -> pd.Series[float]:
    """The column as figures; one that no table of the country has is blank text."""
    return column if column.dtype.kind == "f" else pd.to_numeric(column, errors="coerce")
