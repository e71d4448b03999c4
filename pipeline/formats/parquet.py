"""The table as Parquet: the same rows and columns as the CSV table, typed, the same bytes every time."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pyarrow as pa

from pipeline.formats import Format
from pipeline.formats.columns import headings, said_once, write_parquet
from pipeline.framework import LANGUAGES
from pipeline.model import Description, Library, Protected

_NUMBERS = {"Double": pa.float64(), "Integer": pa.int64()}


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations: codes and texts as text, figures as numbers, null where there is none.

    The file's own metadata say which dataflow, release and licence it is of.
    """
    columns = {name: _column(protected, name) for name in headings(protected)}
    said = {
        "dataflow": f"{library.agency}:{protected.flow.id}(1.0.0)",
        "title": description.title["en"],
        "release": description.vintage,
        "licence": description.licence,
    }
    table = pa.table(columns).replace_schema_metadata(said)
    write_parquet(table, file, compression="zstd", version="2.6")


def _column(protected: Protected, name: str) -> pa.Array:
    kind = _NUMBERS.get(protected.flow.structure.components[name].concept.representation)
    column = protected.frame[name]
    if name == "OBS_VALUE" or kind is not None:
        numbers = column if name == "OBS_VALUE" else column.replace("", None)
        figures = pa.array(numbers.astype("float64"), type=pa.float64(), from_pandas=True)
        return figures if name == "OBS_VALUE" else figures.cast(kind)
    texts = said_once(column, str)
    is_blank = np.array(texts.dictionary) == ""
    kept = np.cumsum(~is_blank, dtype="int32") - 1
    at = texts.indices.to_numpy()
    return pa.DictionaryArray.from_arrays(pa.array(kept[at], mask=is_blank[at]), texts.dictionary.filter(~is_blank))


FORMAT = Format(
    id="parquet",
    folder="files",
    file="data.parquet",
    media_type="application/vnd.apache.parquet",
    label=dict.fromkeys(LANGUAGES, "Parquet"),
    write=write,
)
