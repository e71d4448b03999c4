"""The figures that producers published come out of the repository's tables, exactly and unsuppressed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from pipeline import library as library_
from pipeline.protect import protect
from pipeline.run import receive
from pipeline.validate import validate, validate_release

ROOT = Path(__file__).parents[1]
DAY = "2026-11-24"
LIBRARY = library_.load(ROOT)
SERIES = [(area, flow) for area, country in LIBRARY.countries.items() for flow in country.series]
TOTAL = {"SEX": "_T", "AGE": "_T"}


@cache
def published(area: str, flow: str) -> pd.DataFrame:
    """One country's figures of a dataflow after every stage, as text but for the value."""
    observations = receive(ROOT, LIBRARY.countries[area].series[flow], LIBRARY)
    assert observations.ledger.balance == 0
    report = validate(observations, LIBRARY, day=DAY)
    assert report.is_fit, report.issues
    protected = protect(observations, LIBRARY, day=DAY)
    assert not validate_release(protected, LIBRARY, day=DAY).issues
    return protected.frame


def figure(area: str, flow: str, **key: str) -> float:
    """The one figure with these codes; every other dimension must be at the total of its table."""
    frame = published(area, flow)
    for component, code in ({"REF_AREA": area} | key).items():
        frame = frame[frame[component] == code]
    assert len(frame) == 1, frame
    return float(frame["OBS_VALUE"].iloc[0])


@pytest.mark.parametrize(("area", "flow"), SERIES)
def test_every_table_is_fit_and_released_without_a_leak(area: str, flow: str) -> None:
    assert len(published(area, flow)) > 0


UN_DESA_2024 = {  # International Migrant Stock, revision of 2024, both sexes: 2024, 2020
    "AR": (1_958_039, 1_912_294),
    "CL": (1_538_324, 1_476_240),
    "CO": (3_063_518, 1_932_807),
    "CR": (628_404, 520_729),
    "CU": (2_144, 3_024),
    "DO": (738_667, 603_794),
    "EC": (747_749, 721_560),
    "MX": (1_726_089, 1_335_154),
    "PE": (1_837_219, 1_184_762),
    "PY": (180_837, 169_567),
}


@pytest.mark.parametrize("area", UN_DESA_2024)
def test_migrant_stock_of_un_desa(area: str) -> None:
    key = {**TOTAL, "SOURCE_TYPE": "ORG", "COUNTRY_BIRTH": "FOR"}
    found = tuple(figure(area, "DF_STOCK", TIME_PERIOD=year, **key) for year in ("2024", "2020"))
    assert found == UN_DESA_2024[area]


@pytest.mark.parametrize(
    ("year", "persons"),
    [("2018", 1_300_005), ("2019", 1_474_730), ("2020", 1_501_995), ("2021", 1_564_160), ("2022", 1_625_074)],
)
def test_foreign_residents_of_chile(year: str, persons: int) -> None:
    assert figure("CL", "DF_STOCK", **TOTAL, SOURCE_TYPE="INT", CITIZENSHIP="FOR", TIME_PERIOD=year) == persons


def test_sexes_of_chile_in_2022() -> None:
    key = {"SOURCE_TYPE": "INT", "CITIZENSHIP": "FOR", "TIME_PERIOD": "2022", "AGE": "_T"}
    assert figure("CL", "DF_STOCK", SEX="M", **key) == 826_071
    assert figure("CL", "DF_STOCK", SEX="F", **key) == 799_003


@pytest.mark.parametrize(
    ("year", "entries"), [("2012", 1_698_366), ("2013", 1_832_098), ("2014", 2_051_918), ("2015", 2_387_463)]
)
def test_entries_to_colombia(year: str, entries: int) -> None:
    assert figure("CO", "DF_BORDER", **TOTAL, FREQ="A", CITIZENSHIP="FOR", TIME_PERIOD=year) == entries
    monthly = published("CO", "DF_BORDER")
    monthly = monthly[(monthly["FREQ"] == "M") & (monthly["CITIZENSHIP"] == "FOR") & (monthly["SEX"] == "_T")]
    assert monthly.loc[monthly["TIME_PERIOD"].str.startswith(year), "OBS_VALUE"].sum() == entries


@pytest.mark.parametrize(
    ("quarter", "permits"),
    [
        ("2017-Q1", 54_762),
        ("2017-Q2", 54_069),
        ("2017-Q3", 63_852),
        ("2018-Q1", 49_442),
        ("2018-Q2", 62_248),
        ("2018-Q3", 63_109),
    ],
)
def test_residence_permits_of_argentina(quarter: str, permits: int) -> None:
    assert figure("AR", "DF_PERMIT", LEGAL_STATUS="RES", TIME_PERIOD=quarter) == permits


def test_foreign_residents_in_the_register_of_argentina() -> None:
    assert figure("AR", "DF_STOCK", **TOTAL, SOURCE_TYPE="ADM_REG", CITIZENSHIP="FOR") == 3_007_251


@pytest.mark.parametrize(
    ("month", "procedures"),
    [("01", 18_435), ("02", 16_728), ("03", 18_106), ("04", 15_660), ("05", 14_989), ("06", 13_558)],
)
def test_card_procedures_of_peru(month: str, procedures: int) -> None:
    key = {**TOTAL, "CITIZENSHIP": "FOR", "ADM_EVENT": "ISS_ANY", "TIME_PERIOD": f"2025-{month}"}
    assert figure("PE", "DF_PERMIT", **key) == procedures
