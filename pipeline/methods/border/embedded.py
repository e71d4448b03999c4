"""The embedded engine: DuckDB reads, sorts and adds up, within a cap of memory; the rule is applied part by part.

The engine sorts once, by person and moment, on disk where memory does not hold it. Persons then pass by in order, a
part at a time, so that memory does not grow with the delivery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
from tqdm import tqdm

from pipeline.methods.border import received
from pipeline.methods.border.coded import coding
from pipeline.methods.border.persons import MOST_CROSSINGS, part
from pipeline.methods.border.received import Delivery
from pipeline.methods.border.rule import Rule
from pipeline.methods.border.sensitivity import COUNTS, KEYS, compared, variants
from pipeline.methods.border.tables import Query, Sums, queries

_ROWS_AT_ONCE = 125_000  # of which the rule makes columns that a processor keeps near
_TOGETHER = 8  # parts that are added up at once
_AT_ONCE = 2  # of these, worked on beside each other
SORTS, _ADDS = 0.5, 0.1  # shares of the memory; the rest is for the parts
Sink = Callable[[pa.Table], None]


def counted(
    delivery: Delivery,
    rule: Rule,
    *,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    memory: str,
    person_key: str,
    sink: Sink,
    most_crossings: int = MOST_CROSSINGS,
    compare: bool = False,
) -> Mapping[str, pa.Table]:
    """Decide every crossing, hand the events to `sink` in order, and add up every table.

    With `compare`, the rules of `sensitivity` are applied too.
    """
    others = variants(rule) if compare else {}
    coded = coding(connection, delivery.reading)
    years = pa.table({"ref": pa.array(list(delivery.years), pa.int32())})
    asked = queries(rule)
    # Two engines may not spill to one folder: their files have the same names.
    with received.engine(memory=memory, share=_ADDS, folder=folder / "sums", threads=1) as adding:
        # Arrow would filter every column of a part before the engine sees the few that a table needs.
        adding.execute("SET disabled_optimizers = 'filter_pushdown'")
        sums = empty_sums(adding, rule)

        def work(records: Sequence[pa.Table]) -> tuple[pa.Table, dict[str, pa.Table]]:
            decided = [part(coded.unpacked(each), rule, most_crossings=most_crossings) for each in records]
            told = pa.concat_tables([each.told for each in decided])
            with adding.cursor() as own:
                own.register("years", years)
                own.register("told", told)
                found = {name: own.execute(query.text).to_arrow_table() for name, query in asked.items()}
                own.unregister("told")
            if others:
                found["sensitivity"] = pa.concat_tables([compared(each.crossings, others) for each in decided])
            return told, found

        records = connection.execute(coded.sorted(delivery.reading, person_key=person_key))
        parts = whole_persons(records.to_arrow_reader(_ROWS_AT_ONCE))
        with tqdm(total=delivery.records, unit="crossing", unit_scale=True, disable=None) as progress:
            for told, found in _side_by_side(work, _together(parts)):
                sink(told)
                for name, table in found.items():
                    sums[name].add(table)
                progress.update(len(told))
        return {name: coded.worded(each.table()) for name, each in sums.items()}


def empty_sums(connection: duckdb.DuckDBPyConnection, rule: Rule) -> dict[str, Sums]:
    """Every table of a run by its name, before anything is added up."""
    every = {**queries(rule), "sensitivity": Query("", KEYS, COUNTS)}
    return {name: Sums(connection, query) for name, query in every.items()}


def _together(parts: Iterator[pa.Table]) -> Iterator[list[pa.Table]]:
    while found := list(islice(parts, _TOGETHER)):
        yield found


def _side_by_side(
    work: Callable[[Sequence[pa.Table]], tuple[pa.Table, dict[str, pa.Table]]], parts: Iterator[list[pa.Table]]
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
