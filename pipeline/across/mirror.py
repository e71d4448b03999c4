"""Mirror statistics: what two countries say of the same people, money or crossings between them.

Each corridor is told once, from the country where it begins to the one where it ends, so that the
table is the same from either side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.across import arguments
from pipeline.across.figures import TOTAL, figures, named
from pipeline.across.pairs import COMPARED, WITHHELD, number, query, severity
from pipeline.framework import Codelist, Rule
from pipeline.model import Library, Whole

ONE_ESTIMATE, PARTNER_DATA = "one_estimate", "partner_data"
_DEFINES = ("SOURCE_TYPE", "BASIS", "OBS_STATUS", "REF_DATE", "RES_CRITERION", "METHOD", "PROVIDER", "SOURCE_OPERATION")
_DIFFERS = ("TIME_PERIOD", "SOURCE_TYPE", "BASIS", "REF_DATE", "RES_CRITERION", "METHOD", "SOURCE_OPERATION")
_SIDES = ("origin", "destination")


@dataclass(frozen=True)
class Mirror:
    """The pairs of a rule, and the table of all of its corridors."""

    pairs: pd.DataFrame
    table: pd.DataFrame


def mirror(wholes: Mapping[str, Whole], rule: Rule, library: Library) -> Mirror:
    """CC = |a − b| / ((a + b) / 2) of what the two countries of a corridor report (framework §4, MIR).

    Years are paired when each is the nearest to the other and they lie at most `within` apart. Where
    both sides count by birth, or both by citizenship, that pair is taken alone. Two figures of one
    provider are one estimate, and the partner's own data (`partner`) are the other figure again:
    neither is compared.
    """
    found = arguments.settings(rule)
    begin = _side(wholes, rule, library, side="origin")
    end = _side(wholes, rule, library, side="destination")
    sql = f"""
        WITH joined AS (
            SELECT l, r, abs(l.YEAR - r.YEAR) AS apart, l.BASIS = r.BASIS AS is_one_basis
            FROM l JOIN r ON l.BEGIN = r.BEGIN AND l."END" = r."END" AND l.PLACE = r.PLACE AND l.SEX = r.SEX
                AND l.FREQ = r.FREQ AND l.UNIT_MEASURE = r.UNIT_MEASURE {_alike(rule)}
                AND (l.TIME_PERIOD = r.TIME_PERIOD OR (length(l.TIME_PERIOD) = 4 AND length(r.TIME_PERIOD) = 4
                    AND abs(l.YEAR - r.YEAR) <= {number(found, "within")}))
            QUALIFY row_number() OVER (PARTITION BY l.ROW, r.SOURCE_TYPE, r.BASIS
                    ORDER BY apart, r.TIME_PERIOD DESC, r.ROW) = 1
                AND row_number() OVER (PARTITION BY r.ROW, l.SOURCE_TYPE, l.BASIS
                    ORDER BY apart, l.TIME_PERIOD DESC, l.ROW) = 1),
        paired AS (
            SELECT * FROM joined QUALIFY is_one_basis OR NOT bool_or(is_one_basis) OVER (
                PARTITION BY l.BEGIN, l."END", l.PLACE, l.SEX, l.FREQ, l.SOURCE_TYPE, r.SOURCE_TYPE)),
        judged AS (
            SELECT *, l.VALUE AS a, r.VALUE AS b, CASE
                WHEN l.WITHHELD OR r.WITHHELD OR l.IS_SMALL OR r.IS_SMALL THEN '{WITHHELD}'
                WHEN {_is_of("l", found, "partner")} OR {_is_of("r", found, "partner")} THEN '{PARTNER_DATA}'
                WHEN l.PROVIDER = r.PROVIDER THEN '{ONE_ESTIMATE}' ELSE '{COMPARED}' END AS state,
                CASE WHEN a + b > 0 THEN abs(a - b) / ((a + b) / 2) WHEN a = b THEN 0 END AS cc
            FROM paired)
        SELECT '{rule.id}' AS rule, {severity(rule, "cc")} AS severity, l.BEGIN AS origin, l."END" AS destination,
            l.PLACE AS place, l.SEX AS sex, l.FREQ AS frequency, l.UNIT_MEASURE AS unit,
            l.TIME_PERIOD AS origin_period, r.TIME_PERIOD AS destination_period,
            CASE WHEN state <> '{WITHHELD}' THEN a END AS origin_figure,
            CASE WHEN state <> '{WITHHELD}' THEN b END AS destination_figure,
            CASE WHEN state IN ('{COMPARED}', '{ONE_ESTIMATE}') AND a > 0 THEN b / a END AS ratio,
            CASE WHEN state IN ('{COMPARED}', '{ONE_ESTIMATE}') THEN cc END AS cc, state AS comparison,
            {_estimated(found)} AS mirror_estimate, {_differences()} AS differences, {_definitions()},
            l.FLOW AS flow, r.FLOW AS other_flow, l.ROW AS row, l.MEASURE AS origin_measure,
            r.MEASURE AS destination_measure
        FROM judged
        ORDER BY origin, destination, place, sex, frequency, origin_period, destination_period,
            origin_source_type, destination_source_type, origin_basis, destination_basis, row
    """  # noqa: S608 (names of columns, and what `arguments` has checked)
    table = query(sql, l=begin, r=end)
    return Mirror(_pairs(table), table.drop(columns=["row", "flow", "other_flow"]))


def _side(wholes: Mapping[str, Whole], rule: Rule, library: Library, *, side: str) -> pd.DataFrame:
    """The figures of one side with the country where their corridor begins, the one where it ends, and its place."""
    flow, condition = (rule.dataflows[0], rule.when) if side == "origin" else (rule.dataflows[-1], rule.then)
    ends = arguments.settings(rule)[side]
    components = ends.split(">")
    free = {*components, *named(condition), "SEX"} | ({"COUNTRY_BIRTH", "CITIZENSHIP"} if "ORIGIN" in ends else set())
    found = figures([wholes[flow]] if flow in wholes else [], condition, rule, library, free=free)
    found = found[(found["REF_AREA"] == found["AREA"]) & found["BASIS"].notna()].copy()
    if "SEX" not in found:
        found["SEX"] = TOTAL
    posts = library.list_of("BORDER_POST")
    assert posts is not None
    place, neighbour = _places(posts)
    for name, component in zip(("BEGIN", "END"), components, strict=True):
        is_post = component == "BORDER_POST"
        found[name] = _named(found[component], neighbour) if is_post else found[component]
    found["PLACE"] = _named(found["BORDER_POST"], place) if "BORDER_POST" in components else ""
    countries = library.list_of("COUNTERPART_AREA")
    assert countries is not None
    known = list(countries.select("kind=country"))
    kept = found["BEGIN"].isin(known) & found["END"].isin(known) & (found["BEGIN"] != found["END"])
    return found[kept & ((found["PLACE"] != "") | ("BORDER_POST" not in components))]


def _named(codes: pd.Series[str], names: Mapping[str, str]) -> pd.Series[str]:
    return codes.map({code: names.get(code, "") for code in codes.unique()}).astype("str")


def _places(posts: Codelist) -> tuple[dict[str, str], dict[str, str]]:
    """For each border post that faces another: the two as one place, and the country on the other side."""
    facing = {code.id: code.notes["facing_post"] for code in posts.codes.values() if code.notes.get("facing_post")}
    facing |= {other: post for post, other in facing.items()}
    place = {post: "+".join(sorted((post, other))) for post, other in facing.items()}
    return place, {post: other.partition("_")[0] for post, other in facing.items()}


def _alike(rule: Rule) -> str:
    """SQL: what the conditions leave free and only some dataflows have must be the same on both sides."""
    common = named(rule.when) & named(rule.then) - {"MIG_MEASURE", "SOURCE_TYPE", "COUNTRY_BIRTH", "CITIZENSHIP"}
    return " ".join(f"AND l.{each} = r.{each}" for each in sorted(common))


def _is_of(side: str, found: Mapping[str, str], name: str) -> str:
    codes = ", ".join(f"'{code}'" for code in found.get(name, "").split())
    return f"{side}.SOURCE_TYPE IN ({codes})" if codes else "false"


def _estimated(found: Mapping[str, str]) -> str:
    """SQL: which sides are no count of their own country, but made from the figures of others."""
    told = [
        f"CASE WHEN {_is_of(side, found, 'partner')} OR {_is_of(side, found, 'estimate')} THEN '{name}' END"
        for side, name in zip("lr", _SIDES, strict=True)
    ]
    return f"concat_ws(' ', {', '.join(told)})"


def _differences() -> str:
    """SQL: what both sides say and do not say alike; what one does not say is not known to differ."""
    told = [
        f"CASE WHEN l.{each} <> r.{each} AND l.{each} <> '' AND r.{each} <> '' THEN '{each}' END" for each in _DIFFERS
    ]
    return f"concat_ws(' ', {', '.join(told)})"


def _definitions() -> str:
    """SQL: what defines the figure, side by side."""
    return ", ".join(
        f"coalesce({side}.{each}, '') AS {name}_{each.lower()}"
        for each in _DEFINES
        for side, name in zip("lr", _SIDES, strict=True)
    )


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The corridors in the form of all comparisons; the area is the origin."""
    key = table["origin"] + ">" + table["destination"] + (" " + table["place"]).where(table["place"] != "", "")
    sex = (" SEX=" + table["sex"]).where(table["sex"] != "_T", "")
    return pd.DataFrame(
        {
            "rule": table["rule"],
            "severity": table["severity"],
            "area": table["origin"],
            "flow": table["flow"],
            "source": table["origin_source_type"],
            "other_area": table["destination"],
            "other_flow": table["other_flow"],
            "other_source": table["destination_source_type"],
            "key": key + sex,
            "period": table["origin_period"],
            "other_period": table["destination_period"],
            "figure": table["origin_figure"],
            "other_figure": table["destination_figure"],
            "measure": table["cc"],
            "state": table["comparison"],
            "row": table["row"],
        }
    )
