"""What every comparison yields, whichever rule makes it: pairs of figures, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import duckdb
import pandas as pd

from pipeline.across import arguments
from pipeline.across.figures import TOTAL, dimensions
from pipeline.framework import Rule
from pipeline.model import Library

COLUMNS = (
    "rule",
    "severity",
    "area",
    "flow",
    "source",
    "other_area",
    "other_flow",
    "other_source",
    "key",
    "period",
    "other_period",
    "figure",
    "other_figure",
    "measure",
    "state",
    "row",
)
COMPARED, WITHHELD = "compared", "withheld"
_OPEN = {"low": "0", "high": "'infinity'::DOUBLE"}


def query(sql: str, **tables: pd.DataFrame) -> pd.DataFrame:
    """Run one statement over tables in memory; it must say the order of its rows."""
    connection = _connection()
    for name, table in tables.items():
        connection.register(name, table)
    try:
        return connection.execute(sql).df()
    finally:
        for name in tables:
            connection.unregister(name)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One database in memory for all statements: to open it takes longer than most of them."""
    return duckdb.connect()


def nothing() -> pd.DataFrame:
    """No pair at all."""
    return pd.DataFrame(columns=list(COLUMNS))


def number(found: Mapping[str, str], name: str) -> str:
    """A number of a rule as SQL; where it gives none, one that limits nothing."""
    return found.get(name, _OPEN.get(name, "0"))


def severity(rule: Rule, distance: str) -> str:
    """SQL: the gravest severity whose limit the distance exceeds, or the empty text."""
    found = arguments.settings(rule)
    cases = [f"WHEN {distance} > {found[each]} THEN '{each}'" for each in ("W", "I") if each in found]
    return f"CASE WHEN state <> '{COMPARED}' THEN '' {' '.join(cases)} ELSE '' END"


def key(rule: Rule, library: Library, side: str = "l") -> str:
    """SQL: the codes that make a figure narrower than the whole country, such as `SEX=F AGE=Y0T14`."""
    silent = ("FREQ", "REF_AREA", "SOURCE_TYPE")
    parts = [f"CASE WHEN {side}.REF_AREA <> {side}.AREA THEN 'REF_AREA=' || {side}.REF_AREA END"]
    parts += [
        f"CASE WHEN {side}.{each} <> '{TOTAL}' THEN '{each}=' || {side}.{each} END"
        for each in dimensions(rule, library)
        if each not in silent
    ]
    return f"concat_ws(' ', {', '.join(parts)})"


def of_join(rule: Rule, library: Library, *, on: str, measure: str, fails: str, nearest: str = "") -> str:
    """SQL that pairs figures `l` with figures `r` and judges each pair.

    `on` says which belong together, `measure` what is told of a pair, `fails` when it is at fault.
    `nearest` may keep some of the pairs (a QUALIFY clause).
    """
    return f"""
        SELECT '{rule.id}' AS rule,
            CASE WHEN state = '{COMPARED}' AND is_fault THEN '{rule.severity}' ELSE '' END AS severity,
            * EXCLUDE (is_fault) FROM (
            SELECT l.AREA AS area, l.FLOW AS flow, l.SOURCE_TYPE AS source, r.AREA AS other_area, r.FLOW AS other_flow,
                r.SOURCE_TYPE AS other_source, {key(rule, library)} AS key, l.TIME_PERIOD AS period,
                r.TIME_PERIOD AS other_period, l.VALUE AS figure, r.VALUE AS other_figure, {measure} AS measure,
                CASE WHEN l.WITHHELD OR r.WITHHELD OR l.IS_SMALL OR r.IS_SMALL THEN '{WITHHELD}' ELSE '{COMPARED}' END
                AS state, l.ROW AS row, {fails} AS is_fault
            FROM l JOIN r ON {on} {nearest})
        ORDER BY {", ".join(each for each in COLUMNS if each not in ("rule", "severity", "measure"))}
    """  # noqa: S608 (names of columns, and what `arguments` has checked)
