"""Recoding: shared codes for national labels, and every cell accounted for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import library as library_
from pipeline import run
from pipeline.errors import InputError
from pipeline.grid import grid
from pipeline.labels import fates, folded
from pipeline.model import CodeRow, Country, Layout, Library, Observations, RawTable
from pipeline.recode import _figures, _plain
from pipeline.validate import validate

HEADER = "Nacionalidad;Sexo;Año;Mes;Entradas"


def receive(office: Path, flow: str, library: Library | None = None) -> Observations:
    loaded = library or library_.load(office)
    return run.receive(office, loaded.countries["XX"].series[flow], loaded)


def border(office: Path, *rows: str) -> Observations:
    (office / "data/XX/entradas.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="latin-1")
    return receive(office, "DF_BORDER")


def test_a_workbook_with_two_heading_rows(office: Path) -> None:
    found = receive(office, "DF_STOCK")
    key = ["COUNTRY_BIRTH", "SEX", "TIME_PERIOD"]
    values = found.frame.set_index(key)["OBS_VALUE"]
    assert values["NO", "F", "2020"] == 12
    assert values["NA", "M", "2024"] == 5
    assert values["FOR", "_T", "2024"] == 1550
    assert set(found.frame["REF_DATE"]) == {"2020-07-01", "2024-07-01"}


def test_a_figure_knows_its_cell(office: Path) -> None:
    frame = receive(office, "DF_STOCK").frame
    venezuelan_women_2020 = frame[
        (frame["COUNTRY_BIRTH"] == "VE") & (frame["SEX"] == "F") & (frame["TIME_PERIOD"] == "2020")
    ]
    assert venezuelan_women_2020[["row", "column"]].to_numpy().tolist() == [[8, 4]]  # D8 of the sheet


def test_every_cell_is_accounted_for(office: Path) -> None:
    for flow in ("DF_STOCK", "DF_BORDER"):
        ledger = receive(office, flow).ledger
        assert ledger.balance == 0
        assert ledger.read > ledger.observations
    assert dict(receive(office, "DF_BORDER").ledger.ignored) == {
        "Crew are not counted as travellers": 1,
        "blank": 1,
        "added": 1,
    }


def test_a_mark_of_absence_becomes_its_status(office: Path) -> None:
    frame = receive(office, "DF_STOCK").frame
    haiti = frame[frame["COUNTRY_BIRTH"] == "HT"]
    assert haiti["OBS_STATUS"].to_list() == ["O"]
    assert haiti["OBS_VALUE"].isna().all()


def test_labels_that_share_a_code_are_added_only_where_the_layout_says_so(office: Path) -> None:
    rows = ["Holandesa;H;2025;Enero;12", "Neerlandesa;H;2025;Enero;13"]
    assert border(office, *rows).frame["OBS_VALUE"].to_list() == [25]
    loaded = library_.load(office)
    country = loaded.countries["XX"]
    series = country.series["DF_BORDER"]
    series = replace(series, layouts=tuple(replace(layout, add=()) for layout in series.layouts))
    apart = replace(loaded, countries={"XX": replace(country, series={**country.series, "DF_BORDER": series})})
    assert receive(office, "DF_BORDER", apart).frame["OBS_VALUE"].to_list() == [12, 13]


def test_a_label_without_a_code_keeps_its_text(office: Path) -> None:
    assert border(office, "Marciana;H;2025;Enero;12").frame["CITIZENSHIP"].to_list() == ["Marciana"]


def test_a_figure_that_is_no_number_keeps_its_text(office: Path) -> None:
    frame = border(office, "Perú;H;2025;Enero;12 (a)", "Perú;M;2025;Enero;1,234.5").frame
    assert frame["OBS_VALUE"].isna().all()
    assert frame["text"].to_list() == ["12 (a)", "1,234.5"]


def test_nothing_is_defaulted(office: Path) -> None:
    frame = border(office, ";H;2025;Enero;12").frame
    assert frame["CITIZENSHIP"].to_list() == [""]


def test_a_changed_form_is_refused(office: Path) -> None:
    (office / "data/XX/entradas.csv").write_text("Pais;Sexo;Año;Mes;Entradas\nPerú;H;2025;Enero;1\n", "latin-1")
    with pytest.raises(InputError, match='no column is headed "Nacionalidad"; headings are "Pais"'):
        receive(office, "DF_BORDER")


def test_a_lost_header_row_is_refused(office: Path) -> None:
    (office / "data/XX/entradas.csv").write_text("Perú;H;2025;Enero;1\nPerú;M;2025;Enero;1\n", "latin-1")
    with pytest.raises(InputError, match="no column is headed"):
        receive(office, "DF_BORDER")


def test_columns_in_another_order_are_found_by_their_headings(office: Path) -> None:
    text = "Entradas;Mes;Año;Sexo;Nacionalidad\n1.234;Enero;2025;M;Perú\n"
    (office / "data/XX/entradas.csv").write_text(text, "latin-1")
    frame = receive(office, "DF_BORDER").frame
    assert frame[["SEX", "CITIZENSHIP", "TIME_PERIOD", "OBS_VALUE"]].to_numpy().tolist() == [
        ["F", "PE", "2025-01", 1234.0]
    ]


# ---------------------------------------------------------------- labels


def country(library: Library, *rows: CodeRow) -> Country:
    return Country("CL", "es", "INE", {}, frozenset(), rows, {}, {})


def test_m_is_mujer_when_h_had_to_be_mapped(library: Library) -> None:
    sexes = library.list_of("SEX")
    only_h = country(library, CodeRow("SEX", "", "H", "M", ""))
    assert fates(["H", "M"], "SEX", "Sexo", only_h, sexes)["M"].code == "«M»"  # not a code: STR-03 asks for a row
    assert fates(["F", "M"], "SEX", "Sexo", country(library), sexes)["M"].code == "M"
    with_both = country(library, CodeRow("SEX", "", "H", "M", ""), CodeRow("SEX", "", "M", "F", ""))
    assert fates(["H", "M"], "SEX", "Sexo", with_both, sexes)["M"].code == "F"


def test_dominica_is_not_the_dominican_republic(library: Library) -> None:
    found = fates(
        ["Dominica", "República Dominicana"],
        "CITIZENSHIP",
        "",
        country(library),
        library.list_of("CITIZENSHIP"),
    )
    assert found["Dominica"].code == "DM"
    assert found["República Dominicana"].code == "DO"


def test_an_area_is_looked_for_in_its_own_country(library: Library) -> None:
    areas = library.list_of("REF_AREA")
    in_chile = fates(["Córdoba", "La Araucanía", "VALPARAISO"], "REF_AREA", "", country(library), areas)
    assert in_chile["Córdoba"].code == "Córdoba"
    assert in_chile["La Araucanía"].code == "CL-AR"
    assert in_chile["VALPARAISO"].code == "CL-VS"


def test_norway_and_namibia(library: Library) -> None:
    origins = library.list_of("CITIZENSHIP")
    for labels in (["NO", "NA"], ["Noruega", "NAMIBIA"]):
        found = fates(labels, "CITIZENSHIP", "", country(library), origins)
        assert [found[label].code for label in labels] == ["NO", "NA"]


def test_sd_beside_names_is_sin_dato_and_not_sudan(library: Library) -> None:
    found = fates(["Noruega", "SD"], "CITIZENSHIP", "", country(library), library.list_of("CITIZENSHIP"))
    assert found["SD"].code == "«SD»"


def test_a_file_pasted_twice_is_not_added_up(office: Path) -> None:
    path = office / "data/XX/entradas.csv"
    header, _, rows = path.read_bytes().partition(b"\r\n")
    path.write_bytes(header + b"\r\n" + rows + rows)
    loaded = library_.load(office)
    found = validate(receive(office, "DF_BORDER", loaded), loaded, day="2026-11-24")
    assert "STR-05" in {issue.code for issue in found.issues}


def test_a_mark_that_is_written_as_a_number_is_no_figure() -> None:
    layout = Layout("a", "b", "c", "A", missing={"0": "M"})
    raw = RawTable("a", "", "", pd.DataFrame([["n"], ["0"], ["7"]], index=[1, 2, 3], columns=[1], dtype=object), None)
    frame = _figures(grid(raw, layout), layout)
    assert frame["OBS_VALUE"].isna().to_list() == [True, False]
    assert frame["status"].to_list() == ["M", ""]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Perú;H;2025;Enero;1;234\n", "line 2: more cells than there are headings"),
        ('"Perú;H;2025;Enero;1\nPerú;M;2025;Enero;2\n', "lone quotation mark"),
    ],
)
def test_a_row_that_came_apart_is_refused(office: Path, text: str, says: str) -> None:
    (office / "data/XX/entradas.csv").write_text(f"{HEADER}\n{text}", encoding="latin-1")
    with pytest.raises(InputError, match=says):
        receive(office, "DF_BORDER")


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# ---------------------------------------------------------------- figures


def written(value: int, decimals: str, decimal: str, thousands: str) -> str:
    text = f"{abs(value):,}".replace(",", thousands)
    return ("-" if value < 0 else "") + text + (decimal + decimals if decimals else "")


@given(
    st.integers(-(10**12), 10**12),
    st.text("0123456789", max_size=3),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u00a0"), (".", ""), (",", "")]),
)
def test_figures_are_read_as_the_layout_writes_them(value: int, decimals: str, marks: tuple[str, str]) -> None:
    layout = Layout("a", "b", "c", "A", decimal=marks[0], thousands=marks[1])
    text = written(value, decimals, *marks)
    plain = _plain(pd.Series([text], dtype=object), layout)
    assert plain.to_list() == [f"{value}" + (f".{decimals}" if decimals else "")] or value == 0


@pytest.mark.parametrize("text", ["1.23", "12.3456", "1.2345.678", "12 345", "1e5", "0x10", "--1", "", "n.d.", "1,2,3"])
def test_what_is_written_another_way_is_not_guessed(text: str) -> None:
    layout = Layout("a", "b", "c", "A", decimal=",", thousands=".")
    assert _plain(pd.Series([text], dtype=object), layout).isna().all()
