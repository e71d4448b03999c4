"""Rules of population accounting: a stock is the one before, and what came and went in between."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.across import arguments
from pipeline.across.figures import figures
from pipeline.across.pairs import COMPARED, WITHHELD, key, nothing, query
from pipeline.checks.lines import ESTIMATE_TOLERANCE
from pipeline.framework import Rule
from pipeline.model import Library, Whole


def balance(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> pd.DataFrame:
    """`STK_POP := PREVIOUS + FLW_IN - FLW_OUT + CMP_ADJ?`, for each stock that has the one of the year before.

    All figures are of the rule's `code` of its `component`, or of the code that a term names. A term
    is taken from the source of the stock or, where that has none, from the only one there is. A
    balance without one of its terms is not made, unless the term has a question mark.
    """
    found = arguments.settings(rule)
    total, terms = arguments.equation(rule)
    component, code = found["component"], found["code"]
    chosen = [wholes[flow] for flow in rule.dataflows if flow in wholes]
    every = figures(chosen, rule.when, rule, library, free=(component, "SEX"))
    if not {term.measure for term in terms if not term.is_optional} <= set(every["MEASURE"]):
        return nothing()
    asked = pd.DataFrame(
        [(n, t.measure, t.code or code, t.sign, t.lag, t.is_optional) for n, t in enumerate(terms)],
        columns=["term", "measure", "code", "sign", "lag", "is_optional"],
    )
    needed = int((~asked["is_optional"]).sum())
    sql = f"""
        WITH stocks AS (SELECT * FROM figures WHERE MEASURE = '{total}' AND {component} = '{code}'),
        picked AS (
            SELECT s.ROW AS id, t.term, any_value(t.sign) AS sign, any_value(t.is_optional) AS is_optional,
                count(*) FILTER (f.SOURCE_TYPE = s.SOURCE_TYPE) AS own, count(DISTINCT f.SOURCE_TYPE) AS sources,
                max(f.VALUE) FILTER (f.SOURCE_TYPE = s.SOURCE_TYPE) AS own_value, max(f.VALUE) AS value,
                bool_or(f.WITHHELD) AS is_withheld, bool_or(f.ESTIMATE) AS is_estimate, max(f.ROUNDING) AS rounding
            FROM stocks AS s CROSS JOIN terms AS t JOIN figures AS f
                ON f.REF_AREA = s.REF_AREA AND f.SEX = s.SEX AND f.MEASURE = t.measure AND f.{component} = t.code
                AND f.FREQ = s.FREQ AND f.UNIT_MEASURE = s.UNIT_MEASURE AND f.YEAR = s.YEAR - t.lag
                AND (t.lag = 0 OR f.SOURCE_TYPE = s.SOURCE_TYPE)
            GROUP BY s.ROW, t.term),
        summed AS (
            SELECT id, sum(sign * CASE WHEN own > 0 THEN own_value ELSE value END) AS parts,
                bool_or(is_withheld) AS is_withheld, bool_or(is_estimate) AS is_estimate,
                max(rounding) * (count(*) + 1) / 2 AS rounding
            FROM picked WHERE own > 0 OR sources = 1
            GROUP BY id HAVING count(*) FILTER (NOT is_optional) = {needed}),
        judged AS (
            SELECT s.AREA AS area, s.FLOW AS flow, s.SOURCE_TYPE AS source, s.AREA AS other_area,
                s.FLOW AS other_flow, s.SOURCE_TYPE AS other_source, {key(rule, library, "s")} AS key,
                s.TIME_PERIOD AS period, (s.YEAR - 1)::VARCHAR AS other_period, s.VALUE AS figure,
                parts AS other_figure, s.VALUE - parts AS measure,
                CASE WHEN s.WITHHELD OR s.IS_SMALL OR p.is_withheld THEN '{WITHHELD}' ELSE '{COMPARED}' END AS state,
                s.ROW AS row,
                greatest(p.rounding, CASE WHEN s.ESTIMATE OR p.is_estimate THEN {ESTIMATE_TOLERANCE} * abs(s.VALUE)
                    ELSE 1e-6 END) AS tolerance
            FROM summed AS p JOIN stocks AS s ON s.ROW = p.id)
        SELECT '{rule.id}' AS rule,
            CASE WHEN state = '{COMPARED}' AND abs(measure) > tolerance THEN '{rule.severity}' ELSE '' END AS severity,
            * EXCLUDE (tolerance) FROM judged ORDER BY area, key, period, source
    """  # noqa: S608 (names of columns, and what `arguments` has checked)
    return query(sql, figures=every, terms=asked)
