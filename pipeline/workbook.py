"""Spreadsheet files from anywhere, opened safely: what is inside is found out before it is read.

Limits are declared here. A workbook is an archive that a small file can make unfold into any size, and a
sheet whose last cell is far away makes a reader fill all between.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree
from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from pipeline import ods
from pipeline.errors import InputError, Told
from pipeline.workers import survives

FILE_BYTES = 2**29  # of any delivered file
SHEET_BYTES = 2**30  # of one part of a workbook, unfolded
UNFOLDED_BYTES = 2**31  # of all of its parts together
SHEET_CELLS = 50_000_000  # between the first cell and the last
_TRIAL_BYTES, _TRIAL_SECONDS = 2**31, 60  # for a workbook that is tried aside
LISTS, MARK = "_lists", "_trayecto"  # the hidden sheets of a template

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of XLS, and of workbooks with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CELL = re.compile(rb'<c [^>]*?r="([A-Z]+)(\d+)"[^>]*(?<!/)>(?!</c>)')  # not those that only have a style
_FORMULA = re.compile(rb'<c [^>]*?r="([A-Z]+)(\d+)"[^>]*><f\b[^>]*?(?:/>|>([^<]*)</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>')
_ERROR = re.compile(
    rb'<c (?=[^>]*\bt="e")[^>]*?r="([A-Z]+)(\d+)"[^>]*>(?:<f\b[^>]*?(?:/>|>[^<]*</f>))?\s*<v>([^<]*)</v>'
)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DOCUMENT = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

_DAMAGED = (CalamineError, zipfile.BadZipFile, OSError, ValueError, LookupError, OverflowError, etree.XMLSyntaxError)

Place = tuple[int, int]  # row and column, from 1


@dataclass(frozen=True)
class Workbook:
    """A workbook that can be read: its sheets by name, hidden ones apart."""

    where: str
    content: bytes
    opened: CalamineWorkbook
    sheets: tuple[str, ...]
    hidden: tuple[str, ...]
    extents: Mapping[str, ods.Extent]  # of an OpenDocument file, whose reader does not tell them

    def unread(self, sheet: str) -> dict[Place, str]:
        """Cells that a reader of values sees blank where a figure is meant, with what stands in them.

        They are errors such as `#DIV/0!`, and formulas whose result was never saved.
        """
        part = sheet_parts(self.content).get(sheet, "") if self.content.startswith(b"PK") else ""
        if not part:
            return {}
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            text = archive.read(part)
        if b't="e"' not in text and b"<f" not in text:
            return {}
        errors = {_place(m[1], m[2]): m[3].decode("utf-8", "replace") for m in _ERROR.finditer(text)}
        empty = {_place(m[1], m[2]): (m[3] or b"").decode("utf-8", "replace") for m in _FORMULA.finditer(text)}
        return errors | {place: f"={formula}" for place, formula in empty.items()}

    def merged(self, sheet: str) -> tuple[ods.Range, ...]:
        """The merged ranges of a sheet."""
        if sheet in self.extents:
            return tuple(self.extents[sheet].merged)
        ranges = self.opened.get_sheet_by_name(sheet).merged_cell_ranges or []
        return tuple((r1 + 1, c1 + 1, r2 + 1, c2 + 1) for (r1, c1), (r2, c2) in ranges)

    def styles(self, sheet: str, columns: tuple[int, ...]) -> dict[Place, tuple[int, bool]]:
        """(Indentation, whether it is bold) of each cell in the columns; none where the format keeps no styles."""
        if not self.content.startswith(b"PK") or not sheet_parts(self.content):
            return {}
        opened = load_workbook(io.BytesIO(self.content))[sheet]
        return {
            (cell.row, cell.column): (int(cell.alignment.indent or 0), bool(cell.font.b))
            for column in columns
            for cell in next(opened.iter_cols(min_col=column, max_col=column))
            if cell.value is not None
        }


def workbook(where: str, content: bytes) -> Workbook:
    """Open the content of a spreadsheet file.

    Raises:
        InputError: it has a password, is something else than a workbook, is damaged, or unfolds beyond the limits.
    """
    _refuse_other(where, content)
    _try(where, content)
    try:
        extents = _extents(where, content) if content.startswith(b"PK") else {}
        opened = CalamineWorkbook.from_filelike(io.BytesIO(content))
        seen = {each.name: each.visible == SheetVisibleEnum.Visible for each in opened.sheets_metadata}
    except _DAMAGED as error:
        raise InputError(
            "{where}: not a workbook that can be opened ({error}). Ask for it to be saved again.",
            where=where,
            error=error,
        ) from None
    return Workbook(
        where,
        content,
        opened,
        tuple(name for name, is_seen in seen.items() if is_seen),
        tuple(name for name, is_seen in seen.items() if not is_seen),
        extents,
    )


def _try(where: str, content: bytes) -> None:
    """Open a workbook in a binary format aside first: its reader believes the sizes that it says."""
    if not content.startswith(_OLE2) and b"workbook.bin" not in content:
        return

    def opening() -> None:
        opened = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in opened.sheet_names:
            opened.get_sheet_by_name(name)

    if not survives(opening, memory=_TRIAL_BYTES, seconds=_TRIAL_SECONDS):
        raise InputError(
            "{where}: not a workbook that can be opened ({error}). Ask for it to be saved again.",
            where=where,
            error=Told("its reader breaks down"),
        )


def kind(content: bytes) -> str:
    """What a file is by its first bytes, whatever its name says."""
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content.startswith(_OLE2):
        return "a workbook with a password" if _ENCRYPTED in content else "workbook"
    if content.startswith(b"PK"):
        return "workbook"
    if content.startswith(b"%PDF"):
        return "a PDF document"
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta")):
        return "a web page"
    if start.startswith(b"<?xml"):
        return "an XML document"
    return "text" if b"\0" not in content[:1024] else "unknown"


def _refuse_other(where: str, content: bytes) -> None:
    if not content:
        raise InputError("{where}: the file is empty. Ask for it to be sent again.", where=where)
    found = kind(content)
    if found == "a workbook with a password":
        raise InputError(
            "{where}: the workbook has a password. Ask for it without one, or save it without one.", where=where
        )
    if found != "workbook":
        told = Told({"text": "a text file", "unknown": "no kind of file that is known here"}.get(found, found))
        raise InputError(
            "{where}: not a workbook that can be opened: inside it is {told}. Have it saved again as .xlsx.",
            where=where,
            told=told,
        )


def _extents(where: str, content: bytes) -> dict[str, ods.Extent]:
    """The extents of an OpenDocument file, none of another kind. What unfolds beyond the limits is refused, and
    so is a sheet whose cells span more than can be held.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if any(part.filename == "xl/workbook.bin" for part in parts):  # how far its cells reach is not seen in time
            raise InputError(
                "{where}: a binary workbook (.xlsb) is not read. Have it saved again as .xlsx.", where=where
            )
        is_ods = ods.is_ods(archive)
        if sum(part.file_size for part in parts) > UNFOLDED_BYTES:
            raise InputError(
                "{where}: unfolded, the workbook has more than {size:,} bytes. It is refused.",
                where=where,
                size=UNFOLDED_BYTES,
            )
        for part in parts:
            if not part.filename.startswith("xl/worksheets/") or not part.filename.endswith(".xml"):
                continue
            if part.file_size > SHEET_BYTES:
                raise InputError(
                    "{where}: a sheet of {size:,} bytes is more than can be read.", where=where, size=part.file_size
                )
            _refuse_far(where, *_last(archive.read(part)))
    extents = ods.extents(content) if is_ods else {}
    for extent in extents.values():
        _refuse_far(where, extent.rows, extent.columns)
    return extents


