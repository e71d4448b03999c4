"""What a check looks at, what it reports, and the few functions that all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.framework import Codelist, Dataflow, Rule, Severity
from pipeline.model import Library, Origin

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_HIGHEST_THRESHOLD = 10  # framework §11


@dataclass(frozen=True)
class Table:
    """What a check looks at: received observations, or the figures about to be released."""

    area: str
    flow: Dataflow
    frame: pd.DataFrame
    origins: tuple[Origin, ...]
    library: Library
    day: str  # ISO date of the release: no period may lie after it
    hierarchies: tuple[str, ...] = ()
    rounding_base: int = 0
    _lines: dict[str, Numbers] = field(default_factory=dict, repr=False, compare=False)

    def line_numbers(self, component: str) -> Numbers:
        """One number for all rows that differ in `component` at most."""
        if component not in self._lines:
            rest = tuple(each for each in self.flow.structure.key if each != component)
            self._lines[component] = key_numbers(self.frame, rest)
        return self._lines[component]

    def codelist(self, component: str) -> Codelist:
        """The code list of a component that is surely coded."""
        return self.library.codelists[self.library.concepts[component].representation]


@dataclass(frozen=True)
class Finding:
    """Rows at fault. `found` is one text for all, or one for each row of the table.

    A blank `component` blames the figure itself. `severity` and `code` replace those of the rule
    where the fault is a weaker or another one. `checked` counts the sums that were compared, `broken` those
    that do not hold; `suspects` are the rows that take part in every one of these. `waiver` is the reference
    of the waiver that covers the rows.
    """

    rows: Mask
    found: str | pd.Series[str]
    expected: str
    component: str = ""
    severity: Severity | None = None
    code: str = ""
    checked: int = 0
    broken: int = 0
    suspects: Mask | None = None
    waiver: str = ""


CheckFunction = Callable[[Table, Rule, Mask], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A function and whether the first words of a rule's argument are components it needs."""

    function: CheckFunction
    names_components: bool = False


def key_numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> Numbers:
    """One number from 0 up, without gaps, for each distinct combination of the columns.

    Mixed-radix over the category codes, made dense again before it could overflow 63 bits.
    """
    numbers = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for column in columns:
        codes, values = pd.factorize(frame[column])
        radix = len(values) + 1  # a missing value is -1
        if size * radix >= 2**62:
            numbers, distinct = pd.factorize(numbers)
            size = len(distinct)
        numbers = numbers * radix + codes + 1
        size *= radix
    return pd.factorize(numbers)[0]


def texts(column: pd.Series[str]) -> pd.Series[str]:
    """The column as plain text, each distinct value converted once."""
    codes, values = pd.factorize(column)
    words = np.append(np.array([str(value) for value in values], dtype=object), "")
    return pd.Series(words[codes], index=column.index, dtype="str")


def shown(value: float) -> str:
    """A figure as messages and logs may show it: never one below the highest threshold (framework §11).

    Thousands are set apart by no-break spaces, which no language reads as a decimal sign.
    """
    return "<10" if 0 < abs(value) < _HIGHEST_THRESHOLD else f"{value:,.15g}".replace(",", "\u00a0")
