"""What goes back to the provider: their own workbook with its faults marked, a page and a record."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import posixpath
import time
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import openpyxl
import pytest
import xlsxwriter
from lxml import etree, html
from openpyxl.comments import Comment
from python_calamine import CalamineWorkbook

from pipeline import commands, report
from pipeline import library as authored
from pipeline.errors import InputError
from pipeline.framework import LANGUAGES
from pipeline.model import Issue, Library, Report
from pipeline.returned import copies, refused, returned
from pipeline.run import receive
from pipeline.validate import validate

ROOT = Path(__file__).parents[1]
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "site/assets/report.schema.json").read_text(encoding="utf-8")))
WORDS = {
    language: tomllib.loads((ROOT / f"site/text/returned.{language}.toml").read_text(encoding="utf-8"))
    for language in LANGUAGES
}
COPY = "DF_STOCK/cuadro_1.problemas.xlsx"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def damaged(office: Path) -> Path:
    """The workbook of XX with a label and a figure that are wrong, a note of the office, and a second sheet."""
    path = office / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["Cuadro 1"]
    sheet["A6"], sheet["C8"] = "Norvega", "muchos"
    sheet["E4"] = "dos mil"  # of the merged range E4:G4
    sheet["C8"].comment = Comment("Dato provisorio", "INF")
    sheet["C8"].number_format = "#,##0"
    other = book.create_sheet("O'tra hoja")
    other["A1"], other["A2"] = 2, "=A1*2"
    other.merge_cells("B1:C2")
    book.save(path)
    return office


def answer(root: Path, flow: str = "DF_STOCK", language: str = "es") -> tuple[Report, Library, dict[str, bytes]]:
    library = authored.load(root)
    found = validate(receive(root, library.countries["XX"].series[flow], library), library, day="2026-11-24")
    return found, library, returned(found, library, language=language, received=root / "data/XX")


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def made_up(library: Library, language: str, received: Path, *issues: Issue) -> dict[str, bytes]:
    return returned(Report("XX", issues[0].flow, issues, {}), library, language=language, received=received)


# ---------------------------------------------------------------- the provider's own workbook


def test_the_cells_are_coloured_and_commented_and_the_input_is_untouched(damaged: Path) -> None:
    path = damaged / "data/XX/cuadro_1.xlsx"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found, library, files = answer(damaged)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    sheet = opened(files[COPY])["Cuadro 1"]
    label = next(issue for issue in found.issues if issue.cells == ("A6",))
    assert label.code in sheet["A6"].comment.text
    assert report.told(label, library, "es").remedy in sheet["A6"].comment.text
    assert "Qué hacer" in sheet["A6"].comment.text
    for cell in ("A6", "C8"):
        assert sheet[cell].fill.start_color.rgb == "FFF4B5AB"
    assert sheet["B6"].comment is None
    assert sheet["B6"].fill.fill_type is None


def test_what_the_provider_has_in_the_workbook_stays(damaged: Path) -> None:
    book = opened(answer(damaged)[2][COPY])
    assert book.sheetnames == ["Problemas", "Cuadro 1", "O'tra hoja"]
    assert [str(area) for area in book["O'tra hoja"].merged_cells.ranges] == ["B1:C2"]
    assert {str(area) for area in book["Cuadro 1"].merged_cells.ranges} == {"A4:A5", "B4:D4", "E4:G4"}
    assert book["O'tra hoja"]["A2"].value == "=A1*2"
    cell = book["Cuadro 1"]["C8"]
    assert (cell.value, cell.number_format) == ("muchos", "#,##0")
    assert cell.comment.text.startswith("Dato provisorio\n\nERROR STR-08")
    assert cell.comment.author == "INF"


def test_a_fault_in_a_merged_heading_is_told_where_it_can_be_written(damaged: Path) -> None:
    library = authored.load(damaged)
    issue = Issue("STR-07", "W", "XX", "DF_STOCK", "x", "y", file="XX/cuadro_1.xlsx", sheet="Cuadro 1", cells=("G4",))
    book = opened(made_up(library, "es", damaged / "data/XX", issue)[COPY])
    assert "STR-07" in book["Cuadro 1"]["E4"].comment.text
    assert book["Cuadro 1"]["E4"].fill.start_color.rgb == "FFFFE38A"
    assert [c.hyperlink.location for c in book["Problemas"]["D"] if c.hyperlink] == ["'Cuadro 1'!E4"]


def test_another_reader_opens_the_copy(damaged: Path) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer(damaged)[2][COPY]))
    assert book.sheet_names == ["Problemas", "Cuadro 1", "O'tra hoja"]
    assert book.get_sheet_by_name("Cuadro 1").to_python()[7][2] == "muchos"
    assert any("STR-08" in row for row in book.get_sheet_by_name("Problemas").to_python())


def test_the_copy_can_be_delivered_again(damaged: Path) -> None:
    found, _, files = answer(damaged)
    (damaged / "data/XX/cuadro_1.xlsx").write_bytes(files[COPY])
    again, _, _ = answer(damaged)
    assert [(i.code, i.cells) for i in again.issues] == [(i.code, i.cells) for i in found.issues]


def drawn(path: Path) -> None:
    """A workbook as offices have them: sums with their results, a chart, an image and a link to another file."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Cuadro 1")
        sheet.write_row("A5", ["País", "Total"])
        for row, (label, value) in enumerate((("Perú", 5), ("Chile", 7)), 5):
            sheet.write_row(row, 0, [label, value])
        sheet.write_formula("B8", "=SUM(B6:B7)", None, 12)
        sheet.write_formula("C8", '="n = "&B8', None, "n = 12")
        sheet.write_formula("D8", "=B8>10", None, True)  # noqa: FBT003
        sheet.write_formula("E8", "='[otro.xlsx]Hoja'!A1", None, 3)
        sheet.write_comment("B6", "Dato provisorio")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "='Cuadro 1'!$B$6:$B$7"})
        sheet.insert_chart("H2", chart)
        sheet.insert_image("H20", "logo.png", {"image_data": io.BytesIO(PNG)})
        other = book.add_worksheet("Sin dibujos")
        other.write("A1", 1)


