"""What `dsd/<DATAFLOW>/protect.toml` says of the protection of one dataflow (framework §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.dominance import Dominance

BY_CHANCE = ("random_rounding", "controlled_rounding", "cell_key")  # methods that change counts at random


@dataclass(frozen=True)
class Threshold:
    """Counts from 1 up to `persons` - 1 are confidential where the condition `when` holds."""

    persons: int
    when: str


@dataclass(frozen=True)
class SameAs:
    """Figures for which `when` holds are those of another key, component by component: a code, or `{COMPONENT}`."""

    when: str
    key: Mapping[str, str]


@dataclass(frozen=True)
class Floor:
    """No detail for a small group: where the row of `total` in the component `of` is below `persons`.

    It applies to the rows of `when`. The group is that of the same area, period, source and measure.
    """

    persons: int
    of: str
    total: str
    when: str


@dataclass(frozen=True)
class FullCell:
    """No line may show that all of a group are of one kind: one code of `of` has all that `total` has, others none.

    It applies to the rows of `when`: what is told of each of the group is sensitive (framework §11, [S50]).
    """

    of: str
    total: str
    when: str


@dataclass(frozen=True)
class Magnitude:
    """Amounts that one contributor dominates are confidential where the condition `when` holds."""

    rule: Dominance
    when: str


@dataclass(frozen=True)
class Protection:
    """How one dataflow is protected: the first threshold whose condition holds applies to a row.

    What meets a condition of `forbidden`, is detail below a floor, or says of all of a group the same, is withheld at
    any size.
    """

    method: Literal["suppression", "random_rounding", "controlled_rounding", "cell_key", "none"]
    thresholds: tuple[Threshold, ...]
    minimum_cases: int
    reason: Mapping[str, str]
    same_as: tuple[SameAs, ...] = ()
    forbidden: tuple[str, ...] = ()
    floors: tuple[Floor, ...] = ()
    full_cells: tuple[FullCell, ...] = ()
    magnitudes: tuple[Magnitude, ...] = ()
    national: tuple[Threshold, ...] = ()  # of a country's law: they may ask for more, never for less
    law: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_by_chance(self) -> bool:
        """Counts are changed at random, and none is withheld for its size."""
        return self.method in BY_CHANCE

    @property
    def rounding_base(self) -> int:
        """Rounding to it moves a figure as far as the method may: by two persons, three, or five, seldom more."""
        return {"random_rounding": 4, "controlled_rounding": 10, "cell_key": 6}.get(self.method, 0)
