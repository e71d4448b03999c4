"""Attacks made by hand, and what must hold of any table: the attack that a naive release falls to finds nothing in ours.

Each way of telling a withheld count is tried twice: on figures withheld one by one, which the audit must find
told, and on what `protect` makes of the same figures, which it must not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import audit, rates
from pipeline.catalogue import charts, figures, wording
from pipeline.catalogue.wording import Words
from pipeline.checks.finding import Table
from pipeline.linked import link
from pipeline.model import Library, Observations, Protected
from pipeline.protect import ProtectedTables, _ordered, blanked, protect, protect_all
from pipeline.protection import Threshold
from pipeline.thresholds import is_small, is_withheld
from tests.test_attack import emigrants, stock
from tests.test_protect import DAY, ORIGINS, SEXES, full, observations, summed

ROOT = Path(__file__).parents[1]
small_or_not = st.one_of(st.integers(0, 6), st.integers(0, 400))
Inner = list[int]


def seen(made: Observations, library: Library) -> Table:
    """What was received, in the order in which it is published."""
    frame = _ordered(made.frame, made.flow, library)
    return Table(made.area, made.flow, frame, made.origins, library, DAY, made.hierarchies)


def withheld_alone(made: Observations, library: Library) -> Protected:
    """The table as an office would publish it that knows the threshold alone: small counts blank, nothing else."""
    published = protect(made, library, day=DAY)
    frame = seen(made, library).frame
    small = is_small(made.flow, frame, library.list_of)
    return replace(published, frame=blanked(frame, small, np.zeros_like(small)))


def told(naive: Sequence[Protected], library: Library, received: Sequence[Observations]) -> int:
    """How many figures of a release the audit tells, given which figures of what was received add up to which."""
    issues = audit.audit(naive, (), link([seen(each, library) for each in received]), library)
    return sum(issue.count for each in issues.values() for issue in each if issue.severity == "E")


def safe(made: ProtectedTables, library: Library) -> bool:
    return not audit.audit(made.tables, made.standing, made.linked, library)


# ---------------------------------------------------------------- subtraction


def test_over_a_margin(library: Library) -> None:
    origins = {"VE": 3, "PE": 40, "CO": 70, "FOR_O": 900}
    made = observations(library, full({("CL", "_T", origin): value for origin, value in origins.items()}))
    assert told([withheld_alone(made, library)], library, [made]) == 1, "the total less the other three"
    assert safe(protect_all([made], library, day=DAY), library)


def test_over_a_hierarchy(library: Library) -> None:
    """Countries within regions within all: what no single line tells, two levels do."""
    counts = {"FOR": 1_000, "R005": 604, "VE": 3, "PE": 601, "R142": 396, "CN": 4, "JP": 392}
    rows = [{"COUNTRY_BIRTH": code, "OBS_VALUE": str(value)} for code, value in counts.items()]
    made = tables.observations(rows, library.dataflows["DF_STOCK"])
    naive = withheld_alone(made, library)
    assert told([naive], library, [made]) == 2
    region = (naive.frame["COUNTRY_BIRTH"] == "R005").to_numpy()
    naive = replace(naive, frame=blanked(naive.frame, naive.frame["OBS_VALUE"].isna().to_numpy(), region))
    assert told([naive], library, [made]) == 2, "the region is all less the other one, and gives its country"
    assert safe(protect_all([made], library, day=DAY), library)


def test_over_two_linked_tables(library: Library) -> None:
    both = [stock(library, "CL", "PE", 800, 2), emigrants(library, "PE", "CL", 800)]
    apart = [protect(each, library, day=DAY) for each in both]
    assert told(apart, library, both) == 1
    assert safe(protect_all(both, library, day=DAY), library)


def test_what_one_table_withholds_and_another_publishes(library: Library) -> None:
    counts = {"VE": 3, "PE": 40, "CO": 1, "FOR_O": 900}
    made = observations(library, full({("CL", "_T", origin): value for origin, value in counts.items()}))
    pair = protect(made, library, day=DAY)
    careless = replace(pair, frame=seen(made, library).frame)
    assert told([pair], library, [made]) == 0
    assert told([pair, careless], library, [made, made]) == 4, "two small counts, in both tables"
    assert safe(protect_all([made, made], library, day=DAY), library)


def test_over_two_vintages(library: Library) -> None:
    """A figure that the last release had says what a withheld one of this release is."""
    inner = {"VE": 30, "PE": 40, "CO": 70, "FOR_O": 900}
    before = protect(
        observations(library, full({("CL", "_T", o): v for o, v in inner.items()})), library, day="2026-10-01"
    )
    now = observations(library, full({("CL", "_T", o): v for o, v in {**inner, "VE": 2, "CO": 98}.items()}))
    frame = seen(now, library).frame
    pair = protect(now, library, day=DAY)
    small, other = ((frame["COUNTRY_BIRTH"] == each).to_numpy() for each in ("VE", "PE"))
    naive = replace(pair, frame=blanked(frame, small, other))
    old = replace(seen(now, library), frame=before.frame)
    issues = audit.audit([naive], [before], link([seen(now, library), old]), library)
    assert [(each.severity, each.count) for each in issues["CL", "DF_STOCK"]] == [("W", 1)], "Peru has 40 as before"
    assert not audit.audit([naive], (), link([seen(now, library)]), library), "alone it is safe"
    assert safe(protect_all([now], library, day=DAY, standing=[before]), library)


# ---------------------------------------------------------------- percentages


def people(rates_: dict[str, str], counts: dict[str, str]) -> list[dict[str, str]]:
    """Counts and shares of residents by education."""
    shares = [
        {"MIG_MEASURE": "SHR", "UNIT_MEASURE": "PT", "EDUCATION_LEV": level, "OBS_VALUE": share}
        for level, share in rates_.items()
    ]
    known = [
        {"MIG_MEASURE": "STK_POP", "UNIT_MEASURE": "PERS", "EDUCATION_LEV": level, "OBS_VALUE": count}
        for level, count in counts.items()
    ]
    return [*known, *shares]


SHARES = {"AGG_0T2": "0.3", "AGG_3T4": "59.7", "ISCED11_5T8": "40"}
COUNTS = {"_T": "1000", "AGG_0T2": "3", "AGG_3T4": "597", "ISCED11_5T8": "400"}


@pytest.mark.parametrize(
    ("source", "counts", "shown"),
    [
        ("CEN", COUNTS, ["AGG_3T4"]),  # the count of the last is withheld for the sake of the first
        ("CEN", {"_T": "1000"}, []),  # 0.3 % of a thousand are three, and the others leave 0.3
        ("CEN", {}, ["AGG_0T2", "AGG_3T4", "ISCED11_5T8"]),  # of whom, nobody is told
        ("CEN", {**COUNTS, "AGG_0T2": "300", "ISCED11_5T8": "103"}, ["AGG_0T2", "AGG_3T4", "ISCED11_5T8"]),
        ("SUR_HH", {"_T": "1000"}, ["AGG_0T2", "AGG_3T4", "ISCED11_5T8"]),  # an estimate counts nobody
    ],
)
def test_through_a_percentage(library: Library, source: str, counts: dict[str, str], shown: list[str]) -> None:
    flow = library.dataflows["DF_SOCIO"]
    rows = [{**row, "SOURCE_TYPE": source} for row in people(SHARES, counts)]
    made = tables.observations(rows, flow)
    result = protect_all([made], library, day=DAY)
    frame = result.tables[0].frame
    share = frame[(frame["MIG_MEASURE"] == "SHR") & frame["OBS_VALUE"].notna()]
    assert sorted(share["EDUCATION_LEV"]) == shown
    assert safe(result, library)
    blank = frame[frame["OBS_VALUE"].isna()]
    assert set(blank["OBS_STATUS"]) <= {"Q"}
    if len(shown) < len(SHARES):
        share_of = frame["EDUCATION_LEV"].astype(str).map(SHARES).astype(float)
        naive = frame.assign(OBS_VALUE=frame["OBS_VALUE"].where(frame["MIG_MEASURE"] != "SHR", share_of))
        found = told([replace(result.tables[0], frame=naive)], library, [made])
        assert found == len(SHARES) - len(shown), "the audit turns percentages round"


def test_through_a_mean(library: Library) -> None:
    """Two persons' mean earnings are not told where they are not counted in public."""
    flow = library.dataflows["DF_LABOUR"]
    rows = [
        {"MIG_MEASURE": measure, "UNIT_MEASURE": unit, "COUNTRY_BIRTH": origin, "OBS_VALUE": value}
        for measure, unit, values in (
            ("STK_POP", "PERS", ("1000", "2", "98", "900")),
            ("EARN_MEAN", "XDC", ("512", "9999", "500", "500")),
        )
        for origin, value in zip(("FOR", "VE", "PE", "CO"), values, strict=True)
    ]
    frame = protect(tables.observations(rows, flow), library, day=DAY).frame
    count, mean = (frame[frame["MIG_MEASURE"] == each] for each in ("STK_POP", "EARN_MEAN"))
    hidden = sorted(count.loc[count["OBS_VALUE"].isna(), "COUNTRY_BIRTH"])
    assert "VE" in hidden
    assert len(hidden) > 1
    assert sorted(mean.loc[mean["OBS_VALUE"].isna(), "COUNTRY_BIRTH"]) == hidden


