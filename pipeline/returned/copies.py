"""A delivered file → a workbook that can be marked: the provider's own where it can be kept, else its values."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineSheet, CalamineWorkbook

from pipeline.model import Layout
from pipeline.read import read
from pipeline.returned.carried import carried, lost

_KEPT = (".xlsx", ".xlsm")
_VALUES = (".xls", ".ods")
_XML_BYTES = 100 * 2**20  # a larger workbook would not fit in memory with its formatting
_SHEET_CELLS = 5_000_000  # a sheet with more is left out of a copy of values
_MERGED_CELLS = 1_000_000  # a merged range has an entry for each cell that it covers
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="\$?([A-Z]+)\$?(\d+):\$?([A-Z]+)\$?(\d+)"')
# What openpyxl raises over workbooks that other readers forgive.
_UNWRITABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Copy:
    """A workbook to be marked, its sheets by the name that issues give them, and what it does not keep.

    `lacks` has keys of `site/text/returned.*.toml`, each with what it speaks of, if anything. `delivered` is the
    workbook that the copy is of, where it is more than its values.
    """

    book: Workbook
    suffix: str
    sheets: dict[str, Worksheet]
    lacks: list[tuple[str, str]] = field(default_factory=list)
    delivered: bytes = b""

    def saved(self) -> bytes:
        """The workbook as it goes back."""
        content = io.BytesIO()
        self.book.save(content)
        return carried(self.delivered, content.getvalue()) if self.delivered else content.getvalue()


def copied(path: Path, received: Path, layout: Layout) -> Copy:
    """A copy of the file at `path`. It is only read, and nothing in it is run or followed."""
    suffix = path.suffix.lower()
    if suffix not in (*_KEPT, *_VALUES):
        return _text(path, received, layout)
    content = path.read_bytes()
    if suffix in _KEPT and _can_be_kept(content):
        try:
            return _kept(content, suffix)
        except _UNWRITABLE:
            pass  # the values can still go back
    return _values(content)


def put(cell: Cell, value: Any) -> None:
    """Write a value so that text stays text, whatever sign it begins with."""
    if not isinstance(value, str):
        cell.value = value
        return
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell.value = text
    cell.data_type = "s"  # openpyxl takes "=…" for a formula and "#N/A" for an error
    if text.startswith(_FORMULA_SIGNS):
        cell.quotePrefix = True  # so that editing the cell does not make it one either


def _can_be_kept(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist() if part.filename.endswith(".xml")) > _XML_BYTES:
                return False
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            return all(_merged_cells(archive.read(name)) <= _MERGED_CELLS for name in sheets)
    except zipfile.BadZipFile:
        return False


def _merged_cells(sheet: bytes) -> int:
    return sum(
        (int(r2) - int(r1) + 1) * (_column(c2) - _column(c1) + 1) for c1, r1, c2, r2 in set(_MERGE.findall(sheet))
    )


def _column(letters: bytes) -> int:
    return int(column_index_from_string(letters.decode()))


def _kept(content: bytes, suffix: str) -> Copy:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of extensions that are lost: the copy tells of them
        book = load_workbook(io.BytesIO(content), keep_vba=suffix == ".xlsm", rich_text=True)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    missing = lost(content)
    return Copy(book, suffix, sheets, [("lost", missing)] if missing else [], delivered=content)


def _values(content: bytes) -> Copy:
    source, book = CalamineWorkbook.from_filelike(io.BytesIO(content)), Workbook()
    book.remove(book.active)
    copy = Copy(book, ".xlsx", {}, [("values_only", "")])
    for name in source.sheet_names:
        sheet = copy.sheets[name] = book.create_sheet(_title(name))
        opened = source.get_sheet_by_name(name)
        if opened.height * opened.width > _SHEET_CELLS:
            copy.lacks.append(("too_large", name))
        else:
            _fill(sheet, opened)
    return copy


def _fill(sheet: Worksheet, opened: CalamineSheet) -> None:
    first_row, first_column = opened.start or (0, 0)
    for row, values in enumerate(opened.to_python(skip_empty_area=True), first_row + 1):
        for column, value in enumerate(values, first_column + 1):
            if value != "":
                put(sheet.cell(row, column), value)
    for r1, c1, r2, c2 in _merges(opened):
        sheet.merge_cells(start_row=r1, start_column=c1, end_row=r2, end_column=c2)


def _merges(opened: CalamineSheet) -> Iterator[tuple[int, int, int, int]]:
    for (r1, c1), (r2, c2) in opened.merged_cell_ranges or []:
        if (r2 - r1 + 1) * (c2 - c1 + 1) <= _MERGED_CELLS:
            yield r1 + 1, c1 + 1, r2 + 1, c2 + 1


def _text(path: Path, received: Path, layout: Layout) -> Copy:
    """The cells of a text file as `read` cuts it, on one sheet, each as the text that it is."""
    book = Workbook()
    sheet = book.active
    sheet.title = _title(path.stem)
    for row, values in enumerate(read(received, layout).cells.itertuples(index=False, name=None), 1):
        for column, value in enumerate(values, 1):
            if value != "":
                put(sheet.cell(row, column), value)
                sheet.cell(row, column).number_format = "@"
    return Copy(book, ".xlsx", {"": sheet})


def _title(name: str) -> str:
    """A name that Excel allows for a sheet: no more than 31 signs and none of `[ ] : * ? /` and the backslash."""
    return re.sub(r"[\[\]:*?/\\]", "_", ILLEGAL_CHARACTERS_RE.sub("", name)).strip("'")[:31] or "1"
