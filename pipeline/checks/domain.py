"""DOM: one row at a time, the values agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline import conditions
from pipeline.checks.finding import Finding, Mask, Table, key_numbers, texts
from pipeline.framework import Rule

_FIGURES = ("OBS_VALUE", "CV", "SE", "N_OBS")


def condition(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """Each clause of `then` holds wherever `when` does; the component of the clause is blamed.

    What is found is told for codes only: a figure could be confidential.
    """
    for clause in conditions.parse(rule.then):
        right = conditions.holds((clause,), table.frame, table.library.list_of).to_numpy()
        wrong = rows & ~right
        expected = " ".join((clause.component, clause.operator, *clause.values))
        is_told = clause.component in table.frame and clause.component not in _FIGURES
        found = texts(table.frame[clause.component]) if is_told and wrong.any() else ""
        yield Finding(wrong, found, expected, "" if clause.component == "OBS_VALUE" else clause.component)


def own_country(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """DOM-05, DOM-06: a reporter's own code may not stand where its origin or counterpart goes."""
    areas, distinct = pd.factorize(table.frame["REF_AREA"])
    roots = np.array([*(str(area)[:2] for area in distinct), ""], dtype=object)[areas]
    for component in rule.argument.split():
        codes, values = pd.factorize(table.frame[component])
        own = np.array([*map(str, values), "-"], dtype=object)[codes] == roots
        found = texts(table.frame[component]) if own.any() else ""
        yield Finding(rows & own, found, "" if component == "COUNTERPART_AREA" else "NAT", component)


def unit(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """DOM-41: the unit is the one that the list of measures or indicators gives."""
    measure = table.flow.structure.measure_dimension
    units = {code.id: code.notes.get("unit", "") for code in table.codelist(measure).codes.values()}
    measured, unit_found = table.frame[measure], table.frame["UNIT_MEASURE"]
    for expected in sorted(set(units.values()) - {""}):
        codes = [code for code, each in units.items() if each == expected]
        wrong = rows & measured.isin(codes).to_numpy() & (unit_found != expected).to_numpy()
        yield Finding(wrong, texts(unit_found) if wrong.any() else "", expected, "UNIT_MEASURE")


def attached(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """DOM-44: an attribute that hangs on a measure or a group says one thing for each of them.

    SDMX messages write it once (SDMX 2.1 section 2, attribute relationship): a second value would be lost.
    """
    structure = table.flow.structure
    levels = {"measure": (structure.measure_dimension,), "group": structure.group}
    for attachment, key in levels.items():
        for attribute in structure.attributes(attachment):
            number = key_numbers(table.frame, key)
            column = table.frame[attribute]
            filled = (column != "").to_numpy() & column.notna().to_numpy()
            said = pd.Series(pd.factorize(column)[0]).where(filled)
            other = filled & (said != said.groupby(number).transform("first")).to_numpy()
            yield Finding(rows & other, texts(table.frame[attribute]), " + ".join(key), attribute)
