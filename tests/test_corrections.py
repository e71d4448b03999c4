"""Corrections of source cells: applied while the source has the error, failing once it has not, and always told."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from tables import DAY

from pipeline import commands, report
from pipeline import library as authored
from pipeline.corrections import correct
from pipeline.errors import SetupError
from pipeline.framework import Correction
from pipeline.model import RawTable, Report
from pipeline.run import receive
from pipeline.validate import validate

HEADER = "flow,file,sheet,cell,expected,value,reason\n"
MEN = "DF_STOCK,cuadro_1.xlsx,Cuadro 1,C6,81,18,The digits are swapped\n"
LABEL = 'DF_BORDER,entradas.csv,,C4,Holandeza,Holandesa,"Misspelt, says the office"\n'


def author(root: Path, *rows: str) -> None:
    (root / "metadata/national/XX/corrections.csv").write_text(HEADER + "".join(rows), encoding="utf-8")


def damage_workbook(root: Path, cell: str, value: object) -> None:
    path = root / "data/XX/cuadro_1.xlsx"
    workbook = load_workbook(path)
    workbook["Cuadro 1"][cell] = value
    workbook.save(path)


def damage_text(root: Path) -> None:
    path = root / "data/XX/entradas.csv"
    content = path.read_text(encoding="latin-1").replace("Holandesa;H;12", "Holandeza;H;12")
    path.write_text(content, encoding="latin-1")


def checked(root: Path, flow: str = "DF_STOCK") -> Report:
    library = authored.load(root)
    return validate(receive(root, library.countries["XX"].series[flow], library), library, day=DAY)


def told(found: Report) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(i.code, i.file, i.sheet, i.cells) for i in found.issues if i.code in ("ING-05", "ING-06")]


# ---------------------------------------------------------------- a life of a correction


def test_a_correction_holds_while_the_source_is_wrong_and_fails_once_it_is_right(office: Path) -> None:
    damage_workbook(office, "C6", 81)
    assert not checked(office).is_fit
    author(office, MEN)
    found = checked(office)
    assert found.is_fit
    assert told(found) == [("ING-06", "XX/cuadro_1.xlsx", "Cuadro 1", ("C6",))]
    damage_workbook(office, "C6", 18)  # the provider has corrected it
    found = checked(office)
    assert not found.is_fit
    assert told(found) == [("ING-05", "XX/cuadro_1.xlsx", "Cuadro 1", ("C6",))]


def test_a_corrected_figure_is_a_figure_and_keeps_its_cell(office: Path) -> None:
    damage_workbook(office, "C6", 81)
    author(office, MEN)
    library = authored.load(office)
    received = receive(office, library.countries["XX"].series["DF_STOCK"], library)
    cell = received.frame[(received.frame["row"] == 6) & (received.frame["column"] == 3)]
    assert cell["OBS_VALUE"].to_list() == [18.0]
    assert cell["text"].to_list() == [""]
    assert received.ledger.balance == 0


def test_a_label_of_a_text_file_is_corrected(office: Path) -> None:
    before = checked(office, "DF_BORDER")
    damage_text(office)
    assert "STR-03" in {issue.code for issue in checked(office, "DF_BORDER").issues}
    author(office, LABEL)
    found = checked(office, "DF_BORDER")
    assert told(found) == [("ING-06", "XX/entradas.csv", "", ("C4",))]
    assert [issue for issue in found.issues if issue.code != "ING-06"] == list(before.issues)


def test_the_file_is_not_touched(office: Path) -> None:
    damage_text(office)
    author(office, LABEL)
    before = (office / "data/XX/entradas.csv").read_bytes()
    checked(office, "DF_BORDER")
    assert (office / "data/XX/entradas.csv").read_bytes() == before


def test_corrections_of_another_dataflow_are_left_to_it(office: Path) -> None:
    damage_text(office)
    author(office, LABEL)
    assert told(checked(office, "DF_STOCK")) == []


@pytest.mark.parametrize("cell", ["ZZ6", "C9999"])
def test_a_cell_beyond_the_table_no_longer_fits(office: Path, cell: str) -> None:
    author(office, MEN.replace("C6,81,18", f"{cell},,18"))
    assert told(checked(office)) == [("ING-05", "XX/cuadro_1.xlsx", "Cuadro 1", (cell,))]


# ---------------------------------------------------------------- told


def test_the_record_and_the_terminal_have_the_reason_and_no_figure(office: Path) -> None:
    damage_workbook(office, "C7", 7)
    author(office, "DF_STOCK,cuadro_1.xlsx,Cuadro 1,C7,7,2,Copied from the row above\n")
    found = checked(office)
    library = authored.load(office)
    (issue,) = [each for each in found.issues if each.code == "ING-06"]
    (record,) = [each for each in report.record(found)["issues"] if each["code"] == "ING-06"]  # type: ignore[attr-defined]
    assert record == {
        "code": "ING-06",
        "severity": "I",
        "expected": "Copied from the row above",
        "file": "XX/cuadro_1.xlsx",
        "sheet": "Cuadro 1",
        "cells": ("C7",),
        "count": 1,
    }
    for language in ("en", "es", "pt"):
        line = report.terminal(issue, library, language)
        assert "Copied from the row above" in line
        assert "C7" in line
        assert "…" not in line


def test_validate_says_so_and_a_correction_that_fails_holds_the_delivery_back(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage_workbook(office, "C6", 81)
    author(office, MEN)
    assert commands.validate(office, area="XX", flow="DF_STOCK", file=None) == 0
    assert "ING-06" in capsys.readouterr().out
    written = json.loads((office / "build/reports/XX/DF_STOCK.json").read_text(encoding="utf-8"))
    assert "ING-06" in {issue["code"] for issue in written["issues"]}
    damage_workbook(office, "C6", 18)
    assert commands.validate(office, area="XX", flow="DF_STOCK", file=None) == 1
    assert "ING-05" in capsys.readouterr().out


# ---------------------------------------------------------------- numbers and texts


@pytest.mark.parametrize(
    ("was_number", "value", "is_number"),
    [(True, "18", True), (True, "-1.5", True), (True, "..", False), (True, "", False), (False, "18", False)],
)
def test_a_number_stays_a_number_and_a_text_stays_text(value: str, *, was_number: bool, is_number: bool) -> None:
    cells = pd.DataFrame([["x"]], index=[1], columns=[1], dtype=object)
    raw = RawTable("XX/a.xlsx", "S", "0", cells, pd.DataFrame([[was_number]], index=[1], columns=[1]))
    (found,), _ = correct([raw], [Correction("DF_X", "a.xlsx", "S", "A1", "x", value, "why")], area="XX", flow="DF_X")
    assert found.is_number is not None
    assert (found.cells.loc[1, 1], bool(found.is_number.loc[1, 1])) == (value, is_number)
    assert raw.cells.loc[1, 1] == "x"


# ---------------------------------------------------------------- refused as authored


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (MEN.replace("The digits are swapped", ""), "without a reason"),
        (MEN.replace("C6", "6C"), '"6C" is not a cell'),
        (MEN.replace("C6", "C0"), '"C0" is not a cell'),
        (MEN.replace("C6", "ZZZ6"), '"ZZZ6" is not a cell'),
        (MEN.replace("C6", "C1048577"), '"C1048577" is not a cell'),
        (MEN.replace("DF_STOCK", "DF_FLOW"), '"DF_FLOW" is not a dataflow of this country'),
        (MEN.replace("cuadro_1.xlsx", "cuadro_2.xlsx"), '"cuadro_2.xlsx" is not a file of DF_STOCK'),
        (MEN.replace("Cuadro 1", "Cuadro 2"), '"Cuadro 2" is not a sheet of cuadro_1.xlsx'),
        (MEN.replace("81,18", "18,18"), "would stay as it is"),
        (MEN.replace("The digits are swapped", "It is 18"), "say it without the figure"),
        (MEN + MEN, "is corrected twice"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(office: Path, row: str, fault: str) -> None:
    author(office, row)
    with pytest.raises(SetupError, match=fault) as refused:
        authored.load(office)
    assert "XX/corrections.csv, row" in str(refused.value)


def test_one_of_many_files_is_corrected(office: Path) -> None:
    """The layout says `*`; the correction says which of the files."""
    damage_text(office)
    (office / "data/XX/entradas.csv").rename(office / "data/XX/entradas-2025.csv")
    other = (office / "data/XX/entradas-2025.csv").read_text(encoding="latin-1")
    other = other.replace("2025;", "2024;").replace("Holandeza", "Holandesa")
    (office / "data/XX/entradas-2024.csv").write_text(other, encoding="latin-1")
    layout = office / "metadata/national/XX/DF_BORDER.toml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("entradas.csv", "entradas-*.csv"), encoding="utf-8")
    author(office, LABEL.replace("entradas.csv", "entradas-2025.csv"))
    found = checked(office, "DF_BORDER")
    assert told(found) == [("ING-06", "XX/entradas-2025.csv", "", ("C4",))]
    assert found.is_fit
    author(office, LABEL)
    with pytest.raises(SetupError, match=r'"entradas\.csv" is not a file of DF_BORDER'):
        authored.load(office)


def test_a_pattern_corrects_every_table_that_it_fits_or_none(office: Path) -> None:
    """Each month's file has the fault; the one that comes without it makes the correction fail, by its name."""
    damage_text(office)
    wrong = (office / "data/XX/entradas.csv").read_text(encoding="latin-1")
    (office / "data/XX/entradas.csv").unlink()
    for year in ("2024", "2025"):
        path = office / "data/XX" / year / "entradas.csv"
        path.parent.mkdir()
        path.write_text(wrong.replace("2025;", f"{year};"), encoding="latin-1")
    layout = office / "metadata/national/XX/DF_BORDER.toml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("entradas.csv", "*/entradas.csv"), encoding="utf-8")
    author(office, LABEL.replace("entradas.csv", "*/entradas.csv"))
    found = checked(office, "DF_BORDER")
    files = [f"XX/{year}/entradas.csv" for year in ("2024", "2025")]
    assert told(found) == [("ING-06", file, "", ("C4",)) for file in files]
    assert found.is_fit
    (office / "data/XX/2025/entradas.csv").write_text(wrong.replace("Holandeza", "Holandesa"), encoding="latin-1")
    assert told(checked(office, "DF_BORDER")) == [("ING-05", files[1], "", ("C4",))]
    author(
        office, LABEL.replace("entradas.csv", "2024/entradas.csv")
    )  # of two files of one name, the one that is meant
    assert told(checked(office, "DF_BORDER")) == [("ING-06", files[0], "", ("C4",))]


def test_a_pattern_of_sheets(office: Path) -> None:
    damage_workbook(office, "C6", 81)
    author(office, MEN.replace("Cuadro 1", "Cuadro *"))
    assert told(checked(office)) == [("ING-06", "XX/cuadro_1.xlsx", "Cuadro 1", ("C6",))]