@settings(max_examples=5, deadline=None)
@given(inner=st.lists(st.one_of(st.integers(1, 6), st.integers(20, 300)), min_size=3, max_size=3))
def test_no_percentage_can_be_turned_into_a_withheld_count(library: Library, inner: Inner) -> None:
    """Every published percentage of every published total, against what is withheld: by multiplication alone."""
    total, levels = sum(inner), list(SHARES)
    counts = {"_T": str(total), **{level: str(value) for level, value in zip(levels, inner, strict=True)}}
    shares = {level: f"{100 * value / total:.2f}" for level, value in zip(levels, inner, strict=True)}
    made = tables.observations(people(shares, counts), library.dataflows["DF_SOCIO"])
    frame = protect(made, library, day=DAY).frame.set_index(["MIG_MEASURE", "EDUCATION_LEV"])["OBS_VALUE"]
    for level, value in zip(levels, inner, strict=True):
        if np.isnan(frame["STK_POP", level]):
            assert np.isnan(frame["SHR", level])
            continue
        assert frame["STK_POP", level] == value
        if not np.isnan(frame["SHR", level]):
            assert not np.isnan(frame["STK_POP", "_T"])


def test_rates_of_no_counted_person_are_left_alone(library: Library) -> None:
    made = tables.observations([{"OBS_VALUE": "20"}], library.dataflows["DF_INDIC"])
    table = Table("CL", made.flow, made.frame, made.origins, library, DAY)
    assert not rates.telling([table], [is_withheld(made.frame)])[0].any()


