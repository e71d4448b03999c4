"""The sheet "Problemas": every issue of a file in rows, each with a link to its cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.report import Told
from pipeline.returned.copies import Copy, put
from pipeline.returned.marks import FILLS, anchor

_COLUMNS = {
    "severity": 11,
    "code": 10,
    "place_sheet": 18,
    "cell": 14,
    "heading": 24,
    "what": 58,
    "remedy": 70,
    "who": 30,
}
_CELL = list(_COLUMNS).index("cell") + 1
_LINKS = 60_000  # Excel allows 65,530 on one sheet
_INK, _QUIET = Font(color="FF1B2530"), Font(color="FF576170")
_TITLE, _LINK = Font(bold=True, size=16, color="FF1B2530"), Font(color="FF0A5A6B", underline="single")
_HEAD, _HEAD_FILL = Font(bold=True, color="FFFFFFFF"), PatternFill("solid", start_color="FF0A5A6B")
_TOP = Alignment(vertical="top", wrap_text=True)
_UNDER = Border(bottom=Side("thin", color="FFD9D4C7"))


def list_issues(copy: Copy, told: Sequence[Told], words: Mapping[str, str], *, file: str) -> Worksheet:
    """Put the sheet first in the workbook, so that it is what the provider sees on opening it."""
    for other in copy.book.worksheets:
        other.sheet_view.tabSelected = False  # two chosen sheets would be edited together
    sheet = copy.book.create_sheet(words["sheet"], 0)
    copy.book.active = 0
    _opening(sheet, copy, words, file)
    head = sheet.max_row + 2
    for column, (key, width) in enumerate(_COLUMNS.items(), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
        _write(sheet.cell(head, column), words[key], _HEAD, _HEAD_FILL)
    row = head
    for row, (each, cell, shown) in enumerate(_rows(told, words), head + 1):
        _issue(sheet, row, each, shown)
        if cell and each.issue.sheet in copy.sheets:
            _link(sheet.cell(row, _CELL), copy.sheets[each.issue.sheet], cell)
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(len(_COLUMNS))}{row}"
    sheet.freeze_panes = sheet.cell(head + 1, 1)
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{head}:{head}"
    return sheet


def _opening(sheet: Worksheet, copy: Copy, words: Mapping[str, str], file: str) -> None:
    """What this is, what the copy lacks, and what the colours mean."""
    _write(sheet["A1"], words["of_file"].format(file=file), _TITLE)
    texts = [words["intro"], *(words[key].format(sheet=name) for key, name in copy.lacks)]
    for row, text in enumerate(texts, 2):
        _write(sheet.cell(row, 1), text, _QUIET)
    for row, (severity, fill) in enumerate(FILLS.items(), len(texts) + 2):
        sheet.cell(row, 1).fill = fill
        _write(sheet.cell(row, 2), words[f"legend_{severity}"], _INK)


def _rows(told: Sequence[Told], words: Mapping[str, str]) -> Iterator[tuple[Told, str, str]]:
    """An issue, a cell of it or nothing, and the text for the column of cells."""
    room = _LINKS
    for each in told:
        cells = each.issue.cells[:room]
        room -= len(cells)
        yield from ((each, cell, cell) for cell in cells)
        rest = each.issue.count - len(cells)
        if rest > 0:
            key = "more" if cells else "whole" if rest == 1 else "count"
            yield each, "", words[key].format(count=rest)


def _issue(sheet: Worksheet, row: int, each: Told, shown: str) -> None:
    issue = each.issue
    texts = (each.severity, issue.code, issue.sheet, shown, issue.heading, each.message, each.remedy, each.who)
    for column, text in enumerate(texts, 1):
        cell = sheet.cell(row, column)
        _write(cell, text, _INK, FILLS[issue.severity] if column == 1 else None)
        cell.alignment, cell.border = _TOP, _UNDER


def _link(cell: Cell, target: Worksheet, at: str) -> None:
    """A link inside the workbook: it needs no address, and opens nothing else."""
    cell.hyperlink = Hyperlink(ref="", location=f"{quote_sheetname(target.title)}!{anchor(target, at)}")
    cell.font = _LINK


def _write(cell: Cell, text: str, font: Font, fill: PatternFill | None = None) -> None:
    put(cell, text)
    cell.font = font
    if fill is not None:
        cell.fill = fill
