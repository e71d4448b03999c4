"""The offices' own files, as they published them, give the totals that were counted in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_layouts import figures, layout, received

from pipeline.framework import Dataflow
from pipeline.model import Library
from pipeline.read import read_all

FOLDER = Path(__file__).parents[2] / "shared/data/national"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the offices' own files are not at hand")


@pytest.fixture(scope="module")
def stock(library: Library) -> Dataflow:
    return library.dataflows["DF_STOCK"]


def by_period(frame: Any) -> dict[str, float]:
    return dict(frame.groupby(frame["TIME_PERIOD"].astype(str))["OBS_VALUE"].sum())


def test_chile(stock: Dataflow, library: Library) -> None:
    # Latin-1, figures in quotation marks, and four columns beside the estimate.
    beside = dict.fromkeys(("CODREGEO", "CENSO AJUSTADO", "RRAA_REGULAR", "RRAA_IRREGULAR", "RRAA_TOTAL"), "A part")
    labels = {
        "TIME_PERIOD": "AÑO ESTIMACION",
        "SEX": "SEXO",
        "AGE": "EDAD",
        "COUNTRY_BIRTH": "PAIS",
        "REF_AREA": "REGION",
    }
    spec = layout("baseregiones.csv", encoding="latin-1", values=["ESTIMACION"], labels=labels, ignore=beside)
    frame = received(FOLDER / "CHL", stock, library, spec)
    assert by_period(frame) == {
        "2018": 1_300_005,
        "2019": 1_474_730,
        "2020": 1_501_995,
        "2021": 1_564_160,
        "2022": 1_625_074,
    }


def test_colombia(stock: Dataflow, library: Library) -> None:
    labels = {"TIME_PERIOD": "Año", "COUNTRY_BIRTH": "Nacionalidad"}
    parts = dict.fromkeys(("Femenino", "Masculino", "Indefinido"), "A part of the total")
    spec = layout("entradas_extranjeros_2012_2015.csv", values=["Total"], labels=labels, ignore=parts)
    frame = received(FOLDER / "COL", stock, library, spec)
    found = by_period(frame)
    assert found.pop("2017") == 20_121  # lines of another year stand among those that the name of the file tells
    assert found == {"2012": 1_698_366, "2013": 1_832_098, "2014": 2_051_918, "2015": 2_387_463}


def test_argentina(stock: Dataflow, library: Library) -> None:
    # The quarter and the year stand in the name of the file alone, which is misspelt in some.
    columns = {"T": {"source": "file", "pattern": r"-(\d)-trim"}, "A": {"source": "file", "pattern": r"(\d{4})\.csv$"}}
    kinds = dict.fromkeys(("TRANSITORIAS", "TEMPORARIAS", "PERMANENTES"), "A part of the total")
    spec = layout("re*otorgadas-*.csv", values=["TOTAL"], columns=columns, ignore=kinds, labels={"REF_AREA": "PROVINCIA", "TIME_PERIOD": "{A}-Q{T}"})  # fmt: skip
    rows = received(FOLDER / "ARG", stock, library, spec)
    rows = rows[~rows["REF_AREA"].astype(str).str.upper().str.startswith("TOTAL")]
    assert by_period(rows) == {
        "2017-Q1": 54_762,
        "2017-Q2": 54_069,
        "2017-Q3": 63_852,
        "2018-Q1": 49_442,
        "2018-Q2": 62_248,
        "2018-Q3": 63_109,
    }
    labels = {"REF_AREA": "provincia_nombre", "COUNTRY_BIRTH": "pais_origen", "SEX": "sexo", "AGE": "edad_quinquenal"}
    register = "Cantidad_de_personas_extranjeras_identificadas_residiendo_en_Argentina_Enero_2023.csv"
    spec = layout(register, values=["cantidad"], labels=labels, ignore={"provincia_id": "A number"})
    assert received(FOLDER / "ARG", stock, library, spec)["OBS_VALUE"].sum() == 3_007_251


def test_peru(stock: Dataflow, library: Library) -> None:
    columns = {"M": {"source": "file", "pattern": r"(\d{4}-\d\d)\.csv"}}
    beside = {"FECHA_PROCESO": "A date"}
    labels = {
        "COUNTRY_BIRTH": "NACIONALIDAD",
        "SEX": "SEXO",
        "AGE": "EDAD",
        "TIME_PERIOD": "M",
        "REF_DATE": "ANIO_TRAMITE",
    }
    spec = layout("CARNET DE EXTRANJERIA *.csv", delimiter="|", values=["CANTIDAD"], columns=columns, ignore=beside, labels=labels)  # fmt: skip
    found = by_period(received(FOLDER / "PER", stock, library, spec))
    assert list(found.values()) == [18_435, 16_728, 18_106, 15_660, 14_989, 13_558]


def test_ecuador(stock: Dataflow, library: Library) -> None:
    for file, labels in (
        (
            "esi_turismo_mensual_nacionalidad.csv",
            {"TIME_PERIOD": "anio", "COUNTRY_BIRTH": "nacionalidad", "REF_DATE": "mes"},
        ),
        ("esi_entradas_provincia_anio.csv", {"TIME_PERIOD": "anio", "REF_AREA": "provincia"}),
    ):
        frame = received(FOLDER / "ECU", stock, library, layout(file, values=["total"], labels=labels))
        lines = (FOLDER / "ECU" / file).read_text(encoding="utf-8-sig").splitlines()[1:]
        assert frame["OBS_VALUE"].sum() == sum(int(line.rpartition(",")[2]) for line in lines)
    raw = read_all(FOLDER / "ECU", (layout("esi_muestra_2024.csv"),))[0]
    assert raw.cells.shape == (1001, 25)
    assert raw.cells.loc[1, 1] == "id_secuencial"  # without the byte order mark


def test_mexico(stock: Dataflow, library: Library) -> None:
    spec = layout("irreg_mexico_nat.csv", values=["n"], labels={"TIME_PERIOD": "t", "COUNTRY_BIRTH": "nat"})
    frame = received(FOLDER / "MEX", stock, library, spec)
    assert frame["OBS_VALUE"].iloc[0] == 9
    assert {"OOO", "XKX", "STL"} <= set(frame["COUNTRY_BIRTH"])  # left as they are, for validation to name


def test_dominican_republic(stock: Dataflow, library: Library) -> None:
    # Provinces and municipalities of the same name are told apart by spaces before the name alone.
    columns = {"Lugar": {"source": "Provincia y municipio de residencia", "by": "indent"}}
    spec = layout("censo2022_poblacion_por_sexo_provincia_municipio.xlsx", sheet="Cuadro 3", header=[5, 6], values="C:E", columns=columns, labels={"REF_AREA": "Lugar"}, headings={"SEX": "6"})  # fmt: skip
    frame = received(FOLDER / "DOM", stock, library, spec)
    both = {place: value for place, sex, value in figures(frame, "REF_AREA", "SEX") if str(sex) in ("Total", "_T")}
    provinces = sum(v for place, v in both.items() if " > " not in place and place != "Total")
    municipalities = sum(v for place, v in both.items() if " > " in place)
    assert (both["Total"], provinces, municipalities) == (10_771_504, 10_771_504, 10_771_504)
    assert both["Azua > Azua"] == 103_276
