"""Rules that hold one published figure against another: ratios, equal figures, sources of one thing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from pipeline.across import arguments
from pipeline.across.figures import dimensions, figures, named
from pipeline.across.pairs import COMPARED, WITHHELD, key, nothing, number, of_join, query, severity
from pipeline.checks.lines import ESTIMATE_TOLERANCE
from pipeline.framework import Rule
from pipeline.model import Library, Whole

EVERY = "*"
_ALIKE = ("FREQ", "REF_AREA", "MEASURE", "UNIT_MEASURE")
TOLERANCE = f"""greatest(CASE WHEN l.ESTIMATE OR r.ESTIMATE THEN {ESTIMATE_TOLERANCE} * abs(l.VALUE) ELSE 1e-6 END,
    greatest(l.ROUNDING, r.ROUNDING))"""  # framework §4: of two rounded figures, base × 2 / 2


def ratio(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> pd.DataFrame:
    """Figure / other figure lies from `low` to `high`.

    The other is of the same period; or `lag` years before; or of the nearest year, at most `within`
    years away, in each of its sources.
    """
    left, right = _sides(wholes, rule, library)
    if left.empty or right.empty:
        return nothing()
    found = arguments.settings(rule)
    low, high, within, lag = (number(found, name) for name in ("low", "high", "within", "lag"))
    is_year = "length(l.TIME_PERIOD) = 4 AND length(r.TIME_PERIOD) = 4"
    when = "l.TIME_PERIOD = r.TIME_PERIOD"
    if "lag" in found:
        when = f"{is_year} AND r.YEAR = l.YEAR - {lag}"
    elif "within" in found:
        when = f"({when} OR {is_year} AND abs(l.YEAR - r.YEAR) <= {within})"
    nearest = """QUALIFY row_number() OVER (PARTITION BY l.FLOW, l.ROW, r.FLOW, r.SOURCE_TYPE, r.BASIS, r.MEASURE
        ORDER BY abs(l.YEAR - r.YEAR), r.TIME_PERIOD DESC, r.ROW) = 1"""
    on = [f"l.{each} = r.{each}" for each in (*_by(rule, library), "FREQ", "REF_AREA", "UNIT_MEASURE")]
    fails = f"(l.VALUE < {low} * r.VALUE OR (l.VALUE > {high} * r.VALUE))"
    if "high" not in found:
        fails = f"l.VALUE < {low} * r.VALUE"
    share = "CASE WHEN r.VALUE <> 0 THEN l.VALUE / r.VALUE END"
    sql = of_join(rule, library, on=" AND ".join([*on, when]), measure=share, fails=fails, nearest=nearest)
    return query(sql, l=left, r=right)


def distinct(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> pd.DataFrame:
    """Two figures that measure different things are not exactly the same number."""
    left, right = _sides(wholes, rule, library)
    if left.empty or right.empty:
        return nothing()
    on = " AND ".join(f"l.{each} = r.{each}" for each in (*_by(rule, library), "FREQ", "REF_AREA", "TIME_PERIOD"))
    sql = of_join(rule, library, on=on, measure="l.VALUE - r.VALUE", fails="l.VALUE = r.VALUE AND l.VALUE <> 0")
    return query(sql, l=left, r=right)


def same(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> pd.DataFrame:
    """A figure that stands in two dataflows is the same in both (framework §3.1)."""
    shared = _shared_measures(wholes)
    chosen = [whole for whole in wholes.values() if shared.keys() & set(_measures(whole))]
    if not shared:
        return nothing()
    left = figures(chosen, rule.when, rule, library)
    left = left[left["MEASURE"].isin(list(shared))]
    on = [f"l.{each} = r.{each}" for each in (*_by(rule, library), *_ALIKE, "SOURCE_TYPE", "TIME_PERIOD")]
    fails = f"abs(l.VALUE - r.VALUE) > {TOLERANCE}"
    sql = of_join(rule, library, on=" AND ".join([*on, "l.FLOW < r.FLOW"]), measure="l.VALUE - r.VALUE", fails=fails)
    return query(sql, l=left, r=left)


def spread(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> pd.DataFrame:
    """(largest − smallest) / mean of what several codes of one dimension say of the same thing."""
    over = arguments.settings(rule)["over"]
    chosen = [wholes[flow] for flow in rule.dataflows if flow in wholes]
    every = (*_ALIKE, "AREA", "FLOW", "TIME_PERIOD", *dimensions(rule, library))
    group = ", ".join(dict.fromkeys(each for each in every if each != over))
    names = ", ".join(f"any_value({each}) AS {each}" for each in ("SOURCE_TYPE",) if each != over)
    sql = f"""
        WITH told AS (
            SELECT {group}{", " + names if names else ""}, max(VALUE) AS figure, min(VALUE) AS other_figure,
                arg_max({over}, VALUE) AS source, arg_min({over}, VALUE) AS other_source, arg_max(ROW, VALUE) AS row,
                CASE WHEN count(VALUE) > 1 THEN '{COMPARED}' ELSE '{WITHHELD}' END AS state,
                CASE WHEN avg(VALUE) <> 0 THEN (max(VALUE) - min(VALUE)) / abs(avg(VALUE)) ELSE 0 END AS spread,
                min(ROW) AS first_row
            FROM figures GROUP BY {group} HAVING count(*) > 1)
        SELECT '{rule.id}' AS rule, {severity(rule, "spread")} AS severity, AREA AS area, FLOW AS flow,
            coalesce(source, '') AS source, AREA AS other_area, FLOW AS other_flow,
            coalesce(other_source, '') AS other_source, {key(rule, library, "told")} AS key, TIME_PERIOD AS period,
            TIME_PERIOD AS other_period, figure, other_figure, spread AS measure, state, coalesce(row, first_row) AS row
        FROM told ORDER BY area, flow, key, FREQ, period, source
    """  # noqa: S608 (names of columns, and what `arguments` has checked)
    told = figures(chosen, rule.when, rule, library, several=over)
    return query(sql, figures=told.assign(VALUE=told["VALUE"].mask(told["IS_SMALL"])))


def _sides(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures of the first dataflow that `when` selects, and those of the last that `then` selects."""
    by = _by(rule, library)
    sides = []
    for flow, condition in ((rule.dataflows[0], rule.when), (rule.dataflows[-1], rule.then)):
        free = {*named(condition), *by} | ({"COUNTRY_BIRTH", "CITIZENSHIP"} if "ORIGIN" in by else set())
        found = figures([wholes[flow]] if flow in wholes else [], condition, rule, library, free=free)
        sides.append(found[found["BASIS"].fillna("") != ""] if "ORIGIN" in by else found)
    return sides[0], sides[1]


def _by(rule: Rule, library: Library) -> Collection[str]:
    """The dimensions by which figures of the rule are told apart."""
    by = arguments.settings(rule)["by"]
    return tuple(by.split()) if by != EVERY else [d for d in dimensions(rule, library) if d != "SOURCE_TYPE"]


def _measures(whole: Whole) -> list[str]:
    return [str(each) for each in whole.data.frame[whole.data.flow.structure.measure_dimension].unique()]


def _shared_measures(wholes: Mapping[str, Whole]) -> dict[str, int]:
    """Measures that more than one dataflow has."""
    count = pd.Series([each for whole in wholes.values() for each in _measures(whole)], dtype="str").value_counts()
    return {str(measure): int(number) for measure, number in count[count > 1].items()}
