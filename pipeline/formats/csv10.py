"""SDMX-CSV 1.0 (SDMX 2.1, field guide of 2018), which tools of SDMX 2.1 read: one row an observation, ids only."""

from __future__ import annotations

from typing import BinaryIO

from pipeline.formats import Format
from pipeline.formats.csv20 import write_rows
from pipeline.framework import LANGUAGES
from pipeline.model import Description, Library, Protected


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations; a withheld one has its status and no value."""
    write_rows({"DATAFLOW": f"{library.agency}:{protected.flow.id}(1.0.0)"}, protected, description, file)


FORMAT = Format(
    id="csv10",
    folder="files",
    file="data-1.0.csv",
    media_type="application/vnd.sdmx.data+csv;version=1.0.0",
    label=dict.fromkeys(LANGUAGES, "SDMX-CSV 1.0"),
    write=write,
)
