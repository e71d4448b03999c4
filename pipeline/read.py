"""A delivered file → `RawTable`: all text, nothing cleaned, the file never written to."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineError

from pipeline import px
from pipeline.errors import InputError, Told
from pipeline.model import Layout, RawTable
from pipeline.workbook import FILE_BYTES, LISTS, MARK, Workbook, kind, workbook

_SPREADSHEETS = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
_WILD = "*"


def read_all(folder: Path, layouts: Sequence[Layout]) -> list[RawTable]:
    """Every table of the layouts, in their order. A `*` in `file` or `sheet` stands for any text, in order of name.

    Raises:
        InputError: a file or sheet is absent, or cannot be opened.
    """
    return [
        replace(read(folder, single), layout=number)
        for number, layout in enumerate(layouts)
        for single in _singles(folder, layout)
    ]


def read(folder: Path, layout: Layout) -> RawTable:
    """Read the table that `layout` describes from `folder`, the `data/<AREA>` of its country.

    Raises:
        InputError: the file is absent, cannot be opened, or has no such sheet.
    """
    where, content = _content(folder, layout.file)
    checksum = hashlib.sha256(content).hexdigest()
    suffix = Path(layout.file).suffix.lower()
    if suffix in _SPREADSHEETS:
        return _sheet(workbook(where, content), checksum, layout)
    if kind(content) not in ("text", "unknown", "an XML document"):
        raise InputError(
            "{where}: inside it is {found}, not text. Give it its right ending.", where=where, found=_told(content)
        )
    if layout.database:
        return _query(where, content, layout, folder)
    rows = px.rows(where, content) if suffix == ".px" else _rows(where, content, layout)
    return RawTable(where, "", checksum, _frame(rows), None, widths=tuple(map(len, rows)))


def _told(content: bytes) -> Told:
    is_workbook = kind(content) == "workbook"
    return Told("a workbook" if is_workbook else kind(content))


def _singles(folder: Path, layout: Layout) -> Iterator[Layout]:
    """The layout once for each file and sheet that its patterns stand for."""
    files = [layout.file]
    if _WILD in layout.file:
        files = sorted(path.relative_to(folder).as_posix() for path in folder.glob(layout.file))
        if not files:
            raise InputError(
                "{area}/{file}: there is no such file. Put some in data/{area}/.", area=folder.name, file=layout.file
            )
    for file in files:
        if _WILD not in layout.sheet:
            yield replace(layout, file=file)
            continue
        where, content = _content(folder, file)
        sheets = [name for name in workbook(where, content).sheets if fnmatchcase(name, layout.sheet)]
        if not sheets:
            raise InputError(
                '{where}: no sheet is called "{sheet}". Correct `sheet` in the layout.', where=where, sheet=layout.sheet
            )
        for sheet in sheets:
            yield replace(layout, file=file, sheet=sheet)


def shown(folder: Path, file: str) -> str:
    """A file as people are told of it, with its country; by its name alone where it is tried from elsewhere."""
    return f"{folder.name}/{Path(file).name if Path(file).is_absolute() else file}"


def _content(folder: Path, file: str) -> tuple[str, bytes]:
    path, where = folder / file, shown(folder, file)
    if not path.is_file():
        raise InputError("{where}: there is no such file. Put it in data/{area}/.", where=where, area=folder.name)
    try:
        if path.stat().st_size > FILE_BYTES:
            raise InputError(
                "{where}: a file of more than {size:,} bytes is not read. Divide it.", where=where, size=FILE_BYTES
            )
        return where, path.read_bytes()
    except OSError as error:
        raise InputError("{where}: the file cannot be opened ({error}).", where=where, error=error.strerror) from None


def _sheet(book: Workbook, checksum: str, layout: Layout) -> RawTable:
    sheet = layout.sheet
    if sheet not in (*book.sheets, *book.hidden):
        found = ", ".join(f'"{name}"' for name in book.sheets)
        raise InputError(
            '{where}: there is no sheet "{sheet}"; the workbook has {found}. Correct `sheet` in the layout.',
            where=book.where,
            sheet=sheet,
            found=found,
        )
    try:
        opened = book.opened.get_sheet_by_name(sheet)
        rows = opened.to_python(skip_empty_area=False)
        merged = book.merged(sheet)
    except (CalamineError, ValueError, OSError) as error:
        raise InputError(
            '{where}, sheet "{sheet}": cannot be read ({error}). Have it saved again.',
            where=book.where,
            sheet=sheet,
            error=error,
        ) from None
    cells = _frame([[_shown(value) for value in row] for row in rows])
    for (row, column), content in book.unread(sheet).items():
        if row in cells.index and column in cells.columns:
            cells.loc[row, column] = content
    is_number = _numbers(rows, cells)
    needs_styles = any(each.get("by") in ("indent", "bold") for each in layout.columns.values())
    styles = book.styles(sheet, tuple(range(1, cells.shape[1] + 1))) if needs_styles else {}
    ours = (LISTS, MARK) if layout.is_template else ()
    hidden = tuple(name for name in book.hidden if name not in (sheet, *ours))
    return RawTable(book.where, sheet, checksum, cells, is_number, merged, styles=styles, hidden=hidden)


def _query(where: str, content: bytes, layout: Layout, folder: Path) -> RawTable:
    """The result of the query that the file holds. Its checksum is that of the result: the query may stay the same."""
    from pipeline import database  # its library is large, and few tables come from one

    rows = database.rows(where, _decoded(where, content, layout), layout.database, folder)
    shown = [[_shown(value) for value in row] for row in rows]
    checksum = hashlib.sha256(repr(shown).encode()).hexdigest()
    cells = _frame(shown)
    is_number = _numbers(rows, cells)
    return RawTable(where, "", checksum, cells, is_number)


def _numbers(rows: Sequence[Sequence[Any]], cells: pd.DataFrame) -> pd.DataFrame:
    """Which of the cells, that are text by now, were numbers."""
    are = [[isinstance(v, int | float | decimal.Decimal) and not isinstance(v, bool) for v in row] for row in rows]
    return pd.DataFrame(are, index=cells.index, columns=cells.columns, dtype=bool)


def _shown(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates in ISO 8601, nothing for a null."""
    match value:
        case None:
            return ""
        case decimal.Decimal():
            return str(int(value)) if value == value.to_integral_value() else format(value, "f")
        case float():
            return repr(int(value)) if value.is_integer() else repr(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _decoded(where: str, content: bytes, layout: Layout) -> str:
    encoding = "utf-8-sig" if layout.encoding.lower() in ("utf-8", "utf8") else layout.encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            "{where}, line {line}: not {encoding} text. Set `encoding` in the layout, for instance latin-1.",
            where=where,
            line=line,
            encoding=layout.encoding,
        ) from None
    except LookupError:
        raise InputError(
            '{where}: the encoding "{encoding}" of the layout is not known.', where=where, encoding=layout.encoding
        ) from None


def _rows(where: str, content: bytes, layout: Layout) -> list[list[str]]:
    text = _decoded(where, content, layout)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True))
    except csv.Error as error:
        raise InputError(
            "{where}: not a delimited text file ({error}). Is there a lone quotation mark?", where=where, error=error
        ) from None


def _frame(rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Text cells numbered from 1; short rows are filled with blanks."""
    width = max(map(len, rows), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    index, columns = range(1, len(rows) + 1), range(1, width + 1)
    return pd.DataFrame(padded, index=index, columns=columns, dtype=object)
