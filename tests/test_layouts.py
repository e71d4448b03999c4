"""Layouts: every way in which an office lays out a table reads to the same figures."""

from __future__ import annotations

import re
import time
import tomllib
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from pipeline.errors import InputError
from pipeline.framework import Dataflow
from pipeline.grid import grid
from pipeline.model import Country, Layout, Library, Series
from pipeline.read import read_all
from pipeline.recode import recode

ROOT = Path(__file__).parents[1]
TEXT = {"en": "a"}


def received(folder: Path, flow: Dataflow, library: Library, *layouts: Layout) -> pd.DataFrame:
    """What recoding makes of the tables, for a country with no codes of its own."""
    series = Series("CL", flow.id, layouts, (), 0, {})
    country = Country("CL", "es", "INE", {}, frozenset(), (), {}, {flow.id: series})
    observations = recode(read_all(folder, layouts), country, flow, library)
    assert observations.ledger.balance == 0
    return observations.frame


def layout(file: str, **more: Any) -> Layout:
    usual = {"values": ["Total"], "source_operation": TEXT, "stat_pop": TEXT}
    lists = {name: tuple(value) for name, value in (usual | more).items() if isinstance(value, list)}
    return Layout(file=file, provider="INE", licence="CC-BY-4.0", **(usual | more | lists))  # type: ignore[arg-type]


def sheet(path: Path, rows: list[list[Any]], name: str = "Hoja1") -> Any:
    book = Workbook()
    made = book.active
    assert made is not None
    made.title = name
    for row in rows:
        made.append(row)
    book.save(path)
    return book


