"""The frozen types of what is computed from published figures: indicators, their inputs, a release's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.framework import Text


@dataclass(frozen=True)
class IndicatorInput:
    """One row of `dsd/DF_INDIC/inputs.csv`: figures of a dataflow that formulas know by a name.

    `select` is a condition (see `pipeline.conditions`). The figures are told apart by `by`: dimension of the
    input → dimension of the dataflow; mostly the same. `REF_AREA` of the input is the country of the indicator.
    """

    name: str
    flow: str
    select: str
    by: Mapping[str, str]
    label: Text


@dataclass(frozen=True)
class Indicator:
    """One row of `dsd/DF_INDIC/indicators.csv`. Its name, unit and SDG series are those of its code.

    `basis` is K (known in practice), D (designed here) or the sources of the shared framework. Without a `formula`,
    `reason` says why the indicator cannot be computed from published figures.
    """

    id: str
    formula: str
    decimals: int
    basis: str
    sdg: str
    commitments: tuple[str, ...]
    words: Text
    reason: Text
    row: int


@dataclass(frozen=True)
class Commitment:
    """An aim of a policy instrument that an indicator serves."""

    id: str
    instrument: str
    name: Text
    url: str


@dataclass(frozen=True)
class ComputedFlow:
    """A dataflow that the publisher makes of published figures, and how it is described.

    `flow` is blank where there is none; `sha256` is of the file of its rows.
    """

    flow: str = ""
    provider: str = ""
    licence: str = ""
    sha256: str = ""
    title: Text = field(default_factory=dict)
    source_operation: Text = field(default_factory=dict)
    stat_pop: Text = field(default_factory=dict)
    metadata: Mapping[str, Text] = field(default_factory=dict)
    not_known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Indicators(ComputedFlow):
    """What is computed from published figures, and of what."""

    rows: Mapping[str, Indicator] = field(default_factory=dict)
    inputs: Mapping[str, IndicatorInput] = field(default_factory=dict)
    commitments: Mapping[str, Commitment] = field(default_factory=dict)
    sdg: Mapping[str, Any] = field(default_factory=dict)  # sdg.toml


@dataclass(frozen=True)
class Answer:
    """What a release says of one indicator of one country: its figures, or why there are none."""

    area: str
    indicator: str
    figures: int
    first: str  # period
    last: str
    reason: Text  # blank where there are figures
    is_withheld: bool = False
    absent: tuple[str, ...] = ()  # inputs without a figure
    has_some: bool = False  # other inputs have figures
