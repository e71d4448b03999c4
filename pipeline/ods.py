"""What the reader of OpenDocument spreadsheets does not tell: merged cells, and how far a sheet reaches.

OpenDocument 1.3 part 3, §9.1: a row or a cell that stands `repeated` times is written once, so a file of a
few hundred bytes can mean any number of cells.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"

Range = tuple[int, int, int, int]  # first row, first column, last row, last column; from 1


@dataclass
class Extent:
    """The last row and column of a sheet that hold something, and its merged ranges."""

    rows: int = 0
    columns: int = 0
    merged: list[Range] = field(default_factory=list)


def is_ods(archive: zipfile.ZipFile) -> bool:
    """Whether an archive is an OpenDocument spreadsheet."""
    return "mimetype" in archive.namelist() and archive.read("mimetype").strip().startswith(MIMETYPE)


def extents(content: bytes) -> dict[str, Extent]:
    """The extent of each sheet of a spreadsheet file.

    Raises:
        KeyError, zipfile.BadZipFile, lxml.etree.XMLSyntaxError: it is damaged.
    """
    found: dict[str, Extent] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("content.xml") as part:
        row, name = 0, ""
        for event, element in etree.iterparse(
            part,
            ("start", "end"),
            tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
            resolve_entities=False,
            no_network=True,
        ):
            if element.tag == f"{_TABLE}table":
                if event == "start":
                    row, name = 0, element.get(f"{_TABLE}name", "")
                    found[name] = Extent()
            elif event == "end":
                times = _number(element, "number-rows-repeated")
                _add(found.setdefault(name, Extent()), element, row + 1, times)
                row += times
                element.clear()
    return found


def _add(extent: Extent, element: etree._Element, row: int, times: int) -> None:
    for column, last, cell in _cells(element):
        if cell.get(f"{_OFFICE}value-type") or len(cell):
            extent.rows, extent.columns = max(extent.rows, row + times - 1), max(extent.columns, last)
        down, right = _number(cell, "number-rows-spanned"), _number(cell, "number-columns-spanned")
        if (down, right) != (1, 1):
            extent.merged.append((row, column, row + down - 1, column + right - 1))


def _cells(row: etree._Element) -> Iterator[tuple[int, int, etree._Element]]:
    """First and last column of each cell of a row."""
    column = 1
    for cell in row.iterchildren(*_CELLS):
        last = column + _number(cell, "number-columns-repeated") - 1
        yield column, last, cell
        column = last + 1


def _number(element: etree._Element, name: str) -> int:
    text = element.get(f"{_TABLE}{name}", "1")
    return max(1, int(text)) if text.isdigit() else 1
