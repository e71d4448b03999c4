"""DOM: one row at a time, the values agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline import conditions
from pipeline.checks.finding import Finding, Mask, Table, shown
from pipeline.framework import Rule


def condition(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """Each clause of `then` holds wherever `when` does; the component of the clause is blamed."""
    for clause in conditions.parse(rule.then):
        right = conditions.holds((clause,), table.frame, table.library.list_of).to_numpy()
        expected = " ".join((clause.operator, *clause.values))
        if clause.component not in table.frame:
            yield Finding(rows & ~right, "", f"{clause.component} {expected}", clause.component)
            continue
        wrong = rows & ~right
        column = table.frame[clause.component]
        found = pd.Series("", index=column.index)
        found[wrong] = _texts(column[wrong])
        blamed = "" if clause.component == "OBS_VALUE" else clause.component
        yield Finding(wrong, found, f"{clause.component} {expected}", blamed)


def _texts(column: pd.Series[str]) -> pd.Series[str]:
    if pd.api.types.is_float_dtype(column.dtype):
        return column.map(lambda value: "" if np.isnan(value) else shown(value))
    return column.astype(str)


def own_country(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """DOM-05, DOM-06: a reporter's own code may not stand where its origin or counterpart goes."""
    for component in rule.argument.split():
        column = table.frame[component].astype(str)
        own = (column == table.frame["REF_AREA"].astype(str).str.slice(0, 2)).to_numpy()
        yield Finding(rows & own, column, "NAT" if component != "COUNTERPART_AREA" else "", component)


def unit(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """DOM-41: the unit is the one that the list of measures or indicators gives."""
    measure = table.flow.structure.measure_dimension
    codelist = table.flow.structure.components[measure].codelist
    assert codelist is not None
    units = {code.id: code.notes.get("unit", "") for code in codelist.codes.values()}
    expected = table.frame[measure].astype(str).map(units).fillna("")
    found = table.frame["UNIT_MEASURE"].astype(str)
    for each in sorted(set(expected) - {""}):
        wrong = rows & ((expected == each) & (found != each)).to_numpy()
        yield Finding(wrong, found, each, "UNIT_MEASURE")