# ---------------------------------------------------------------- charts


@pytest.fixture(scope="module")
def words() -> Words:
    return wording.languages(ROOT / "site/text")["en"]


def drawn(library: Library, words: Words, counts: dict[str, int]) -> tuple[list[object], set[str]]:
    """The charts of a table of two years by country of birth, and which countries have no figure."""
    rows = [
        {"COUNTRY_BIRTH": code, "OBS_VALUE": str(value), "TIME_PERIOD": str(year)}
        for code, value in counts.items()
        for year in (2015, 2017)
    ]
    data = protect(tables.observations(rows, library.dataflows["DF_STOCK"]), library, day=DAY)
    lines = figures.lines(data, library)
    panels = figures.breakdowns(data, library, lines)
    made: list[object] = [charts.bar_chart(each, library.list_of(each.dimension), words) for each in panels]
    made += [charts.spark(each, words) for each in lines]
    made += [charts.line_chart([("", each)], words) for each in lines]
    blank = data.frame["OBS_VALUE"].isna()
    return made, set(data.frame.loc[blank, "COUNTRY_BIRTH"].astype(str))


def test_through_a_chart(library: Library, words: Words) -> None:
    """No bar, stroke, dot or scale depends on a figure that is withheld: other ones give the same drawing."""
    one, hidden = drawn(library, words, {"FOR": 1_000, "VE": 2, "PE": 48, "CO": 950})
    other, same = drawn(library, words, {"FOR": 1_000, "VE": 4, "PE": 46, "CO": 950})
    assert hidden == same == {"VE", "PE"}
    assert one == other
    shown, _ = drawn(library, words, {"FOR": 1_000, "VE": 20, "PE": 30, "CO": 950})
    assert shown != one, "a published figure is drawn"


