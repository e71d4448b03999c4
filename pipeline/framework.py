"""The frozen types of the shared framework: code lists, concepts, structures, dataflows, rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from pipeline.protection import Protection

LANGUAGES = ("en", "es", "pt")

GROUP = "SOURCE"  # id of the partial key that says where figures come from

Text = Mapping[str, str]  # language → words
Role = Literal["dimension", "time", "measure", "attribute"]
Severity = Literal["E", "W", "I"]


@dataclass(frozen=True)
class Code:
    """One code of a list. `notes` holds the list's own extra columns, such as `unit` or `iso3`."""

    id: str
    parent: str
    name: Text
    notes: Mapping[str, str]


@dataclass(frozen=True)
class Codelist:
    """A code list with its hierarchy, in authored order."""

    agency: str
    id: str
    version: str
    name: Text
    codes: Mapping[str, Code]

    @property
    def ref(self) -> str:
        """How authored files and messages name the list: `SDMX:CL_SEX(2.1)`."""
        return f"{self.agency}:{self.id}({self.version})"

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Parent code → its children, in order."""
        found: dict[str, list[str]] = {}
        for code in self.codes.values():
            if code.parent:
                found.setdefault(code.parent, []).append(code.id)
        return {parent: tuple(children) for parent, children in found.items()}

    def ancestors(self, code: str) -> tuple[str, ...]:
        """The code itself, then each code above it up to the root. Unknown codes stand alone."""
        line = [code]
        while line[-1] in self.codes and self.codes[line[-1]].parent:
            line.append(self.codes[line[-1]].parent)
        return tuple(line)

    def is_nested(self, codes: Collection[str]) -> bool:
        """Whether one of these codes stands above another."""
        return not set(codes).isdisjoint(above for code in codes for above in self.ancestors(code)[1:])

    def descendants(self, code: str) -> tuple[str, ...]:
        """The code itself, then every code below it."""
        line = [code]
        for each in line:
            line.extend(self.children.get(each, ()))
        return tuple(line)

    def select(self, pattern: str) -> frozenset[str]:
        """Codes that a pattern of an authored file stands for; empty when it matches nothing.

        `CODE` is itself, `CODE/` the code and all below it, `CMP_*` a wildcard,
        `kind=country` and `min_years>=15` a test on one of the list's extra columns.
        """
        if pattern not in self._selected:
            self._selected[pattern] = self._matching(pattern)
        return self._selected[pattern]

    @cached_property
    def _selected(self) -> dict[str, frozenset[str]]:
        return {}  # the same patterns are asked thousands of times

    def _matching(self, pattern: str) -> frozenset[str]:
        for sign in (">=", "="):
            column, found, value = pattern.partition(sign)
            if found:
                notes = {code.id: code.notes.get(column, "") for code in self.codes.values()}
                if sign == "=":
                    return frozenset(code for code, note in notes.items() if note == value)
                return frozenset(code for code, note in notes.items() if note and float(note) >= float(value))
        if pattern.endswith("/"):
            return frozenset(self.descendants(pattern[:-1])) & self.codes.keys()
        return frozenset(code for code in self.codes if fnmatchcase(code, pattern))


@dataclass(frozen=True)
class Hierarchy:
    """A named way to add the codes of a list up: parent code → the codes that make it."""

    id: str
    codelist: str
    name: Text
    parts: Mapping[str, tuple[str, ...]]

    @property
    def codes(self) -> frozenset[str]:
        """Every code that takes part, parents included."""
        return frozenset(self.parts) | {code for parts in self.parts.values() for code in parts}


@dataclass(frozen=True)
class Concept:
    """A concept of CS_MIG or CS_MIG_TERM. `representation` is a list's ref or an SDMX text type."""

    id: str
    name: Text
    definition: Text
    representation: str = ""
    cross_domain_urn: str = ""
    basis: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """A concept in its role in one structure."""

    concept: Concept
    role: Role
    codelist: Codelist | None
    attachment: str = ""  # attributes: observation, measure, group or dataset
    is_mandatory: bool = True

    @property
    def id(self) -> str:
        return self.concept.id

    @property
    def is_number(self) -> bool:
        """Whether it holds figures."""
        return self.concept.representation in ("Double", "Integer")

    @property
    def is_word(self) -> bool:
        """Whether it holds codes or texts, of which many rows have the same, and neither figures nor periods."""
        return self.role != "time" and not self.is_number


