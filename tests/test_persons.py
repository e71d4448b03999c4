"""A table of persons is refused, whatever its columns are called, and a table of counts is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from pipeline import persons
from pipeline.errors import InputError, in_sheet
from pipeline.grid import grid
from pipeline.model import Library
from pipeline.read import read_all

ROOT = Path(__file__).parents[1]
HERE = in_sheet("CL/a.xlsx", "Datos")
ROWS = range(40)
NAMES = [f"{first} {last}" for first in ("Ana", "José", "Rosa", "Luis", "Inés") for last in "ABCDEFGH"]
DAYS = [f"{1 + row % 28:02}/{1 + row % 12:02}/{1950 + row}" for row in ROWS]
COUNTRIES = ["Perú", "Chile", "Cuba", "México", "Bolivia", "Brasil", "Haití", "Italia", "España", "China"] * 4


def judged(heading: str, cells: Sequence[str]) -> str:
    body = pd.DataFrame({1: COUNTRIES[: len(cells)], 2: list(cells), 3: "5"}, dtype=object)
    try:
        persons.refuse(HERE, {1: "Nombre", 2: heading, 3: "Personas"}, body)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("heading", "cells", "what"),
    [
        ("RUT", [f"{7_000_000 + row}" for row in ROWS], "documents"),
        ("N° de documento", [f"A{row}" for row in ROWS], "documents"),
        ("Número identificación", [f"{row}" for row in ROWS], "documents"),
        ("dni_titular", [f"{row}" for row in ROWS], "documents"),
        ("Col2", [f"{7_000_000 + row}-{row % 10}" for row in ROWS], "documents"),
        ("", [f"GOMA{800101 + row}HDFRRN0{row % 10}" for row in ROWS], "documents"),
        ("Apellidos", NAMES, "names"),
        ("NOMBRE COMPLETO", NAMES, "names"),
        ("Sobrenome", NAMES, "names"),
        ("contacto", [f"persona{row}@correo.example" for row in ROWS], "addresses"),
        ("Domicilio", [f"Calle {row}" for row in ROWS], "addresses"),
        ("Fecha de nacimiento", DAYS, "birth"),
        ("FEC_NAC", DAYS, "birth"),
        ("Data de nascimento", [f"{1950 + row}-01-0{1 + row % 9}" for row in ROWS], "birth"),
    ],
)
def test_records_of_persons_are_refused(heading: str, cells: list[str], what: str) -> None:
    said = judged(heading, cells)
    assert 'CL/a.xlsx, sheet "Datos": column B looks like' in said
    assert what in said
    assert "make survey" in said
    assert not any(cell in said for cell in cells if len(cell) > 3), "no cell is shown"


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Nombre", COUNTRIES),  # countries have names
        ("Documento", ["DNI", "Pasaporte", "Cédula", "Salvoconducto"] * 10),  # kinds of documents
        ("Dirección Regional", ["Norte", "Sur", "Centro", "Lima"] * 10),
        ("Correo", ["Sí", "No"] * 20),
        ("Fecha de corte", DAYS),  # of the table, not of persons
        ("Fecha de nacimiento", ["2010", "2011"] * 20),  # years are no days
        ("RUT", [f"{row}" for row in range(9)]),  # too few to tell
        ("Run", ["1"] * 40),
        ("Total", [f"{1000 + row}" for row in ROWS]),
        ("Periodo", [f"2020-{1 + row % 12:02}" for row in ROWS]),
    ],
)
def test_tables_of_counts_are_not(heading: str, cells: list[str]) -> None:
    assert judged(heading, cells) == ""


def test_no_delivery_of_the_ten_countries_is_taken_for_records(library: Library) -> None:
    seen = 0
    for area, country in library.countries.items():
        for series in country.series.values():
            for raw in read_all(ROOT / "data" / area, series.layouts):
                grid(raw, series.layouts[raw.layout])
                seen += 1
    assert seen > 50


def test_a_delivery_of_persons_is_held_back_and_says_why_in_three_languages() -> None:
    body = pd.DataFrame({1: NAMES}, dtype=object)
    with pytest.raises(InputError) as refused:
        persons.refuse(HERE, {1: "Apellidos"}, body)
    said = refused.value.text()
    assert "nombres de personas" in said["es"]
    assert "nomes de pessoas" in said["pt"]
