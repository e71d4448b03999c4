"""The embedded engine: DuckDB reads, sorts and adds up, within a cap of memory; the rule is applied part by part.

The engine sorts once, by person and moment, on disk where memory does not hold it. Persons then pass by in order, a
part at a time, so that memory does not grow with the delivery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb
import pyarrow as pa
from tqdm import tqdm

from pipeline.methods.border.persons import MOST_CROSSINGS, part
from pipeline.methods.border.received import Delivery
from pipeline.methods.border.records import ATTRIBUTES, fields, standard
from pipeline.methods.border.rule import Rule
from pipeline.methods.border.sensitivity import COUNTS, KEYS, compared, variants
from pipeline.methods.border.tables import Query, queries

_ROWS_AT_ONCE = 1_000_000
_AT_ONCE = 2  # parts that are worked on beside each other
Sink = Callable[[pa.Table], None]


def counted(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    rule: Rule,
    *,
    person_key: str,
    sink: Sink,
    most_crossings: int = MOST_CROSSINGS,
    compare: bool = False,
) -> Mapping[str, pa.Table]:
    """Decide every crossing, hand the events to `sink` in order, and add up every table.

    With `compare`, the rules of `sensitivity` are applied too.
    """
    asked = queries(rule)
    others = variants(rule) if compare else {}
    added: dict[str, list[pa.Table]] = {name: [] for name in (*asked, "sensitivity")}
    beside = connection.cursor()
    years = pa.table({"ref": pa.array(list(delivery.years), pa.int32())})

    def work(records: pa.Table) -> tuple[pa.Table, dict[str, pa.Table]]:
        decided = part(records, rule, most_crossings=most_crossings)
        with connection.cursor() as own:
            found = _added_up(own, years, decided.told, asked)
        return decided.told, found | ({"sensitivity": compared(decided.crossings, others)} if others else {})

    with tqdm(total=delivery.records, unit="crossing", unit_scale=True, disable=None) as progress:
        for told, found in _side_by_side(work, whole_persons(_sorted(connection, delivery, person_key))):
            sink(told)
            for name, table in found.items():
                added[name].append(table)
            progress.update(len(told))
    sums = {**asked, "sensitivity": Query("", KEYS, COUNTS)}
    return {name: added_up(beside, query, added[name]) for name, query in sums.items()}


def _side_by_side(
    work: Callable[[pa.Table], tuple[pa.Table, dict[str, pa.Table]]], parts: Iterator[pa.Table]
) -> Iterator[tuple[pa.Table, dict[str, pa.Table]]]:
    """The work on each part, in order; the next part is worked on and a third read while one is taken up."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting: deque[Future[tuple[pa.Table, dict[str, pa.Table]]]] = deque()
        for each in parts:
            waiting.append(pool.submit(work, each))
            if len(waiting) > _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _added_up(
    connection: duckdb.DuckDBPyConnection, years: pa.Table, told: pa.Table, asked: Mapping[str, Query]
) -> dict[str, pa.Table]:
    """Every table of a part. The part is copied in once, without the keys of persons and with words as codes."""
    coded = ", ".join(f"CAST({name} AS {name}_code) AS {name}" for name in ATTRIBUTES)
    connection.register("years", years)
    connection.register("part", told)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS SELECT * EXCLUDE (person_id, crossing_id) REPLACE ({coded}) FROM part"
    )
    connection.unregister("part")
    return {name: connection.execute(query.text).to_arrow_table() for name, query in asked.items()}


def _sorted(connection: duckdb.DuckDBPyConnection, delivery: Delivery, person_key: str) -> Iterator[pa.RecordBatch]:
    """Standard records by person, moment and crossing; words as codes, so that little is carried through the sort."""
    query = standard(delivery.reading, person_key=person_key)
    for name in ATTRIBUTES:
        connection.execute(f"DROP TYPE IF EXISTS {name}_code")
        connection.execute(
            f"CREATE TYPE {name}_code AS ENUM (SELECT DISTINCT {name} FROM ({fields(delivery.reading)})"
            f" WHERE {name} IS NOT NULL ORDER BY {name})"
        )
    coded = ", ".join(f"CAST({name} AS {name}_code) AS {name}" for name in ATTRIBUTES)
    result = connection.execute(
        f"SELECT * EXCLUDE (ts) REPLACE ({coded}) FROM ({query}) ORDER BY person_id NULLS LAST, ts NULLS LAST,"
        " crossing_id NULLS LAST"
    )
    yield from result.to_arrow_reader(_ROWS_AT_ONCE)


def whole_persons(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows cut between persons: the last person of a part waits for the rest of the records."""
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        if not len(batch):
            continue
        begin = _last_begins(batch)
        if begin == 0 and kept and kept[-1]["person_id"][-1].equals(batch["person_id"][0]):
            kept.append(batch)
            continue
        yield pa.Table.from_batches([*kept, batch.slice(0, begin)]).combine_chunks()
        kept = [batch.slice(begin)] if begin < len(batch) else []
    if kept:
        yield pa.Table.from_batches(kept).combine_chunks()


def _last_begins(batch: pa.RecordBatch) -> int:
    """The first row of the last person of a part, by halving: rows are sorted by person."""
    keys, last = batch["person_id"], batch["person_id"][-1]
    if not last.is_valid:
        return len(keys)  # records without a key are of nobody and need not stay together
    low, high = 0, len(keys) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keys[middle].equals(last) else (middle + 1, high)
    return low


def added_up(connection: duckdb.DuckDBPyConnection, query: Query, parts: list[pa.Table]) -> pa.Table:
    """The parts of a table added up, in the order of its keys."""
    if not parts:
        return pa.table({name: [] for name in (*query.keys, *query.counts)})
    plain = [each.cast(pa.schema([_plain(field) for field in each.schema])) for each in parts]
    connection.register("parts", pa.concat_tables(plain, promote_options="permissive"))
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in query.counts)
    keys = ", ".join(query.keys)
    found = connection.execute(f"SELECT {keys}, {sums} FROM parts GROUP BY {keys} ORDER BY {keys}").to_arrow_table()
    connection.unregister("parts")
    return found


def _plain(field: pa.Field) -> pa.Field:
    """Codes as words, and sums as whole numbers of 64 bits."""
    if pa.types.is_dictionary(field.type):
        return field.with_type(pa.string())
    return field.with_type(pa.int64()) if pa.types.is_decimal(field.type) or pa.types.is_floating(field.type) else field
