"""What a check reports, and the helpers that all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.framework import Dataflow, Rule
from pipeline.model import Library, Origin, Severity

Mask = npt.NDArray[np.bool_]


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


@dataclass(frozen=True)
class Finding:
    """Rows at fault. `found` is one text for all, or one for each row of the table.

    A blank `component` blames the figure itself. A `severity` here is weaker than the rule's.
    """

    rows: Mask
    found: str | pd.Series[str]
    expected: str
    component: str = ""
    severity: Severity | None = None


CheckFunction = Callable[[Table, Rule, Mask], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A function and whether the first words of a rule's argument are components it needs."""

    function: CheckFunction
    names_components: bool = False


def key_numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """One number for each distinct combination of the columns: equal rows, equal number.

    Mixed-radix over the category codes, made dense again before it could overflow 63 bits.
    """
    numbers = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for column in columns:
        codes, values = pd.factorize(frame[column])
        if size * (len(values) + 1) >= 2**62:
            numbers, distinct = pd.factorize(numbers)
            size = len(distinct)
        numbers = numbers * (len(values) + 1) + codes
        size *= len(values) + 1
    return numbers


def shown(value: float) -> str:
    """A figure as messages and logs may show it: never one below the highest threshold (framework §11)."""
    return "fewer than 10" if 0 < abs(value) < 10 else f"{value:,.15g}"
