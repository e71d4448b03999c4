"""The embedded engine: DuckDB reads, sorts and adds up, within a cap of memory; the rule is applied part by part.

The engine sorts once, by person and moment, on disk where memory does not hold it. Persons then pass by in order, a
part at a time, so that memory does not grow with the delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import duckdb
import pyarrow as pa
from tqdm import tqdm

from pipeline.methods.border.persons import MOST_CROSSINGS, part
from pipeline.methods.border.received import Delivery
from pipeline.methods.border.records import ATTRIBUTES, standard
from pipeline.methods.border.rule import Rule
from pipeline.methods.border.tables import Query, queries

_ROWS_AT_ONCE = 1_000_000
Sink = Callable[[pa.Table], None]


def counted(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    rule: Rule,
    *,
    person_key: str,
    sink: Sink,
    most_crossings: int = MOST_CROSSINGS,
) -> Mapping[str, pa.Table]:
    """Decide every crossing, hand the events to `sink` in order, and add up every table."""
    asked = queries(rule)
    added: dict[str, list[pa.Table]] = {name: [] for name in asked}
    beside = connection.cursor()
    beside.register("years", pa.table({"ref": pa.array(list(delivery.years), pa.int32())}))
    with tqdm(total=delivery.records, unit="crossing", unit_scale=True, disable=None) as progress:
        for records in _whole_persons(_sorted(connection, delivery, person_key)):
            told = part(records, rule, most_crossings=most_crossings).told
            sink(told)
            beside.register("told", told)
            for name, query in asked.items():
                added[name].append(beside.execute(query.text).to_arrow_table())
            beside.unregister("told")
            progress.update(len(records))
    return {name: _sum(beside, query, added[name]) for name, query in asked.items()}


def _sorted(connection: duckdb.DuckDBPyConnection, delivery: Delivery, person_key: str) -> Iterator[pa.RecordBatch]:
    """Standard records by person, moment and crossing; words as codes, so that little is carried through the sort."""
    query = standard(delivery.reading, person_key=person_key)
    for name in ATTRIBUTES:
        connection.execute(f"DROP TYPE IF EXISTS {name}_code")
        connection.execute(
            f"CREATE TYPE {name}_code AS ENUM (SELECT DISTINCT {_word(delivery, name)} AS word FROM crossings"
            " ORDER BY word)"
        )
    coded = ", ".join(f"CAST({name} AS {name}_code) AS {name}" for name in ATTRIBUTES)
    result = connection.execute(
        f"SELECT * EXCLUDE (ts) REPLACE ({coded}) FROM ({query}) ORDER BY person_id NULLS LAST, ts NULLS LAST,"
        " crossing_id NULLS LAST"
    )
    yield from result.to_arrow_reader(_ROWS_AT_ONCE)


def _word(delivery: Delivery, name: str) -> str:
    return f"COALESCE(TRIM(CAST({name} AS VARCHAR)), '')" if name in delivery.reading.columns else "''"


def _whole_persons(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
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
        kept = [batch.slice(begin)]
    if kept:
        yield pa.Table.from_batches(kept).combine_chunks()


def _last_begins(batch: pa.RecordBatch) -> int:
    """The first row of the last person of a part, by halving: rows are sorted by person."""
    keys, last = batch["person_id"], batch["person_id"][-1]
    low, high = 0, len(keys) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keys[middle].equals(last) else (middle + 1, high)
    return low


def _sum(connection: duckdb.DuckDBPyConnection, query: Query, parts: list[pa.Table]) -> pa.Table:
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
