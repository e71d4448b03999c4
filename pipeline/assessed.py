"""The frozen types of the capacity assessment: what is asked, what countries answer, what their tables show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.computed import ComputedFlow
from pipeline.framework import Text

Kind = Literal["yes_no", "scale", "list", "number"]

ANSWERED, DERIVED = "ANS", "DER"
UNKNOWN, NOT_APPLICABLE = "_U", "_Z"
YES, PARTLY, NO, PLANNED = "Y", "P", "N", "PL"
WORTH: Mapping[str, float] = {YES: 1.0, PARTLY: 0.5, NO: 0.0, PLANNED: 0.0}
GAP = 0.5  # answer and evidence may differ by so much (framework §8.3)


@dataclass(frozen=True)
class Derivation:
    """How an item is worked out of published tables: the way, what it looks at, and the condition on rows."""

    way: str
    names: tuple[str, ...]
    select: str


@dataclass(frozen=True)
class Item:
    """One question of the assessment. `levels` of a list or number are what is worth a half and what is worth one.

    `origin` says whose question it is.
    """

    id: str
    dimension: str
    kind: Kind
    levels: tuple[float, ...]
    weight: float
    needs_evidence: bool
    origin: str
    derivation: Derivation | None
    text: Text
    row: int


@dataclass(frozen=True)
class Source:
    """A public source that answers and findings cite. Without a `url` no copy is known on the web."""

    id: str
    title: Text
    url: str
    date: str


@dataclass(frozen=True)
class Role:
    """In which capacity somebody answers: an office held, never a person. Answers of `is_office` are the country's."""

    id: str
    name: Text
    is_office: bool


@dataclass(frozen=True)
class Reply:
    """One row of a country's `capacity.csv`: its answer to an item in a year, with the evidence."""

    item: str
    year: str
    answer: str
    source: str
    url: str
    date: str
    role: str
    comment: Text
    row: int


@dataclass(frozen=True)
class Finding:
    """What a source says is lacking, in some countries or, without `areas`, in the region."""

    areas: tuple[str, ...]
    is_clear: bool  # whose finding it is
    dimension: str
    source: str
    text: Text


@dataclass(frozen=True)
class Capacity(ComputedFlow):
    """The assessment as it is authored, and the dataflow that it becomes."""

    items: Mapping[str, Item] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def worth(item: Item, answer: str) -> float | None:
    """What an answer is worth: 0, 0.5 or 1; None where the country does not know or the item does not apply.

    Raises:
        ValueError: the item cannot be answered so.
    """
    if answer in (UNKNOWN, NOT_APPLICABLE):
        return None
    if item.kind in ("yes_no", "scale"):
        if answer not in WORTH or (item.kind == "yes_no" and answer == PARTLY):
            raise ValueError(answer)
        return WORTH[answer]
    amount = _amount(item.kind, answer)
    half, full = item.levels
    is_falling = half > full  # the smaller the number, the better
    reached = [amount <= level if is_falling else amount >= level for level in (half, full)]
    return 1.0 if reached[1] else 0.5 if reached[0] else 0.0


def _amount(kind: Kind, answer: str) -> float:
    """The number that is answered, or how many things a list has, apart by semicolons."""
    if kind == "list":
        named = {part.strip() for part in answer.split(";")} - {""}
        if not named:
            raise ValueError(answer)
        return float(len(named))
    amount = float(answer)
    if not 0 <= amount < float("inf"):
        raise ValueError(answer)
    return amount


# ---------------------------------------------------------------- what a release finds


@dataclass(frozen=True)
class TableScore:
    """One minimum table of one country, by what it publishes (framework §8.3). Shares are between 0 and 1.

    `counts` has what each share is made of: a count and what it is out of; of timeliness the months since the end
    of the latest period.
    """

    table: str
    flow: str
    select: str
    latest: str  # period; blank where the country publishes nothing of it
    counts: Mapping[str, tuple[int, int]]
    shares: Mapping[str, float]
    score: float


@dataclass(frozen=True)
class Assessed:
    """One item of one country: its latest answer, and the evidence, `part` out of `out_of`."""

    item: Item
    reply: Reply | None = None
    answered: float | None = None
    part: float = 0.0
    out_of: float = 0.0

    @property
    def score(self) -> float | None:
        """The share that the evidence gives; None where the item is not derived."""
        if self.item.derivation is None:
            return None
        return round(self.part / self.out_of, 4) if self.out_of else 0.0

    @property
    def derived(self) -> float | None:
        """The score as the assessment publishes it: the nearest of 0, 0.5 and 1."""
        return None if self.score is None else int(2 * self.score + 0.5) / 2

    @property
    def has_gap(self) -> bool:
        """Whether the answer and the evidence differ by more than a half."""
        return self.answered is not None and self.derived is not None and abs(self.answered - self.derived) > GAP


@dataclass(frozen=True)
class Profile:
    """One country: every item, in their order, and the tables that items are derived from."""

    area: str
    items: tuple[Assessed, ...]
    tables: tuple[TableScore, ...]

    def answered(self, dimension: str) -> float | None:
        """Mean of the answers to a dimension, weighted; None where nothing is answered."""
        return _mean([(each.answered, each.item.weight) for each in self._of(dimension)])

    def derived(self, dimension: str) -> float | None:
        """Mean of the derived scores of a dimension, weighted; None where no item is derived."""
        return _mean([(each.score, each.item.weight) for each in self._of(dimension)])

    def _of(self, dimension: str) -> list[Assessed]:
        return [each for each in self.items if each.item.dimension == dimension]


def _mean(values: list[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
