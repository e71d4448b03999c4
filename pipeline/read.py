"""A delivered file → `RawTable`: all text, nothing cleaned, the file never written to."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl.utils import column_index_from_string
from python_calamine import CalamineError, CalamineWorkbook

from pipeline.errors import InputError
from pipeline.model import Layout, RawTable

_SHEET_BYTES, _SHEET_CELLS = 2**30, 50_000_000
_SPREADSHEETS = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}


def read(folder: Path, layout: Layout) -> RawTable:
    """Read the table that `layout` describes from `folder`, the `data/<AREA>` of its country.

    Raises:
        InputError: the file is absent, cannot be opened, or has no such sheet.
    """
    path = folder / layout.file
    where = f"{folder.name}/{layout.file}"
    if not path.is_file():
        raise InputError(f"{where}: there is no such file. Put it in data/{folder.name}/.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{where}: the file cannot be opened ({error.strerror}).") from None
    checksum = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() in _SPREADSHEETS:
        return _spreadsheet(where, content, checksum, layout.sheet)
    return _text(where, content, checksum, layout)


def _spreadsheet(where: str, content: bytes, checksum: str, sheet: str) -> RawTable:
    try:
        if content.startswith(b"PK"):
            _refuse_huge(where, content)
        return _sheet(where, CalamineWorkbook.from_filelike(io.BytesIO(content)), checksum, sheet)
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, LookupError, OverflowError) as error:
        raise InputError(
            f"{where}: not a workbook that can be opened ({error}). Ask for it to be saved again."
        ) from None


def _refuse_huge(where: str, content: bytes) -> None:
    """Refuse a sheet whose cell references span more than can be held: the reader fills all between."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            if not part.filename.startswith("xl/worksheets/") or not part.filename.endswith(".xml"):
                continue
            if part.file_size > _SHEET_BYTES:
                raise InputError(f"{where}: a sheet of {part.file_size:,} bytes is more than can be read.")
            cells = re.findall(rb'<c [^>]*?r="([A-Z]+)(\d+)"', archive.read(part))
            rows = max((int(row) for _, row in cells), default=0)
            width = max((column_index_from_string(column.decode()) for column, _ in set(cells)), default=0)
            if rows * width > _SHEET_CELLS:
                raise InputError(
                    f"{where}: a sheet has cells up to row {rows:,} and column {width:,}. "
                    "Delete what stands far from the table and save it again."
                )


def _sheet(where: str, workbook: CalamineWorkbook, checksum: str, sheet: str) -> RawTable:
    if sheet not in workbook.sheet_names:
        found = ", ".join(f'"{name}"' for name in workbook.sheet_names)
        raise InputError(
            f'{where}: there is no sheet "{sheet}"; the workbook has {found}. Correct `sheet` in the layout.'
        )
    opened = workbook.get_sheet_by_name(sheet)
    rows = opened.to_python(skip_empty_area=False)
    merged = tuple((r1 + 1, c1 + 1, r2 + 1, c2 + 1) for (r1, c1), (r2, c2) in opened.merged_cell_ranges or [])
    cells = _frame([[_shown(value) for value in row] for row in rows])
    is_number = pd.DataFrame(
        [[isinstance(value, int | float) and not isinstance(value, bool) for value in row] for row in rows],
        index=cells.index,
        columns=cells.columns,
        dtype=bool,
    )
    return RawTable(where, sheet, checksum, cells, is_number, merged)


def _shown(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates in ISO 8601."""
    match value:
        case float():
            return repr(int(value)) if value.is_integer() else repr(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _text(where: str, content: bytes, checksum: str, layout: Layout) -> RawTable:
    encoding = "utf-8-sig" if layout.encoding.lower() in ("utf-8", "utf8") else layout.encoding
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{where}, line {line}: not {layout.encoding} text. Set `encoding` in the layout, for instance latin-1."
        ) from None
    except LookupError:
        raise InputError(f'{where}: the encoding "{layout.encoding}" of the layout is not known.') from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{where}: not a delimited text file ({error}). Is there a lone quotation mark?") from None
    return RawTable(where, "", checksum, _frame(rows), None)


def _frame(rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Text cells numbered from 1; short rows are filled with blanks."""
    width = max(map(len, rows), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    index, columns = range(1, len(rows) + 1), range(1, width + 1)
    return pd.DataFrame(padded, index=index, columns=columns, dtype=object)
