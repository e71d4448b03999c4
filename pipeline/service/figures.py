"""The observations that a query asks for, found with DuckDB in the Parquet files of the release.

Names in a statement are those of the structure; what came with the request is a parameter of it, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pipeline import protect, releases
from pipeline.formats.columns import unguarded
from pipeline.framework import Dataflow
from pipeline.model import Protected
from pipeline.releases import deltas
from pipeline.service.ask import Ask, Condition
from pipeline.service.faults import NO_RESULTS, SEMANTIC, SYNTAX, TOO_LARGE, RequestError
from pipeline.service.periods import COMPARED, span
from pipeline.service.standing import Standing

_TEXTS = {
    "eq": "{0} = ?",
    "ne": "coalesce({0}, '') <> ?",
    "lt": "{0} < ?",
    "le": "{0} <= ?",
    "gt": "{0} > ?",
    "ge": "{0} >= ?",
    "co": "contains({0}, ?)",
    "nc": "NOT contains(coalesce({0}, ''), ?)",
    "sw": "starts_with({0}, ?)",
    "ew": "ends_with({0}, ?)",
}
_OF_NUMBERS = ("eq", "ne", "lt", "le", "gt", "ge")
_NOTHING: Mapping[str, Any] = {"origins": [], "suppressed": {}}


@dataclass(frozen=True)
class Source:
    """What a statement reads: a name in the FROM clause, its columns, and its periods with the days they cover."""

    connection: duckdb.DuckDBPyConnection
    name: str
    columns: Sequence[str]
    periods: Mapping[str, tuple[str, str]]


def connect(public: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that can read below the folder of the releases and nowhere else."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET memory_limit = '512MB'")
    connection.execute("SET threads = 2")
    connection.execute("SET allowed_directories = [?]", [str(public.resolve())])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def found(ask: Ask, at: Standing, connection: duckdb.DuckDBPyConnection, *, limit: int) -> Protected:
    """The observations, as they are published.

    Raises:
        RequestError: there are none, or more than `limit`.
    """
    source = _source(ask, at, connection)
    where, parameters = _where(ask, source)
    after, counted = _windowed(ask)
    chosen = f"SELECT * FROM {source.name} WHERE {where}{after}"  # noqa: S608  # names of the structure alone
    asked = [*parameters, *counted]
    wanted = _columns(ask, source)
    columns = ", ".join(f'"{name}"' for name in wanted)
    kind = "DISTINCT " if "TIME_PERIOD" not in wanted else ""
    # Of one row more than may be answered, none is looked at.
    statement = f"SELECT {kind}{columns} FROM ({chosen}) LIMIT {int(limit) + 1}"  # noqa: S608  # the same
    table = source.connection.execute(statement, asked).to_arrow_table()
    if table.num_rows > limit:
        raise RequestError(
            TOO_LARGE, f"The answer has more than {limit:,} observations. Ask for fewer by key or by period."
        )
    if not table.num_rows:
        raise RequestError(NO_RESULTS, "No observation fits the query.")
    return _protected(table.to_pandas(), ask.flow, at)


def _source(ask: Ask, at: Standing, connection: duckdb.DuckDBPyConnection) -> Source:
    cursor = connection.cursor()
    release = ask.release or (_release_of(ask.as_of, at) if ask.as_of else "")
    if release:
        cursor.register("figures", _typed(_frames(ask, at, release), ask.flow))
    else:
        if not at.tables.get(ask.flow.id):
            raise RequestError(NO_RESULTS, f"The release has no data of {ask.flow.id}.")
        paths = ", ".join("'" + each.replace("'", "''") + "'" for each in at.parquet(ask.flow.id))
        # Temporary, for others are seen by every request that is worked on at the same time.
        cursor.execute(f"CREATE TEMP VIEW figures AS SELECT * FROM read_parquet([{paths}], union_by_name = true)")  # noqa: S608
    if ask.updated_after:
        cursor.register("updated", _updated(ask, at))
    described = cursor.execute("SELECT * FROM figures LIMIT 0").description or []
    periods = cursor.execute('SELECT DISTINCT "TIME_PERIOD" FROM figures').fetchall()
    return Source(cursor, "figures", [name for name, *_ in described], {each: span(each) for (each,) in periods})


# ---------------------------------------------------------------- conditions


def _where(ask: Ask, source: Source) -> tuple[str, list[Any]]:
    """The condition of the statement and its parameters."""
    parts, keys = ["TRUE"], []
    parameters: list[Any] = []
    for key in ask.keys:
        named = []
        for dimension, codes in key.items():
            named.append(f'"{dimension}" IN ({", ".join("?" * len(codes))})')
            parameters += codes
        keys.append(" AND ".join(named))
    parts += ["(" + " OR ".join(f"({each})" for each in keys) + ")"] if keys else []
    for group in ask.filters:
        said = [_condition(each, ask.flow, source) for each in group]
        parts.append("(" + " OR ".join(text for text, _ in said) + ")")
        parameters += [value for _, values in said for value in values]
    if ask.updated_after:
        same = " AND ".join(f'u."{name}" = figures."{name}"' for name in ask.flow.structure.key)
        parts.append(f"EXISTS (SELECT 1 FROM updated u WHERE {same})")  # noqa: S608  # names of the structure
    return " AND ".join(parts), parameters


def _condition(asked: Condition, flow: Dataflow, source: Source) -> tuple[str, list[Any]]:
    component = flow.structure.components[asked.component]
    if component.role == "time":
        return _of_time(asked, source)
    if asked.component not in source.columns:  # an attribute that no figure has
        return ("TRUE" if asked.operator in ("ne", "nc") else "FALSE"), []
    value: Any = asked.value
    if component.is_number:
        if asked.operator not in _OF_NUMBERS:
            raise RequestError(SEMANTIC, f"{asked.component} is a number: {asked.operator} does not compare numbers.")
        try:
            value = float(asked.value)
        except ValueError:
            raise RequestError(SYNTAX, f'{asked.component} is a number, "{asked.value}" is none.') from None
        name = f'"{asked.component}"'
        return (f"{name} IS DISTINCT FROM ?" if asked.operator == "ne" else _TEXTS[asked.operator].format(name)), [
            value
        ]
    return _TEXTS[asked.operator].format(f'CAST("{asked.component}" AS VARCHAR)'), [value]


def _of_time(asked: Condition, source: Source) -> tuple[str, list[Any]]:
    if asked.operator not in COMPARED:
        return _TEXTS[asked.operator].format('"TIME_PERIOD"'), [asked.value]
    wanted, compare = span(asked.value), COMPARED[asked.operator]
    fitting = [period for period, mine in source.periods.items() if compare(mine, wanted)]
    return (f'"TIME_PERIOD" IN ({", ".join("?" * len(fitting))})' if fitting else "FALSE"), fitting


def _windowed(ask: Ask) -> tuple[str, list[Any]]:
    """The first and last observations of each series."""
    dimensions = ", ".join(f'"{name}"' for name in ask.flow.structure.dimensions)
    place = 'row_number() OVER (PARTITION BY {0} ORDER BY "TIME_PERIOD" {1}) <= ?'
    asked = [(ask.first, "ASC"), (ask.last, "DESC")]
    parts = [place.format(dimensions, order) for count, order in asked if count]
    return (f" QUALIFY {' OR '.join(parts)}" if parts else ""), [count for count, _ in asked if count]


def _columns(ask: Ask, source: Source) -> list[str]:
    """The columns that the detail asks for, in the order of the structure."""
    structure = ask.flow.structure
    wanted: Mapping[str, Callable[[], Iterable[str]]] = {
        "full": lambda: source.columns,
        "dataonly": lambda: (*structure.key, "OBS_VALUE"),
        "serieskeysonly": lambda: structure.dimensions,
        "nodata": lambda: (*structure.dimensions, *structure.attributes("measure", "group")),
    }
    asked = set(wanted[ask.detail]())
    return [name for name in (*structure.components,) if name in asked and name in source.columns]


# ---------------------------------------------------------------- earlier releases


def releases_of(ask: Ask, at: Standing) -> list[str]:
    """The releases that changed figures of the dataflow, oldest first."""
    return [name for name, made in at.past.changes.items() if any(each.table[0] == ask.flow.id for each in made)]


def _release_of(moment: str, at: Standing) -> str:
    """The last release of a day, or of those before it."""
    day = span(moment)[1]
    known = [name for name in at.past.changes if releases.moment(name)[0] <= day]
    if not known:
        raise RequestError(NO_RESULTS, f"There was no release by {day}.")
    return known[-1]


def _frames(ask: Ask, at: Standing, release: str) -> list[pd.DataFrame]:
    flow = ask.flow.id
    areas = dict.fromkeys(each.table[1] for made in at.past.changes.values() for each in made if each.table[0] == flow)
    frames = [releases.as_of(at.past, (flow, area), release) for area in areas]
    found = [frame for frame in frames if frame is not None and len(frame)]
    if not found:
        raise RequestError(NO_RESULTS, f"{release} had no data of {flow}.")
    return found


def _typed(frames: Sequence[pd.DataFrame], flow: Dataflow) -> pd.DataFrame:
    whole = pd.concat(frames, ignore_index=True).fillna("")
    whole = whole[[name for name in flow.structure.components if name in whole and name not in deltas.ON_DATASET]]
    for name in map(str, whole):
        if flow.structure.components[name].is_number:
            whole[name] = pd.to_numeric(whole[name].replace("", None))
        else:
            whole[name] = whole[name].map({text: unguarded(text) for text in whole[name].unique()})
    return whole


def _updated(ask: Ask, at: Standing) -> pd.DataFrame:
    """The keys of what releases after a day have added or changed."""
    day = span(ask.updated_after)[1]
    key = list(ask.flow.structure.key)
    found = [pd.DataFrame(columns=key, dtype=str)]
    for name, made in at.past.changes.items():
        if releases.moment(name)[0] > day:
            for change in made:
                if change.table[0] == ask.flow.id and not change.is_withdrawn:
                    message = at.past.delta(name, change)
                    found.append(message.loc[message["ACTION"] != deltas.DELETE, key])
    return pd.concat(found, ignore_index=True)


# ---------------------------------------------------------------- for the writers


def _protected(frame: pd.DataFrame, flow: Dataflow, at: Standing) -> Protected:
    """Figures that the release has published, as the writers take them."""
    has_periods = "TIME_PERIOD" in frame
    if not has_periods:
        frame = frame.assign(TIME_PERIOD="")
    for name in map(str, frame):
        if not flow.structure.components[name].is_number:
            frame[name] = frame[name].astype(object).fillna("").astype(str)
    made = protect.released(frame, _NOTHING, "", flow, at.library)
    return made if has_periods else replace(made, frame=made.frame.drop(columns="TIME_PERIOD"))
