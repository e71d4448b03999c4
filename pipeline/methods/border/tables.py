"""What is counted of the events: one query a table, in words that every engine understands.

Each query runs over `told`, the table that `persons` makes, in parts or whole; the sums of the parts are the table.
Months are numbers such as 202403, ages completed years on the day, NULL where the birth is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.methods.border.records import DIRECTION, IN_RULE, MOMENT, TWICE
from pipeline.methods.border.rule import NON_RESIDENT, OPEN, RESIDENT, Rule

AGE_LIMIT = 110  # years; who would be older is taken to have died (framework §9.4)
_ROWS_KEPT = 1_000_000
LEARNT_DAYS = 3 * 365  # how far back the outcomes reach that provisional figures learn from
BAND_DAYS = 30
SHORT_DAYS = 90  # a stay of three months and more, short of the threshold, is temporary mobility


@dataclass(frozen=True)
class Query:
    """A query, the columns of its result that are added up over the parts, and the rest, which tell its rows apart."""

    text: str
    keys: tuple[str, ...]
    counts: tuple[str, ...]


def queries(rule: Rule) -> Mapping[str, Query]:
    """Every table by its name."""
    dated = "*, date_from_unix_date(day) AS date, date_from_unix_date(birth) AS born"
    age = _age("date")
    who = ("citizenship", "sex", "age")
    in_rule = f"reason = {IN_RULE}"
    placed = f"reason NOT IN ({DIRECTION}, {MOMENT}, {TWICE})"
    ready = rule.obs_end - rule.window_days
    return {
        "flows": Query(
            f"""SELECT month, is_arrival, citizenship, sex, {age} AS age, purpose, counterpart,
                SUM(CASE WHEN migrant = 1 THEN 1 ELSE 0 END) AS migrants,
                SUM(CASE WHEN migrant = {OPEN} THEN 1 ELSE 0 END) AS pending,
                SUM(CASE WHEN migrant = 1 AND is_imputed THEN 1 ELSE 0 END) AS imputed_migrants
            FROM (SELECT {dated} FROM told WHERE {in_rule} AND migrant <> 0) AS dated GROUP BY ALL""",
            ("month", "is_arrival", *who, "purpose", "counterpart"),
            ("migrants", "pending", "imputed_migrants"),
        ),
        "pending": Query(
            f"""SELECT month, is_arrival, citizenship, sex, {age} AS age, counterpart,
                CAST(FLOOR(obs_days / {BAND_DAYS}) AS INTEGER) AS band, COUNT(*) AS persons
            FROM (SELECT {dated} FROM told WHERE {in_rule} AND migrant = {OPEN}) AS dated GROUP BY ALL""",
            ("month", "is_arrival", *who, "counterpart", "band"),
            ("persons",),
        ),
        "outcomes": Query(
            f"""SELECT is_arrival, citizenship, sex, CAST(FLOOR({age} / 20) AS INTEGER) AS age_band,
                CAST(FLOOR((decided_on - day) / {BAND_DAYS}) AS INTEGER) AS band, COUNT(*) AS persons,
                SUM(CASE WHEN migrant = 1 THEN 1 ELSE 0 END) AS migrants
            FROM (SELECT {dated} FROM told WHERE {in_rule} AND day > {ready - LEARNT_DAYS} AND day <= {ready}
                AND outcome <> {OPEN} AND status_before = CASE WHEN is_arrival THEN {NON_RESIDENT} ELSE {RESIDENT} END
            ) AS dated GROUP BY ALL""",
            ("is_arrival", "citizenship", "sex", "age_band", "band"),
            ("persons", "migrants"),
        ),
        "stocks": Query(
            f"""SELECT ref AS year, is_arrival, status_after, citizenship, sex, ref - year(born) AS age,
                COUNT(*) AS persons
            FROM ({_at_ends_of_year(f"{in_rule} AND (is_arrival OR status_after <> {NON_RESIDENT})")}) AS there
            WHERE born IS NULL OR ref - year(born) < {AGE_LIMIT} GROUP BY ALL""",
            ("year", "is_arrival", "status_after", *who),
            ("persons",),
        ),
        "overstays": Query(
            f"""SELECT ref AS year, citizenship, sex, purpose, COUNT(*) AS persons
            FROM ({_at_ends_of_year(f"{in_rule} AND is_arrival AND {rule.permitted_days} > 0")}) AS there
            WHERE unix_date(make_date(ref, 12, 31)) - day > {rule.permitted_days} GROUP BY ALL""",
            ("year", "citizenship", "sex", "purpose"),
            ("persons",),
        ),
        "crossings": Query(
            f"""SELECT month, is_arrival, citizenship, sex, mode, traveller_type,
                CASE WHEN {in_rule} THEN status_before ELSE -1 END AS status,
                SUM(CASE WHEN is_imputed THEN 0 ELSE 1 END) AS crossings,
                SUM(CASE WHEN is_imputed THEN 1 ELSE 0 END) AS imputed
            FROM told WHERE {placed} GROUP BY ALL""",
            ("month", "is_arrival", "citizenship", "sex", "mode", "traveller_type", "status"),
            ("crossings", "imputed"),
        ),
        "temporary": Query(
            f"""SELECT month, citizenship, sex, {age} AS age, COUNT(*) AS arrivals
            FROM (SELECT {dated} FROM told WHERE {in_rule} AND is_arrival AND status_before = {NON_RESIDENT}
                AND migrant = 0 AND side_days >= {SHORT_DAYS}) AS dated GROUP BY ALL""",
            ("month", *who),
            ("arrivals",),
        ),
        "persons": Query(
            f"""SELECT 0 AS everyone, SUM(CASE WHEN seq = 2 THEN 1 ELSE 0 END) AS persons,
                SUM(CASE WHEN is_mended THEN 1 ELSE 0 END) AS mended,
                SUM(CASE WHEN is_imputed THEN 1 ELSE 0 END) AS imputed, COUNT(*) AS events
            FROM told WHERE {in_rule} HAVING COUNT(*) > 0""",
            ("everyone",),
            ("persons", "mended", "imputed", "events"),
        ),
        "aside": Query(
            f"SELECT reason, COUNT(*) AS records FROM told WHERE reason <> {IN_RULE} GROUP BY reason",
            ("reason",),
            ("records",),
        ),
    }


def _age(date: str) -> str:
    """Completed years on a day."""
    return (
        f"(year({date}) - year(born) - CASE WHEN month({date}) * 100 + day({date})"
        " < month(born) * 100 + day(born) THEN 1 ELSE 0 END)"
    )


def _at_ends_of_year(where: str) -> str:
    """Who is where on each 31 December `ref`: the event that is a person's last on or before it."""
    begun, ended = "CAST(FLOOR(month / 100) AS INTEGER)", "CAST(FLOOR(until_month / 100) AS INTEGER)"
    return f"""SELECT * FROM (
            SELECT *, date_from_unix_date(birth) AS born, {begun} AS begun, {ended} AS ended FROM told
            WHERE {where} AND until_month - until_month % 100 > month
        ) AS spans JOIN years ON ref >= begun AND ref < ended"""


