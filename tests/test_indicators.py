"""Indicators: the language of formulas, every formula on figures worked by hand, what is withheld, and lineage."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pipeline.computed import Indicator, IndicatorInput, Indicators
from pipeline.errors import SetupError
from pipeline.library import load
from pipeline.methods.indicators import answers, indicators
from pipeline.methods.indicators import tables as made_tables
from pipeline.methods.indicators.definitions import definitions
from pipeline.methods.indicators.evaluate import Computed
from pipeline.methods.indicators.formula import FUNCTIONS, parse
from pipeline.methods.released import Made
from pipeline.model import Description, Library, Origin, Package, Protected, Settings

ROOT = Path(__file__).parents[1]
ROWS = list[tables.ROW]


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return tables.with_chile(library)


def values(made: Computed, indicator: str) -> dict[str, float]:
    """The figures of an indicator for both sexes, by period."""
    rows = made.figures[(made.figures["INDICATOR"] == indicator) & (made.figures["SEX"] == "_T")]
    return dict(zip(rows["TIME_PERIOD"], rows["value"], strict=True))


def compute(rows: ROWS, library: Library, of: Indicators | None = None) -> Computed:
    return tables.computed(rows, library, of)[0]


def of_formula(formula: str, library: Library, **inputs: str) -> Indicators:
    """Indicators with one formula, I01, over inputs of DF_STOCK by sex and source."""
    by = {name: name for name in ("REF_AREA", "SOURCE_TYPE", "SEX")}
    found = {name: IndicatorInput(name, "DF_STOCK", select, by, {"en": name}) for name, select in inputs.items()}
    row = replace(library.indicators.rows["I01"], formula=formula, decimals=6)
    return replace(library.indicators, rows={"I01": row}, inputs=found)


def stock(value: float | str, **row: str) -> tables.ROW:
    return {"DATAFLOW": "DF_STOCK", "COUNTRY_BIRTH": "FOR", "OBS_VALUE": str(value), **row}


def population(value: float | str, **row: str) -> tables.ROW:
    return {"DATAFLOW": "DF_POP", "SOURCE_TYPE": "ORG", "OBS_VALUE": str(value), **row}


def rest(flow: str, measure: str, value: float | str, **row: str) -> tables.ROW:
    return {"DATAFLOW": flow, "MIG_MEASURE": measure, "OBS_VALUE": str(value), **row}


def flow(measure: str, value: float | str, **row: str) -> tables.ROW:
    return rest("DF_FLOW", measure, value, **row)


def labour(status: str, value: int, birth: str) -> tables.ROW:
    return rest("DF_LABOUR", "STK_POP", value, LABOUR_STATUS=status, COUNTRY_BIRTH=birth, AGE="Y15T64")


def permit(reason: str, value: int) -> tables.ROW:
    return rest(
        "DF_PERMIT", "FLW_PRM", value, REASON=reason, ADM_EVENT="ISS_FIRST", LEGAL_STATUS="RES", CITIZENSHIP="FOR"
    )


def graduates(occupation: str, value: int) -> ROWS:
    ages = [f"Y{age}T{age + 4}" for age in range(20, 65, 5)]
    fixed = {"LABOUR_STATUS": "EMP", "EDUCATION_LEV": "ISCED11_5T8", "OCCUPATION": occupation, "COUNTRY_BIRTH": "_T"}
    return [rest("DF_SOCIO", "STK_POP", value, AGE=age, **fixed) for age in ages]


def rights(event: str, value: float, measure: str = "VIC_N", **row: str) -> tables.ROW:
    return rest("DF_RIGHTS", measure, value, RIGHTS_EVENT=event, **row)


def crossing(measure: str, value: int) -> tables.ROW:
    return rest("DF_BORDER", measure, value)


def cost(country: str, value: float) -> tables.ROW:
    return rest("DF_REMIT", "REM_PRC", value, COUNTERPART_AREA=country, REMIT_ITEM="REM_COST", SOURCE_TYPE="ORG")


# Worked by hand from the formulas of the framework (§6). 744213 and 738177 are the men and women among the foreign
# residents of Chile in 2021 (§4, source S2), and 1200 and 1800 the flow of its mirror example: CC = 0.4.
WORKED: dict[str, tuple[ROWS, float]] = {
    "I01": ([stock(1538), population(20000)], 7.69),
    "I02": ([stock(900, COUNTRY_BIRTH="_T", CITIZENSHIP="FOR"), population(20000)], 4.5),
    "I03": (
        [
            stock(738177, COUNTRY_BIRTH="_T", CITIZENSHIP="FOR", SEX="F"),
            stock(744213 + 738177, COUNTRY_BIRTH="_T", CITIZENSHIP="FOR"),
        ],
        49.8,
    ),
    "I04": (
        [stock(1000), stock(20, DURATION="M_LT3"), stock(30, DURATION="M3T11"), stock(200, DURATION="Y1T4")],
        25.0,
    ),
    "I05": ([flow("FLW_IN", 50), population(20000)], 2.5),
    "I06": ([flow("FLW_OUT", 30), population(20000)], 1.5),
    "I07": ([flow("FLW_IN", 50), flow("FLW_OUT", 70), population(20000)], -1.0),
    "I08": ([flow("FLW_IN", 1200), flow("FLW_OUT", 800)], 20.0),
    "I09": (
        [flow("FLW_IN", 200, SOURCE_TYPE="CEN"), rest("DF_RETURN", "FLW_RET", 50, COUNTERPART_AREA="_T")],
        25.0,
    ),
    "I10": (
        [
            rest("DF_EMIG", "STK_EMIG", 600, COUNTRY_BIRTH="NAT", SOURCE_TYPE="ORG"),
            population(20000),
            stock(600, SOURCE_TYPE="ORG"),
        ],
        3.0,
    ),
    "I11": (
        [
            rest("DF_NATUR", "FLW_NAT", 40, TIME_PERIOD="2017"),
            stock(2000, COUNTRY_BIRTH="_T", CITIZENSHIP="FOR", TIME_PERIOD="2016"),
        ],
        2.0,
    ),
    "I12": ([flow("FLW_TMP", 300), flow("FLW_IN", 200)], 1.5),
    "I13_WORK": ([permit("_T", 400), permit("WORK", 100)], 25.0),
    "I13_FAM": ([permit("_T", 400), permit("FAM", 80)], 20.0),
    "I13_EDU": ([permit("_T", 400), permit("EDU", 40)], 10.0),
    "I13_PROT": ([permit("_T", 400), permit("PROT", 20)], 5.0),
    "I14_EMP": (
        [labour("EMP", 60, "NAT"), labour("_T", 100, "NAT"), labour("EMP", 35, "FOR"), labour("_T", 50, "FOR")],
        -10.0,
    ),
    "I14_UNE": (
        [labour("UNE", 8, "NAT"), labour("LF", 100, "NAT"), labour("UNE", 5, "FOR"), labour("LF", 50, "FOR")],
        -2.0,
    ),
    "I14_PART": (
        [labour("LF", 70, "NAT"), labour("_T", 100, "NAT"), labour("LF", 30, "FOR"), labour("_T", 50, "FOR")],
        10.0,
    ),
    "I15": (
        [row for group in range(4, 10) for row in graduates(f"ISCO08_{group}", 5)] + graduates("_T", 100),
        30.0,
    ),
    "I16": ([stock(1000, SOURCE_TYPE="CEN"), stock(1500, SOURCE_TYPE="ADM_REG")], 1.5),
    "I18": ([crossing("CRS_IN", 600), crossing("CRS_OUT", 400), crossing("CRS_UNM", 50)], 95.0),
    "SDG_8_8_1_F": (
        [
            rights("INJ_F", 6, COUNTRY_BIRTH="FOR"),
            rest("DF_LABOUR", "STK_POP", 120000, LABOUR_STATUS="EMP", COUNTRY_BIRTH="FOR", AGE="Y_GE15"),
        ],
        5.0,
    ),
    "SDG_8_8_1_NF": (
        [
            rights("INJ_NF", 300, COUNTRY_BIRTH="FOR"),
            rest("DF_LABOUR", "STK_POP", 120000, LABOUR_STATUS="EMP", COUNTRY_BIRTH="FOR", AGE="Y_GE15"),
        ],
        250.0,
    ),
    "SDG_10_7_3": ([rights("DEATH", 12), rights("MISSING", 30)], 42.0),
    "SDG_10_7_4": (
        [
            rest("DF_EMIG", "STK_EMIG", 1000, CITIZENSHIP="NAT", REASON="PROT", SOURCE_TYPE="ORG"),
            population(1999000),
        ],
        50.0,
    ),
    "SDG_10_C_1": ([cost("PE", 4.0), cost("BO", 6.5)], 5.25),
    "SDG_10_3_1": ([rights("DISCR", 18.5, "VIC_PREV")], 18.5),
    "SDG_16_2_2": ([rights("TIP", 3), population(200000)], 1.5),
    "SDG_17_18_1": ([stock(400, SEX="F"), stock(1000)], round(100 / 35, 2)),  # I03 alone, of the other 35
    "GCM_1": (
        [
            {"DATAFLOW": "DF_CAPACITY", "CAP_ITEM": "D01_01", "UNIT_MEASURE": "SCORE", "OBS_VALUE": "40"},
            {"DATAFLOW": "DF_CAPACITY", "CAP_ITEM": "D01_02", "UNIT_MEASURE": "SCORE", "OBS_VALUE": "80"},
        ],
        60.0,
    ),
}
_OF_TWO_COUNTRIES = {"I17", "I17_STK"}


@pytest.mark.parametrize("indicator", WORKED)
def test_worked_example(indicator: str, chile: Library) -> None:
    rows, expected = WORKED[indicator]
    assert values(compute(rows, chile), indicator) == {"2017": expected}


def test_every_formula_has_a_worked_example(library: Library) -> None:
    with_formula = {each.id for each in library.indicators.rows.values() if each.formula}
    assert WORKED.keys() | _OF_TWO_COUNTRIES == with_formula


@pytest.mark.parametrize(
    ("indicator", "out", "in_"),
    [
        (
            "I17",
            flow("FLW_OUT", 1200, COUNTERPART_AREA="AR"),
            flow("FLW_IN", 1800, REF_AREA="AR", COUNTERPART_AREA="CL"),
        ),
        (
            "I17_STK",
            rest("DF_EMIG", "STK_EMIG", 1200, COUNTRY_BIRTH="NAT", COUNTERPART_AREA="AR"),
            stock(1800, REF_AREA="AR", COUNTRY_BIRTH="CL"),
        ),
    ],
)
def test_the_mirror_example_of_the_framework(indicator: str, out: tables.ROW, in_: tables.ROW, chile: Library) -> None:
    assert values(compute([out, in_], chile), indicator) == {"2017": 0.4}


def test_every_indicator_of_the_list_has_a_definition(library: Library) -> None:
    codes = library.list_of("INDICATOR")
    assert codes is not None
    assert library.indicators.rows.keys() == {code for code in codes.codes if code not in codes.children}


# ---------------------------------------------------------------- the language


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a + b * 2", 1400.0),
        ("-(a - b) / 4", -50.0),
        ("(a + b) / (a - b)", 5.0),
        ("abs(b - a)", 200.0),
        ("1e3 * b / a", 1000 * 2 / 3),
        ("first(a / nothing, b)", 400.0),
        ("first(a, b)", 600.0),
    ],
)
def test_arithmetic(formula: str, expected: float, chile: Library) -> None:
    inputs = {"a": "SEX in M", "b": "SEX in F", "nothing": "SEX in _O"}
    of = of_formula(formula, chile, **inputs)
    of = replace(
        of, inputs={n: replace(i, by={d: d for d in ("REF_AREA", "SOURCE_TYPE")}) for n, i in of.inputs.items()}
    )
    found = values(compute([stock(600, SEX="M"), stock(400, SEX="F")], chile, of), "I01")
    assert found == {"2017": pytest.approx(expected, abs=1e-6)}


@pytest.mark.parametrize(
    ("function", "expected"), [("sum", 1000.0), ("max", 600.0), ("min", 400.0), ("mean", 500.0), ("count", 2.0)]
)
def test_one_figure_of_many(function: str, expected: float, chile: Library) -> None:
    of = of_formula(f"{function}(a, over=SEX)", chile, a="SEX in M F")
    assert values(compute([stock(600, SEX="M"), stock(400, SEX="F")], chile, of), "I01") == {"2017": expected}


def test_a_sum_that_lacks_a_code_of_its_condition_is_not_made(chile: Library) -> None:
    of = of_formula("sum(a, over=SEX)", chile, a="SEX in M F")
    assert values(compute([stock(600, SEX="M")], chile, of), "I01") == {}


def test_lag_takes_the_figure_of_the_year_before(chile: Library) -> None:
    of = of_formula("a - lag(a, 2)", chile, a="SEX in _T")
    rows = [stock(value, TIME_PERIOD=year) for year, value in (("2015", 100), ("2016", 130), ("2017", 190))]
    assert values(compute(rows, chile, of), "I01") == {"2017": 90.0}


def test_figures_of_different_sources_and_years_are_not_joined(chile: Library) -> None:
    of = of_formula("a / b", chile, a="COUNTRY_BIRTH in FOR", b="COUNTRY_BIRTH in _T")
    rows = [
        stock(10),
        stock(100, COUNTRY_BIRTH="_T", SOURCE_TYPE="INT"),
        stock(99, COUNTRY_BIRTH="_T", TIME_PERIOD="2016"),
    ]
    assert values(compute(rows, chile, of), "I01") == {}


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "a.real",
        "a[0]",
        "lambda: a",
        "[a for a in b]",
        "a if b else c",
        "a and b",
        "a ** 9",
        "a // b",
        "'text'",
        "True",
        "f'{a}'",
        "(a := 1)",
        "eval(a)",
        "sum(a)",
        "sum(a, over='SEX')",
        "sum(a, over=SEX, key=b)",
        "sum(*a, over=SEX)",
        "sum(a, **b)",
        "lag(a, b)",
        "lag(a, 0)",
        "lag(a, 1.5)",
        "first(a)",
        "max(a, b)",
        "a +",
        "",
        "1e999",
        "a\x00b",
        "(" * 300 + "a" + ")" * 300,
        "-" * 200 + "a",
        "a + " * 200 + "a",
    ],
)
def test_nothing_else_is_let_through(formula: str) -> None:
    with pytest.raises(SetupError, match=r"formula|written|over=|lag|levels|signs"):
        parse(formula)


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        parse(text)
    except SetupError:
        return
    assert text.strip()


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("100 * foreign_born / nobody", '"nobody" is no input'),
        ("sum(recent_by_duration, over=AGE)", "over=AGE"),
        ("recent_by_duration", "told apart by DURATION"),
        ("first(foreign_born, everybody)", "told apart by different dimensions"),
        ("abs(3)", "needs an input"),
        ("3 + 4", "of no country"),
    ],
)
def test_a_wrong_formula_says_what_is_wrong(formula: str, says: str, library: Library) -> None:
    of = tables.defined([{"INDICATOR": "I01", "FORMULA": formula}], library)
    (issue,) = definitions(of, library.dataflows["DF_INDIC"].structure)[1]
    assert issue.code == "IND-02"
    assert says in issue.found
    assert issue.cells == (f"B{library.indicators.rows['I01'].row}",)


def test_a_circle_names_its_members(library: Library) -> None:
    rows = tables.read(ROOT / "tests/cases/IND-03/case.csv")
    found, (issue,) = definitions(tables.defined(rows, library), library.dataflows["DF_INDIC"].structure)
    assert (issue.code, set(issue.found.partition(": ")[2].split(" → "))) == ("IND-03", {"I01", "I02"})
    assert not {"I01", "I02"} & found.formulas.keys()
    assert "I03" in found.formulas  # what is no part of it stands


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_described(name: str) -> None:
    assert f"`{name}(" in (ROOT / "docs/indicators.md").read_text(encoding="utf-8")


def test_a_wrong_row_stops_the_run(office: Path) -> None:
    path = office / "dsd/DF_INDIC/indicators.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("1000 * immigrants / population", "1000 * immigrants /"))
    with pytest.raises(
        SetupError, match=r"DF_INDIC/indicators.csv, row 6: IND-02 .*is not a formula.*docs/issues/IND-02"
    ):
        load(office)


# ---------------------------------------------------------------- what may not be told, and what is weak


def test_what_rests_on_a_withheld_figure_is_withheld(chile: Library) -> None:
    hidden = stock("", SEX="F", OBS_STATUS="Q", CONF_STATUS="A")
    made, found = tables.computed([hidden, stock(1000)], chile)
    (row,) = made.figures[made.figures["INDICATOR"] == "I03"].itertuples()
    assert row.is_withheld
    assert math.isnan(row.value)
    table = made_tables.observations(made, "CL", chile).frame
    (published,) = table[table["INDICATOR"] == "I03"].to_dict("records")
    assert (published["OBS_STATUS"], published["CONF_STATUS"]) == ("Q", "D")
    assert math.isnan(published["OBS_VALUE"])
    (answer,) = [a for a in answers.answers(found, made, ["CL"], chile) if a.indicator == "I03"]
    assert answer.reason["es"] == "se apoya en una cifra suprimida para proteger a las personas"


def test_a_sum_over_a_withheld_figure_is_withheld(chile: Library) -> None:
    of = of_formula("sum(a, over=SEX)", chile, a="SEX in M F")
    rows = [stock("", SEX="F", OBS_STATUS="Q", CONF_STATUS="A"), stock(600, SEX="M")]
    made = compute(rows, chile, of)
    assert list(made.figures["is_withheld"]) == [True]
    assert made.figures["value"].isna().all()


def test_a_delivered_percentage_does_not_turn_a_withheld_count_round(chile: Library) -> None:
    """0.4 % of the 1000 that are published would be the 4 women who are not."""
    made, found = tables.computed([stock("", SEX="F", OBS_STATUS="Q", CONF_STATUS="A"), stock(1000)], chile)
    rows = [
        {"DATAFLOW": "DF_INDIC", "INDICATOR": "I03", "OBS_VALUE": "0.4"},
        {"DATAFLOW": "DF_INDIC", "INDICATOR": "I03", "AGE": "Y15T24", "OBS_VALUE": "0.4"},
        {"DATAFLOW": "DF_INDIC", "INDICATOR": "SDG_17_3_2", "OBS_VALUE": "1.5"},
    ]
    frame = joined(rows, made, found, chile).frame
    of_women = frame[frame["INDICATOR"] == "I03"]
    assert len(of_women) == 2
    assert of_women["OBS_VALUE"].isna().all()
    assert set(of_women["OBS_STATUS"]) == {"Q"}
    assert list(frame.loc[frame["INDICATOR"] == "SDG_17_3_2", "OBS_VALUE"]) == [1.5]  # made of no table of ours


def joined(rows: ROWS, made: Computed, found: object, chile: Library) -> object:
    (table,) = tables.published(rows, chile)
    origin = Origin("indicadores.xlsx", "", "0" * 64, "CL_INE", "CC-BY-4.0", {}, {})
    data = Protected("CL", chile.dataflows["DF_INDIC"], table.frame, (origin,), {})
    return made_tables.joined(made_tables.observations(made, "CL", chile), data, made, found, chile)  # type: ignore[arg-type]


def test_a_delivered_figure_that_cannot_be_recomputed_stays(chile: Library) -> None:
    made, found = tables.computed([stock(400, SEX="F"), stock(1000)], chile)
    rows = [
        {"DATAFLOW": "DF_INDIC", "INDICATOR": "I03", "SOURCE_TYPE": "CEN", "OBS_VALUE": "40.0"},
        {"DATAFLOW": "DF_INDIC", "INDICATOR": "I05", "OBS_VALUE": "2.5"},
    ]
    table = joined(rows, made, found, chile)
    by = {row["INDICATOR"]: row for row in table.frame.to_dict("records")}  # type: ignore[attr-defined]
    assert (by["I03"]["OBS_VALUE"], by["I03"]["table"]) == (40.0, 0)  # the computed one
    assert (by["I05"]["OBS_VALUE"], by["I05"]["table"]) == (2.5, 1)


@pytest.mark.parametrize(
    ("status", "label", "expected"),
    [("A", "", "A"), ("E", "", "E"), ("I", "", "E"), ("P", "", "P"), ("U", "", "U"), ("A", "N", "U"), ("A", "W", "A")],
)
def test_the_weakest_input_marks_the_figure(status: str, label: str, expected: str, chile: Library) -> None:
    weak = stock(400, SEX="F", SOURCE_TYPE="SUR_HH", OBS_STATUS=status, RELIABILITY=label)
    made = compute([weak, stock(1000, SOURCE_TYPE="SUR_HH")], chile)
    frame = made_tables.observations(made, "CL", chile).frame
    (row,) = frame[frame["INDICATOR"] == "I03"].to_dict("records")
    assert (row["OBS_STATUS"], row["RELIABILITY"]) == (expected, label)
    assert bool(row["COMMENT_OBS"]) == (expected == "U")


def test_two_figures_of_one_key_are_not_chosen_between(chile: Library) -> None:
    both = [stock(1000, REASON="_T"), stock(1001, REASON="_Z"), population(20000)]
    made, found = tables.computed(both, chile)
    assert values(made, "I01") == {}
    (answer,) = [a for a in answers.answers(found, made, ["CL"], chile) if a.indicator == "I01"]
    assert answer.reason["en"].startswith("the published tables have several figures of one input")


@pytest.mark.parametrize(
    ("rows", "indicator", "reason"),
    [
        ([stock(1000)], "I01", "its published tables have no figure of: All residents"),
        ([stock(1000)], "I08", "the country has no published table of: Migration flows"),
        ([flow("FLW_IN", 0), flow("FLW_OUT", 0)], "I08", "its denominator is zero"),
        (
            [stock(1000, TIME_PERIOD="2016"), population(20000)],
            "I01",
            "its inputs have no figures of one source, group and year in common",
        ),
        ([stock(1000)], "SDG_17_3_2", "no dataflow holds the gross domestic product"),
    ],
)
def test_what_cannot_be_computed_says_why(rows: ROWS, indicator: str, reason: str, chile: Library) -> None:
    made, found = tables.computed(rows, chile)
    (answer,) = [a for a in answers.answers(found, made, ["CL"], chile) if a.indicator == indicator]
    assert (answer.figures, answer.reason["en"]) == (0, reason)
    assert set(answer.reason) == {"en", "es", "pt"}


def test_a_missing_denominator_is_told_once(chile: Library) -> None:
    made, found = tables.computed([stock(1000)], chile)
    told = [
        each for each in answers.issues(answers.answers(found, made, ["CL"], chile), found) if each.found[:3] == "I01"
    ]
    assert [(each.code, each.severity, each.found) for each in told] == [("IND-04", "I", "I01: All residents")]


# ---------------------------------------------------------------- what a delivered figure is held against


@pytest.mark.parametrize(
    ("value", "decimals", "is_wrong"),
    [
        ("33.33", "2", False),
        ("33.3", "1", False),
        ("33", "0", False),
        ("33.34", "2", True),
        ("33.4", "1", True),
        ("34", "", True),
    ],
)
def test_a_difference_within_rounding_is_none(value: str, decimals: str, chile: Library, *, is_wrong: bool) -> None:
    given_ = {"DATAFLOW": "DF_INDIC", "INDICATOR": "I03", "OBS_VALUE": value, "DECIMALS": decimals}
    told = tables.indicator_issues([stock(100, SEX="F"), stock(300), given_], chile)
    assert [each.code for each in told] == ["IND-01"] * is_wrong


def released(rows: ROWS, library: Library) -> tuple[list[Package], Library, Settings]:
    """Packages of Chile: what it publishes, and indicators that its own office delivers."""
    office = next(iter(library.countries["CL"].providers))
    chile_ = library.countries["CL"]
    chile_ = replace(chile_, agreements=chile_.agreements | {(office, "DF_INDIC")})
    described = Description("CL", "", {"en": ""}, {}, (), (), (), "2026-11-20.1", "2026-11-20")
    origin = Origin("CL/indicadores.xlsx", "", "0" * 64, office, "CC-BY-4.0", {}, {})
    packages = [
        Package(Protected("CL", each.flow, each.frame, (origin,), {}), described, {})
        for each in tables.published(rows, library)
    ]
    settings = Settings(("CL",), (), (), "https://example.org", "2026-11-24.1", "es", {"en": ""})
    return packages, replace(library, countries={"CL": chile_}), settings


def made_of(rows: ROWS, library: Library) -> Made:
    packages, known, settings = released(rows, library)
    return indicators(packages, {}, known, settings, formats=[])


def values_of(made: Made) -> dict[str, float]:
    (frame,) = [each.data.frame for each in made.packages if each.data.flow.id == "DF_INDIC"]
    return dict(zip(frame["INDICATOR"].astype(str), frame["OBS_VALUE"], strict=True))


def delivered(indicator: str, value: float) -> tables.ROW:
    return {"DATAFLOW": "DF_INDIC", "INDICATOR": indicator, "OBS_VALUE": str(value)}


OF_WOMEN = [stock(400, SEX="F"), stock(1000)]


def test_delivered_indicators_are_published_beside_the_computed_ones(library: Library) -> None:
    made = made_of([*OF_WOMEN, delivered("I03", 40.0), delivered("SDG_17_3_2", 1.5)], library)
    assert made.held_back == {}
    assert made.reports["CL", "DF_INDIC"].is_fit
    assert values_of(made) == {"I03": 40.0, "SDG_17_3_2": 1.5, "SDG_17_18_1": round(100 / 35, 2)}
    again = indicators(made.packages, {}, *released([], library)[1:], formats=[])  # as a later run finds them
    assert values_of(again) == values_of(made)


def test_a_wrong_delivery_is_held_back_and_the_computed_figures_go_out(library: Library) -> None:
    made = made_of([*OF_WOMEN, delivered("I03", 41.0), delivered("SDG_17_3_2", 1.5)], library)
    (issue,) = [each for each in made.reports["CL", "DF_INDIC"].issues if each.severity == "E"]
    assert (issue.code, issue.found, issue.expected, issue.file) == (
        "IND-01",
        "I03 2017: 41",
        "40",
        "CL/indicadores.xlsx",
    )
    assert "IND-01" in made.held_back["CL", "DF_INDIC"]["es"]
    assert values_of(made) == {"I03": 40.0, "SDG_17_18_1": round(100 / 35, 2)}


def test_lineage_names_the_release_that_an_input_came_with(library: Library) -> None:
    record = made_of(OF_WOMEN, library).records["files/DF_INDIC/CL/inputs.csv"].decode().splitlines()
    assert {line.rpartition(",")[2] for line in record if line.startswith("I03,")} == {"2026-11-20.1"}
    assert {line.rpartition(",")[2] for line in record if line.startswith("SDG_17_18_1,")} == {"2026-11-24.1"}


def test_a_run_without_the_dataflow_computes_none(library: Library) -> None:
    packages, known, settings = released(OF_WOMEN, library)
    made = indicators(packages, {}, known, replace(settings, flows=("DF_STOCK",)), formats=[])
    assert (made.packages, made.records, made.answers) == (packages, {}, ())


# ---------------------------------------------------------------- lineage


def test_every_figure_names_the_published_figures_that_it_is_made_of(chile: Library) -> None:
    made = compute([stock(400, SEX="F"), stock(1000), population(20000)], chile)
    record = answers.inputs_record(made, "CL", chile.dataflows["DF_INDIC"], "2026-11-24.1").decode().splitlines()
    named = [line.split(",") for line in record[1:] if line.startswith("I03,")]
    assert [(row[4], row[5], row[7], row[9], row[10]) for row in named] == [
        ("people_born_abroad", "DF_STOCK", "A.CL.CEN.STK_POP._T._T._T.FOR._Z._T._Z", "1000", "2026-11-24.1"),
        ("women_born_abroad", "DF_STOCK", "A.CL.CEN.STK_POP.F._T._T.FOR._Z._T._Z", "400", "2026-11-24.1"),
    ]
    made_of = {line.split(",")[4] for line in record[1:] if line.startswith("SDG_17_18_1,")}
    assert made_of == {"filled"}


def test_a_figure_of_one_way_names_that_way_alone(chile: Library) -> None:
    """I01 has two denominators to choose from."""
    made = compute([stock(1000), population(20000), stock(10000, COUNTRY_BIRTH="_T")], chile)
    assert values(made, "I01") == {"2017": 10.0}
    number = made.figures.index[made.figures["INDICATOR"] == "I01"][0]
    assert set(made.lineage.loc[made.lineage["figure"] == number, "input"]) == {"foreign_born", "residents"}


# ---------------------------------------------------------------- the published release


@pytest.fixture(scope="module")
def public(published: Path) -> Path:
    """The release of an office that has a population beside its stock."""
    return published / "build/public"


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_every_published_figure_follows_from_the_published_inputs(public: Path) -> None:
    """Recomputed with pandas from the CSV of the stock alone, by the formula that the page shows."""
    figures = read(public / "files/DF_INDIC/XX/data.csv")
    stock_ = read(public / "files/DF_STOCK/XX/data.csv")
    whole = stock_[(stock_["COUNTRY_BIRTH"] == "FOR") & (stock_["AGE"] == "_T") & (stock_["OBS_VALUE"] != "")]
    by = whole.assign(v=whole["OBS_VALUE"].astype(float)).pivot_table(index="TIME_PERIOD", columns="SEX", values="v")
    expected = (100 * by["F"] / by["_T"]).round(2).dropna()
    mine = figures[(figures["INDICATOR"] == "I03") & (figures["REF_AREA"] == "XX")].set_index("TIME_PERIOD")
    assert not mine.empty
    assert dict(mine["OBS_VALUE"].astype(float)) == dict(expected)
    assert set(mine["DECIMALS"]) == {"2"}
    assert set(mine["UNIT_MEASURE"]) == {"PT"}


def test_the_answers_of_a_release_name_every_indicator(public: Path, library: Library) -> None:
    said = read(public / "files/DF_INDIC/XX/answers.csv")
    assert list(said["INDICATOR"]) == list(library.indicators.rows)
    without = said[said["FIGURES"] == "0"]
    for lang in ("EN", "ES", "PT"):
        assert (without[f"NOT_COMPUTABLE_{lang}"] != "").all()
        assert (said.loc[said["FIGURES"] != "0", f"NOT_COMPUTABLE_{lang}"] == "").all()


def test_indicators_are_published_like_any_dataflow(public: Path) -> None:
    for path in (
        "files/DF_INDIC/XX/data.xml",
        "files/DF_INDIC/XX/data.parquet",
        "files/DF_INDIC/XX/lineage.parquet",
        "packages/DF_INDIC/XX/datapackage.json",
        "sdmx/v1/data/DF_INDIC/index.xml",
        "sdmx/v2/data/dataflow/MIGLAC/DF_INDIC/1.0.0/index.csv",
        "reports/XX/DF_INDIC.json",
        "es/data/DF_INDIC/XX/index.html",
    ):
        assert (public / path).is_file(), path
    lineage = pd.read_parquet(public / "files/DF_INDIC/XX/lineage.parquet")
    assert set(lineage["file"].astype(str)) == {"dsd/DF_INDIC/indicators.csv"}
    rows = (ROOT / "dsd/DF_INDIC/indicators.csv").read_text(encoding="utf-8").splitlines()
    figures = read(public / "files/DF_INDIC/XX/data.csv")
    assert [rows[row - 1].split(",")[0] for row in lineage["row"]] == list(figures["INDICATOR"])


@pytest.mark.parametrize(
    ("lang", "why"),
    [
        ("en", "the country has no published table of: Migration flows"),
        ("es", "el país no tiene un cuadro publicado de: Flujos migratorios"),
        ("pt", "o país não tem uma tabela publicada de: Fluxos migratórios"),
    ],
)
def test_the_pages_show_figures_formulas_and_reasons(public: Path, library: Library, lang: str, why: str) -> None:
    overview = html.fromstring((public / lang / "indicators/index.html").read_bytes())
    links = {a.get("href").split("/")[0] for a in overview.xpath("//table//tbody/tr/th//a")}
    assert links == library.indicators.rows.keys()
    (cell,) = overview.xpath("//tr[th/a[contains(@href, 'I03/')]]/td[@class='has']/strong/text()")
    assert cell.replace(",", ".") == "51.94"
    page = html.fromstring((public / lang / "indicators/I03/index.html").read_bytes())
    assert library.indicators.rows["I03"].formula in [code.text for code in page.iter("code")]
    assert library.indicators.rows["I03"].words[lang] in page.text_content()
    files = page.xpath("//a[@download]/@href")
    assert {file.rpartition("/")[2] for file in files} == {"inputs.csv", "answers.csv", "data.csv"}
    assert all((public / lang / "indicators/I03" / file).is_file() for file in files)
    without = html.fromstring((public / lang / "indicators/I08/index.html").read_bytes())
    assert without.xpath("string(//div[@id='XX']/dd)") == why
    assert overview.xpath("//tr[th/a[contains(@href, 'I08/')]]/td[@class='none']/a/@href") == ["I08/index.html#XX"]


def test_no_indicator_tells_what_the_stock_withholds(public: Path, library: Library) -> None:
    """Each figure of the lineage is one that the table of its input shows."""
    used = read(public / "files/DF_INDIC/XX/inputs.csv")
    stock_ = read(public / "files/DF_STOCK/XX/data.csv")
    dims = list(library.structures["DSD_MIG_POP"].dimensions)
    shown = dict(
        zip(stock_[dims].agg(".".join, axis=1) + " " + stock_["TIME_PERIOD"], stock_["OBS_VALUE"], strict=True)
    )
    of_stock = used[used["INPUT_DATAFLOW"] == "DF_STOCK"]
    assert not of_stock.empty
    for key, at, value in zip(
        of_stock["INPUT_KEY"], of_stock["INPUT_TIME_PERIOD"], of_stock["INPUT_VALUE"], strict=True
    ):
        assert shown[f"{key} {at}"] == value


def test_the_population_of_the_ten_countries_is_that_of_its_source(library: Library) -> None:
    """UN DESA, International Migrant Stock 2020, table 2: women and men are everybody, and Chile had 19,116,209 in 2020."""
    for area in library.countries:
        table = pd.read_csv(ROOT / f"data/{area}/poblacion_undesa.csv")
        assert list(table["Año"]) == [1990, 1995, 2000, 2005, 2010, 2015, 2020]
        # The source rounds to a whole person: a difference of one is its own.
        assert (np.abs(table["Ambos sexos"] - table["Hombres"] - table["Mujeres"]) <= 1).all()
    chile_ = pd.read_csv(ROOT / "data/CL/poblacion_undesa.csv").set_index("Año")
    assert chile_.loc[2020].to_list() == [19116209, 9425669, 9690540]


def test_a_row_without_formula_says_why_in_every_language(library: Library) -> None:
    for each in library.indicators.rows.values():
        assert isinstance(each, Indicator)
        assert bool(each.formula) != bool(each.reason)
        assert set(each.words) == {"en", "es", "pt"}
        assert each.commitments
