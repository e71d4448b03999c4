"""Statistics of a survey as columns of values: what is added up for each, over which persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from pipeline.methods.survey.calibration import Matrix
from pipeline.methods.survey.design import Estimate
from pipeline.methods.survey.records import Categories, Codes, Figures, categories, numbers

NONE = -1
Mask = npt.NDArray[np.bool_]


@dataclass
class Statistics:
    """Totals and ratios of totals; `above` and `below` are places among the columns of values.

    `domain` is the place of the column that has a 1 for each person that a statistic is about.
    """

    persons: int
    names: list[tuple[str, str]] = field(default_factory=list)
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    domain: list[int] = field(default_factory=list)
    is_share: list[bool] = field(default_factory=list)
    rows: list[Codes] = field(default_factory=list)
    columns: list[Codes] = field(default_factory=list)
    data: list[Figures] = field(default_factory=list)
    width: int = 0

    @property
    def values(self) -> Matrix:
        """A row for each person, a column for each thing that is added up."""
        rows, columns, data = (np.concatenate(each) for each in (self.rows, self.columns, self.data))
        return sparse.csc_array((data, (rows, columns)), shape=(self.persons, self.width))

    def group(self, codes: Codes, count: int, data: Figures | None = None) -> int:
        """Add a column for each of `count` groups, with the values of its persons; the place of the first."""
        (rows,) = np.nonzero(codes >= 0)
        self.rows.append(rows)
        self.columns.append(codes[rows] + self.width)
        self.data.append(np.ones(len(rows)) if data is None else data[rows])
        self.width += count
        return self.width - count

    def add(
        self, names: Sequence[tuple[str, str]], above: int, domain: int, *, is_ratio: bool, is_share: bool = False
    ) -> None:
        """Add a statistic for each of several groups whose columns stand one after the other."""
        places = range(len(names))
        self.names += names
        self.above += [above + at for at in places]
        self.domain += [domain + at for at in places]
        self.below += [domain + at if is_ratio else NONE for at in places]
        self.is_share += [is_share] * len(names)


def statistics(asked: Sequence[Estimate], records: pd.DataFrame, statistics: Statistics) -> Iterator[tuple[str, int]]:
    """Add what is asked for; yields each variable with the number of records that have no value of it."""
    known: dict[str, Categories] = {}

    def of(column: str) -> Categories:
        if column not in known:
            known[column] = categories(records[column])
        return known[column]

    for each in asked:
        codes, labels = _domains(each, of, statistics.persons)
        column, _, category = each.variable.partition("=")
        stat = f"{each.stat}({each.variable or 'persons'})"
        names = [(stat, label) for label in labels]
        if not column:
            domain = statistics.group(codes, len(labels))
            statistics.add(names, domain, domain, is_ratio=False)
            continue
        if each.stat == "share" or category:
            given = of(column)
            is_missing = given.codes < 0
            value = np.isin(given.codes, np.flatnonzero(np.array(given.labels) == category)).astype(np.float64)
        else:
            value = numbers(records[column])
            is_missing = np.isnan(value)
        yield column, int((is_missing & (codes >= 0)).sum())
        codes = np.where(is_missing, NONE, codes)
        domain = statistics.group(codes, len(labels))
        above = statistics.group(np.where(value == 0, NONE, codes), len(labels), value)
        statistics.add(names, above, domain, is_ratio=each.stat != "total", is_share=each.stat == "share")


def _domains(each: Estimate, of: Callable[[str], Categories], persons: int) -> tuple[Codes, list[str]]:
    """The place of each person among the domains of a statistic, -1 outside them, and how the domains are called."""
    is_in = np.ones(persons, dtype=bool)
    for column, values in each.among.items():
        given = of(column)
        is_in &= np.isin(given.codes, [at for at, label in enumerate(given.labels) if label in values])
    codes, labels = np.zeros(persons, np.int64), [""]
    for column in each.by:
        given = of(column)
        codes = np.where((codes < 0) | (given.codes < 0), NONE, codes * len(given.labels) + given.codes)
        labels = [f"{label};{column}={own}".lstrip(";") for label in labels for own in given.labels]
    codes = np.where(is_in, codes, NONE)
    used = np.unique(codes[codes >= 0])
    order = sorted(used, key=lambda at: labels[at])
    place = np.full(len(labels) + 1, NONE)
    place[order] = np.arange(len(order))
    return place[codes], [labels[at] for at in order]