class Sums:
    """A table that is added up part by part. Parts that wait are folded into it before they outgrow it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, query: Query) -> None:
        self._connection, self._query = connection, query
        self._parts: list[pa.Table] = []
        self._folded = 0

    def add(self, part: pa.Table) -> None:
        """Take a part in."""
        # A copy in memory of Arrow: what lives long in that of the engine would keep apart what is freed around it.
        self._parts.append(part.take(np.arange(len(part))))
        if sum(map(len, self._parts)) > 2 * self._folded + _ROWS_KEPT:
            self._parts = [self.table()]
            self._folded = len(self._parts[0])

    def table(self) -> pa.Table:
        """All parts added up, in the order of the keys."""
        query = self._query
        if not self._parts:
            return pa.table({name: [] for name in (*query.keys, *query.counts)})
        plain = [each.cast(pa.schema([_plain(field) for field in each.schema])) for each in self._parts]
        self._connection.register("parts", pa.concat_tables(plain, promote_options="permissive"))
        sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in query.counts)
        keys = ", ".join(query.keys)
        found = self._connection.execute(f"SELECT {keys}, {sums} FROM parts GROUP BY {keys} ORDER BY {keys}")
        made = found.to_arrow_table()
        self._connection.unregister("parts")
        return made


def _plain(field: pa.Field) -> pa.Field:
    """Sums as whole numbers of 64 bits."""
    kind = field.type
    return field.with_type(pa.int64()) if pa.types.is_decimal(kind) or pa.types.is_floating(kind) else field