def _refuse_far(where: str, row: int, column: int) -> None:
    if row * column > SHEET_CELLS:
        raise InputError(
            "{where}: a sheet has cells up to row {row:,} and column {column:,}. Delete what stands far from the "
            "table and save it again.",
            where=where,
            row=row,
            column=column,
        )


def _last(sheet: bytes) -> Place:
    """The last row and the last column with a cell that holds something."""
    found = _CELL.findall(sheet)
    letters, rows = {letters for letters, _ in found}, {row for _, row in found}
    last_column = max((column_index_from_string(each.decode()) for each in letters), default=0)
    return max(map(int, rows), default=0), last_column


def _place(letters: bytes, row: bytes) -> Place:
    return int(row), column_index_from_string(letters.decode())


def sheet_parts(content: bytes) -> Mapping[str, str]:
    """Sheet → its part in the archive of an Office Open XML workbook (ECMA-376 part 1 §18.2); else empty."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            book = etree.fromstring(archive.read("xl/workbook.xml"), xml_parser())
            related = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), xml_parser())
    except (KeyError, etree.XMLSyntaxError):
        return {}
    targets = {each.get("Id"): each.get("Target", "") for each in related}
    return dict(_named(book, targets))


def _named(book: etree._Element, targets: Mapping[str | None, str]) -> Iterator[tuple[str, str]]:
    for sheet in book.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_DOCUMENT), "")
        yield sheet.get("name", ""), posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def xml_parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True)
