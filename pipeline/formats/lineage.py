"""Where each figure came from: the file, sheet and cell, row for row in the order of the package's table."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from pipeline.formats import Format
from pipeline.formats.columns import write_parquet
from pipeline.model import LINEAGE, Description, Library, Protected


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write `table` (which of the package's sources), `file`, `sheet`, `row` and `column`, counted from 1.

    A figure that was added up from several cells names the first of them.
    """
    places = protected.frame[list(LINEAGE)].astype("int32").reset_index(drop=True)
    for name in ("file", "sheet"):
        texts = {number: getattr(source, name) for number, source in enumerate(protected.sources)}
        places[name] = places["table"].map(texts).astype("category")
    columns = places[["table", "file", "sheet", "row", "column"]]
    write_parquet(pa.Table.from_pandas(columns, preserve_index=False), file, compression="snappy")


FORMAT = Format(
    id="lineage",
    folder="files",
    file="lineage.parquet",
    media_type="application/vnd.apache.parquet",
    label={
        "en": "Source cell of each figure",
        "es": "Celda de origen de cada cifra",
        "pt": "Célula de origem de cada número",
    },
    write=write,
)
