"""Controls: what is known of the population from outside the survey, and where it meets the records."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.methods.survey.calibration import Margins
from pipeline.methods.survey.records import MISSING, Categories, Codes, Figures, categories, numbers

_JOIN = ":"  # between the columns of a joint margin and between their categories
FEW_PERSONS = 30  # sample persons of a cell under which it is unstable (framework §10.1)


@dataclass(frozen=True)
class Control:
    """One row of the file: a total of the population by category, or of a number where `level` is blank."""

    variable: str
    level: str
    total: float
    collapse_to: str = ""


@dataclass(frozen=True)
class Variable:
    """The controls of one variable with the place of every record among them.

    `merged` says for each level of the file the place of the level that stands for it after small ones are merged.
    """

    name: str
    controls: tuple[Control, ...]
    codes: Codes
    values: Figures | None
    merged: Codes
    unknown: tuple[str, ...] = ()

    @property
    def kept(self) -> Codes:
        """Places of levels that stand for themselves."""
        return np.unique(self.merged)

    @property
    def persons(self) -> Codes:
        """Sample persons of each level of the file; all of them where the variable is a number."""
        if self.values is not None:
            return np.array([len(self.values)])
        return np.bincount(self.codes[self.codes != MISSING], minlength=len(self.controls))

    @property
    def totals(self) -> Figures:
        """Population totals of the levels that are kept."""
        given = np.array([each.total for each in self.controls])
        added: Figures = np.bincount(self.merged, given, minlength=len(given)).astype(np.float64)
        return added[self.kept]

    @property
    def labels(self) -> tuple[str, ...]:
        """The levels that are kept, with those merged into them."""
        levels = np.array([each.level for each in self.controls], dtype=object)
        return tuple(
            " + ".join([levels[at], *levels[(self.merged == at) & (np.arange(len(levels)) != at)]]) for at in self.kept
        )

    @property
    def places(self) -> Codes:
        """For each record the place among the kept levels."""
        return np.searchsorted(self.kept, self.merged)[self.codes]


def read(path: Path) -> list[Control]:
    """The controls of a file with the columns variable, level and control_total, and perhaps collapse_to.

    Raises:
        SetupError: a total that is no positive number, a control that stands there twice, or a wrong column.
    """
    found: list[Control] = []
    seen: set[tuple[str, str]] = set()
    for row, cells in authored.rows(path, ("variable", "level", "control_total"), optional=("collapse_to",)):
        total = _total(path, row, cells["control_total"], is_category=bool(cells["level"]))
        key = (cells["variable"], cells["level"])
        if not key[0] or key in seen:
            refuse(path, row, f'the control "{_name(*key)}" stands there twice, or has no variable')
        seen.add(key)
        found.append(Control(*key, total, cells.get("collapse_to", "")))
    if not found:
        refuse(path, None, "there is no control")
    for control in found:
        if control.collapse_to and (control.variable, control.collapse_to) not in seen:
            refuse(path, None, f'collapse_to "{control.collapse_to}" is not a level of {control.variable}')
        if control.level and (control.variable, "") in seen:
            refuse(path, None, f"{control.variable} stands there both as a number and with levels")
    return sorted(found, key=lambda each: list(dict.fromkeys(c.variable for c in found)).index(each.variable))


def columns(controls: Sequence[Control]) -> tuple[str, ...]:
    """The columns of the microdata that the controls speak of."""
    return tuple(dict.fromkeys(part for each in controls for part in each.variable.split(_JOIN)))


def variables(controls: Sequence[Control], records: pd.DataFrame, *, collapse_below: int) -> Iterator[Variable]:
    """Each variable of the controls with the place of every record; cells of few persons merged where it is asked."""
    for name, group in groupby(controls, key=lambda each: each.variable):
        own = tuple(group)
        if not own[0].level:
            values = numbers(records[name])
            yield Variable(name, own, np.zeros(len(values), np.int64), values, np.array([0]))
            continue
        given = _joined([categories(records[part]) for part in name.split(_JOIN)])
        place = {each.level: at for at, each in enumerate(own)}
        lookup = np.array([*(place.get(label, MISSING) for label in given.labels), MISSING], dtype=np.int64)
        codes = lookup[given.codes]
        unknown = tuple(label for label in given.labels if label not in place)
        counts = np.bincount(codes[codes != MISSING], minlength=len(own))
        yield Variable(name, own, codes, None, _merged(own, counts, collapse_below), unknown)


def margins(
    variables: Sequence[Variable], household: Categories | None
) -> tuple[Margins, Codes, list[tuple[str, str]]]:
    """The margins of the patterns of values that records share; for each record its pattern; names of the margins.

    With households, a pattern is a household, and its values are the means of its persons (Lemaître and Dufour,
    1987): weights are then the same for all of them.
    """
    pattern = _patterns(variables)
    first = np.zeros(pattern.max() + 1, np.int64)
    first[pattern[::-1]] = np.arange(len(pattern))[::-1]
    x = sparse.csr_array(sparse.hstack([_columns(each, first) for each in variables]))
    if household is not None:
        size = np.bincount(household.codes)
        of = sparse.csr_array((1 / size[household.codes], (household.codes, pattern)), shape=(len(size), len(first)))
        x, pattern = sparse.csr_array(of @ x), household.codes
    names = [(each.name, label) for each in variables for label in each.labels]
    return Margins(x, np.concatenate([each.totals for each in variables])), pattern, names


def contradictions(variables: Sequence[Variable]) -> Mapping[str, float]:
    """The sum of each variable's categories, where they are not all the same population."""
    sums = {each.name: float(each.totals.sum()) for each in variables if each.values is None}
    if not sums:
        return {}
    return {} if math.isclose(min(sums.values()), max(sums.values()), rel_tol=1e-6) else sums