@dataclass(frozen=True)
class Structure:
    """A data structure definition. `measure_dimension` is the dimension that says what is counted."""

    id: str
    name: Text
    components: Mapping[str, Component]
    measure_dimension: str

    def of_role(self, *roles: Role) -> tuple[Component, ...]:
        return tuple(c for c in self.components.values() if c.role in roles)

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Ids of the dimensions in key order, without TIME_PERIOD."""
        return tuple(c.id for c in self.of_role("dimension"))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What identifies an observation: the dimensions and TIME_PERIOD."""
        return (*self.dimensions, "TIME_PERIOD")

    def attributes(self, *attachments: str) -> tuple[str, ...]:
        """Ids of the attributes attached so, in order."""
        return tuple(c.id for c in self.of_role("attribute") if c.attachment in attachments)

    @cached_property
    def group(self) -> tuple[str, ...]:
        """The partial key that group attributes hang on; empty when the structure has none."""
        wanted = ("REF_AREA", "SOURCE_TYPE", self.measure_dimension)
        return wanted if self.attributes("group") else ()


@dataclass(frozen=True)
class Rule:
    """One row of a `rules.csv`: what to check, when it applies and what must then hold."""

    id: str
    severity: Severity
    stage: Literal["received", "figures", "release", "revision", "across"]
    check: str
    argument: str
    when: str
    then: str
    dataflows: tuple[str, ...] = ()  # between tables: that of the figures, then that of those they are held against


@dataclass(frozen=True)
class Grade:
    """One row of `dsd/reliability.csv`: the limits an estimate must keep to earn a label of a standard.

    `known_domain` is the limit on cases that stands in for the design effect of a planned domain.
    """

    kind: Literal["total", "proportion"]
    label: str
    limits: Mapping[str, tuple[str, float]]  # name of the figure → operator and bound
    known_domain: tuple[str, float] | None
    is_df_waivable: bool


@dataclass(frozen=True)
class Dataflow:
    """A dataflow over a structure, narrowed to its allowed content.

    `regions` is a union: an observation is allowed when, in at least one region, each listed
    component takes one of the listed codes. Components that are not listed are free.
    """

    id: str
    name: Text
    description: Text
    counterpart: Text
    category: str
    structure: Structure
    regions: tuple[Mapping[str, frozenset[str]], ...]
    minimum_tables: Mapping[str, Mapping[str, frozenset[str]]]
    rules: tuple[Rule, ...]
    protection: Protection


@dataclass(frozen=True)
class Correction:
    """One row of a country's `corrections.csv`: a source cell is wrong, what it says, and what it should say."""

    flow: str
    file: str
    sheet: str
    cell: str
    expected: str
    value: str
    reason: str


@dataclass(frozen=True)
class RevisionNote:
    """Why published figures of a country change: one row of its `revisions.csv`.

    It explains the figures of `flow` where the condition `scope` holds, in what replaces a release of its
    day or an earlier one; the reason is published.
    """

    flow: str
    date: str
    scope: str
    reason: Text


@dataclass(frozen=True)
class Planned:
    """One row of `metadata/calendar.csv`: the day on which a table is to come out, and for which period."""

    date: str
    area: str
    flow: str
    period: str
    note: Text


@dataclass(frozen=True)
class Waiver:
    """One row of `metadata/waivers.csv`: errors of a kind that an office answers for until a day.

    It covers errors `code` of one delivery where the condition `scope` holds, from `date` to `expiry`,
    both days included. `role` is an office held, not a person. All of it is published.
    """

    area: str
    flow: str
    code: str
    scope: str
    role: str
    date: str
    expiry: str
    reason: Text
    reference: str


@dataclass(frozen=True)
class Provider:
    """An institution that produces figures. `area` is its country, or blank for an international one; `metadata` is
    what holds for all its tables, by field id.
    """

    id: str
    agency: str
    area: str
    name: Text
    url: str
    metadata: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Agreement:
    """One `[[agreement]]` of a country: who delivers which dataflows, with whom, on what basis and how often.

    `text` is the address of its text and `source` of a page that tells of it; blank where none is known.
    `every_months` and `within_months` say how often a delivery is due and how long after the end of its period;
    0 where nothing is known of it.
    """

    provider: str
    flows: tuple[str, ...]
    parties: tuple[str, ...] = ()
    basis: Text = field(default_factory=dict)
    text: str = ""
    source: str = ""
    since: str = ""
    until: str = ""
    every_months: int = 0
    within_months: int = 0

    @property
    def is_known(self) -> bool:
        """Whether anything public tells of the agreement."""
        return bool(self.text or self.basis or self.source)


@dataclass(frozen=True)
class IssueType:
    """What an issue code means, who must act, and the words of its messages."""

    code: str
    who: str
    title: Text
    when: Text
    message: Text
    remedy: Text


@dataclass(frozen=True)
class Field:
    """One reference-metadata field of MSD_MIG and where its text comes from."""

    id: str
    sims: str
    name: Text
    obligation: Literal["M", "C", "O"]
    derived: str
    dcat: str
    frictionless: str


@dataclass(frozen=True)
class Licence:
    id: str
    name: str
    url: str
    names: Text = field(default_factory=dict, compare=False)
