"""A delivery of crossings as it came: opened, never written to, and told what of it cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import persons
from pipeline.errors import InputError
from pipeline.methods.border.columns import Register, register, select
from pipeline.methods.border.days import day_text
from pipeline.methods.border.records import OPTIONAL, REQUIRED, ZONED, Reading, fields, is_text
from pipeline.model import Issue

_SHOWN = 3
_ROWS_AT_ONCE = 50_000  # of a query in a database
_STALE_DAYS = 31  # without any crossing before the end of observation
MACROS = """
    CREATE OR REPLACE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER);
    CREATE OR REPLACE MACRO date_from_unix_date(n) AS DATE '1970-01-01' + CAST(n AS INTEGER);
    CREATE OR REPLACE MACRO sha2(word, bits) AS sha256(word);
    CREATE OR REPLACE MACRO from_utc_timestamp(t, zone) AS timezone(zone, timezone('UTC', t));
"""


@dataclass(frozen=True)
class Delivery:
    """A file of crossings and what stands beside it, as the view `crossings` of an engine.

    `file` is the one that is read: that of the delivery, or a copy of what a query gave.
    """

    name: str
    file: Path
    reading: Reading
    records: int
    last_day: int | None
    first_day: int | None
    issues: tuple[Issue, ...]

    @property
    def years(self) -> range:
        """The years that have a crossing, up to that of the end of observation."""
        first = 1970 if self.first_day is None else int(day_text(self.first_day)[:4])
        return range(first, int(self.reading.obs_end[:4]) + 1)

    @property
    def is_fit(self) -> bool:
        """True when nothing found forbids its use."""
        return not any(issue.severity == "E" for issue in self.issues)


def engine(*, memory: str, folder: Path, share: float = 1.0, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An embedded engine that keeps to a share of `memory` and spills to `folder`."""
    try:
        ((amount,),) = duckdb.execute("SELECT parse_formatted_bytes(?)", [memory]).fetchall()
        limits = {"memory_limit": f"{int(amount * share)}B", "temp_directory": str(folder)}
        made = duckdb.connect(config={**limits, **({"threads": threads} if threads else {})})
    except duckdb.Error as error:
        raise InputError(
            '--memory "{memory}" is not an amount such as 4GB ({error}).', memory=memory, error=_first_line(error)
        ) from None
    made.execute(f"SET enable_progress_bar = false; SET TimeZone = 'UTC'; {MACROS}")
    return made


