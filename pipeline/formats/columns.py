"""Whole columns as text: each distinct value is written once, then the columns are joined."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.model import Protected

_CHUNK_ROWS = 100_000
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def figure(value: float) -> str:
    """The shortest decimal that reads back the same; whole numbers have no point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def guarded(text: str) -> str:
    """A text as it goes into CSV: with an apostrophe before what a spreadsheet would take for a formula.

    `unguarded` takes it off again (docs/decisions/0004-formulas.md).
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def is_text(protected: Protected, component: str) -> bool:
    """Whether a component holds words of people, and neither codes nor numbers nor periods."""
    of = protected.flow.structure.components[component]
    return of.role == "attribute" and of.codelist is None and of.concept.representation not in ("Double", "Integer")


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


def rendered(column: pd.Series, write: Callable[[str], str]) -> pa.Array:
    """The column with `write` applied to the text of each distinct value; a missing value is the empty text."""
    codes, distinct = pd.factorize(column)
    texts = [write(figure(value) if isinstance(value, float) else str(value)) for value in distinct]
    dictionary = pa.array([write(""), *texts], type=pa.string())
    return dictionary.take(pa.array(codes + 1))


def chunks(arrays: Sequence[pa.Array], separator: str = "") -> Iterator[bytes]:
    """The columns joined side by side, row after row, in chunks of bytes."""
    for start in range(0, len(arrays[0]), _CHUNK_ROWS):
        part = [array.slice(start, _CHUNK_ROWS) for array in arrays]
        rows = pc.binary_join_element_wise(*part, separator) if len(part) > 1 else part[0]
        # The text of an Arrow array lies in one buffer, row after row: no row is touched again.
        whole = pc.binary_join(pa.ListArray.from_arrays([0, len(rows)], rows), "")
        yield whole[0].as_buffer().to_pybytes()


def starts(frame: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """True where a row differs from the one before it in one of the columns. The frame is sorted."""
    changed = np.zeros(len(frame), dtype=bool)
    changed[:1] = True
    for column in columns:
        codes = pd.factorize(frame[column])[0]
        changed[1:] |= codes[1:] != codes[:-1]
    return changed


def write_parquet(table: pa.Table, file: BinaryIO, **options: Any) -> None:
    """Parquet ends with its table of contents, so pyarrow wants a file that knows its place; ours only writes."""
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    file.write(content.getvalue())
