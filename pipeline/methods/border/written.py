"""The files that a run leaves in the producing agency: events, flows and stocks, in the exchange format."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline.methods.border.records import IN_RULE
from pipeline.methods.border.rule import CATEGORIES, OPEN, OUTCOMES, RESIDENT, STATUSES

EVENTS = (
    "person_id",
    "seq",
    "crossing_id",
    "day",
    "is_arrival",
    "is_imputed",
    "obs_days",
    "side_days",
    "outcome",
    "status_before",
    "status_after",
    "migrant",
    "category",
)
FLOWS = ("month", "direction", "citizenship", "sex", "age", "purpose")
STOCKS = ("ref_date", "population", "citizenship", "sex", "age")
_WORDS = {"outcome": OUTCOMES, "status_before": STATUSES, "status_after": STATUSES, "category": CATEGORIES}
_CSV = pa_csv.WriteOptions(quoting_style="needed")
_POPULATIONS = {  # by status and side; a non-resident abroad is nobody's population
    (RESIDENT, True): "resident_present",
    (RESIDENT, False): "resident_abroad",
    (0, True): "visitor_present",
    (OPEN, True): "open_present",
    (OPEN, False): "open_abroad",
}


class EventsFile:
    """Events written part by part, as CSV or Parquet by the name of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pa_csv.CSVWriter | pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Begin; the file is made with the first part."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the file; without any event it has its headings alone."""
        if self._writer is None and error is None:
            self.write(
                pa.table({**{name: pa.nulls(0, pa.int32()) for name in EVENTS}, "reason": pa.nulls(0, pa.int8())})
            )
        if self._writer is not None:
            self._writer.close()

    def write(self, told: pa.Table) -> None:
        """Append the events of whole persons."""
        table = events(told, as_text=self._path.suffix == ".csv")
        if self._writer is None:
            self._writer = (
                pa_csv.CSVWriter(self._path, table.schema, write_options=_CSV)
                if self._path.suffix == ".csv"
                else pq.ParquetWriter(
                    self._path,
                    table.schema,
                    compression="snappy",
                    use_dictionary=list(_WORDS),
                    write_statistics=["person_id", "day"],
                )
            )
        self._writer.write_table(table)


def events(told: pa.Table, *, as_text: bool) -> pa.Table:
    """The events of a part in the words of the exchange format."""
    if pc.max(told["reason"]).as_py():
        told = told.filter(pc.equal(told["reason"], IN_RULE))
    made = {name: told[name].cast(pa.string()) if name == "person_id" else told[name] for name in EVENTS}
    made |= {name: _worded(told[name], list(of)) for name, of in _WORDS.items()}
    made["day"] = told["day"].cast(pa.int32()).cast(pa.date32())
    made["migrant"] = pc.if_else(
        pc.equal(told["migrant"], OPEN), pa.scalar(None, pa.int8()), told["migrant"].cast(pa.int8())
    )
    for name in ("is_arrival", "is_imputed"):
        made[name] = told[name].cast(pa.int8())
    if as_text:
        made |= {name: made[name].cast(pa.string()) for name in _WORDS}
    return pa.table(made)


def _worded(codes: pa.ChunkedArray, words: list[str]) -> pa.Array:
    plain = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    return pa.DictionaryArray.from_arrays(plain.cast(pa.int8()), pa.array(words))


def flows(table: pa.Table) -> pa.Table:
    """Migrations by month, direction, citizenship, sex, age and purpose."""
    counts = [(name, "sum") for name in ("migrants", "pending", "imputed_migrants")]
    found = table.append_column("direction", pc.if_else(table["is_arrival"].cast(pa.bool_()), "A", "D"))
    found = found.set_column(found.column_names.index("month"), "month", months(table["month"]))
    return _sorted(found.group_by(list(FLOWS)).aggregate(counts), FLOWS)


def stocks(table: pa.Table) -> pa.Table:
    """Persons by population at each 31 December."""
    population = [
        _POPULATIONS[(status, bool(is_arrival))]
        for status, is_arrival in zip(table["status_after"].to_pylist(), table["is_arrival"].to_pylist(), strict=True)
    ]
    day = pc.binary_join_element_wise(table["year"].cast(pa.string()), pa.scalar("12-31"), "-")
    found = table.append_column("ref_date", day).append_column("population", pa.array(population, pa.string()))
    return _sorted(found.group_by(list(STOCKS)).aggregate([("persons", "sum")]), STOCKS)


def months(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """202403 as 2024-03."""
    text = numbers.cast(pa.int32()).cast(pa.string())
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, 4), pc.utf8_slice_codeunits(text, 4, 6), "-")


def write(table: pa.Table, path: Path) -> None:
    """A small table as CSV."""
    pa_csv.write_csv(table, path, write_options=_CSV)


def _sorted(table: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    named = table.rename_columns([name.removesuffix("_sum") for name in table.column_names])
    ordered = [*keys, *(name for name in named.column_names if name not in keys)]
    return named.select(ordered).sort_by([(name, "ascending") for name in keys])
