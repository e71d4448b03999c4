"""The table of an open-data package: plain CSV, ids of the structure as headings, nothing else."""

from __future__ import annotations

from typing import BinaryIO

from pipeline.formats import Format
from pipeline.formats.columns import chunks, headings
from pipeline.formats.csv20 import field
from pipeline.model import Description, Library, Protected


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations; a withheld one has its status and no value."""
    names = headings(protected)
    file.write((",".join(names) + "\n").encode())
    file.writelines(chunks([field(protected, name) for name in names], ",", "\n"))


FORMAT = Format(
    id="table",
    folder="packages",
    file="data.csv",
    media_type="text/csv",
    label={"en": "CSV table", "es": "Tabla CSV", "pt": "Tabela CSV"},
    write=write,
)
