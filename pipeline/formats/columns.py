"""Whole columns as text: each distinct value is written once, then the columns are joined, some rows at a time."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.model import Protected

_CHUNK_ROWS = 100_000
_TOGETHER = 10_000  # texts of neighbouring columns together: few against the rows for which they save a join
_NUMBER = "1234567890"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def figure(value: float) -> str:
    """The shortest decimal that reads back the same; whole numbers have no point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def figures(values: npt.NDArray[np.float64]) -> pa.Array:
    """`figure` of each value."""
    is_whole = (values == np.trunc(values)) & (np.abs(values) < 2**53)
    texts = pa.array(np.where(is_whole, values, 0).astype(np.int64)).cast(pa.string())
    return pc.replace_with_mask(
        texts, pa.array(~is_whole), pa.array([*map(figure, values[~is_whole].tolist())], pa.string())
    )


def guarded(text: str) -> str:
    """A text as it goes into CSV: with an apostrophe before what a spreadsheet would take for a formula.

    `unguarded` takes it off again (docs/decisions/0004-formulas.md).
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def without_guards(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of text as it was before it went into CSV: `unguarded` in every column."""
    return pd.DataFrame(
        {name: frame[name].map({text: unguarded(text) for text in frame[name].unique()}) for name in frame}
    )


def is_text(protected: Protected, component: str) -> bool:
    """Whether a component holds words of people, and neither codes nor numbers nor periods."""
    of = protected.flow.structure.components[component]
    return of.role == "attribute" and of.codelist is None and of.is_word


def components(protected: Protected, *roles: str) -> list[str]:
    """Components of the given roles that the table has, in the order of the structure."""
    return [c.id for c in protected.flow.structure.of_role(*roles) if c.id in protected.frame]  # type: ignore[arg-type]


def headings(protected: Protected) -> list[str]:
    """The columns of a flat table, in order: dimensions, period, figure, then attributes."""
    return [*components(protected, "dimension", "time", "measure"), *components(protected, "attribute")]


def used(protected: Protected, component: str) -> list[str]:
    """The codes of a coded component that rows have, in the order of its list."""
    codelist = protected.flow.structure.components[component].codelist
    assert codelist is not None
    found = set(protected.frame[component].unique())
    return [code for code in codelist.codes if code in found]


def factors(column: pd.Series) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The place of each row's value among the distinct ones, -1 where there is none; and those."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        found, values = pd.factorize(column)
        return found, np.asarray(values)
    codes, distinct = column.cat.codes.to_numpy(), column.cat.categories
    is_used = np.bincount(codes.astype(np.int64) + 1, minlength=len(distinct) + 1)[1:] > 0
    places = np.append(np.cumsum(is_used) - 1, -1)  # a row without value asks for the last
    return places[codes], np.asarray(distinct[is_used])


def coded(places: npt.NDArray[Any], texts: Sequence[str] | pa.Array) -> pa.DictionaryArray:
    """A column of the texts at these places: each text once, and the smallest numbers that tell them apart."""
    kind = np.min_scalar_type(max(len(texts) - 1, 0))
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(kind)), pa.array(texts, type=pa.string()))


def repeated(text: str, rows: int) -> pa.DictionaryArray:
    """The same text on every row."""
    return coded(np.zeros(rows, dtype=np.uint8), [text])


def opening(first: str, others: str, rows: int) -> pa.DictionaryArray:
    """One text on the first row, another on those after it."""
    return coded(np.minimum(np.arange(rows), 1), [first, others])


@dataclass(frozen=True)
class Numbers:
    """A column of numbers with what `write` puts around each; text is made of some rows at a time."""

    values: npt.NDArray[np.float64]
    write: Callable[[str], str]

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, rows: int) -> pa.Array:
        """The texts of some rows; a missing value is the empty text. Nothing in a number must be escaped."""
        values = self.values[start : start + rows]
        before, _, after = self.write(_NUMBER).partition(_NUMBER)
        is_missing = np.isnan(values)
        texts = figures(np.where(is_missing, 0, values))
        if before or after:
            texts = pc.binary_join_element_wise(before, texts, after, "")
        return pc.if_else(pa.array(is_missing), self.write(""), texts) if is_missing.any() else texts