def consistent(content: bytes) -> zipfile.ZipFile:
    """The package, whose every part has a type and whose every relation leads to a part (ECMA-376 part 2)."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = archive.namelist()
    assert len(names) == len(set(names))
    types = etree.fromstring(archive.read("[Content_Types].xml"))
    overrides = {each.get("PartName") for each in types if each.tag.endswith("Override")}
    defaults = {each.get("Extension") for each in types if each.tag.endswith("Default")}
    assert overrides <= {f"/{name}" for name in names}
    for name in names:
        assert f"/{name}" in overrides or name.rpartition(".")[2] in defaults, name
        if name.endswith(".rels"):
            folder = name.rpartition("_rels/")[0]
            for each in etree.fromstring(archive.read(name)):
                if each.get("TargetMode") != "External":
                    target = posixpath.normpath(posixpath.join("/", folder, each.get("Target")))
                    assert target.lstrip("/") in names, (name, target)
    return archive


def test_results_of_formulas_charts_and_images_go_back_as_they_came(office: Path) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    drawn(path)
    issues = [
        Issue("STR-08", "E", "XX", "DF_STOCK", "1", "2", file="XX/cuadro_1.xlsx", sheet="Cuadro 1", cells=(cell,))
        for cell in ("B7", "B8")
    ]
    content = made_up(authored.load(office), "es", office / "data/XX", *issues)[COPY]
    seen = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Cuadro 1").to_python()
    assert seen[-1][1:5] == [12.0, "n = 12", True, 3.0]
    book = opened(content)
    sheet = book["Cuadro 1"]
    assert sheet["B8"].value == "=SUM(B6:B7)"
    assert "STR-08" in sheet["B8"].comment.text
    assert sheet["B6"].comment.text.startswith("Dato provisorio")
    archive, delivered = consistent(content), zipfile.ZipFile(path)
    for part in ("charts/chart1.xml", "drawings/drawing1.xml", "media/image1.png"):
        assert archive.read(f"xl/delivered/{part}") == delivered.read(f"xl/{part}")
    assert not [name for name in archive.namelist() if name.startswith("xl/charts/")]
    assert len(sheet._charts) == 1  # an independent reader finds it on its sheet
    assert not book["Sin dibujos"]._charts
    assert not [cell.value for cell in book["Problemas"]["A"] if "no trae todo" in str(cell.value)]


def test_what_a_copy_cannot_keep_is_told(office: Path) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    drawn(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/slicers/slicer1.xml", "<x/>")
    issue = Issue("STR-08", "E", "XX", "DF_STOCK", "1", "2", file="XX/cuadro_1.xlsx", sheet="Cuadro 1", cells=("B7",))
    for language in LANGUAGES:
        book = opened(
            next(
                v
                for k, v in made_up(authored.load(office), language, office / "data/XX", issue).items()
                if k.endswith(".xlsx")
            )
        )
        told = WORDS[language]["lost"].format(sheet="slicers")
        assert told in [cell.value for cell in book[WORDS[language]["sheet"]]["A"]]


# ---------------------------------------------------------------- the sheet of problems


def test_each_cell_has_a_link(damaged: Path) -> None:
    found, _, files = answer(damaged)
    sheet = opened(files[COPY])["Problemas"]
    links = {(row[1].value, row[3].hyperlink.location) for row in sheet.iter_rows() if row[3].hyperlink}
    expected = {(i.code, f"'Cuadro 1'!{cell}") for i in found.issues for cell in i.cells}
    assert len(expected) > 2
    # Cells of a merged heading lead to its first one.
    assert {(c, a) for c, a in expected if not a.endswith(("F4", "G4"))} <= links
    assert all(location.startswith("'Cuadro 1'!") for _, location in links)


def test_an_issue_of_a_whole_table_is_listed_alone(office: Path) -> None:
    issue = Issue("STR-01", "E", "XX", "DF_STOCK", "INF", "", file="XX/cuadro_1.xlsx", sheet="Cuadro 1")
    book = opened(made_up(authored.load(office), "es", office / "data/XX", issue)[COPY])
    assert [row[3].value for row in book["Problemas"].iter_rows() if row[1].value == "STR-01"] == ["todo el cuadro"]
    assert not any(cell.comment for row in book["Cuadro 1"].iter_rows() for cell in row)


def test_issues_of_one_cell_share_a_comment_and_the_gravest_gives_the_colour(office: Path) -> None:
    place = {"file": "XX/cuadro_1.xlsx", "sheet": "Cuadro 1", "cells": ("B6",)}
    issues = [Issue(c, s, "XX", "DF_STOCK", "1", "2", **place) for c, s in (("DOM-10", "W"), ("STR-08", "E"))]
    cell = opened(made_up(authored.load(office), "es", office / "data/XX", *issues)[COPY])["Cuadro 1"]["B6"]
    assert "STR-08" in cell.comment.text
    assert "DOM-10" in cell.comment.text
    assert cell.fill.start_color.rgb == "FFF4B5AB"


def test_a_table_that_is_right_gets_no_copy(office: Path) -> None:
    assert answer(office)[2].keys() == {"DF_STOCK.json", "DF_STOCK.html"}


def test_a_sheet_that_has_our_name_keeps_it(office: Path) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    book.create_sheet("Problemas")["A1"] = "míos"
    book["Cuadro 1"]["C8"] = "muchos"
    book.save(path)
    again = opened(answer(office)[2][COPY])
    assert again["Problemas"]["A1"].value == "míos"
    assert again.sheetnames[0] != "Problemas"


# ---------------------------------------------------------------- hostile and large


def test_text_that_looks_like_a_formula_stays_text(office: Path) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    book["Cuadro 1"]["A6"].value = '=HYPERLINK("http://evil.example")'
    book["Cuadro 1"]["A6"].data_type = "s"
    book.save(path)
    sheet = opened(answer(office)[2][COPY])["Problemas"]
    issue = Issue(
        "STR-03", "E", "XX", "DF_STOCK", "=1+1", "", heading="=1+1", file="XX/cuadro_1.xlsx", sheet="Cuadro 1"
    )
    other = opened(made_up(authored.load(office), "es", office / "data/XX", issue)[COPY])["Problemas"]
    cells = [cell for each in (sheet, other) for row in each.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert [cell.quotePrefix for cell in cells if cell.value == "=1+1"] == [True]


def test_a_flood_is_marked_in_a_few_seconds_and_within_limits(office: Path) -> None:
    cells = tuple(f"B{row}" for row in range(6, 1006))
    place = {"file": "XX/cuadro_1.xlsx", "sheet": "Cuadro 1", "cells": cells, "count": 5000}
    issues = [Issue("STR-03", "E", "XX", "DF_STOCK", f"{n}" * 900, "", **place) for n in range(5)]
    start = time.process_time()
    book = opened(made_up(authored.load(office), "es", office / "data/XX", *issues)[COPY])
    assert time.process_time() - start < 20
    assert sum(cell.comment is not None for (cell,) in book["Cuadro 1"]["B6:B1005"]) == 1000
    assert len(book["Cuadro 1"]["B6"].comment.text) <= 2000
    assert book["Cuadro 1"]["B6"].comment.text.endswith('"Problemas".')
    assert "y 4000 celdas más" in [cell.value for cell in book["Problemas"]["D"]]


def test_a_workbook_that_cannot_be_kept_goes_back_with_its_values(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    book["Cuadro 1"]["C8"] = "muchos"
    book.save(path)
    monkeypatch.setattr(copies, "_XML_BYTES", 0)
    again = opened(answer(office)[2][COPY])
    assert "STR-08" in again["Cuadro 1"]["C8"].comment.text
    assert again["Cuadro 1"]["B8"].value == 1200
    assert {str(area) for area in again["Cuadro 1"].merged_cells.ranges} == {"A4:A5", "B4:D4", "E4:G4"}
    assert WORDS["es"]["values_only"] in [cell.value for cell in again["Problemas"]["A"]]


def test_macros_are_kept_and_the_copy_is_still_a_workbook_with_macros(office: Path) -> None:
    path = office / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    book["Cuadro 1"]["C8"] = "muchos"
    book.save(path.with_suffix(".xlsm"))
    layout = office / "metadata/national/XX/DF_STOCK.toml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("cuadro_1.xlsx", "cuadro_1.xlsm"), encoding="utf-8")
    files = answer(office)[2]
    again = openpyxl.load_workbook(io.BytesIO(files[COPY.replace("xlsx", "xlsm")]), keep_vba=True)
    assert again.mime_type.endswith("macroEnabled.main+xml")
    assert "STR-08" in again["Cuadro 1"]["C8"].comment.text


# ---------------------------------------------------------------- a text table


def test_a_text_table_goes_back_as_a_workbook_of_text(office: Path) -> None:
    path = office / "data/XX/entradas.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="latin-1")), delimiter=";"))
    rows[2][2], rows[3][4] = "Marciána", "=1+1"
    path.write_text("".join(";".join(row) + "\n" for row in rows), encoding="latin-1")
    sheet = opened(answer(office, "DF_BORDER")[2]["DF_BORDER/entradas.problemas.xlsx"])["entradas"]
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows()] == rows
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert {type(cell.value) for row in sheet.iter_rows() for cell in row} <= {str, type(None)}
    assert "STR-03" in sheet["C3"].comment.text
    assert "STR-08" in sheet["E4"].comment.text
    assert sheet["E4"].quotePrefix


# ---------------------------------------------------------------- languages, page, record


@pytest.mark.parametrize(
    ("language", "sheet", "suffix"), [("pt", "Problemas", "problemas"), ("en", "Problems", "problems")]
)
def test_in_another_language(damaged: Path, language: str, sheet: str, suffix: str) -> None:
    found, library, files = answer(damaged, language=language)
    book = opened(files[f"DF_STOCK/cuadro_1.{suffix}.xlsx"])
    assert book.sheetnames[0] == sheet
    label = next(issue for issue in found.issues if issue.cells == ("A6",))
    assert report.told(label, library, language).remedy in book["Cuadro 1"]["A6"].comment.text
    assert f'lang="{language}"' in files["DF_STOCK.html"].decode()
    assert WORDS[language]["unfit"] in files["DF_STOCK.html"].decode()


def test_every_language_has_the_same_words() -> None:
    keys: list[Mapping[str, str]] = [dict.fromkeys(WORDS[language], "") for language in LANGUAGES]
    assert keys[0] == keys[1] == keys[2]


def test_the_page_stands_alone(damaged: Path) -> None:
    found, library, files = answer(damaged)
    text = files["DF_STOCK.html"].decode()
    page = html.document_fromstring(text, parser=html.HTMLParser(recover=False))
    assert not page.xpath("//script | //link | //img | //iframe | //@style | //@*[starts-with(name(), 'on')]")
    assert "//" not in text.replace("DF_STOCK//", "")
    assert "url(" not in text
    assert page.xpath("//@href") == ["#main", COPY]
    assert page.xpath("string(//h1)").startswith("Ficticia")
    assert len(page.xpath("//li[contains(@class, 'issue')]")) == len(found.issues)
    assert len(page.xpath("//*[@id]/@id")) == len(set(page.xpath("//*[@id]/@id")))
    for issue in found.issues:
        assert report.told(issue, library, "es").remedy.replace("`", "") in page.text_content()


def test_the_page_escapes_what_a_table_says(office: Path) -> None:
    issue = Issue(
        "STR-03", "E", "XX", "DF_STOCK", "<script>x</script>", "", file="XX/cuadro_1.xlsx", sheet="<b>", heading="<i>"
    )
    text = made_up(authored.load(office), "es", office / "data/XX", issue)["DF_STOCK.html"].decode()
    assert "<script>" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;" in text


def test_records_are_as_the_schema_says(damaged: Path) -> None:
    found, library, files = answer(damaged)
    record = json.loads(files["DF_STOCK.json"])
    SCHEMA.validate(record)
    assert record == json.loads(json.dumps(report.record(found)))
    assert max(len(issue.get("cells", ())) for issue in record["issues"]) <= 3
    for path in (ROOT / "tests/golden/XX/public/reports/XX").glob("*.json"):
        SCHEMA.validate(json.loads(path.read_text(encoding="utf-8")))
    SCHEMA.validate(json.loads(refused("XX", "DF_STOCK", library, language="es", message="no")["DF_STOCK.json"]))
    assert not SCHEMA.is_valid(record | {"found": "9"})
    assert not SCHEMA.is_valid({**record, "issues": [{**record["issues"][0], "found": "9"}]})


# ---------------------------------------------------------------- the verb


def test_the_verb_writes_and_names_the_files(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.validate(damaged, area="XX", flow="DF_STOCK", file=None) == 1
    shown = capsys.readouterr().out.splitlines()
    for name in ("DF_STOCK.json", "DF_STOCK.html", COPY):
        assert f"build/reports/XX/{name}" in shown
        assert (damaged / "build/reports/XX" / name).is_file()
    (damaged / "data/XX/cuadro_1.xlsx").write_bytes((ROOT / "tests/golden/XX/data/cuadro_1.xlsx").read_bytes())
    assert commands.validate(damaged, area="XX", flow="DF_STOCK", file=None) == 0
    assert not (damaged / "build/reports/XX" / COPY).exists()


def test_a_table_that_cannot_be_opened_is_told_too(damaged: Path) -> None:
    (damaged / "data/XX/cuadro_1.xlsx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a workbook"):
        commands.validate(damaged, area="XX", flow="DF_STOCK", file=None)
    record = json.loads((damaged / "build/reports/XX/DF_STOCK.json").read_bytes())
    SCHEMA.validate(record)
    assert record["fit"] is False
    assert "no es un libro" in record["message"]
    page = (damaged / "build/reports/XX/DF_STOCK.html").read_text(encoding="utf-8")
    assert WORDS["es"]["refused"] in page
    assert "no es un libro" in page


def test_a_tried_file_goes_back_under_its_own_name(
    damaged: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = tmp_path_factory.mktemp("desk") / "mi cuadro.xlsx"
    tried.write_bytes((damaged / "data/XX/cuadro_1.xlsx").read_bytes())
    assert commands.validate(damaged, area="XX", flow="DF_STOCK", file=tried) == 1
    copy = damaged / "build/reports/XX/DF_STOCK/mi cuadro.problemas.xlsx"
    assert "STR-08" in openpyxl.load_workbook(copy)["Cuadro 1"]["C8"].comment.text
    page = (damaged / "build/reports/XX/DF_STOCK.html").read_text(encoding="utf-8")
    assert 'href="DF_STOCK/mi%20cuadro.problemas.xlsx"' in page
    said = capsys.readouterr().out + "".join(
        path.read_text(encoding="utf-8") for path in (damaged / "build/reports/XX").glob("DF_STOCK.*")
    )
    assert "XX/mi cuadro.xlsx" in said
    assert str(tried.parent) not in said, "where a person keeps files is nobody's business"


def test_two_files_of_one_name_do_not_take_each_other_s_place(office: Path) -> None:
    library = authored.load(office)
    (office / "data/XX/cuadro_1.csv").write_text("a,b\n", encoding="utf-8")
    issues = [
        replace(Issue("STR-01", "E", "XX", "DF_STOCK", "a", ""), file=f"XX/cuadro_1{s}") for s in (".xlsx", ".csv")
    ]
    files = made_up(library, "es", office / "data/XX", *issues)
    assert {path for path in files if "/" in path} == {COPY, "DF_STOCK/cuadro_1.csv.problemas.xlsx"}


def test_a_workbook_of_another_kind_goes_back_as_xlsx(office: Path) -> None:
    cells = '<table:table-cell office:value-type="string"><text:p>=1+1</text:p></table:table-cell>'
    cells += '<table:table-cell office:value-type="float" office:value="30"><text:p>30</text:p></table:table-cell>'
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    sheets = (
        f'<table:table table:name="Una hoja"><table:table-row/><table:table-row>{cells}</table:table-row></table:table>'
    )
    body = f"<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(office / "data/XX/cuadro_1.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", f"<office:document-content {names}>{body}</office:document-content>")
    issue = Issue("STR-03", "E", "XX", "DF_STOCK", "=1+1", "", file="XX/cuadro_1.ods", sheet="Una hoja", cells=("A2",))
    book = opened(made_up(authored.load(office), "es", office / "data/XX", issue)[COPY])
    sheet = book["Una hoja"]
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["B2"].value) == ("=1+1", "s", 30)
    assert "STR-03" in sheet["A2"].comment.text
    assert WORDS["es"]["values_only"] in [cell.value for cell in book["Problemas"]["A"]]


def test_one_of_many_files_goes_back(office: Path) -> None:
    """The layout says `*`; the copy is of the file at fault, read as the layout says."""
    path = office / "data/XX/entradas.csv"
    text = path.read_text(encoding="latin-1")
    path.rename(path.with_name("entradas-2025.csv"))
    spoilt = text.replace("2025;", "2024;").replace("Holandesa", "Marciána")
    path.with_name("entradas-2024.csv").write_text(spoilt, encoding="latin-1")
    layout = office / "metadata/national/XX/DF_BORDER.toml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("entradas.csv", "entradas-*.csv"), encoding="utf-8")
    files = answer(office, "DF_BORDER")[2]
    assert [name for name in files if "/" in name] == ["DF_BORDER/entradas-2024.problemas.xlsx"]
    sheet = opened(files["DF_BORDER/entradas-2024.problemas.xlsx"])["entradas-2024"]
    assert sheet["C4"].value == "Marciána"
    assert "STR-03" in sheet["C4"].comment.text
