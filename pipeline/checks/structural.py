"""STR: the table is complete, its codes exist, its keys are unique and its periods make sense."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Table, texts
from pipeline.framework import Rule

PERIODS = {"A": r"\d{4}", "Q": r"\d{4}-Q[1-4]", "M": r"\d{4}-(?:0[1-9]|1[0-2])"}
_DATE = r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"
_EARLIEST = "1800"
_EXAMPLES = {"A": "2024", "Q": "2024-Q1", "M": "2024-01"}
_FIRST_MONTH = {"": "01", "Q1": "01", "Q2": "04", "Q3": "07", "Q4": "10"}


def agreement(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-01: the provider of each table has an agreement for this dataflow."""
    agreements = table.library.countries[table.area].agreements
    for number, origin in enumerate(table.origins):
        if (origin.provider, table.flow.id) not in agreements:
            here = rows & (table.frame["table"] == number).to_numpy()
            yield Finding(here, origin.provider, f"{origin.provider} → {table.flow.id}")


def authority(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-10: a table about a country comes from a producer of that country or an international one."""
    codelist = table.codelist("REF_AREA")
    others = [code for code in codelist.codes if code not in codelist.descendants(table.area)]
    yield from _wrong_codes(table, rows, "REF_AREA", others, table.area)


def complete(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-02: every dimension and the period are there and filled."""
    for component in table.flow.structure.key:
        yield Finding(rows & (table.frame[component] == "").to_numpy(), "", component, component)


def codes(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-03: each distinct code is looked up once."""
    for component in table.flow.structure.components.values():
        if component.codelist is not None and component.id in table.frame:
            unknown = [
                code
                for code in table.frame[component.id].unique()
                if code != "" and code not in component.codelist.codes
            ]
            yield from _wrong_codes(table, rows, component.id, unknown, component.codelist.ref)


def allowed(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-04: the key lies in a region of the dataflow's allowed content.

    Unknown and missing codes are left to STR-02 and STR-03.
    """
    regions = table.flow.regions
    components = {component for region in regions for component in region}
    for component in sorted(components):
        if all(component in region for region in regions):
            inside = frozenset().union(*(region[component] for region in regions))
            outside = [code for code in table.codelist(component).codes if code not in inside]
            for finding in _wrong_codes(table, rows, component, outside, " ".join(_ordered(table, component, inside))):
                yield finding
                rows = rows & ~finding.rows
    if len(regions) > 1:
        fits = [np.logical_and.reduce([table.frame[c].isin(list(r[c])) for c in r]) for r in regions]
        told = sorted(c for c in components if any(r.get(c) != regions[0].get(c) for r in regions))
        known = [table.frame[c].isin(list(table.codelist(c).codes)) for c in told]
        outside = rows & np.logical_and.reduce(known) & ~np.logical_or.reduce(fits)
        found = _joined(table, outside, told)
        yield Finding(outside, found, " | ".join(_described(table, region, told) for region in regions))


def unique(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-05: one figure for each key. Incomplete keys are left to STR-02."""
    key = table.flow.structure.key
    filled = np.logical_and.reduce([(table.frame[component] != "").to_numpy() for component in key])
    lines = pd.Series(table.line_numbers(""))  # no component is left out: the whole key
    repeated = rows & filled & lines.duplicated(keep=False).to_numpy()
    keys = _joined(table, repeated, key)[repeated].unique()
    more = f" (+{len(keys) - 1})" if len(keys) > 1 else ""
    yield Finding(repeated, f"{keys[0]}{more}" if len(keys) else "", "1")


def mandatory(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-06: mandatory attributes are filled; those of the data set are written at release."""
    for component in table.flow.structure.of_role("attribute"):
        if component.is_mandatory and component.attachment != "dataset":
            blank = (table.frame[component.id] == "").to_numpy()
            yield Finding(rows & blank, "", component.id, component.id)


def period(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-07: the period is written as its frequency asks, and does not begin after the release."""
    numbers, distinct = pd.factorize(table.frame["TIME_PERIOD"])
    periods = [*map(str, distinct), ""]
    future = np.array([not _EARLIEST < _first_month(each) <= table.day[:7] for each in periods])[numbers]
    rows = rows & (table.frame["TIME_PERIOD"] != "").to_numpy()
    found = texts(table.frame["TIME_PERIOD"])
    for frequency, pattern in PERIODS.items():
        formed = np.array([re.fullmatch(pattern, each, re.ASCII) is not None for each in periods])[numbers]
        here = rows & (table.frame["FREQ"] == frequency).to_numpy()
        yield Finding(here & ~formed, found, _EXAMPLES[frequency], "TIME_PERIOD")
        yield Finding(here & formed & future, found, f"≤ {table.day[:7]}", "TIME_PERIOD")
    dates = texts(table.frame["REF_DATE"]) if "REF_DATE" in table.frame else found.where(found == "", "")
    wrong = (dates != "").to_numpy() & ~dates.str.fullmatch(_DATE).to_numpy(dtype=bool)
    yield Finding(rows & wrong, dates, "2024-12-31", "REF_DATE")


def numeric(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-08: figures are numbers. Digits are masked: the text could hold a small count."""
    wrong = rows & (table.frame["text"] != "").to_numpy()
    if wrong.any():
        yield Finding(wrong, texts(table.frame["text"]).str.replace(r"\d", "#", regex=True), "12345.6")


def _wrong_codes(table: Table, rows: Mask, component: str, codes: list[str], expected: str) -> Iterator[Finding]:
    wrong = rows & table.frame[component].isin(codes).to_numpy()
    if wrong.any():
        yield Finding(wrong, _without_figures(table.frame[component]), expected, component)


def _without_figures(column: pd.Series[str]) -> pd.Series[str]:
    """Labels as text; one that reads as a number may be a count in a shifted column, and is masked."""
    said = texts(column)
    return said.where(~said.str.fullmatch(r"[\d.,\s]*\d[\d.,\s]*"), said.str.replace(r"\d", "#", regex=True))


def _joined(table: Table, rows: Mask, components: tuple[str, ...] | list[str]) -> pd.Series[str]:
    """The codes of the components, written as a key, for the rows at fault."""
    columns = [texts(table.frame.loc[rows, component]).to_list() for component in components]
    keys = [".".join(codes) for codes in zip(*columns, strict=True)]
    return pd.Series(keys, index=table.frame.index[rows], dtype="str").reindex(table.frame.index, fill_value="")


def _ordered(table: Table, component: str, codes: frozenset[str]) -> list[str]:
    return [code for code in table.codelist(component).codes if code in codes]


def _described(table: Table, region: Mapping[str, frozenset[str]], told: list[str]) -> str:
    """What a region asks beyond what all regions ask."""
    return ", ".join(f"{c} {' '.join(_ordered(table, c, region[c]))}" for c in told if c in region)


def _first_month(period: str) -> str:
    """The month a period begins in, as text that sorts; nonsense sorts somewhere and fails its pattern."""
    return f"{period[:4]}-{_FIRST_MONTH.get(period[5:], period[5:])}"