def figures(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(frame[[*columns, "OBS_VALUE"]].astype(object).itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def stock(library: Library) -> Dataflow:
    return library.dataflows["DF_STOCK"]


def test_country_and_year_in_one_heading(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    sheet(tmp_path / "a.xlsx", [["Sexo", "Venezuela 2018", "Perú 2018", "Perú 2019"], ["Hombres", 5, 6, 7]])
    columns = {
        "País": {"source": "row 1", "pattern": r"^(.*) \d{4}$"},
        "Año": {"source": "row 1", "pattern": r"\d{4}$"},
    }
    spec = layout("a.xlsx", sheet="Hoja1", values="B:D", columns=columns, labels={"COUNTRY_BIRTH": "País", "TIME_PERIOD": "Año", "SEX": "Sexo"})  # fmt: skip
    frame = received(tmp_path, stock, library, spec)
    assert figures(frame, "COUNTRY_BIRTH", "TIME_PERIOD") == [("VE", "2018", 5), ("PE", "2018", 6), ("PE", "2019", 7)]


def test_period_from_the_file_name_of_several_files(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    for quarter, total in ((1, 10), (2, 20)):
        (tmp_path / f"recidencias-{quarter}-trimestre---ano---2017.csv").write_text(f"Sexo,Total\nHombres,{total}\n")
    columns = {"T": {"source": "file", "pattern": r"-(\d)-"}, "A": {"source": "file", "pattern": r"(\d{4})\.csv"}}
    spec = layout("r*.csv", columns=columns, labels={"SEX": "Sexo", "TIME_PERIOD": "{A}-Q{T}"})
    frame = received(tmp_path, stock, library, spec)
    assert figures(frame, "TIME_PERIOD") == [("2017-Q1", 10), ("2017-Q2", 20)]
    with pytest.raises(InputError, match="there is no such file"):
        received(tmp_path, stock, library, replace(spec, file="x*.csv"))


def test_sheets_by_pattern_without_hidden_ones(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    book = sheet(tmp_path / "a.xlsx", [["Sexo", "Total"], ["Hombres", 1]], "Año 2020")
    for name, state in (("Año 2021", "visible"), ("Año 2022", "hidden"), ("Notas", "visible")):
        made = book.create_sheet(name)
        made.sheet_state = state
        made.append(["Sexo", "Total"])
        made.append(["Hombres", 2])
    book.save(tmp_path / "a.xlsx")
    spec = layout("a.xlsx", sheet="Año *", columns={"A": {"source": "sheet", "pattern": r"\d+"}}, labels={"SEX": "Sexo", "TIME_PERIOD": "A"})  # fmt: skip
    assert figures(received(tmp_path, stock, library, spec), "TIME_PERIOD") == [("2020", 1), ("2021", 2)]
    assert read_all(tmp_path, (spec,))[0].hidden == ("Año 2022",)


def test_a_title_cell_says_the_year(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    sheet(tmp_path / "a.xlsx", [["Cuadro 3. Población, censo de 2022"], [], ["Sexo", "Total"], ["Mujeres", 3]])
    spec = layout("a.xlsx", sheet="Hoja1", header=[3], columns={"A": {"source": "cell A1", "pattern": r"de (\d{4})"}}, labels={"SEX": "Sexo", "TIME_PERIOD": "A"})  # fmt: skip
    assert figures(received(tmp_path, stock, library, spec), "TIME_PERIOD") == [("2022", 3)]
    with pytest.raises(InputError, match="finds nothing"):
        received(tmp_path, stock, library, replace(spec, columns={"A": {"source": "cell A1", "pattern": "en (.*)"}}))


def test_indentation_by_style_and_by_spaces(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    rows = [["Lugar", "Total"], ["Santiago", 5], ["Santiago", 3], ["Baitoa", 2], ["Azua", 4]]
    book = sheet(tmp_path / "a.xlsx", rows)
    for row in (3, 4):
        book["Hoja1"].cell(row, 1).alignment = Alignment(indent=1)
    book.save(tmp_path / "a.xlsx")
    spaced = [row if number not in (2, 3) else [f"   {row[0]}", row[1]] for number, row in enumerate(rows)]
    (tmp_path / "a.csv").write_text("\n".join(f"{a},{b}" for a, b in spaced))
    for file, name in (("a.xlsx", "Hoja1"), ("a.csv", "")):
        spec = layout(file, sheet=name, columns={"L": {"source": "Lugar", "by": "indent"}}, labels={"REF_AREA": "L"})
        frame = received(tmp_path, stock, library, spec)
        paths = ["Santiago", "Santiago > Santiago", "Santiago > Baitoa", "Azua"]
        assert figures(frame, "REF_AREA") == list(zip(paths, [5, 3, 2, 4], strict=True))


def test_parents_in_bold_by_order_and_as_blocks(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    rows = [
        ["Grupo", "Total"],
        ["Hombres", None],
        ["Chile", 1],
        ["Perú", 2],
        ["Grupo", "Total"],
        ["Mujeres", None],
        ["Perú", 3],
    ]
    book = sheet(tmp_path / "a.xlsx", rows)
    for row in (2, 6):
        book["Hoja1"].cell(row, 1).font = Font(bold=True)
    book.save(tmp_path / "a.xlsx")
    for by in ({"by": "bold"}, {"by": "block"}, {"by": "order", "parents": "Hombres|Mujeres"}):
        columns = {"S": {"source": "Grupo", "level": "1", **by}, "P": {"source": "Grupo", "level": "2", **by}}
        spec = layout("a.xlsx", sheet="Hoja1", columns=columns, labels={"SEX": "S", "COUNTRY_BIRTH": "P"})
        frame = received(tmp_path, stock, library, spec)
        assert figures(frame, "COUNTRY_BIRTH", "row") == [("CL", 3, 1), ("PE", 4, 2), ("PE", 7, 3)], by
        assert frame["SEX"].to_list() == ["Hombres", "Hombres", "Mujeres"]


def test_labels_written_once_are_filled_down(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    (tmp_path / "a.csv").write_text("Año,País,Total\n2020,Chile,1\n,Perú,2\n2021,Chile,3\n")
    spec = layout("a.csv", columns={"A": {"source": "Año", "fill": "down"}}, labels={"TIME_PERIOD": "A", "COUNTRY_BIRTH": "País"})  # fmt: skip
    assert figures(received(tmp_path, stock, library, spec), "TIME_PERIOD") == [("2020", 1), ("2020", 2), ("2021", 3)]


def test_footnote_marks_on_figures_and_labels(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    (tmp_path / "a.csv").write_text("País (1);Total\nChile 1/;1.234*\nPerú;(p) 5\nHaití (a);7 (b)\nCuba;9\n")
    spec = layout("a.csv", delimiter=";", thousands=".", decimal=",", marks={"*": "E", "(p)": "P", "(b)": ""}, footnote=r"\s*(\d/|\(\w\))$", labels={"COUNTRY_BIRTH": "País"})  # fmt: skip
    frame = received(tmp_path, stock, library, spec)
    assert figures(frame, "COUNTRY_BIRTH", "OBS_STATUS") == [
        ("CL", "E", 1234),
        ("PE", "P", 5),
        ("HT", "A", 7),
        ("CU", "A", 9),
    ]


def test_a_column_of_figures_that_nobody_named_is_told(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    sheet(tmp_path / "a.xlsx", [["Sexo", "Total", "Nueva", "Código"], ["Hombres", 1, 2, 3], ["Mujeres", 4, 5, 6]])
    spec = layout("a.xlsx", sheet="Hoja1", labels={"SEX": "Sexo"}, ignore={"Código": "A code"})
    cut = grid(read_all(tmp_path, (spec,))[0], spec)
    assert (cut.ignored, cut.unknown) == ({"A code": 2}, {"Nueva": 2})
    received(tmp_path, stock, library, spec)


PX = 'CHARSET="ANSI";\nCODEPAGE="{}";\nTITLE="Stock; by";\nSTUB="País";\nHEADING="Año","Sexo";\nVALUES("País")="Perú","Chile";\nVALUES("Año")="2020","2021";\nVALUES("Sexo")="H","M";\nDATA=\n1 2 ".." 4\n5 6 7 8;\n'


@pytest.mark.parametrize("encoding", ["iso-8859-15", "utf-8", "cp1252"])
def test_px(tmp_path: Path, stock: Dataflow, library: Library, encoding: str) -> None:
    (tmp_path / "a.px").write_bytes(PX.format(encoding).encode(encoding))
    spec = layout("a.px", values=["DATA"], missing={"..": "O"}, labels={"COUNTRY_BIRTH": "País", "TIME_PERIOD": "Año"})
    frame = received(tmp_path, stock, library, spec)
    assert frame["OBS_VALUE"].fillna(-1).to_list() == [1, 2, -1, 4, 5, 6, 7, 8]
    assert (frame["COUNTRY_BIRTH"].iloc[0], frame["OBS_STATUS"].iloc[2]) == ("PE", "O")
    (tmp_path / "a.px").write_bytes(PX.format(encoding).replace(" 4", "").encode(encoding))
    with pytest.raises(InputError, match="8 cells, but DATA has 7 figures"):
        received(tmp_path, stock, library, spec)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a web page"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"Sexo,Total\nH,1\n", "a text file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le"), "has a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "saved again"),
        (b"PK\x05\x06" + b"\0" * 18, "saved again"),
    ],
)
def test_what_is_behind_the_name_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_all(tmp_path, (layout("a.xlsx", sheet="Hoja1"),))


def test_a_workbook_named_as_text_is_told(tmp_path: Path) -> None:
    sheet(tmp_path / "a.xlsx", [["Sexo", "Total"]])
    (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    with pytest.raises(InputError, match="inside it is a workbook"):
        read_all(tmp_path, (layout("a.csv"),))


def test_a_bomb_is_not_unfolded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet(tmp_path / "a.xlsx", [["Sexo", "Total"], ["H", 1]])
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(50_000_000))
    assert (tmp_path / "a.xlsx").stat().st_size < 100_000
    monkeypatch.setattr("pipeline.workbook.UNFOLDED_BYTES", 40_000_000)
    with pytest.raises(InputError, match="unfolded"):
        read_all(tmp_path, (layout("a.xlsx", sheet="Hoja1"),))


def test_a_sheet_that_says_it_is_huge_is_read_by_its_cells(tmp_path: Path, stock: Dataflow, library: Library) -> None:
    book = sheet(tmp_path / "a.xlsx", [["Sexo", "Total"], *([f"p{n}", n] for n in range(20))])
    book["Hoja1"].cell(1_048_576, 16_000).font = Font(bold=True)  # a style where nothing stands
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    assert b"XFD" in parts[part] or b"1048576" in parts[part]
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    start = time.process_time()
    assert len(received(tmp_path, stock, library, layout("a.xlsx", sheet="Hoja1", labels={"SEX": "Sexo"}))) == 20
    assert time.process_time() - start < 60  # it ends at all; filling ten thousand million cells would not


NAMES = ["Chile", "Perú", "Noruega", "Namibia", "Haití", "Cuba"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_table_in_any_layout_reads_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, stock: Dataflow, library: Library, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    countries = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    years = data.draw(st.lists(st.integers(1990, 2025), min_size=2, max_size=4, unique=True))
    table = {(c, y): data.draw(st.integers(0, 10**7)) for c in countries for y in years}
    way = data.draw(st.sampled_from(["long", "wide", "packed", "blocks"]))
    is_book, banner = data.draw(st.booleans()), data.draw(st.integers(0, 3))
    thousands = data.draw(st.sampled_from(["", ".", " "])) if not is_book else ""

    def shown(value: int) -> Any:
        return value if is_book else f"{value:,}".replace(",", thousands)

    columns: dict[str, dict[str, str]] = {}
    headings: dict[str, str] = {}
    labels = {"COUNTRY_BIRTH": "País", "TIME_PERIOD": "Año"}
    values: Any = ["Total"]
    wide = f"B:{chr(ord('A') + len(years))}"
    match way:
        case "long":
            rows = [["País", "Año", "Total"], *([c, y, shown(table[c, y])] for c in countries for y in years)]
        case "wide":
            rows = [["País", *years], *([c, *(shown(table[c, y]) for y in years)] for c in countries)]
            labels, headings, values = {"COUNTRY_BIRTH": "País"}, {"TIME_PERIOD": str(banner + 1)}, wide
        case "packed":
            rows = [["Sexo", *(f"{c} {y}" for c, y in table)], ["Total", *map(shown, table.values())]]
            columns = {
                "País": {"source": f"row {banner + 1}", "pattern": r"^(.*) \d+$"},
                "Año": {"source": f"row {banner + 1}", "pattern": r"\d+$"},
            }
            from openpyxl.utils import get_column_letter

            values = f"B:{get_column_letter(len(table) + 1)}"
        case _:
            rows = [["Grupo", "Total"]]
            for c in countries:
                rows += [[c, None], *([str(y), shown(table[c, y])] for y in years)]
            columns = {
                name: {"source": "Grupo", "by": "block", "level": level}
                for name, level in (("País", "1"), ("Año", "2"))
            }
    rows = [[f"Título {n}"] for n in range(banner)] + rows
    name = "a.xlsx" if is_book else "a.csv"
    if is_book:
        sheet(folder / name, rows)
    else:
        lines = (";".join("" if cell is None else str(cell) for cell in row) for row in rows)
        (folder / name).write_text("\n".join(lines), encoding="cp1252")
    spec = layout(name, sheet="Hoja1" if is_book else "", header=[banner + 1], values=values, columns=columns, labels=labels, headings=headings, delimiter=";", encoding="cp1252", thousands=thousands, decimal=",")  # fmt: skip
    frame = received(folder, stock, library, spec)
    codes = {"Chile": "CL", "Perú": "PE", "Noruega": "NO", "Namibia": "NA", "Haití": "HT", "Cuba": "CU"}
    assert {(c, y): v for c, y, v in figures(frame, "COUNTRY_BIRTH", "TIME_PERIOD")} == {
        (codes[c], str(y)): v for (c, y), v in table.items()
    }


# ---------------------------------------------------------------- docs/layouts.md

GUIDE = (ROOT / "docs/layouts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"## ([^\n]*)\n(?:(?!\n## ).)*?```csv\n(.*?)```\n\n```toml\n(.*?)```\n\n(\|.*?)\n\n", GUIDE, re.DOTALL
)


@pytest.mark.parametrize("example", EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_the_examples_of_the_guide(
    tmp_path: Path, stock: Dataflow, library: Library, example: tuple[str, str, str, str]
) -> None:
    _, table, said, result = example
    (tmp_path / "tabla.csv").write_text(table, encoding="utf-8")
    more = tomllib.loads(said)
    more["headings"] = {component: str(row) for component, row in more.get("headings", {}).items()}
    frame = received(tmp_path, stock, library, layout("tabla.csv", **more))
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in result.splitlines())
    found = frame[names].astype(object).fillna("").map(lambda cell: cell if isinstance(cell, str) else f"{cell:g}")
    assert found.to_numpy().tolist() == rows


def test_the_guide_names_every_field() -> None:
    assert len(EXAMPLES) == 3
    assert {field.name for field in fields(Layout)} - {"is_template"} <= set(re.findall(r"`(\w+)`", GUIDE))
