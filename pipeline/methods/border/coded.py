"""A record's small columns as whole numbers, so that little is carried through the sort and through the tables.

Words become places in the sorted list of those that the delivery has; the place after the last stands for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.methods.border.days import DAY_SECONDS
from pipeline.methods.border.records import ASIDE, ATTRIBUTES, Reading, fields, quoted, standard
from pipeline.methods.border.rule import Places

_SHORT = 400  # words, as of all countries
_BITS = 62  # of a number of 64, without its sign
_MICROSECONDS = DAY_SECONDS * 1_000_000


@dataclass(frozen=True)
class _Field:
    """A column in a packed number: its place and width in bits, and how SQL writes it from 0."""

    name: str
    sql: str
    bits: int
    pack: int
    shift: int

    def of(self, numbers: Places) -> npt.NDArray[np.signedinteger]:
        """The column, as narrow as its width allows."""
        kind = np.int8 if self.bits < 8 else np.int16 if self.bits < 16 else np.int32
        return ((numbers >> self.shift) & ((1 << self.bits) - 1)).astype(kind)


@dataclass(frozen=True)
class Coding:
    """The words of each attribute, in order, and where the columns of a record stand in its packed numbers."""

    words: Mapping[str, pa.Array]
    fields: tuple[_Field, ...]

    def sorted(self, reading: Reading, *, person_key: str) -> str:
        """The SELECT of standard records, packed, by person, moment and crossing."""
        packs: dict[int, list[str]] = {}
        for each in self.fields:
            packs.setdefault(each.pack, []).append(f"(CAST({each.sql} AS BIGINT) << {each.shift})")
        packed = ", ".join(f"{' + '.join(terms)} AS pack{number}" for number, terms in packs.items())
        died = "last_day, " if reading.has_deaths else ""
        return (
            f"SELECT person_id, epoch_us(ts) AS moment, crossing_id, birth, {died}{packed}"
            f" FROM ({standard(reading, person_key=person_key)})"
            " ORDER BY person_id NULLS LAST, moment NULLS LAST, crossing_id NULLS LAST"
        )

    def unpacked(self, records: pa.Table) -> pa.Table:
        """Packed records in the columns of standard ones, attributes as codes."""
        moment = records["moment"].fill_null(0).to_numpy()
        has_death = "last_day" in records.column_names
        made = {
            "person_id": records["person_id"],
            "crossing_id": records["crossing_id"],
            "day": (moment // _MICROSECONDS).astype(np.int32),
            "birth": records["birth"],
            "last_day": records["last_day"] if has_death else pa.nulls(len(records), pa.int32()),
        }
        packs = [records[name].to_numpy() for name in records.column_names if name.startswith("pack")]
        made |= {each.name: each.of(packs[each.pack]) for each in self.fields}
        return pa.table(made | {"is_arrival": made["is_arrival"] == 1, "initial": made["initial"] - np.int8(1)})

    def worded(self, table: pa.Table) -> pa.Table:
        """A table with its codes as words."""
        for place, name in enumerate(table.column_names):
            if name in self.words:
                words = pa.concat_arrays([self.words[name], pa.nulls(1, pa.string())])
                table = table.set_column(place, name, pc.take(words, table[name]))
        return table


def coding(connection: duckdb.DuckDBPyConnection, reading: Reading) -> Coding:
    """Look up the words of a delivery and lay out its packed records."""
    words = {name: _words(connection, reading, name) for name in ATTRIBUTES}
    columns = [
        ("is_arrival", "is_arrival", 1),
        ("aside", "aside", len(ASIDE).bit_length()),
        ("initial", "initial + 1", 2),
    ]
    for name, of in words.items():
        columns.append((name, _place(name, of, reading), len(of).bit_length()))
    return Coding(words, tuple(_laid_out(columns)))


def _words(connection: duckdb.DuckDBPyConnection, reading: Reading, name: str) -> pa.Array:
    """The words of an attribute, as a type of the engine and as they are."""
    if name not in reading.columns:
        return pa.array([], pa.string())
    connection.execute(
        f"CREATE TYPE {name}_code AS ENUM (SELECT DISTINCT {name} FROM ({fields(reading)})"
        f" WHERE {name} IS NOT NULL ORDER BY {name})"
    )
    found = connection.execute(f"SELECT CAST(unnest(enum_range(NULL::{name}_code)) AS VARCHAR) AS word")
    return found.to_arrow_table()["word"].combine_chunks().cast(pa.string())


def _place(name: str, words: pa.Array, reading: Reading) -> str:
    """SQL for the place of a word. Columnar files have dictionaries, of which a list is asked once and not by row."""
    if not len(words):
        return "0"
    if reading.is_loose or len(words) > _SHORT:
        return f"COALESCE(enum_code(CAST({name} AS {name}_code)), {len(words)})"
    return f"COALESCE(list_position([{', '.join(map(quoted, words.to_pylist()))}], {name}) - 1, {len(words)})"


def _laid_out(columns: Iterable[tuple[str, str, int]]) -> Iterator[_Field]:
    pack = shift = 0
    for name, sql, bits in columns:
        if shift + bits > _BITS:
            pack, shift = pack + 1, 0
        yield _Field(name, sql, bits, pack, shift)
        shift += bits
