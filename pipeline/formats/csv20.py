"""SDMX-CSV 2.0 (SDMX 3.0 section 5, field guide): one row an observation, ids only."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import BinaryIO

from pipeline.formats import Format
from pipeline.formats.columns import Column, chunks, guarded, headings, is_text, rendered, repeated
from pipeline.model import Description, Library, Protected


def quoted(text: str) -> str:
    """A field as RFC 4180 has it: in quotes only when it must be."""
    if not any(sign in text for sign in ',"\n\r'):
        return text
    return '"' + text.replace('"', '""') + '"'


def field(protected: Protected, component: str) -> Column:
    """The fields of one column; words that a spreadsheet would take for a formula have an apostrophe before them."""
    write = (lambda text: quoted(guarded(text))) if is_text(protected, component) else quoted
    return rendered(protected.frame[component], write)


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations; a withheld one has its status and no value."""
    first = {"STRUCTURE": "dataflow", "STRUCTURE_ID": f"{library.agency}:{protected.flow.id}(1.0.0)", "ACTION": "I"}
    write_rows(first, protected, description, file)


def write_rows(first: Mapping[str, str], protected: Protected, description: Description, file: BinaryIO) -> None:
    """Write the observations, each after the same `first` fields, which say what they are of."""
    dataset = {"VINTAGE": description.vintage, "LAST_UPDATE": description.last_update}
    dataset["LICENCE"] = description.licence
    columns = headings(protected)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow([*first, *columns, *dataset])
    file.write(header.getvalue().encode())
    # The fields of the format and the attributes of the data set are the same on every row.
    ahead = ",".join(quoted(text) for text in first.values())
    behind = ",".join(quoted(text) for text in dataset.values())
    constant = [repeated(text, len(protected.frame)) for text in (ahead, behind)]
    file.writelines(chunks([constant[0], *(field(protected, c) for c in columns), constant[1]], ",", "\n"))


FORMAT = Format(
    id="csv",
    folder="files",
    file="data.csv",
    media_type="application/vnd.sdmx.data+csv;version=2.0.0",
    label={"en": "SDMX-CSV 2.0", "es": "SDMX-CSV 2.0", "pt": "SDMX-CSV 2.0"},
    write=write,
)
