"""Published tables → the figures of every indicator, what each was made of, and why others could not be made.

Only what is published is read, after protection: an indicator is a function of figures that everybody has, so it
tells nothing that they do not tell. A withheld figure has no value here, and what is made of one has none either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from pipeline import conditions
from pipeline.computed import IndicatorInput
from pipeline.framework import Codelist, Dataflow
from pipeline.methods.indicators.columns import STATE, Column, Evaluation, lineage
from pipeline.methods.indicators.definitions import LISTED, TIME, Definitions
from pipeline.methods.indicators.formula import names
from pipeline.model import Library

# OBS_STATUS of a figure made of others: that of the weakest. What is not named here is an estimate.
QUALITY = ("A", "E", "P", "D", "B", "U")
RELIABILITY = ("", "R", "W", "N")
_PLAIN = {"A": "A", "N": "A", "V": "A", "": "A"}
_SOURCES = ["REF_AREA", "area", "dataflow", "key", TIME, "value", "vintage"]
_WITHHELD = "Q"
DEFAULTS = {"FREQ": "A", "COUNTERPART_AREA": "_Z"}
TOTAL = "_T"


@dataclass(frozen=True)
class Published:
    """One table of the release, as `evaluate` reads it."""

    area: str
    flow: Dataflow
    frame: pd.DataFrame
    vintage: str


@dataclass(frozen=True)
class Taken:
    """The figures that one input takes: the column, and for each of its rows where it was published."""

    column: Column
    sources: pd.DataFrame  # REF_AREA of the indicator, area, dataflow, key, period, value, vintage
    several: frozenset[str]  # countries where several figures have one key: they are left out


@dataclass(frozen=True)
class Computed:
    """What one release computes.

    `figures` has the key of the dataflow, `value` as published, `exact` and STATE; `lineage` says of which rows of
    `taken` each figure is made (figure, input, row).
    """

    figures: pd.DataFrame
    lineage: pd.DataFrame
    taken: Mapping[str, Taken]
    by_zero: Mapping[str, frozenset[str]]  # indicator → countries where a denominator is zero
    flows: Mapping[str, frozenset[str]]  # country → dataflows that it has a table of
    closed: frozenset[tuple[str, str]]  # (country, dataflow) of the tables that have a withheld cell


def evaluate(of: Definitions, tables: Sequence[Published], structure_of: Dataflow, library: Library) -> Computed:
    """Compute every indicator of every country of the tables."""
    key = structure_of.structure.key
    taken: dict[str, Taken] = {}
    made: list[pd.DataFrame] = []
    told: list[pd.DataFrame] = []
    by_zero: dict[str, frozenset[str]] = {}
    known = {table.area for table in tables}
    size = 0
    for indicator in of.order:

        def leaf(name: str, indicator: str = indicator) -> Column | float:
            if name == LISTED:
                return of.listed(indicator)
            each = of.of.inputs[name]
            if each.flow == of.of.flow:
                taken[name] = _own(each, made, structure_of, library)
            elif name not in taken:
                taken[name] = _taken(each, [table for table in tables if table.flow.id == each.flow], library)
            return taken[name].column

        by_zero[indicator] = frozenset()
        inputs = {name: leaf(name) for name in names(of.formulas[indicator])}
        if not any(len(each.frame) for each in inputs.values() if isinstance(each, Column)):
            continue  # of nothing comes nothing
        column = Evaluation(inputs.__getitem__).of(of.formulas[indicator])
        assert isinstance(column, Column)  # definitions refuse a formula of numbers alone
        frame, used, by_zero[indicator] = _figures(column, of, indicator, key, known)
        told.append(used.assign(figure=used["position"] + size))
        made.append(frame)
        size += len(frame)
    figures = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=[*key, "value", "exact", *STATE])
    used = pd.concat(told, ignore_index=True) if told else pd.DataFrame(columns=["figure", "input", "row"])
    flows = {area: frozenset(table.flow.id for table in tables if table.area == area) for area in known}
    closed = frozenset((t.area, t.flow.id) for t in tables if (t.frame["OBS_STATUS"] == _WITHHELD).any())
    return Computed(figures, used[["figure", "input", "row"]], taken, by_zero, flows, closed)


def root(areas: pd.Series[str]) -> pd.Series[str]:
    """The country of each area: CL of CL-RM."""
    return areas.astype(str).str.split("-", n=1).str[0]


def _figures(
    column: Column, of: Definitions, indicator: str, key: Sequence[str], known: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame, frozenset[str]]:
    """The figures of one indicator with their full key, what they were made of, and where a denominator is zero."""
    used = lineage(column)
    frame = column.frame.drop(columns=column.bundles)
    is_withheld = frame["is_withheld"].to_numpy(dtype=bool)
    value = frame["value"].to_numpy(dtype=np.float64)
    is_here = root(frame["REF_AREA"]).isin(known).to_numpy(dtype=bool)
    is_zero = is_here & ~is_withheld & ~np.isfinite(value)
    exact = np.where(is_withheld, np.nan, value)
    rounded = np.round(exact, of.of.rows[indicator].decimals) + 0.0  # no -0
    for name in key:
        if name not in frame:
            frame[name] = DEFAULTS.get(name, TOTAL)
    kept = is_here & ~is_zero
    frame = frame.assign(INDICATOR=indicator, value=rounded, exact=exact)[[*key, "value", "exact", *STATE]]
    position = np.cumsum(kept) - 1
    used = used[kept[used["position"].to_numpy(dtype=int)]]
    used = used.assign(position=position[used["position"].to_numpy(dtype=int)])
    return frame[kept].reset_index(drop=True), used, frozenset(root(frame.loc[is_zero, "REF_AREA"]))


def _taken(each: IndicatorInput, tables: Sequence[Published], library: Library) -> Taken:
    clauses = conditions.parse(f"FREQ in A and {each.select}" if each.select else "FREQ in A")
    parts = [_rows(each, table, clauses, library.list_of) for table in tables]
    return _put_together(each, [part for part in parts if len(part)], library.list_of)


def _rows(
    each: IndicatorInput,
    table: Published,
    clauses: tuple[conditions.Clause, ...],
    list_of: Callable[[str], Codelist | None],
) -> pd.DataFrame:
    """The rows of one published table that an input takes, as texts and figures."""
    rows = table.frame
    for clause in clauses:  # one after the other: the first ones leave few rows for the rest
        rows = rows[conditions.holds((clause,), rows, list_of).to_numpy()]
        if not len(rows):
            return rows
    value = rows["OBS_VALUE"].to_numpy(dtype=np.float64)
    status = rows["OBS_STATUS"].astype(str)
    reliability = rows["RELIABILITY"].astype(str) if "RELIABILITY" in rows else pd.Series("", index=rows.index)
    found = pd.DataFrame({here: rows[there].astype(str) for here, there in each.by.items()}, index=rows.index)
    found[TIME] = rows[TIME].astype(str)
    found["value"] = value
    found["is_withheld"] = (status == _WITHHELD).to_numpy() & np.isnan(value)
    found["quality"] = status.map(_PLAIN).fillna(status).map(_rank).to_numpy()
    found["reliability"] = reliability.map(
        lambda label: max(RELIABILITY.index(label), 0) if label in RELIABILITY else 0
    )
    key = rows[table.flow.structure.dimensions[0]].astype(str)
    for dimension in table.flow.structure.dimensions[1:]:
        key = key + "." + rows[dimension].astype(str)
    found["area"], found["dataflow"], found["key"], found["vintage"] = table.area, table.flow.id, key, table.vintage
    kept: pd.DataFrame = found[found["is_withheld"] | ~np.isnan(value)]
    return kept


def _rank(status: str) -> int:
    return QUALITY.index(status) if status in QUALITY else QUALITY.index("E")


def _own(each: IndicatorInput, made: Sequence[pd.DataFrame], flow: Dataflow, library: Library) -> Taken:
    """The figures of other indicators, as an input."""
    if not made:
        return _put_together(each, [], library.list_of)
    frame = pd.concat(made, ignore_index=True).rename(columns={"value": "OBS_VALUE"})
    frame = frame[~frame["is_withheld"].to_numpy(dtype=bool)]
    table = Published("", flow, frame.assign(OBS_STATUS="A"), "")
    rows = _rows(each, table, conditions.parse(each.select), library.list_of)
    if not len(rows):
        return _put_together(each, [], library.list_of)
    rows = rows.assign(**{name: frame.loc[rows.index, name] for name in ("quality", "reliability")})
    return _put_together(each, [rows.assign(area=root(rows["REF_AREA"]))], library.list_of)


def _put_together(
    each: IndicatorInput, parts: Sequence[pd.DataFrame], list_of: Callable[[str], Codelist | None]
) -> Taken:
    dims = (*each.by, TIME)
    frame, sources, several = _tables(pd.concat(parts, ignore_index=True), dims) if parts else _nothing(dims)
    used = pd.DataFrame({"bundle": [], "input": [], "row": []})
    return Taken(Column(dims, frame, used, _listed(each, list_of)), sources, several)


@cache
def _nothing(dims: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame, frozenset[str]]:
    """The tables of an input that nothing was found for, as most inputs of most countries."""
    return _tables(pd.DataFrame(columns=[*dict.fromkeys((*dims, "value", *STATE, *_SOURCES))]), dims)


def _tables(rows: pd.DataFrame, dims: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame, frozenset[str]]:
    """The figures of an input and where each stands; and the countries that have several of one key, left out."""
    is_double = rows.duplicated(list(dims), keep=False)
    several = frozenset(root(rows.loc[is_double, "REF_AREA"]))
    rows = rows[~is_double].reset_index(drop=True)
    rows = rows.astype({"value": "float64", "is_withheld": "bool", "quality": "int64", "reliability": "int64"})
    return rows[[*dims, "value", *STATE]].assign(row=np.arange(len(rows))), rows[_SOURCES], several


def _listed(each: IndicatorInput, list_of: Callable[[str], Codelist | None]) -> dict[str, int]:
    """Dimension → how many codes a sum over it must have, where the condition lists them one by one."""
    here = {there: name for name, there in each.by.items()}
    found = {}
    for clause in conditions.parse(each.select):
        codelist = list_of(clause.component)
        if clause.operator != "in" or clause.component not in here or codelist is None:
            continue
        if all(code in codelist.codes for code in clause.values):
            found[here[clause.component]] = len(clause.values)
    return found