def rendered(column: pd.Series, write: Callable[[str], str]) -> pa.DictionaryArray | Numbers:
    """The column with `write` applied to the text of each distinct value; a missing value is the empty text."""
    return Numbers(column.to_numpy(), write) if column.dtype == np.float64 else said_once(column, write)


def said_once(column: pd.Series, write: Callable[[str], str]) -> pa.DictionaryArray:
    """`rendered` of any column, each distinct text kept once."""
    codes, distinct = factors(column)
    texts = (write(figure(value) if isinstance(value, float) else str(value)) for value in distinct)
    return coded(codes + 1, [write(""), *texts])


Column: TypeAlias = pa.Array | Numbers


@dataclass(frozen=True)
class Ahead:
    """What stands before some rows: the columns joined for those rows alone, nothing for the others."""

    rows: npt.NDArray[np.bool_]
    columns: Sequence[Column]

    def __len__(self) -> int:
        return len(self.rows)


def chunks(arrays: Sequence[Column | Ahead], separator: str = "", end: str = "") -> Iterator[pa.Buffer]:
    """The columns joined side by side, row after row and each with an end, in chunks of bytes."""
    *columns, last = _merged(arrays, separator)
    behind = [last, repeated(end, len(last))] if end else [last]
    behind = _merged(behind, "")
    for start in range(0, len(last), _CHUNK_ROWS):
        tail = _joined([_texts(column, start) for column in behind], "")
        yield _bytes(_joined([*(_texts(column, start) for column in columns), tail], separator))


def _bytes(texts: pa.Array) -> pa.Buffer:
    """The text of an Arrow array as it lies there, row after row: no row is touched again."""
    _, places, content = texts.buffers()
    bounds = np.frombuffer(places, dtype=np.int32)[[texts.offset, texts.offset + len(texts)]]
    return content[bounds[0] : bounds[1]] if content is not None else pa.py_buffer(b"")


def _merged(arrays: Sequence[Column | Ahead], separator: str) -> list[Column | Ahead]:
    """The columns with neighbours of few texts joined into one: there are fewer of their pairs than of rows."""
    found: list[Column | Ahead] = []
    for array in arrays:
        column = Ahead(array.rows, _merged(array.columns, "")) if isinstance(array, Ahead) else array
        last = found[-1] if found else None
        if (
            isinstance(column, pa.DictionaryArray)
            and isinstance(last, pa.DictionaryArray)
            and len(last.dictionary) * len(column.dictionary) <= min(_TOGETHER, len(column))
        ):
            found[-1] = _pairs(last, column, separator)
        else:
            found.append(column)
    return found


def _pairs(one: pa.DictionaryArray, other: pa.DictionaryArray, separator: str) -> pa.DictionaryArray:
    ends = other.dictionary.to_pylist()
    texts = [start + separator + end for start in one.dictionary.to_pylist() for end in ends]
    return coded(one.indices.to_numpy().astype(np.int64) * len(ends) + other.indices.to_numpy(), texts)


def _texts(array: Column | Ahead, start: int) -> pa.Array:
    if isinstance(array, Ahead):
        rows = array.rows[start : start + _CHUNK_ROWS]
        places = pa.array(np.flatnonzero(rows))
        heads = _joined([_decoded(column.slice(start, _CHUNK_ROWS).take(places)) for column in array.columns], "")
        return pa.concat_arrays([pa.array([""]), heads]).take(pa.array(rows.cumsum() * rows))
    return _decoded(array.slice(start, _CHUNK_ROWS))


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


def _joined(columns: Sequence[pa.Array], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*columns, separator) if len(columns) > 1 else columns[0]


def starts(frame: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """True where a row differs from the one before it in one of the columns. The frame is sorted."""
    changed = np.zeros(len(frame), dtype=bool)
    changed[:1] = True
    for column in columns:
        codes = factors(frame[column])[0]
        changed[1:] |= codes[1:] != codes[:-1]
    return changed


def write_parquet(table: pa.Table, file: BinaryIO, **options: Any) -> None:
    """Parquet ends with its table of contents, so pyarrow wants a file that knows its place; ours only writes."""
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    file.write(content.getvalue())
