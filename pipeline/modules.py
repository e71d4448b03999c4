"""The frozen types of the question modules: standard questions, their universes and answers, and questionnaires."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pipeline.framework import Codelist, Text

Instrument = Literal["census", "survey"]
Tier = Literal["core", "extended", "none"]

WEIGHTS: Mapping[Tier, int] = {"core": 2, "extended": 1, "none": 0}  # framework §7
YES_NO, YEAR, NUMBER = "YES_NO", "YEAR", "NUMBER"  # answers that no code list holds

_UNIVERSE = re.compile(r"([A-Z][A-Z0-9_]*)(?: (\d{1,3})(?:\+|-(\d{1,3})))?")
_OLDEST = 999


@dataclass(frozen=True)
class Group:
    """A group of persons of whom a question is asked, and the groups that directly contain it."""

    id: str
    within: tuple[str, ...]
    name: Text


@dataclass(frozen=True)
class Universe:
    """Of whom a question is asked: a group and ages in completed years, both included."""

    group: str
    youngest: int = 0
    oldest: int = _OLDEST

    @property
    def ages(self) -> str:
        """`5+`, `15-64`, or nothing where all ages are asked."""
        if self.oldest < _OLDEST:
            return f"{self.youngest}-{self.oldest}"
        return f"{self.youngest}+" if self.youngest else ""


@dataclass(frozen=True)
class Part:
    """One answer of a question: a code list or a kind of answer, and the codes that must stay apart.

    `required` is blank where the answer is welcome and not counted; of a year it says how many of the
    latest years must stay apart.
    """

    question: str
    id: str
    name: Text
    response: str
    required: str


@dataclass(frozen=True)
class Question:
    """One standard question: its place in each instrument, what it measures, of whom it is asked, and its words."""

    id: str
    tiers: Mapping[Instrument, Tier]
    concepts: tuple[str, ...]
    universe: Universe
    ipums: str
    title: Text
    wording: Text
    caveat: Text
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Questionnaire:
    """A national questionnaire as it is described: rows of a table, each with its number in the file.

    `rows` has one row for each category of an answer, `columns` the order of their cells in the file.
    `source` says where the description was read.
    """

    id: str
    area: str
    kind: Instrument
    year: int
    name: Text
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    columns: tuple[str, ...] = ()
    source: Text = field(default_factory=dict)
    url: str = ""
    note: Text = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True)
class Modules:
    """The standard questions, the groups of their universes, what names their concepts, the tables that they feed,
    and the questionnaires that stand as examples.

    `tables` gives, by minimum table, the questions it needs: all of the outer, any of the inner. It is empty
    where the table comes from records alone.
    """

    groups: Mapping[str, Group] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    concepts: Mapping[str, Text] = field(default_factory=dict)
    tables: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    codelists: Mapping[str, Codelist] = field(default_factory=dict)  # by ref
    examples: Mapping[str, Questionnaire] = field(default_factory=dict)

    @cached_property
    def containing(self) -> Mapping[str, frozenset[str]]:
        """Each group with all groups that contain it, itself included."""
        found: dict[str, frozenset[str]] = {}
        for group in self.groups.values():  # a group stands below those that contain it
            above = (found[each] for each in group.within)
            found[group.id] = frozenset({group.id}).union(*above)
        return found

    def universe(self, text: str) -> Universe | None:
        """`ALL 5+`, `BORN_ABROAD`, `ALL 15-64`; None where it is not understood."""
        match = _UNIVERSE.fullmatch(text.strip())
        if match is None or match[1] not in self.groups:
            return None
        return Universe(match[1], int(match[2] or 0), int(match[3] or _OLDEST))
