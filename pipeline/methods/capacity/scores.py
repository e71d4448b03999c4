"""Published tables of a country → what they show of its capacity, table by table (framework §8.3).

Only what the country itself publishes counts: figures of international organisations and of partner countries do
not. For a country and a minimum table, with Y the five years before that of the release:

    A = years of Y with a total of the table that has a value / 5
    F = cells of the table in its latest year that are filled / cells that it asks; a withheld cell is filled
    T = max(0, 1 - months from the end of the latest period to the release / 36)
    M = mandatory fields of the reference metadata that are filled / all mandatory fields
    Q = 1 - errors / rows that the rules for errors were applied to
    score = 0.3 A + 0.3 F + 0.15 T + 0.15 M + 0.1 Q

A table of which the country publishes nothing has the score 0. A cell counts only if its figure is of all persons,
apart from what the table asks: figures of foreign citizens by age are no table of residents by age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

import pandas as pd

from pipeline import completeness, conditions, elapsed
from pipeline.assessed import TableScore
from pipeline.conditions import Clause
from pipeline.framework import Dataflow
from pipeline.model import Library, Package, Report

YEARS = 5
STALE_MONTHS = 36
WEIGHTS: Mapping[str, float] = {"A": 0.3, "F": 0.3, "T": 0.15, "M": 0.15, "Q": 0.1}
NOT_NATIONAL = "SOURCE_TYPE not in ORG MIR"
DECIMALS = 4
_TOTAL = "_T"
_WHOLE = ("_T", "_Z")
_PERIODS = {"M": 12, "Q": 4}


@dataclass
class Evidence:
    """What one country publishes itself, by dataflow; `day` is that of the release."""

    area: str
    packages: Mapping[str, Package]
    reports: Mapping[str, Report]
    library: Library
    day: str
    _rows: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)

    @property
    def years(self) -> tuple[str, ...]:
        """The five years before that of the release."""
        last = int(self.day[:4])
        return tuple(str(year) for year in range(last - YEARS, last))

    @property
    def national(self) -> tuple[Package, ...]:
        """The datasets with a figure of the country's own."""
        return tuple(each for flow, each in self.packages.items() if len(self.rows(flow)))

    @property
    def mandatory(self) -> int:
        """How many fields of the reference metadata are mandatory."""
        return sum(1 for each in self.library.fields.values() if each.obligation == "M")

    def rows(self, flow: str, select: str = "") -> pd.DataFrame:
        """The country's own figures of a dataflow for which a condition holds, withheld ones among them."""
        if flow not in self.packages:
            return pd.DataFrame()
        if (flow, select) not in self._rows:
            self._rows[flow, select] = self._selected(flow, select)
        return self._rows[flow, select]

    def _selected(self, flow: str, select: str) -> pd.DataFrame:
        if select:
            own = self.rows(flow)
            return own[conditions.holds(conditions.parse(select), own, self.library.list_of)]
        frame = self.packages[flow].data.frame
        is_there = frame["OBS_VALUE"].notna() | (frame["OBS_STATUS"] == "Q")
        return frame[is_there & conditions.holds(conditions.parse(NOT_NATIONAL), frame, self.library.list_of)]


def table_score(of: Evidence, table: str, flow: Dataflow, select: str) -> TableScore:
    """What a country's own figures of one minimum table show."""
    wanted = _narrowed(completeness.asked(flow, table, of.area, of.library), select, of.library)
    rows = _plain(of.rows(flow.id, select), flow, wanted, of.area)
    cells = completeness.given(rows, wanted, pd.Series(data=True, index=rows.index)) if len(rows) else rows
    if not len(cells):
        return TableScore(table, flow.id, select, "", {}, dict.fromkeys(WEIGHTS, 0.0), 0.0)
    latest = elapsed.latest([str(period) for period in cells["TIME_PERIOD"].unique()])
    counts = {
        "A": _available(of, rows, wanted),
        "F": _filled(cells, wanted),
        "T": (elapsed.months(latest, of.day), STALE_MONTHS),
        "M": (of.mandatory - len(of.packages[flow.id].description.missing), of.mandatory),
        "Q": _errors(flow, of.reports.get(flow.id)),
    }
    shares = {name: round(_share(name, *count), DECIMALS) for name, count in counts.items()}
    score = round(sum(weight * shares[name] for name, weight in WEIGHTS.items()), DECIMALS)
    return TableScore(table, flow.id, select, latest, counts, shares, score)


def _plain(rows: pd.DataFrame, flow: Dataflow, wanted: Collection[str], area: str) -> pd.DataFrame:
    """The rows that break down by nothing but what a table asks: a figure of one group is no figure of all."""
    if not len(rows):
        return rows
    kept = (*wanted, "FREQ", "SOURCE_TYPE", flow.structure.measure_dimension)
    is_plain = pd.Series(data=True, index=rows.index)
    for dimension in flow.structure.dimensions:
        if dimension not in kept:
            is_plain &= rows[dimension].isin([area] if dimension == "REF_AREA" else _WHOLE)
    return rows[is_plain]


def _share(name: str, count: int, out_of: int) -> float:
    if name == "T":
        return max(0.0, 1 - count / out_of)
    if name == "Q":
        return 1 - count / out_of if out_of else 0.0
    return count / out_of


def _narrowed(wanted: Mapping[str, frozenset[str]], select: str, library: Library) -> dict[str, frozenset[str]]:
    """What a minimum table asks where the condition leaves only some of its codes."""
    clauses: Iterable[Clause] = conditions.parse(select)
    found = dict(wanted)
    for clause in clauses:
        if clause.operator == "in" and clause.component in found:
            found[clause.component] &= conditions.selected(clause.values, library.list_of(clause.component))
    return found


def _available(of: Evidence, rows: pd.DataFrame, wanted: Mapping[str, frozenset[str]]) -> tuple[int, int]:
    """Years with a total that has a value, out of five."""
    totals = {name: frozenset({_TOTAL}) if _TOTAL in codes else codes for name, codes in wanted.items()}
    cells = completeness.given(rows, totals, rows["OBS_VALUE"].notna())
    return sum(1 for year in of.years if year in set(_year(cells["TIME_PERIOD"]))), YEARS


def _filled(cells: pd.DataFrame, wanted: Mapping[str, frozenset[str]]) -> tuple[int, int]:
    """Cells of the latest year, out of those asked: of a table by month or quarter, for each of the year."""
    required = prod(len(codes) for codes in wanted.values())
    years = _year(cells["TIME_PERIOD"])
    last = cells[years == years.max()]
    frequencies = wanted.get("FREQ", frozenset())
    if len(frequencies) == 1:
        return len(last), required * _PERIODS.get(next(iter(frequencies)), 1)
    return len(last.drop(columns="TIME_PERIOD").drop_duplicates()), required


def _errors(flow: Dataflow, report: Report | None) -> tuple[int, int]:
    """Errors, out of the rows that the rules for errors were applied to."""
    if report is None:
        return 0, 0
    rules = {rule.id for rule in flow.rules if rule.severity == "E"}
    found = sum(issue.count for issue in report.issues if issue.severity == "E" and issue.code in rules)
    applied = sum(rows for rule, rows in report.applied.items() if rule in rules)
    return min(found, applied), applied


def _year(periods: pd.Series[str]) -> pd.Series[str]:
    return periods.astype(str).str.slice(0, 4)