# ---------------------------------------------------------------- what holds of any table


@settings(max_examples=5, deadline=None)
@given(inner=st.lists(small_or_not, min_size=24, max_size=24), low=st.integers(2, 9), more=st.integers(1, 6))
def test_raising_a_threshold_reveals_no_cell_that_was_small(
    library: Library, inner: Inner, low: int, more: int
) -> None:
    made = observations(library, summed(inner))
    shown = []
    for persons in (low, low + more):
        flow = replace(made.flow, protection=replace(made.flow.protection, thresholds=(Threshold(persons, ""),)))
        shown.append(protect(replace(made, flow=flow), library, day=DAY).frame["OBS_VALUE"].notna().to_numpy())
    values = protect(observations(library, summed([50] * 24)), library, day=DAY).frame
    order = values[["REF_AREA", "SEX", "COUNTRY_BIRTH"]].astype(str).agg("/".join, axis=1)
    cells = {"/".join(key): value for key, value in summed(inner).items()}
    small = order.map(cells).between(1, low - 1).to_numpy()
    assert not (small & shown[0]).any()
    assert not (small & shown[1]).any()


@settings(max_examples=5, deadline=None)
@given(inner=st.lists(small_or_not, min_size=24, max_size=24), seed=st.integers(0, 2**16))
def test_the_order_of_rows_changes_nothing(library: Library, inner: Inner, seed: int) -> None:
    made = observations(library, summed(inner))
    order = list(range(len(made.frame)))
    random.Random(seed).shuffle(order)
    shuffled = replace(made, frame=made.frame.iloc[order].reset_index(drop=True))
    one, other = (protect(each, library, day=DAY) for each in (made, shuffled))
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert one.suppressed == other.suppressed


@settings(max_examples=6, deadline=None)
@given(
    inner=st.lists(st.one_of(st.integers(0, 6), st.integers(50, 400)), min_size=8, max_size=8),
    hide=st.lists(st.integers(0, 14), max_size=6),
    balance=st.integers(-50, 50),
)
def test_another_table_never_mends_an_audit_that_failed(
    library: Library, inner: Inner, hide: list[int], balance: int
) -> None:
    """Whatever is withheld of the first table: with a margin of it, and with balances below zero, as much is told."""
    keys = [("CL", sex, origin) for sex in SEXES["_T"] for origin in ORIGINS["FOR"]]
    cells = full(dict(zip(keys, inner, strict=True)))
    first = observations(library, cells)
    naive = withheld_alone(first, library)
    also = np.zeros(len(naive.frame), dtype=bool)
    also[[place % len(also) for place in hide]] = True
    small = naive.frame["OBS_VALUE"].isna().to_numpy()
    naive = replace(naive, frame=blanked(naive.frame, small, also & ~small))
    margin = observations(library, {key: value for key, value in cells.items() if key[1] == "_T"})
    net = [{"MIG_MEASURE": "FLW_NET", "OBS_VALUE": str(balance)}]
    flow = tables.observations(net, library.dataflows["DF_FLOW"])
    alone = told([naive], library, [first])
    for more in ([margin], [flow], [margin, flow]):
        published = [naive, *(replace(naive, flow=each.flow, frame=seen(each, library).frame) for each in more)]
        assert told(published, library, [first, *more]) >= alone


def test_balances_elsewhere_do_not_blind_the_audit(library: Library) -> None:
    """Only a balance can be below zero: a count beside it cannot, whatever else a release has."""
    origins = dict(zip(("VE", "PE", "CO", "FOR_O"), (1, 1, 0, 900), strict=True))
    made = observations(library, full({("CL", "_T", origin): value for origin, value in origins.items()}), "CEN")
    frame = seen(made, library).frame
    hidden = frame["COUNTRY_BIRTH"].isin(["VE", "PE"]).to_numpy()
    pair = replace(protect(made, library, day=DAY), frame=blanked(frame, hidden, np.zeros_like(hidden)))
    net = tables.observations([{"MIG_MEASURE": "FLW_NET", "OBS_VALUE": "-40"}], library.dataflows["DF_FLOW"])
    both = [pair, replace(pair, flow=net.flow, frame=net.frame)]
    assert told(both, library, [made, net]) == told([pair], library, [made]) == 2
