"""The frozen types that pass between the stages. Tables sit inside a type; no type is a table.

A column in capitals is an SDMX component. `table`, `row` and `column` in small letters say which
cell of which national table a figure came from. Coded columns are categoricals, `OBS_VALUE` is
float64 with NaN for "no value", and a blank attribute is the empty text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import pandas as pd

from pipeline.assessed import Capacity, Profile, Reply
from pipeline.computed import Answer, Indicators
from pipeline.delivered import Delivery
from pipeline.framework import (
    Agreement,
    Codelist,
    Concept,
    Correction,
    Dataflow,
    Field,
    Grade,
    Hierarchy,
    IssueType,
    Licence,
    Planned,
    Provider,
    RevisionNote,
    Severity,
    Structure,
    Text,
    Waiver,
)
from pipeline.modules import Modules
from pipeline.protection import Protection

LINEAGE = ("table", "row", "column")
Writer = Callable[[BinaryIO], None]  # writes one whole output file


# ---------------------------------------------------------------- a country and its tables


@dataclass(frozen=True)
class Layout:
    """Where the parts of one national table stand. Rows and columns count from 1, as in a spreadsheet.

    `labels` maps a component to the column that holds its labels, named by its heading, or to a
    template of such names: `{Año}-{Mes}`. `headings` maps a component to the heading row that holds
    them, or to a template of row numbers: `{5}-07-01`. `constants` says the rest. `values` names the
    columns with figures, by heading or as letters `B:Y`. Reading ends before the first row whose
    first text starts with `stop`. `missing` maps a mark to its OBS_STATUS. Figures of labels that
    share a code are added together for the components in `add` alone.

    `file` and `sheet` may hold `*` for any text. `columns` names columns that the table has not as such
    (see `pipeline.derived`): labels may name them like any heading. `marks` maps a footnote mark beside a
    figure to its OBS_STATUS, or to nothing; `footnote` is a pattern taken off labels and headings.
    `ignore` maps the heading of a column of figures that is left out to the reason. A `file` that ends in
    `.sql` holds a query, and `database` the SQLAlchemy URL where it is asked: the table is its result.
    """

    file: str
    provider: str
    licence: str
    values: str | tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    header: tuple[int, ...] = (1,)
    sheet: str = ""
    stop: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)
    add: tuple[str, ...] = ()
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    footnote: str = ""
    ignore: Mapping[str, str] = field(default_factory=dict)
    database: str = ""
    contributors: Mapping[str, str] = field(default_factory=dict)  # as in pipeline.dominance → heading
    title: Text = field(default_factory=dict)
    source_operation: Text = field(default_factory=dict)
    stat_pop: Text = field(default_factory=dict)
    url: str = ""
    is_template: bool = False  # made by `make template`: in it a code is as good as a name


@dataclass(frozen=True)
class Series:
    """What one country delivers for one dataflow."""

    area: str
    flow: str
    layouts: tuple[Layout, ...]
    hierarchies: tuple[str, ...]
    rounding_base: int
    metadata: Mapping[str, Text]
    template: str = ""  # a filled template that says its own layout when it is received
    working_age: int = 0  # years, where it is not that of rule DOM-42
    reliability: str = ""  # standard of precision, where it is not that of rule SUR-01
    protection: Protection | None = None  # where the law of the country asks for more than dsd/ does
    not_known: frozenset[str] = frozenset()  # mandatory fields that were looked for and that no source says


@dataclass(frozen=True)
class CodeRow:
    """One row of a country's `codes.csv`: a national label and its fate.

    An empty `code` means that cells under the label are ignored, for the reason in `note`. The row
    holds for figures whose TIME_PERIOD begins in [`valid_from`, `valid_to`]; a blank side is open.
    """

    component: str
    column: str
    label: str
    code: str
    note: str
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True)
class Country:
    """A reporting country: language, producers, agreements, mappings and reference metadata."""

    area: str
    language: str
    focal: str
    providers: Mapping[str, Provider]
    agreements: frozenset[tuple[str, str]]  # (provider, dataflow)
    codes: tuple[CodeRow, ...]
    metadata: Mapping[str, Text]  # field id → text, for every dataflow
    series: Mapping[str, Series]
    corrections: tuple[Correction, ...] = ()
    revisions: tuple[RevisionNote, ...] = ()
    exchanges: tuple[Agreement, ...] = ()  # what is known of the agreements
    replies: tuple[Reply, ...] = ()  # to the capacity assessment
    not_known: frozenset[str] = frozenset()  # of every dataflow


@dataclass(frozen=True, repr=False)
class Library:
    """Everything authored, loaded and found consistent."""

    agency: str
    codelists: Mapping[str, Codelist]  # by ref
    hierarchies: Mapping[str, Hierarchy]
    concepts: Mapping[str, Concept]
    terms: Mapping[str, Concept]
    structures: Mapping[str, Structure]
    dataflows: Mapping[str, Dataflow]
    categories: Codelist
    agencies: Mapping[str, Text]
    providers: Mapping[str, Provider]  # international ones
    licences: Mapping[str, Licence]
    fields: Mapping[str, Field]
    phrases: Mapping[str, Text]  # sentences that describe figures, with places to fill
    issue_types: Mapping[str, IssueType]
    countries: Mapping[str, Country]
    untranslated: tuple[str, ...] = ()
    standards: Mapping[str, tuple[Grade, ...]] = field(default_factory=dict)  # of the precision of surveys
    waivers: tuple[Waiver, ...] = ()
    reasons: Mapping[str, Text] = field(default_factory=dict)  # for leaving cells out, by the text in any language
    planned: tuple[Planned, ...] = ()
    modules: Modules = field(default_factory=Modules)
    indicators: Indicators = field(default_factory=Indicators)
    capacity: Capacity = field(default_factory=Capacity)

    def list_of(self, component: str) -> Codelist | None:
        """The code list of a structural concept, or None when it is not coded."""
        return self.codelists.get(self.concepts[component].representation)

    def area_name(self, area: str) -> Text:
        areas = self.list_of("REF_AREA")
        assert areas is not None
        return areas.codes[area].name


# ---------------------------------------------------------------- what flows through the stages


@dataclass(frozen=True)
class RawTable:
    """A sheet or text file as it came: all text, nothing cleaned.

    `cells` is indexed by row and column number, from 1. `is_number` marks the cells that a
    spreadsheet held as numbers; their text uses the decimal point whatever the layout says.
    """

    path: str
    sheet: str
    sha256: str
    cells: pd.DataFrame
    is_number: pd.DataFrame | None
    merged: tuple[tuple[int, int, int, int], ...] = ()  # first row, first column, last row, last column
    styles: Mapping[tuple[int, int], tuple[int, bool]] = field(default_factory=dict)  # row, column → indentation, bold
    hidden: tuple[str, ...] = ()  # sheets of the workbook that nobody sees and nothing is read from
    widths: tuple[int, ...] = ()  # cells of each line of a text file
    layout: int = 0  # which of the layouts of its dataflow reads it


@dataclass(frozen=True)
class Origin:
    """Where the figures of one table came from, to name cells in messages and lineage.

    `places` gives, for each component, ("column", n) or ("row", n) of its labels.
    """

    file: str
    sheet: str
    sha256: str
    provider: str
    licence: str
    places: Mapping[str, tuple[str, int]]
    headings: Mapping[int, str]


@dataclass(frozen=True)
class Ledger:
    """What became of the figure cells that were read: the parts sum to `read`."""

    read: int
    observations: int
    ignored: Mapping[str, int]  # reason → cells
    rejected: Mapping[str, int] = field(default_factory=dict)  # heading that no layout knows → cells
    suppressed: int = 0  # of the observations

    @property
    def balance(self) -> int:
        """Cells that are not accounted for; 0 or there is no release."""
        return self.read - self.observations - sum(self.ignored.values()) - sum(self.rejected.values())


@dataclass(frozen=True)
class Observations:
    """The recoded figures of one country and dataflow, with the cell each came from."""

    area: str
    flow: Dataflow
    frame: pd.DataFrame
    origins: tuple[Origin, ...]
    ledger: Ledger
    hierarchies: tuple[str, ...] = ()
    rounding_base: int = 0
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # file → its hidden sheets
    corrections: tuple[Issue, ...] = ()  # of cells of the source: what was corrected, and what no longer could be


@dataclass(frozen=True)
class Issue:
    """One kind of fault in one table, with the cells where it stands and how many there are.

    Of a flood, `cells` holds the first ten thousand alone; `count` is of all. `waiver` is the reference of
    the waiver that covers an error; blank where none does.
    """

    code: str
    severity: Severity
    area: str
    flow: str
    found: str
    expected: str
    component: str = ""
    file: str = ""
    sheet: str = ""
    heading: str = ""
    cells: tuple[str, ...] = ()
    count: int = 1
    waiver: str = ""


@dataclass(frozen=True)
class Report:
    """What validation found: the issues, and how many rows each rule was applied to."""

    area: str
    flow: str
    issues: tuple[Issue, ...]
    applied: Mapping[str, int]
    ledger: Ledger | None = None

    @property
    def is_fit(self) -> bool:
        """True when nothing found forbids publication."""
        return not any(issue.severity == "E" and not issue.waiver for issue in self.issues)


@dataclass(frozen=True)
class Protected:
    """Figures that may be published. Only `pipeline.protect` makes this type; writers take no other."""

    area: str
    flow: Dataflow
    frame: pd.DataFrame
    sources: tuple[Origin, ...]
    suppressed: Mapping[str, int]  # CONF_STATUS → cells


@dataclass(frozen=True)
class Description:
    """The reference metadata of one package by field id; what is `missing` and not `not_known` holds it back."""

    area: str
    flow: str
    title: Text
    fields: Mapping[str, Text]
    missing: tuple[str, ...]
    licences: tuple[Licence, ...]
    sources: tuple[Mapping[str, str], ...]
    vintage: str
    last_update: str
    not_known: tuple[str, ...] = ()
    gathered: tuple[Mapping[str, str], ...] = ()  # of which sites a hub has it, the first where it was made

    @property
    def licence(self) -> str:
        """Every licence that holds, as an SPDX licence expression."""
        return " AND ".join(each.id for each in self.licences)


@dataclass(frozen=True)
class Package:
    """One country and dataflow, ready to be written: path in the release → writer."""

    data: Protected
    description: Description
    files: Mapping[str, Writer]


@dataclass(frozen=True)
class Whole:
    """One dataflow with all of its countries, and the same by reference area of the countries."""

    data: Protected
    description: Description
    by_area: Mapping[str, Protected]


@dataclass(frozen=True)
class Written:
    """A file of the release as it stands on disk."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Compared:
    """What the rules between tables and countries found in the published figures.

    `findings` has the pairs of figures at fault, `counts` how many pairs of each rule, country, dataflow and state
    there are, `mirrors` the corridors by kind, and `issues` what was found between countries.
    """

    findings: pd.DataFrame = field(default_factory=pd.DataFrame)
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    mirrors: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Release:
    """All that one run publishes. `held_back` gives, by (area, flow), why a delivery did not go out."""

    packages: tuple[Package, ...]
    reports: Mapping[tuple[str, str], Report]
    held_back: Mapping[tuple[str, str], Text]
    whole: Mapping[str, Whole] = field(default_factory=dict)
    records: Mapping[str, bytes] = field(default_factory=dict)  # machine records of the validation, by path
    compared: Compared = field(default_factory=Compared)
    answers: tuple[Answer, ...] = ()  # of every country and indicator
    profiles: tuple[Profile, ...] = ()  # of the capacity of every country
    deliveries: tuple[Delivery, ...] = ()  # of every agreement and dataflow
    verdicts: Callable[[], Mapping[tuple[str, str], Mapping[str, object]]] = dict  # of the suites: waits for them


@dataclass(frozen=True)
class Settings:
    """The run: `publish.toml` and the options of the command line. Before `embargo`, if any, nothing goes out."""

    areas: tuple[str, ...]
    flows: tuple[str, ...]
    formats: tuple[str, ...]
    base_url: str
    release: str
    language: str
    title: Text
    embargo: str = ""
    notice: Text = field(default_factory=dict)  # stands on every page; for what is an example or provisional

    @property
    def release_day(self) -> str:
        return self.release.partition(".")[0]
