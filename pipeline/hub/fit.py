"""Whether what came of a table is fit to be gathered: read as the work of a stranger, then held against our framework.

Nothing is mended and nothing left out: a table is taken whole or held back with the place of its first fault.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline import describe, protect, report, thresholds, vintages
from pipeline.errors import InputError
from pipeline.formats.columns import without_guards
from pipeline.framework import Dataflow
from pipeline.hub.kept import LINEAGE, RECORD, REPORT, REVISIONS, TABLE, Key
from pipeline.hub.listed import paths
from pipeline.model import LINEAGE as CELL
from pipeline.model import Library, Origin, Protected, Report
from pipeline.previous import Standing
from pipeline.validate import validate_gathered

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HERE = Path(__file__).parent
_REPORT_SCHEMA = Path(__file__).parents[2] / "site/assets/report.schema.json"
_LARGEST_CELL = 2**31 - 1


@dataclass(frozen=True)
class Fit:
    """A table of a site as the hub takes it."""

    standing: Standing
    data: Protected
    report: Report | None


def read(files: Mapping[str, bytes], key: Key, library: Library) -> Fit:
    """Read the files of a table by what they are.

    Raises:
        InputError: one is not what this program writes; the message names the file, and the row where there is one.
    """
    area, identifier = key
    flow, where = thresholds.flow_of(area, identifier, library), paths(key)
    record = _json(files[RECORD], where[RECORD], _HERE / "record.schema.json")
    said = (record["description"]["area"], record["description"]["flow"])
    if said != key:
        raise InputError("{file}: it speaks of {found}.", file=where[RECORD], found=" ".join(said))
    frame = _table(files[TABLE], where[TABLE], flow)
    cells = _cells(files[LINEAGE], where[LINEAGE], rows=len(frame), tables=len(record["origins"]))
    found = _report(files[REPORT], where[REPORT], key, library) if files.get(REPORT) else None
    if files.get(REVISIONS):
        _check_revisions(files[REVISIONS], where[REVISIONS], flow)
    standing = Standing(frame.join(cells), record, files.get(REPORT, b""), files.get(REVISIONS, b""))
    data = protect.released(standing.table, record, area, flow, library)
    describe.released(record, library)
    return Fit(standing, data, found)


def check(fit: Fit, library: Library, *, day: str, language: str) -> None:
    """Hold the figures against structure, code lists, allowed content and the marks of what is withheld.

    Raises:
        InputError: they break a rule; the message has the first cell of the table that does.
    """
    key = fit.data.area, fit.data.flow.id
    file, table = paths(key)[TABLE], fit.standing.table
    names = [name for name in table.columns if name not in CELL]
    places = {name: ("column", number) for number, name in enumerate(names, 1)}
    frame = table.assign(table=0, row=np.arange(2, len(table) + 2), column=places["OBS_VALUE"][1])
    for name in names:  # as they came: `released` leaves out codes that no list has
        component = fit.data.flow.structure.components[name]
        if component.codelist is not None:
            frame[name] = frame[name].astype("category")
        elif component.is_number:
            frame[name] = pd.to_numeric(frame[name].replace("", None))
    origin = Origin(file, "", "", "", "", places, {number: name for name, (_, number) in places.items()})
    found = validate_gathered(replace(fit.data, frame=frame, sources=(origin,)), library, day=day)
    if not found.is_fit:
        first = next(issue for issue in report.by_severity(found.issues) if not issue.waiver)
        raise InputError("{issue}", issue=report.terminal(first, library, language))


def _json(content: bytes, file: str, schema: Path) -> Any:
    try:
        found = json.loads(content)
        fault = next(iter(_validator(schema).iter_errors(found)), None)
    except (ValueError, RecursionError):
        raise InputError("{file} is not JSON.", file=file) from None
    if fault is not None:
        place = "/".join(map(str, fault.absolute_path))
        raise InputError("{file}: {place} is not what this program writes.", file=file, place=place or "{}")
    return found


@cache
def _validator(schema: Path) -> Any:
    import jsonschema  # slow to import

    return jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def text(content: bytes, file: str) -> pd.DataFrame:
    """A table of text: every row as long as its header, every heading once."""
    try:
        header = next(csv.reader([content.split(b"\n", 1)[0].decode().rstrip("\r")]), [])
        options = pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False)
        found = pa_csv.read_csv(
            io.BytesIO(content), parse_options=pa_csv.ParseOptions(newlines_in_values=True), convert_options=options
        )
        if len(set(found.column_names)) != len(found.column_names):
            raise InputError("{file}: a heading stands twice.", file=file)
        frame = pd.DataFrame({name: found[name].to_pandas().astype("str") for name in found.column_names})
    except (pa.ArrowException, UnicodeDecodeError) as error:
        told = str(error).partition("\n")[0][:200]
        raise InputError("{file}: it cannot be read as a table ({error}).", file=file, error=told) from None
    for name in frame:
        for word in frame[name].unique():
            if _UNREADABLE.search(word):
                row = int((frame[name] == word).to_numpy().argmax()) + 2
                raise InputError(
                    "{file}, row {row}, column {column}: characters that no text has.", file=file, row=row, column=name
                )
    return frame


def _table(content: bytes, file: str, flow: Dataflow) -> pd.DataFrame:
    frame = text(content, file)
    known = flow.structure.components
    unknown = [name for name in frame if name not in known]
    absent = [name for name in (*flow.structure.key, "OBS_VALUE", "OBS_STATUS", "CONF_STATUS") if name not in frame]
    if unknown or absent:
        raise InputError(
            "{file}: its columns are not those of {flow}: {columns}.",
            file=file,
            flow=flow.id,
            columns=", ".join(map(str, (unknown or absent)[:5])),
        )
    if not len(frame):
        raise InputError("{file}: there is no row in it.", file=file)
    frame = without_guards(frame)
    numbers = [c.id for c in known.values() if c.id in frame and c.is_number]
    _check_numbers(frame, file, [name for name in numbers if known[name].codelist is None])
    return frame


def _check_numbers(frame: pd.DataFrame, file: str, columns: Iterable[str]) -> None:
    for name in columns:
        numbers = pd.to_numeric(frame[name].replace("", None), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = ~np.isfinite(numbers) & (frame[name] != "").to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError(
                '{file}, row {row}, column {column}: "{found}" is not a number.',
                file=file,
                row=row + 2,
                column=name,
                found=frame[name].iloc[row][:50],
            )


def _cells(content: bytes, file: str, *, rows: int, tables: int) -> pd.DataFrame:
    """The source cell of each row; sizes are looked at before anything is unpacked."""
    try:
        parquet = pq.ParquetFile(io.BytesIO(content))
        about = parquet.metadata
        size = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
        if about.num_rows != rows or size > 200 * rows + 2**20:
            raise InputError("{file}: it has not the rows of the table.", file=file)
        frame = parquet.read(columns=list(CELL)).to_pandas()
        numbers = frame[list(CELL)].astype("int64")
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        raise InputError("{file}: it cannot be read as a table ({error}).", file=file, error="Parquet") from None
    inside = (numbers >= 0) & (numbers <= _LARGEST_CELL)
    if not inside.to_numpy().all() or (numbers["table"] >= tables).any():
        raise InputError("{file}: a row comes from no table.", file=file)
    return pd.DataFrame(numbers.reset_index(drop=True))


def _report(content: bytes, file: str, key: Key, library: Library) -> Report:
    found = _json(content, file, _REPORT_SCHEMA)
    told = report.restored(content)
    if (told.area, told.flow) != key or "message" in found:
        raise InputError("{file}: it speaks of {found}.", file=file, found=f"{told.area} {told.flow}")
    for issue in told.issues:
        if issue.code not in library.issue_types or (issue.component and issue.component not in library.concepts):
            raise InputError(
                "{file}: {place} is not what this program writes.", file=file, place=f"{issue.code} {issue.component}"
            )
    return told


def _check_revisions(content: bytes, file: str, flow: Dataflow) -> None:
    frame = text(content, file)
    if tuple(frame.columns) != vintages.columns(flow):
        raise InputError(
            "{file}: its columns are not those of {flow}: {columns}.",
            file=file,
            flow=flow.id,
            columns=", ".join(map(str, list(frame.columns)[:5])),
        )
    _check_numbers(frame, file, ("old", "new", "r"))
    for name in ("old_status", "new_status", *flow.structure.dimensions):
        codelist = flow.structure.components["OBS_STATUS" if name.endswith("_status") else name].codelist
        unknown = set(frame[name].unique()) - {"", *(codelist.codes if codelist is not None else ())}
        if codelist is not None and unknown:
            raise InputError(
                "{file}: {place} is not what this program writes.", file=file, place=f"{name} {min(unknown)[:50]}"
            )
