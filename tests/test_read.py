"""Reading: all text, nothing cleaned, the file untouched, and a clear word when it cannot be read."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.errors import InputError
from pipeline.model import Layout
from pipeline.read import read


def layout(file: str, **more: object) -> Layout:
    return Layout(file=file, provider="INF", licence="CC-BY-4.0", values="B", **more)  # type: ignore[arg-type]


def test_codes_that_look_like_something_else_stay_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pais,edad,n\nNO,004,1\nNA,05,2\nNULL,true,1e3\n", encoding="utf-8")
    cells = read(tmp_path, layout("a.csv")).cells
    assert cells.to_numpy().tolist() == [
        ["pais", "edad", "n"],
        ["NO", "004", "1"],
        ["NA", "05", "2"],
        ["NULL", "true", "1e3"],
    ]


def test_codes_in_a_workbook_stay_text(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["pais", "n"], ["NO", 1], ["NA", 2.5], ["004", 30], [None, "12"]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    raw = read(tmp_path, layout("a.xlsx", sheet="Sheet"))
    assert raw.cells.to_numpy().tolist() == [
        ["pais", "n"],
        ["NO", "1"],
        ["NA", "2.5"],
        ["004", "30"],
        ["", "12"],
    ]
    assert raw.is_number is not None
    assert raw.is_number[2].to_list() == [False, True, True, True, False]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_text_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    content = delimiter.join(["País", "Año"]) + "\r\n" + delimiter.join(["Perú", "2024"]) + "\r\n"
    (tmp_path / "a.csv").write_bytes(content.encode(encoding))
    said = "utf-8" if encoding == "utf-8-sig" else encoding
    cells = read(tmp_path, layout("a.csv", encoding=said, delimiter=delimiter)).cells
    assert cells.to_numpy().tolist() == [["País", "Año"], ["Perú", "2024"]]


def test_ragged_rows_and_line_breaks_in_a_cell_keep_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('Título\n\n"a\nb",1,2\nc\n', encoding="utf-8")
    cells = read(tmp_path, layout("a.csv")).cells
    assert cells.shape == (4, 3)
    assert cells.loc[3].to_list() == ["a\nb", "1", "2"]
    assert cells.loc[4].to_list() == ["c", "", ""]


@pytest.mark.parametrize(
    ("name", "content", "more", "says"),
    [
        ("no.csv", None, {}, "Put it in data/"),
        ("no.xlsx", b"not a workbook", {"sheet": "a"}, "saved again"),
        ("cut.xlsx", b"PK\x03\x04" + b"\0" * 60, {"sheet": "a"}, "saved again"),
        ("a.csv", "año,Perú\n".encode("latin-1"), {}, "line 1: not utf-8 text"),
        ("a.csv", b"a,b\n", {"encoding": "klingon"}, "klingon"),
    ],
)
def test_what_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: bytes | None, more: dict[str, str], says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        read(tmp_path, layout(name, **more))


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("Cuadro 2")
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match='no sheet "Cuadro 1"; the workbook has "Sheet", "Cuadro 2"'):
        read(tmp_path, layout("a.xlsx", sheet="Cuadro 1"))


def test_a_cell_at_the_end_of_the_world_is_refused_before_it_is_read(tmp_path: Path) -> None:
    book = Workbook()
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = b'<sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B99999999999"><v>1</v></c></row></sheetData>'
    parts["xl/worksheets/sheet1.xml"] = re.sub(
        rb"<sheetData ?/>|<sheetData></sheetData>", sheet, parts["xl/worksheets/sheet1.xml"]
    )
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="cells up to row 99,999,999,999"):
        read(tmp_path, layout("a.xlsx", sheet="Sheet"))


def test_the_file_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,1\n")
    file.chmod(0o444)
    before = (file.stat().st_mtime_ns, file.read_bytes())
    read(tmp_path, layout("a.csv"))
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]
