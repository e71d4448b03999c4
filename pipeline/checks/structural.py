"""STR: the table is complete, its codes exist, its keys are unique and its periods make sense."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Table, key_numbers
from pipeline.framework import Rule

_PERIODS = {"A": r"\d{4}", "Q": r"\d{4}-Q[1-4]", "M": r"\d{4}-(?:0[1-9]|1[0-2])"}
_EXAMPLES = {"A": "2024", "Q": "2024-Q1", "M": "2024-01"}


def agreement(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-01: the provider of each table has an agreement for this dataflow."""
    agreements = table.library.countries[table.area].agreements
    for number, origin in enumerate(table.origins):
        if (origin.provider, table.flow.id) not in agreements:
            here = rows & (table.frame["table"] == number).to_numpy()
            yield Finding(here, origin.provider, f"{origin.provider} → {table.flow.id}")


def authority(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-10: a table about a country comes from a producer of that country or an international one."""
    codelist = table.library.list_of("REF_AREA")
    assert codelist is not None
    areas = table.frame["REF_AREA"].astype(str)
    wrong = rows & ~areas.isin(codelist.descendants(table.area)).to_numpy()
    yield Finding(wrong, areas, table.area, "REF_AREA")


def complete(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-02: every dimension and the period are there and filled."""
    for component in table.flow.structure.key:
        if component not in table.frame:
            yield Finding(rows, "", component, component)
        else:
            yield Finding(rows & (table.frame[component] == "").to_numpy(), "", component, component)


def codes(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-03: each distinct code is looked up once."""
    for component in table.flow.structure.components.values():
        if component.codelist is None or component.id not in table.frame:
            continue
        column = table.frame[component.id]
        unknown = [code for code in column.unique() if code and code not in component.codelist.codes]
        if unknown:
            yield Finding(
                rows & column.isin(unknown).to_numpy(), column.astype(str), component.codelist.ref, component.id
            )


def allowed(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-04: the key lies in a region of the dataflow's allowed content."""
    regions = table.flow.regions
    common = {component for component in regions[0] if all(component in region for region in regions)}
    for component in sorted(common):
        codes = frozenset().union(*(region[component] for region in regions))
        column = table.frame[component]
        known = table.library.list_of(component)
        assert known is not None
        outside = rows & (column.isin(list(known.codes)) & ~column.isin(list(codes))).to_numpy()
        yield Finding(outside, column.astype(str), " ".join(sorted(codes)), component)
        rows = rows & ~outside
    if len(regions) > 1:
        inside = np.zeros(len(table.frame), dtype=bool)
        for region in regions:
            inside |= np.logical_and.reduce([table.frame[c].isin(list(codes)) for c, codes in region.items()])
        needed = " | ".join(
            ", ".join(f"{c} {' '.join(sorted(codes))}" for c, codes in region.items() if codes != regions[0].get(c))
            or ", ".join(f"{c} {' '.join(sorted(r))}" for c, r in region.items() if c not in common)
            for region in regions
        )
        yield Finding(rows & ~inside, "", needed)


def unique(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-05: one figure for each key."""
    numbers = pd.Series(key_numbers(table.frame, table.flow.structure.key))
    repeated = rows & numbers.duplicated(keep=False).to_numpy()
    if repeated.any():
        key = table.frame.loc[repeated, list(table.flow.structure.key)].astype(str)
        texts = pd.Series("", index=table.frame.index)
        texts[repeated] = key.agg(".".join, axis=1)
        yield Finding(repeated, texts, "1")


def mandatory(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-06: mandatory attributes are filled; those of the data set are written at release."""
    for component in table.flow.structure.of_role("attribute"):
        if component.is_mandatory and component.attachment != "dataset":
            present = component.id in table.frame
            blank = (table.frame[component.id] == "").to_numpy() if present else np.ones(len(table.frame), dtype=bool)
            yield Finding(rows & blank, "", component.id, component.id)


def period(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-07: the period is written as its frequency asks, and does not begin after the release."""
    periods = table.frame["TIME_PERIOD"].astype(str)
    month = periods.str.slice(5).replace({"": "01", "Q1": "01", "Q2": "04", "Q3": "07", "Q4": "10"})
    future = (periods.str.slice(0, 4) + "-" + month > table.day[:7]).to_numpy()
    for frequency, pattern in _PERIODS.items():
        here = rows & (table.frame["FREQ"] == frequency).to_numpy()
        formed = periods.str.fullmatch(pattern).to_numpy(dtype=bool)
        yield Finding(here & ~formed, periods, _EXAMPLES[frequency], "TIME_PERIOD")
        yield Finding(here & formed & future, periods, f"≤ {table.day[:7]}", "TIME_PERIOD")


def numeric(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """STR-08: figures are numbers. Digits are masked: the text could hold a small count."""
    text = table.frame["text"].astype(str)
    yield Finding(rows & (text != "").to_numpy(), text.str.replace(r"\d", "#", regex=True), "12345.6")
