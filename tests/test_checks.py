"""Sums, breakdowns and confidentiality: what is an error, what is not, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import conditions
from pipeline import library as authored
from pipeline.checks.finding import key_numbers, shown
from pipeline.errors import SetupError
from pipeline.model import Issue, Library
from pipeline.thresholds import has_few_cases, is_small
from pipeline.validate import validate, validate_release

CHILE = tables.with_chile(authored.load(Path(__file__).parents[1]))
AGES = ("Y0T14", "Y15T24", "Y25T44", "Y45T64", "Y_GE65")


def issues(
    rows: Sequence[tables.ROW],
    flow: str = "DF_STOCK",
    hierarchies: tuple[str, ...] = (),
    rounding_base: int = 0,
) -> tuple[Issue, ...]:
    received = tables.observations(rows, CHILE.dataflows[flow], hierarchies=hierarchies, rounding_base=rounding_base)
    return validate(received, CHILE, day=tables.DAY).issues


def found(rows: Sequence[tables.ROW], flow: str = "DF_STOCK", **options: object) -> list[tuple[str, str]]:
    return [(issue.code, issue.severity) for issue in issues(rows, flow, **options)]


def by(component: str, figures: dict[str, float | str], **rest: str) -> list[tables.ROW]:
    """One row for each code of a component."""
    return [{component: code, "OBS_VALUE": str(value), **rest} for code, value in figures.items()]


def release(rows: Sequence[tables.ROW], flow: str = "DF_STOCK") -> list[str]:
    report = validate_release(tables.protected(rows, CHILE.dataflows[flow]), CHILE, day=tables.DAY)
    return [issue.code for issue in report.issues]


def withheld(**row: str) -> tables.ROW:
    return {"OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A", **row}


# ---------------------------------------------------------------- partitions


def test_published_totals_of_chile_add_up() -> None:
    # Foreign residents of Chile, 2021 and 2022 (framework §4, source S2).
    right = [
        *by("SEX", {"M": 744213, "F": 738177, "_T": 1482390}, TIME_PERIOD="2021"),
        *by("SEX", {"M": 826071, "F": 799003, "_T": 1625074}, TIME_PERIOD="2022"),
    ]
    assert found(right) == []
    wrong = [*right[:5], {**right[5], "OBS_VALUE": "1625075"}]
    (issue,) = issues(wrong)
    assert (issue.code, issue.cells, issue.found) == ("ACC-01", ("I7",), "1\u00a0625\u00a0075 ≠ Σ ± <10")


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"_T": 1000, "NAT": 900, "FOR": 95, "_U": 5}, []),
        ({"_T": 1000, "NAT": 900, "FOR": 95}, [("ACC-03", "E")]),
        ({"_T": 1000, "NAT": 900, "FOR": 105}, [("ACC-03", "E")]),
        ({"_T": 1000, "FOR": 95}, []),  # the native-born are not given: nothing is asserted
        ({"_T": 1000, "FOR": 1095}, [("ACC-03", "E")]),  # yet a part cannot exceed the whole
        ({"_T": 1000, "_U": 5}, []),
        ({"NAT": 900, "FOR": 95}, []),
    ],
)
def test_birth_partition(figures: dict[str, float | str], expected: list[tuple[str, str]]) -> None:
    assert found(by("COUNTRY_BIRTH", figures)) == expected


def test_lines_of_different_years_are_apart() -> None:
    rows = [*by("SEX", {"_T": 1000, "F": 500}), *by("SEX", {"M": 400}, TIME_PERIOD="2018")]
    assert found(rows) == []


def test_a_balance_may_be_smaller_than_a_part() -> None:
    rows = by("COUNTRY_BIRTH", {"_T": -500, "FOR": 300}, MIG_MEASURE="FLW_NET", METHOD="INTENT")
    assert found(rows, "DF_FLOW") == []


def test_percentages_are_not_added() -> None:
    assert found(by("SEX", {"_T": 40, "F": 39, "M": 41}, INDICATOR="I01"), "DF_INDIC") == []


@pytest.mark.parametrize("status", ["Q", "L"])
def test_a_line_without_a_value_is_skipped_and_said_to_be(status: str) -> None:
    rows = [*by("SEX", {"_T": 1000, "F": 400}), withheld(SEX="M", OBS_STATUS=status)]
    assert found(rows) == [("ACC-00", "I")]
    rows = [*by("SEX", {"F": 400, "M": 500}), withheld(SEX="_T", OBS_STATUS=status)]
    assert found(rows) == [("ACC-00", "I")]


def test_skipped_lines_are_counted() -> None:
    rows = [
        row
        for number, year in enumerate(("2015", "2016", "2017"))
        for row in (
            *by("SEX", {"_T": 1000 + number, "F": 400 + number}, TIME_PERIOD=year),
            withheld(SEX="M", TIME_PERIOD=year),
        )
    ]
    (issue,) = issues(rows)
    assert (issue.code, issue.severity, issue.count) == ("ACC-00", "I", 3)


def test_compared_lines_are_counted() -> None:
    received = tables.observations(
        [*by("SEX", {"_T": 1000, "F": 400, "M": 600}), *by("SEX", {"_T": 10, "F": 4, "M": 6}, AGE="Y0")],
        CHILE.dataflows["DF_STOCK"],
    )
    assert validate(received, CHILE, day=tables.DAY).applied["ACC-01"] == 2


# ---------------------------------------------------------------- tolerance


@pytest.mark.parametrize(("gap", "is_wrong"), [(4, False), (5, True)])
def test_rounding_gives_half_its_base_for_each_summand(gap: int, *, is_wrong: bool) -> None:
    rows = by("SEX", {"_T": 999 + gap, "F": 399, "M": 600})  # three summands: 3 * 3 / 2 = 4.5
    assert bool(found(rows, rounding_base=3)) == is_wrong


def test_rounding_counts_only_the_summands_that_are_there() -> None:
    rows = by("CITIZENSHIP", {"FOR": 999, "PE": 300, "BO": 600, "FOR_O": 60})
    assert found(rows, rounding_base=3) == [("ACC-05", "E")]


@pytest.mark.parametrize(("total", "is_wrong"), [(1004, False), (1006, True)])
def test_estimates_may_differ_by_half_a_percent(total: int, *, is_wrong: bool) -> None:
    rows = by("SEX", {"_T": total, "F": 400, "M": 600}, OBS_STATUS="E")
    assert bool(found(rows)) == is_wrong


def test_survey_figures_are_estimates() -> None:
    rows = by("SEX", {"_T": 1004, "F": 400, "M": 600}, SOURCE_TYPE="SUR_HH", CV="0.1", N_OBS="90")
    assert found(rows) == []


def test_binary_fractions_are_no_difference() -> None:
    rows = by("SEX", {"_T": 0.3, "F": 0.1, "M": 0.2}, SOURCE_TYPE="INT", OBS_STATUS="E")
    assert found(rows) == []


# ---------------------------------------------------------------- hierarchies, trees, areas


def test_ages_are_checked_only_where_declared() -> None:
    rows = by("AGE", {"_T": 1000, **dict.fromkeys(AGES, 100)})
    assert found(rows) == []
    assert found(rows, hierarchies=("HCL_AGE_BROAD",)) == [("ACC-02", "E")]


def test_two_declared_hierarchies_do_not_disturb_each_other() -> None:
    both = ("HCL_AGE_BROAD", "HCL_AGE5", "HCL_AGE5_80")
    five = {f"Y{age}T{age + 4}": 50 for age in range(0, 80, 5)}
    old = by("AGE", {"_T": 1000, **dict.fromkeys(AGES, 199), "_U": 5}, TIME_PERIOD="2002")
    new = by("AGE", {"_T": 900, **five, "Y_GE80": 95, "_U": 5}, TIME_PERIOD="2017")
    assert found([*old, *new], hierarchies=both) == []
    wrong = [*old, *new[:-2], {**new[-2], "OBS_VALUE": "94"}, new[-1]]
    assert found(wrong, hierarchies=both) == [("ACC-02", "E")]


def test_a_list_without_its_middle_level_adds_up() -> None:
    right = {"_T": 1000, "M_LT3": 100, "M3T5": 150, "M6T11": 150, "M_GE12": 600}
    assert found(by("DURATION", right)) == []
    assert found(by("DURATION", right | {"M3T5": 160})) == [("ACC-07", "E")]
    assert found(by("DURATION", right | {"M3T11": 300})) == []
    # Two sums fail, because of one figure: that is one fault.
    assert found(by("DURATION", right | {"M3T11": 310})) == [("ACC-07", "E")]


def test_memo_items_are_no_part() -> None:
    rows = by("LABOUR_STATUS", {"EMP": 1000, "EMP_WAGE": 700, "EMP_SELF": 300, "EMP_INF": 400}, AGE="Y_GE15")
    assert found(rows, "DF_LABOUR") == []


def test_areas_add_up_when_all_are_given() -> None:
    areas = CHILE.list_of("REF_AREA")
    assert areas is not None
    parts = [code for code in areas.children["CL"] if code != "CL-_U"]
    whole = by("REF_AREA", {"CL": 100 * len(parts), **dict.fromkeys(parts, 100)})
    assert found(whole) == []
    assert found([{**whole[0], "OBS_VALUE": "5000"}, *whole[1:]]) == [("ACC-06", "E")]


def test_some_areas_may_be_shown() -> None:
    assert found(by("REF_AREA", {"CL": 1000, "CL-RM": 700})) == []
    assert found(by("REF_AREA", {"CL": 1000, "CL-RM": 1100})) == [("ACC-06", "E")]


# ---------------------------------------------------------------- countries and regions of origin


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"FOR": 100, "PE": 60, "BO": 40}, []),
        ({"FOR": 100, "PE": 60, "BO": 50}, [("ACC-05", "E")]),
        ({"FOR": 100, "PE": 60, "BO": 30}, [("ACC-05", "W")]),
        ({"FOR": 100, "PE": 60, "BO": 30, "FOR_O": 10}, []),
        ({"FOR": 100, "PE": 60, "BO": 30, "FOR_O": 5}, [("ACC-05", "E")]),
        ({"FOR": 100, "PE": 60, "BO": 30, "FOR_O": 5, "FOR_U": 5}, []),
        ({"FOR": 100, "PE": 60, "BO": 30, "FOR_U": 5}, []),  # says that some are unknown
        ({"FOR": 100, "PE": 60, "BO": 30, "R150": 10}, []),  # neighbours one by one, Europe as a whole
        ({"FOR": 100, "PE": 60, "BO": 30, "R150": 20}, [("ACC-05", "E")]),
        ({"FOR": 100, "R005": 90, "R150": 10, "PE": 60, "DE": 5}, []),  # some countries of shown regions
        ({"FOR": 100, "R005": 90, "R150": 10, "PE": 60, "DE": 5, "FOR_O": 35}, []),
        ({"FOR": 100, "R005": 90, "R150": 10, "PE": 60, "DE": 5, "FOR_O": 30}, [("ACC-05", "E")]),
        ({"FOR": 100, "R005": 90, "R150": 20}, [("ACC-05", "E")]),
        ({"PE": 60, "BO": 50}, []),
    ],
)
def test_origins(figures: dict[str, float | str], expected: list[tuple[str, str]]) -> None:
    assert found(by("CITIZENSHIP", figures)) == expected


def test_countries_of_a_net_balance_may_exceed_it() -> None:
    rows = by("CITIZENSHIP", {"FOR": 100, "PE": 600, "BO": 20}, MIG_MEASURE="FLW_NET", METHOD="INTENT")
    assert found(rows, "DF_FLOW") == []


# ---------------------------------------------------------------- differences and periods


def test_net_is_in_minus_out() -> None:
    rows = by("MIG_MEASURE", {"FLW_IN": 400, "FLW_OUT": 1000, "FLW_NET": -600})
    assert found(rows, "DF_FLOW") == []
    assert found(rows[1:], "DF_FLOW") == []
    (issue,) = issues([*rows[:2], {**rows[2], "OBS_VALUE": "600"}], "DF_FLOW")
    assert issue.expected == "MIG_MEASURE: FLW_NET = FLW_IN − FLW_OUT"


@pytest.mark.parametrize("changed", range(12))
def test_months_quarters_and_year(changed: int) -> None:
    months = [{"FREQ": "M", "TIME_PERIOD": f"2017-{m:02d}", "OBS_VALUE": str(100 + m)} for m in range(1, 13)]
    quarters = [{"FREQ": "Q", "TIME_PERIOD": f"2017-Q{q + 1}", "OBS_VALUE": str(300 + 9 * q + 6)} for q in range(4)]
    year = {"FREQ": "A", "TIME_PERIOD": "2017", "OBS_VALUE": "1278"}
    assert found([*months, *quarters, year], "DF_FLOW") == []
    months[changed] = {**months[changed], "OBS_VALUE": "999"}
    wrong = issues([*months, *quarters, year], "DF_FLOW")
    assert [(issue.code, issue.expected) for issue in wrong] == [
        ("ACC-09", "TIME_PERIOD: A = Σ"),
        ("ACC-09", "TIME_PERIOD: Q = Σ"),
    ]
    del months[changed]
    assert found([*months, *quarters, year], "DF_FLOW") == []


# ---------------------------------------------------------------- properties


@settings(max_examples=15, deadline=None)
@given(
    figures=st.lists(st.integers(10, 10**6), min_size=10, max_size=10),
    changed=st.integers(0, 9),
    by_one=st.sampled_from([-1, 1]),
)
def test_what_was_added_up_never_fails_and_one_part_off_always_does(
    figures: list[int], changed: int, by_one: int
) -> None:
    cells = {(sex, age): figures[5 * s + a] for s, sex in enumerate("FM") for a, age in enumerate(AGES)}

    def rows(off: int) -> list[tables.ROW]:
        parts = dict(cells)
        parts[list(cells)[changed]] += off
        table = {**parts}
        table |= {(sex, "_T"): sum(cells[sex, age] for age in AGES) for sex in "FM"}
        table |= {("_T", age): sum(cells[sex, age] for sex in "FM") for age in AGES}
        table["_T", "_T"] = sum(cells.values())
        return [{"SEX": sex, "AGE": age, "OBS_VALUE": str(value)} for (sex, age), value in table.items()]

    def errors(off: int) -> list[tuple[str, str]]:
        return [each for each in found(rows(off), hierarchies=("HCL_AGE_BROAD",)) if each[1] == "E"]

    assert errors(0) == []
    assert errors(by_one) == [("ACC-01", "E")]  # and it names that part alone


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None])), min_size=1))
def test_key_numbers_tell_keys_apart(keys: list[tuple[str, str | None]]) -> None:
    numbers = key_numbers(pd.DataFrame(keys, columns=["K", "L"], dtype=object), ("L", "K"))
    assert len(set(zip(keys, numbers, strict=True))) == len(set(keys)) == len(set(numbers))
    assert min(numbers) == 0
    assert max(numbers) < len(keys)


def test_key_numbers_do_not_overflow() -> None:
    frame = pd.DataFrame({f"C{n}": np.arange(2000) // 2 for n in range(8)})
    assert len(set(key_numbers(frame, tuple(frame)))) == 1000


# ---------------------------------------------------------------- before release


def test_one_withheld_cell_of_a_line_can_be_worked_out() -> None:
    total, women = by("SEX", {"_T": 1000, "F": 996})
    assert release([total, women, withheld(SEX="M")]) == ["CNF-02"]
    assert release([total, withheld(SEX="F"), withheld(SEX="M")]) == []
    assert release([women, withheld(SEX="M")]) == []


def test_a_withheld_total_can_be_worked_out() -> None:
    assert release([*by("SEX", {"F": 400, "M": 600}), withheld(SEX="_T")]) == ["CNF-02"]


def test_a_withheld_month_can_be_worked_out() -> None:
    quarters = [{"FREQ": "Q", "TIME_PERIOD": f"2017-Q{q}", "OBS_VALUE": "300"} for q in (1, 2, 3)] + [
        withheld(FREQ="Q", TIME_PERIOD="2017-Q4")
    ]
    year = {"FREQ": "A", "TIME_PERIOD": "2017", "OBS_VALUE": "903"}
    assert release([*quarters, year], "DF_FLOW") == ["CNF-02"]
    assert release(quarters, "DF_FLOW") == []


def test_a_withheld_code_below_a_missing_level_can_be_worked_out() -> None:
    rows = by("DURATION", {"_T": 1000, "M_LT3": 100, "M3T5": 150, "M_GE12": 746})
    assert release([*rows, withheld(DURATION="M6T11")]) == ["CNF-02"]


def test_what_is_no_whole_gives_nothing_back() -> None:
    rows = by("CITIZENSHIP", {"FOR": 100, "PE": 60})
    assert release([*rows, withheld(CITIZENSHIP="BO")]) == []
    assert release([*rows, withheld(CITIZENSHIP="BO"), {"CITIZENSHIP": "FOR_O", "OBS_VALUE": "37"}]) == ["CNF-02"]
    assert release([*by("COUNTRY_BIRTH", {"_T": 1000}), withheld(COUNTRY_BIRTH="FOR")]) == []


def test_a_figure_that_is_missing_anyway_is_not_withheld() -> None:
    rows = by("SEX", {"_T": 1000, "F": 400})
    missing = {"SEX": "M", "OBS_VALUE": "", "OBS_STATUS": "L"}
    elsewhere = [withheld(SEX=sex, TIME_PERIOD="2018") for sex in "FM"]
    assert release([*rows, missing, *elsewhere]) == []


@pytest.mark.parametrize(
    ("row", "is_confidential"),
    [
        ({"OBS_VALUE": "4"}, True),
        ({"OBS_VALUE": "5"}, False),
        ({"OBS_VALUE": "0"}, False),
        ({"OBS_VALUE": "4", "SOURCE_TYPE": "INT"}, False),
        ({"OBS_VALUE": "2", "SOURCE_TYPE": "INT"}, True),
        ({"OBS_VALUE": "4", "UNIT_MULT": "3"}, False),  # four thousand
        ({"OBS_VALUE": "0.004", "UNIT_MULT": "3"}, True),  # four
        ({"OBS_VALUE": "-4", "MIG_MEASURE": "CMP_ADJ"}, True),
        ({"OBS_VALUE": "4", "UNIT_MEASURE": "PT"}, False),
    ],
)
def test_small_counts(row: tables.ROW, *, is_confidential: bool) -> None:
    flow = CHILE.dataflows["DF_STOCK"]
    frame = tables.frame([row], flow)
    assert is_small(flow, frame, CHILE.list_of).tolist() == [is_confidential]
    assert release([row]) == (["CNF-01"] if is_confidential else [])


def test_estimates_from_few_cases_are_confidential() -> None:
    flow = CHILE.dataflows["DF_STOCK"]
    rows = [{"N_OBS": n, "SOURCE_TYPE": "SUR_HH"} for n in ("29", "30", "")]
    assert has_few_cases(flow, tables.frame(rows, flow)).tolist() == [True, False, False]
    assert release(rows[:1]) == ["CNF-01"]


# ---------------------------------------------------------------- the language of conditions


def test_a_figure_is_never_shown_below_the_highest_threshold() -> None:
    assert [shown(value) for value in (0, 3, -9.5, 10, 1234567, 0.5)] == [
        "0",
        "<10",
        "<10",
        "10",
        "1\u00a0234\u00a0567",
        "<10",
    ]


@pytest.mark.parametrize("text", ["SEX", "SEX in", "SEX empty F", "SEX = F", "sex in F", "OBS_VALUE >= much"])
def test_conditions_that_are_not_understood(text: str) -> None:
    with pytest.raises(SetupError, match="not understood"):
        conditions.parse(text)


def test_a_component_that_the_table_lacks() -> None:
    frame = tables.frame([{}], CHILE.dataflows["DF_STOCK"])
    for text, verdict in (
        ("ROUTE in _T", False),
        ("ROUTE not in _T", True),
        ("ROUTE empty", True),
        ("ROUTE not empty", False),
    ):
        assert conditions.holds(conditions.parse(text), frame, CHILE.list_of).tolist() == [verdict], text


def test_every_code_that_a_rule_names_exists(library: Library) -> None:
    for flow in library.dataflows.values():
        for rule in flow.rules:
            for clause in (*conditions.parse(rule.when), *conditions.parse(rule.then)):
                codelist = library.list_of(clause.component)
                if clause.operator in ("in", "not in"):
                    assert codelist is not None
                    assert all(codelist.select(value) for value in clause.values), (rule.id, clause)