def opened(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    name: str,
    obs_end: str,
    uncontrolled: Collection[str] = (),
    time_zone: str = "",
    layout: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> Delivery:
    """Open a delivery and tell what of it cannot be used.

    `name` is what the office calls it, where `file` is a copy. `beside` names tables by person: `initial`
    (person_id, initial_status) and `deaths` (person_id, death_date).

    Raises:
        InputError: a file cannot be opened.
    """
    columns = _view(connection, "crossings", file)
    found: tuple[Issue, ...] = ()
    if layout is not None:
        columns, found = _as_described(connection, register(layout), columns, name)
    found += tuple(_of_columns(columns, name, has_zone=bool(time_zone)))
    reading = Reading(
        columns,
        obs_end,
        is_loose=is_loose(name),
        uncontrolled=uncontrolled,
        time_zone=time_zone,
    )
    if any(issue.severity == "E" for issue in found):
        return Delivery(name, file, reading, 0, None, None, found)
    for each, path in (beside or {}).items():
        _beside(connection, each, path)
    reading = replace(reading, has_initial="initial" in (beside or {}), has_deaths="deaths" in (beside or {}))
    return _scanned(connection, Delivery(name, file, reading, 0, None, None, found))


def copied(query: Path, address: str, folder: Path) -> Path:
    """What a query in a database gives, as a columnar file of text in a folder; the database is only read.

    Raises:
        InputError: the query cannot be read, or the database cannot be reached or refuses it.
    """
    from pipeline import database  # its library is large, and few deliveries come from one

    try:
        asked = query.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError("{path}: it cannot be read ({error}).", path=query, error=error) from None
    parts = database.parts(query.name, asked, address, query.parent, at_once=_ROWS_AT_ONCE)
    names = [str(each) for each in next(parts)[0]]
    file = folder / f"{query.stem}.parquet"
    with pq.ParquetWriter(file, pa.schema([(name, pa.string()) for name in names])) as writer:
        for rows in parts:
            columns = [_text(list(values)) for values in zip(*rows, strict=True)]
            writer.write_table(pa.table(columns, names=names))
    return file


def _text(values: list[object]) -> pa.Array:
    """Values of a database as text files have them."""
    try:
        column = pa.array(values)
        return (column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column).cast(pa.string())
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _view(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> dict[str, str]:
    """Make a file a view; its columns and their types."""
    if not file.is_file():
        raise InputError("{file}: there is no such file.", file=file.name)
    path = str(file).replace("'", "''")
    try:
        if file.suffix.lower() in (".duckdb", ".db"):
            connection.execute(f"ATTACH '{path}' AS delivery (READ_ONLY)")
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM delivery.{name}")
        elif file.suffix.lower() == ".parquet":
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM read_parquet('{path}')")
        else:
            connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM read_csv('{path}', header = true,"
                " all_varchar = true, sample_size = 100000, strict_mode = true)"
            )
        described = connection.execute(f"DESCRIBE {name}").fetchall()
    except duckdb.Error as error:
        raise InputError(
            "{file}: not a table of crossings that can be opened ({error}). Expected Parquet, CSV with a line of "
            "headings, in UTF-8, or a DuckDB database with a table `crossings`.",
            file=file.name,
            error=_first_line(error),
        ) from None
    return {str(row[0]): str(row[1]) for row in described}


def _as_described(
    connection: duckdb.DuckDBPyConnection, of: Register, columns: Mapping[str, str], file: str
) -> tuple[dict[str, str], tuple[Issue, ...]]:
    """A register in the columns of the exchange format, and what cannot be known without those that it lacks."""
    connection.execute("ALTER VIEW crossings RENAME TO register")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW crossings AS {select(of, 'register', columns)}")
    described = connection.execute("DESCRIBE crossings").fetchall()
    found = (_issue("BRD-15", file, ", ".join(of.absent), "", count=len(of.absent)),) if of.absent else ()
    return {str(row[0]): str(row[1]) for row in described}, found


def _beside(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    """A table by person, each person once."""
    columns = _view(connection, f"given_{name}", file)
    value = {"initial": "initial_status", "deaths": "death_date"}[name]
    if not {"person_id", value} <= columns.keys():
        raise InputError(
            "{file}: expected the columns person_id and {value}; found {columns}.",
            file=file.name,
            value=value,
            columns=", ".join(columns),
        )
    made = {
        "initial": "TRIM(CAST(initial_status AS VARCHAR)) AS initial_status",
        "deaths": "TRY_CAST(death_date AS DATE) AS death",
    }[name]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT DISTINCT CAST(person_id AS VARCHAR) AS person_id, {made}"
        f" FROM given_{name}"
    )
    wrong = {"initial": "initial_status NOT IN ('R', 'N') OR initial_status IS NULL", "deaths": "death IS NULL"}[name]
    ((bad, again),) = connection.execute(
        f"SELECT count(*) FILTER ({wrong}), count(*) - count(DISTINCT person_id) FROM {name}"
    ).fetchall()
    if bad or again:
        expected = {"initial": "R or N", "deaths": "a day written YYYY-MM-DD"}[name]
        raise InputError(
            "{file}: {bad} values of {value} are not {expected}, and {again} persons stand there twice with "
            "different values. Correct the table.",
            file=file.name,
            bad=bad,
            value=value,
            expected=expected,
            again=again,
        )


def _of_columns(columns: Mapping[str, str], file: str, *, has_zone: bool) -> Iterator[Issue]:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        yield _issue("BRD-01", file, ", ".join(missing), ", ".join((*REQUIRED, *OPTIONAL)), count=len(missing))
    naming = persons.naming(columns)
    if naming:
        yield _issue("BRD-02", file, ", ".join(naming), ", ".join((*REQUIRED, *OPTIONAL)), count=len(naming))
    kind = columns.get("ts", "TIMESTAMP").upper()
    if "WITH TIME ZONE" in kind and not has_zone:
        yield _issue("BRD-08", file, kind, "TIMESTAMP")


def _scanned(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> Delivery:
    """One look at every record: how many there are, and how many cannot be used for each reason."""
    end, reading = f"DATE '{delivery.reading.obs_end}'", delivery.reading
    raw = fields(reading).replace(
        "FROM crossings",
        ", is_arrival AS given_direction, ts AS given_moment, birth_date AS given_birth FROM crossings",
    )
    zone = f"regexp_matches(given_moment, '{ZONED}')" if is_text(reading.columns["ts"]) else "false"
    kinds = {
        "BRD-03": "direction IS NULL",
        "BRD-04": "moment IS NULL AND NOT " + zone,
        "BRD-05": f"CAST(moment AS DATE) > {end}",
        "BRD-07": "person_id IS NULL",
        "BRD-08": f"moment IS NOT NULL AND {zone}" if not reading.time_zone else "false",
        "BRD-10": f"{_given(reading, 'birth')} AND (birth IS NULL OR birth > CAST(moment AS DATE))",
    }
    try:
        (row,) = connection.execute(
            f"SELECT count(*), unix_date(CAST(min(moment) AS DATE)),"
            f" unix_date(CAST(max(moment) FILTER (CAST(moment AS DATE) <= {end}) AS DATE)),"
            f" {', '.join(f'count(*) FILTER ({each})' for each in kinds.values())} FROM ({raw})"
        ).fetchall()
    except duckdb.Error as error:
        raise InputError(
            "{file}: it cannot be read to its end ({error}).", file=delivery.name, error=_first_line(error)
        ) from None
    found = [
        _first_of(connection, raw, delivery, code=code, where=where, count=count)
        for (code, where), count in zip(kinds.items(), row[3:], strict=True)
        if count
    ]
    day, name = row[2], delivery.name
    if day is None:
        found.append(_issue("BRD-13", name, str(row[0]), "≥ 1"))
    elif (last := connection.execute(f"SELECT unix_date({end}) - {int(day)}").fetchall()[0][0]) > _STALE_DAYS:
        found.append(_issue("BRD-11", name, day_text(day), reading.obs_end, count=last))
    issues = (*delivery.issues, *found)
    return replace(delivery, records=row[0], first_day=row[1], last_day=day, issues=issues)


def _first_of(
    connection: duckdb.DuckDBPyConnection, raw: str, delivery: Delivery, *, code: str, where: str, count: int
) -> Issue:
    """An issue with the first records it stands in; figures of what was found are shown as signs."""
    column = {"BRD-03": "is_arrival", "BRD-10": "birth_date", "BRD-07": "person_id"}.get(code, "ts")
    given = {"is_arrival": "given_direction", "birth_date": "given_birth"}.get(column, "given_moment")
    rows = connection.execute(
        f"SELECT place, regexp_replace(CAST({given} AS VARCHAR), '[0-9]', '#', 'g'), CAST({given} AS VARCHAR)"
        f" FROM (SELECT *, row_number() OVER () AS place FROM ({raw})) WHERE {where} LIMIT {_SHOWN}"
    ).fetchall()
    shown = sorted({str(row[2 if code == "BRD-03" else 1] or "")[:20] for row in rows})
    expected = {"BRD-03": "0, 1", "BRD-05": delivery.reading.obs_end, "BRD-07": "person_id"}.get(code, "YYYY-MM-DD")
    if code in ("BRD-04", "BRD-08"):
        expected = "YYYY-MM-DD hh:mm:ss"
    cells = tuple(f"{column} {row[0] + _headings(delivery.name)}" for row in rows)
    return _issue(code, delivery.name, ", ".join(shown), expected, count=count, cells=cells)


def _given(reading: Reading, name: str) -> str:
    """Whether a field has something in it."""
    if is_text(reading.columns[f"{name}_date"]):
        return f"TRIM(given_{name}) <> ''"
    return f"given_{name} IS NOT NULL"


def is_loose(name: str) -> bool:
    """Whether a delivery is text, with blanks around its words."""
    return not name.lower().endswith((".parquet", ".db", ".duckdb"))


def _headings(name: str) -> int:
    """Lines of a file before its first record."""
    return 1 if is_loose(name) else 0


def _issue(code: str, file: str, found: str, expected: str, *, count: int = 1, cells: tuple[str, ...] = ()) -> Issue:
    severity = "E" if code in ("BRD-01", "BRD-02", "BRD-08", "BRD-13") else "W"
    return Issue(code, severity, "", "", found, expected, file=file, cells=cells, count=count)  # type: ignore[arg-type]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
