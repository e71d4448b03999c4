"""One damage to a good table gives one issue, at the right cell; none passes and none is told twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipeline import library as library_
from pipeline import run
from pipeline.errors import InputError
from pipeline.model import Library
from pipeline.validate import validate

DAY = "2026-11-24"
BOOK, BORDER = "data/XX/cuadro_1.xlsx", "data/XX/entradas.csv"

# (what is done, cell, new content, code of the issue, cell or word that the issue names)
WORKBOOK = [
    ("a misspelt country", "A6", "Norugea", "STR-03", "A6"),
    ("a country that nobody knows", "A7", "Ruritania", "STR-03", "A7"),
    ("a total by another name", "A10", "Gran suma", "STR-03", "A10"),
    ("a label gone", "A8", None, "STR-02", "A8"),
    ("a number for a country", "A7", 516, "STR-03", "A7"),
    ("a country twice", "A8", "Noruega", "STR-05", "B6"),
    ("words for a figure", "C6", "dieciocho", "STR-08", "C6"),
    ("a note beside a figure", "C6", "18 (a)", "STR-08", "C6"),
    ("a mark that nobody declared", "D7", "n.d.", "STR-08", "D7"),
    ("a figure as text with points", "B8", "1.200", "STR-08", "B8"),
    ("an error of a formula", "B8", "#DIV/0!", "STR-08", "B8"),
    ("a formula without its result", "B10", "=SUM(B6:B9)", "STR-08", "B10"),
    ("a link to another file", "B6", "=[1]Hoja1!A1", "STR-08", "B6"),
    ("a date for a figure", "E6", "2024-01-01", "STR-08", "E6"),
    ("true for a figure", "E6", True, "STR-08", "E6"),
    ("a figure below zero", "B9", -61, "DOM-10", "B9"),
    ("a fraction of a person", "B9", 61.5, "DOM-11", "B9"),
    ("digits swapped", "C8", 850, "ACC", "8"),
    ("a zero too many", "B8", 12000, "ACC", "B8"),
    ("a sex that is none", "C5", "Varones", "STR-03", "C5"),
    ("a sex twice", "D5", "Hombres", "STR-05", "D"),
    ("a year that is none", "E4", "dos mil", "STR-07", "E4"),
    ("a year to come", "E4", 2042, "STR-07", "E4"),
    ("the same year twice", "E4", 2020, "STR-05", "B6"),
]
LINES = [
    ("a misspelt nationality", 1, "2025;Enero;Pirú;M;1.100", "STR-03", "C3"),
    ("Dominica for nobody", 1, "2025;Enero;Dominicana;M;1.100", "STR-03", "C3"),
    ("a month that is none", 1, "2025;Eneroo;Perú;M;1.100", "STR-07", "A3"),
    ("a sex that is none", 1, "2025;Enero;Perú;X?;1.100", "STR-03", "D3"),
    ("a point for a comma", 1, "2025;Enero;Perú;M;1,1.00", "STR-08", "E3"),
    ("two figures in one", 1, "2025;Enero;Perú;M;1.1 00", "STR-08", "E3"),
    ("a line twice", 1, "2025;Enero;Perú;H;1.234", "STR-05", "E3"),
    ("a year to come", 1, "2052;Enero;Perú;M;1.100", "STR-07", "A3"),
    ("a separator too many", 1, "2025;Enero;Perú;M;1;100", "InputError", "line 3"),
    ("a separator too few", 1, "2025;Enero;Perú M;1.100", "InputError", "line 3"),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Library:
    from office import build_office

    return library_.load(build_office(tmp_path_factory.mktemp("office")))


def told(office: Path, flow: str, loaded: Library) -> list[tuple[str, str]]:
    """(code, where) of each error and warning, or the error that stopped the table."""
    try:
        observations = run.receive(office, loaded.countries["XX"].series[flow], loaded)
    except InputError as error:
        return [("InputError", str(error))]
    found = validate(observations, loaded, day=DAY).issues
    return [(each.code, " ".join(each.cells)) for each in found if each.severity != "I"]


def damaged(office: Path, *changes: tuple[str, Any]) -> None:
    book = load_workbook(office / BOOK)
    for cell, content in changes:
        book["Cuadro 1"][cell] = content
    book.save(office / BOOK)


def test_the_tables_are_good_before(office: Path, loaded: Library) -> None:
    assert [told(office, flow, loaded) for flow in ("DF_STOCK", "DF_BORDER")] == [[], []]


@pytest.mark.parametrize(
    ("cell", "content", "code", "where"), [row[1:] for row in WORKBOOK], ids=[r[0] for r in WORKBOOK]
)
def test_damage_to_a_cell(office: Path, loaded: Library, *, cell: str, content: object, code: str, where: str) -> None:
    damaged(office, (cell, content))
    issues = told(office, "DF_STOCK", loaded)
    assert len(issues) == 1, issues
    assert issues[0][0].startswith(code)
    assert where in issues[0][1]


@pytest.mark.parametrize(("row", "line", "code", "where"), [row[1:] for row in LINES], ids=[r[0] for r in LINES])
def test_damage_to_a_line(office: Path, loaded: Library, *, row: int, line: str, code: str, where: str) -> None:
    lines = (office / BORDER).read_text(encoding="latin-1").splitlines()
    lines[row + 1] = line
    (office / BORDER).write_text("\n".join(lines) + "\n", encoding="latin-1")
    issues = told(office, "DF_BORDER", loaded)
    assert len(issues) == 1, issues
    assert issues[0][0].startswith(code)
    assert where in issues[0][1]


def test_two_headings_exchanged(office: Path, loaded: Library) -> None:
    """Every sum still holds; only the other year tells."""
    damaged(office, ("C5", "Mujeres"), ("D5", "Hombres"))
    ((code, where),) = told(office, "DF_STOCK", loaded)
    assert code == "TSO-06"
    assert "C5" in where
    assert "D5" in where


def test_columns_in_another_order_are_the_same_table(office: Path, loaded: Library) -> None:
    book = load_workbook(office / BOOK)
    sheet = book["Cuadro 1"]
    for row in range(5, 12):  # headings move with their figures
        first, second = sheet.cell(row, 3).value, sheet.cell(row, 4).value
        sheet.cell(row, 3).value, sheet.cell(row, 4).value = second, first
    book.save(office / BOOK)
    assert told(office, "DF_STOCK", loaded) == []
    lines = [line.split(";") for line in (office / BORDER).read_text(encoding="latin-1").splitlines()]
    turned = "\n".join(";".join(reversed(line)) for line in lines)
    (office / BORDER).write_text(turned + "\n", encoding="latin-1")
    assert told(office, "DF_BORDER", loaded) == []


@pytest.mark.parametrize(
    ("flow", "change", "named"),
    [
        ("DF_BORDER", ("Nacionalidad", "Pais"), 'no column is headed "Nacionalidad"'),
        ("DF_BORDER", ("Sexo;Entradas", "Sexo;Ingresos"), 'no column is headed "Entradas"'),
        ("DF_BORDER", ("Año;Mes;Nacionalidad;Sexo;Entradas\n", ""), '"2025", "Enero", "Perú", "H", "#.###"'),
    ],
    ids=["a changed name", "a changed name of the figures", "no row of headings"],
)
def test_damage_to_the_headings(
    office: Path, loaded: Library, *, flow: str, change: tuple[str, str], named: str
) -> None:
    text = (office / BORDER).read_text(encoding="latin-1")
    assert change[0] in text
    (office / BORDER).write_text(text.replace(change[0], change[1], 1), encoding="latin-1")
    ((code, message),) = told(office, flow, loaded)
    assert code == "InputError"
    assert "XX/entradas.csv" in message
    assert named in message


def test_a_workbook_without_its_row_of_headings_is_refused(office: Path, loaded: Library) -> None:
    book = load_workbook(office / BOOK)
    book["Cuadro 1"].unmerge_cells("A4:A5")
    book["Cuadro 1"].delete_rows(5)
    book.save(office / BOOK)
    issues = told(office, "DF_STOCK", loaded)
    assert issues
    assert {code for code, _ in issues} <= {"STR-03", "InputError"}