def named(name: tuple[str, str]) -> str:
    """A margin as messages name it."""
    return _name(*name)


def _name(variable: str, level: str) -> str:
    return f"{variable}={level}" if level else variable


def _total(path: Path, row: int, text: str, *, is_category: bool) -> float:
    try:
        total = float(text)
    except ValueError:
        total = math.nan
    if not math.isfinite(total) or total == 0 or (is_category and total < 0):
        refuse(path, row, f'control_total "{text}" must be a number above 0, such as 4421 or 1072.5')
    return total


def _joined(parts: Sequence[Categories]) -> Categories:
    """Several columns as one whose categories are joined; missing where one of them is."""
    found, *rest = parts
    for each in rest:
        code = np.where((found.codes < 0) | (each.codes < 0), MISSING, found.codes * len(each.labels) + each.codes)
        codes, pairs = pd.factorize(np.where(code < 0, np.iinfo(np.int64).max, code))
        labels = [_pair(found, each, int(pair)) for pair in pairs]
        place = np.array([MISSING if label is None else at for at, label in enumerate(labels)])
        found = Categories(place[codes], tuple(label or "" for label in labels))
    return found


def _pair(one: Categories, other: Categories, code: int) -> str | None:
    if code == np.iinfo(np.int64).max:
        return None
    return f"{one.labels[code // len(other.labels)]}{_JOIN}{other.labels[code % len(other.labels)]}"


def _merged(controls: Sequence[Control], persons: Codes, below: int) -> Codes:
    """Where each level goes: the smallest under the limit to the level it names, else to its neighbour in the file."""
    into, count = np.arange(len(controls)), persons.copy()
    place = {each.level: at for at, each in enumerate(controls)}
    while True:
        kept = np.unique(into)
        small = kept[count[kept] < below]
        if len(kept) < 2 or not len(small):
            return into
        one = int(small[count[small].argmin()])
        target = int(into[place[controls[one].collapse_to]]) if controls[one].collapse_to else one
        if target == one:
            at = int(np.searchsorted(kept, one))
            target = int(kept[at + 1] if at + 1 < len(kept) else kept[at - 1])
        into[into == one] = target
        count[target] += count[one]


def _patterns(variables: Sequence[Variable]) -> Codes:
    """For each record the number of its pattern: records with the same values in every variable share one."""
    found = np.zeros(len(variables[0].codes), np.int64)
    for each in variables:
        own, size = (pd.factorize(each.values)[0], 0) if each.values is not None else (each.places, len(each.kept))
        found = pd.factorize(found * (size or own.max() + 1) + own)[0]
    return found


def _columns(variable: Variable, records: Codes) -> sparse.csr_array:
    """The values of a variable for some records, a column for each margin."""
    rows = np.arange(len(records))
    if variable.values is not None:
        return sparse.csr_array(variable.values[records][:, None])
    places = variable.places[records]
    return sparse.csr_array((np.ones(len(records)), (rows, places)), shape=(len(records), len(variable.kept)))
