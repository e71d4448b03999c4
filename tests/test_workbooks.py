"""One table in every kind of workbook that offices send reads to the same cells."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from pipeline.errors import InputError
from pipeline.grid import grid
from pipeline.model import Layout
from pipeline.read import read
from pipeline.workbook import workbook

NAME, HIDDEN = "Cuadro Nº 1", "Auxiliar"
ROWS: list[list[Any]] = [
    ["Población por país, 2024"],
    [],
    ["País", "Código", "Sexo", None, "Fecha"],
    [None, None, "Hombres", "Mujeres", None],
    ["NO", "004", 1200, 3.5, dt.date(2024, 6, 30)],
    ["Côte d'Ivoire & <otros>", "NA", "..", 0, None],
    ["مصر 🌍", "", -7, True, None],
]
MERGED = ((3, 1, 4, 1), (3, 3, 3, 4))  # first row, first column, last row, last column
NAMESPACES = " ".join(
    f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text", "style")
)


def xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = NAME
    for row in ROWS:
        sheet.append(row)
    for r1, c1, r2, c2 in MERGED:
        sheet.merge_cells(start_row=r1, start_column=c1, end_row=r2, end_column=c2)
    book.create_sheet(HIDDEN).sheet_state = "hidden"
    book.save(path)


def xls(path: Path) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(NAME)
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for r1, c1, r2, c2 in MERGED:
        sheet.merge(r1 - 1, r2 - 1, c1 - 1, c2 - 1)
    for r, row in enumerate(ROWS):
        for c, value in enumerate(row):
            if value is not None:
                sheet.write(r, c, value, day if isinstance(value, dt.date) else xlwt.Style.default_style)
    book.add_sheet(HIDDEN).visibility = 1
    book.save(str(path))


def ods(path: Path) -> None:
    """OpenDocument 1.3 part 3, §9: only what a table needs."""
    spans = {(r1, c1): (r2 - r1 + 1, c2 - c1 + 1) for r1, c1, r2, c2 in MERGED}
    covered = {(r, c) for r1, c1, r2, c2 in MERGED for r in range(r1, r2 + 1) for c in range(c1, c2 + 1)} - spans.keys()

    def cell(r: int, c: int, value: Any) -> str:
        name = "table:covered-table-cell" if (r, c) in covered else "table:table-cell"
        span = spans.get((r, c))
        size = f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"' if span else ""
        match value:
            case None | "":
                return f"<{name}{size}/>"
            case bool():
                kind = f'"boolean" office:boolean-value="{str(value).lower()}"'
            case int() | float():
                kind = f'"float" office:value="{value}"'
            case dt.date():
                kind = f'"date" office:date-value="{value.isoformat()}"'
            case _:
                kind = '"string"'
        shown = "" if isinstance(value, dt.date) else escape(str(value))
        return f"<{name}{size} office:value-type={kind}><text:p>{shown}</text:p></{name}>"

    rows = "".join(
        f"<table:table-row>{''.join(cell(r, c, v) for c, v in enumerate(row, 1))}</table:table-row>"
        for r, row in enumerate(ROWS, 1)
    )
    styles = (
        '<office:automatic-styles><style:style style:name="h" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    body = (
        f'<table:table table:name="{NAME}">{rows}</table:table>'
        f'<table:table table:name="{HIDDEN}" table:style-name="h"><table:table-row><table:table-cell/></table:table-row></table:table>'
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} office:version="1.3">{styles}'
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)


WRITERS: dict[str, Callable[[Path], None]] = {"xlsx": xlsx, "xlsm": xlsx, "xls": xls, "ods": ods}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_cells_whatever_the_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"cuadro.{kind}"
    WRITERS[kind](path)
    layout = Layout(
        path.name,
        "INF",
        "CC-BY-4.0",
        ("Hombres", "Mujeres"),
        labels={"COUNTRY_BIRTH": "País"},
        headings={"SEX": "4"},
        header=(3, 4),
        sheet=NAME,
    )
    raw = read(tmp_path, layout)
    shown = [[cell.removesuffix("T00:00:00") for cell in row] for row in raw.cells.to_numpy().tolist()]
    assert [row[:5] for row in shown] == [
        ["Población por país, 2024", "", "", "", ""],
        ["", "", "", "", ""],
        ["País", "Código", "Sexo", "", "Fecha"],
        ["", "", "Hombres", "Mujeres", ""],
        ["NO", "004", "1200", "3.5", "2024-06-30"],
        ["Côte d'Ivoire & <otros>", "NA", "..", "0", ""],
        ["مصر 🌍", "", "-7", "True", ""],
    ]
    assert raw.is_number is not None
    assert raw.is_number.loc[5:7, [2, 3, 4]].to_numpy().tolist() == [
        [False, True, True],
        [False, False, True],
        [False, True, False],
    ]
    assert raw.hidden == (HIDDEN,)
    assert sorted(raw.merged) == list(MERGED)
    assert grid(raw, layout).values == (3, 4)


def test_a_short_file_that_means_a_huge_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lejos.ods"
    ods(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    far = b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="900"'
    far += b' office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell></table:table-row>'
    parts["content.xml"] = parts["content.xml"].replace(b"</table:table>", far + b"</table:table>", 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match=r"lejos\.ods: a sheet has cells up to row 1,000,007 and column 900"):
        workbook(path.name, path.read_bytes())


@pytest.mark.parametrize("spoilt", [b"", b"<a", b"<?xml version='1.0'?><a/>"])
def test_a_damaged_open_document_is_told(tmp_path: Path, spoilt: bytes) -> None:
    path = tmp_path / "roto.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        if spoilt:
            archive.writestr("content.xml", spoilt)
    with pytest.raises(InputError, match=r"roto\.ods: (not a workbook that can be opened|there is no sheet)"):
        read(tmp_path, Layout(path.name, "INF", "CC-BY-4.0", ("n",), sheet=NAME))


@pytest.mark.parametrize("name", ["a.xlsb", "a.xlsx"])
def test_a_binary_workbook_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for part in ("[Content_Types].xml", "xl/workbook.bin", "xl/worksheets/sheet1.bin"):
            archive.writestr(part, b"")
    with pytest.raises(InputError, match=rf"{name}: a binary workbook \(\.xlsb\) is not read. Have it saved again as"):
        read(tmp_path, Layout(file=name, provider="INE", licence="CC-BY-4.0", values="B:B", sheet=NAME))
