"""Time series, plausibility, precision of surveys and inclusion: what is told, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tables

from pipeline import library as authored
from pipeline.checks.series import ordinals
from pipeline.completeness import filled, gaps
from pipeline.errors import SetupError
from pipeline.model import Issue, Library, Series
from pipeline.precision import highest_se, labels, log_cv
from pipeline.validate import validate

ROOT = Path(__file__).parents[1]
CHILE = tables.with_chile(authored.load(ROOT))


def issues(rows: Sequence[tables.ROW], flow: str = "DF_STOCK", rounding_base: int = 0, **series: object) -> list[Issue]:
    library: Library = CHILE
    if series:
        declared = replace(Series("CL", flow, (), (), 0, {}), **series)
        library = replace(CHILE, countries={"CL": replace(CHILE.countries["CL"], series={flow: declared})})
    received = tables.observations(rows, library.dataflows[flow], rounding_base=rounding_base)
    return list(validate(received, library, day=tables.DAY).issues)


def codes(rows: Sequence[tables.ROW], flow: str = "DF_STOCK", **options: object) -> list[str]:
    return [issue.code for issue in issues(rows, flow, **options)]


def years(*values: float, first: int = 2010, **rest: str) -> list[tables.ROW]:
    return [{"TIME_PERIOD": str(first + n), "OBS_VALUE": str(value), **rest} for n, value in enumerate(values)]


# ---------------------------------------------------------------- series


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1000, 2000), []),  # twice is not over twice
        ((1000, 2001), ["TSO-01"]),
        ((1000, 500), []),
        ((1000, 499), ["TSO-01"]),
        ((10, 99), []),  # too small to matter
        ((0, 1000), []),
        ((1000, "", 3000), []),  # a year without a value lies between
    ],
)
def test_a_jump(values: tuple[float, ...], expected: list[str]) -> None:
    rows = [{**row, "OBS_STATUS": "A" if row["OBS_VALUE"] else "L"} for row in years(*values)]
    assert codes(rows) == expected


def test_a_declared_break_is_no_jump() -> None:
    before, after = years(1000, 3000)
    assert codes([before, {**after, "OBS_STATUS": "B"}]) == []


def test_months_are_compared_with_the_month_of_the_year_before() -> None:
    rows = [
        {"FREQ": "M", "TIME_PERIOD": f"{year}-{month:02d}", "OBS_VALUE": str(value + year)}
        for year in (2015, 2016)
        for month, value in ((1, 1000), (2, 9000))
    ]
    assert codes(rows, "DF_FLOW") == []
    assert codes([*rows[:3], {**rows[3], "OBS_VALUE": "40000"}], "DF_FLOW") == ["TSO-01"]


def test_one_issue_for_each_way_a_table_jumps() -> None:
    rows = [row for number in range(60) for row in years(1000, 2500, AGE=f"Y{number}")]
    (issue,) = issues(rows)
    assert (issue.code, issue.severity, issue.found, issue.count) == ("TSO-01", "W", "× 2", 60)


def test_a_figure_apart_from_the_five_around_it() -> None:
    assert codes(years(1000, 1010, 1500, 1020, 1035)) == ["TSO-02"]
    assert codes(years(1000, 1010, 1015, 1020, 1035)) == []
    assert codes(years(1000, 1010, 1500, 1020)) == []  # four figures have no middle to trust
    assert codes(years(1000, 1100, 1210, 1331, 1464, 1610, 1771)) == []  # growth is not apart
    assert codes(years(1000, 1000, 1500, 1000, 1001)) == []  # no spread to measure by


def test_a_new_source_is_a_break() -> None:
    first, second = years(1000, 1400, first=2017)
    registered = {**second, "SOURCE_TYPE": "ADM_REG", "RES_CRITERION": "REG"}
    (issue,) = issues([first, registered])
    assert (issue.code, issue.component) == ("TSO-03", "RES_CRITERION")
    assert codes([first, {**registered, "OBS_STATUS": "B"}]) == []
    assert codes([first, {**registered, "OBS_VALUE": "1200"}]) == []
    assert codes([first, {**second, "SOURCE_TYPE": "ADM_REG"}]) == []  # nothing that matters has changed
    beside = {**second, "OBS_VALUE": "1010"}
    assert codes([first, beside, registered]) == []  # two sources side by side are no splice


def test_the_same_figure_three_times() -> None:
    (issue,) = issues(years(1000, 1000, 1000))
    assert (issue.code, issue.severity, issue.count) == ("TSO-04", "I", 1)
    assert codes(years(0, 0, 0)) == codes(years(1000, 1000, 1001)) == []


def test_heaping() -> None:
    heaped = [{"AGE": f"Y{n % 100}", "SEX": "FM"[n // 100], "OBS_VALUE": str(1000 + 5 * n)} for n in range(200)]
    even = [{**row, "OBS_VALUE": str(1000 + 5 * n + n % 5)} for n, row in enumerate(heaped)]
    zeros = [{**row, "OBS_VALUE": "0"} if n % 2 else row for n, row in enumerate(even)]
    (issue,) = issues(heaped)
    assert (issue.code, issue.found, issue.count) == ("TSO-05", "100.0%", 200)
    assert codes(even) == codes(heaped[1:]) == codes(zeros) == []
    assert codes(heaped, rounding_base=5) == []  # they are said to be rounded


def test_a_period_follows_the_one_before() -> None:
    frame = tables.frame(
        [
            {"FREQ": f, "TIME_PERIOD": p}
            for f, p in (("A", "2017"), ("Q", "2017-Q4"), ("Q", "2018-Q1"), ("M", "2017-12"), ("M", "2018-01"))
        ],
        CHILE.dataflows["DF_FLOW"],
    )
    number = ordinals(frame)
    assert number[0] == 2017
    assert number[2] - number[1] == number[4] - number[3] == 1


# ---------------------------------------------------------------- plausible


@pytest.mark.parametrize(
    ("women", "men", "expected"),
    [(600, 500, []), (600, 1501, ["PLA-02"]), (1000, 399, ["PLA-02"]), (700, 299, []), (0, 1000, ["PLA-02"])],
)
def test_men_for_each_hundred_women(women: int, men: int, expected: list[str]) -> None:
    assert codes([{"SEX": "F", "OBS_VALUE": str(women)}, {"SEX": "M", "OBS_VALUE": str(men)}]) == expected


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({"Y15T64": 499}, ["PLA-03"]),
        ({"Y15T64": 500}, []),
        ({"Y15T24": 100, "Y25T44": 200, "Y45T64": 199}, ["PLA-03"]),
        ({"Y15T24": 100, "Y25T64": 399, "Y25T44": 200}, ["PLA-03"]),  # a group inside another is not added
        ({"Y15T24": 100, "Y25T44": 200}, []),  # the span is not all there
    ],
)
def test_the_share_of_working_age(ages: dict[str, int], expected: list[str]) -> None:
    rows = [{"AGE": age, "OBS_VALUE": str(value)} for age, value in {"_T": 1000, **ages}.items()]
    assert codes(rows, "DF_FLOW") == expected


def test_the_age_of_work_is_what_the_country_declares() -> None:
    assert codes([{"AGE": "Y10T14"}], "DF_LABOUR") == ["DOM-42"]
    assert codes([{"AGE": "Y10T14"}], "DF_LABOUR", working_age=10) == []
    assert codes([{"AGE": "Y15T19"}], "DF_LABOUR", working_age=18) == ["DOM-42"]


def test_a_short_stay_may_be_meant_to_last() -> None:
    row = {"DURATION": "M3T5", "RES_CRITERION": "M12"}
    assert codes([row]) == ["DOM-43"]
    assert codes([{**row, "METHOD": "INTENT"}]) == codes([{**row, "RES_CRITERION": "M6D1"}]) == []


# ---------------------------------------------------------------- sums that carry over, and inclusion


def pending(now: int, **changes: int) -> list[tables.ROW]:
    row = {"MIG_MEASURE": "FLW_ASY", "LEGAL_STATUS": "ASY"}
    events = {"APPL": 300, "GRANT": 100, "REJ": 50, "CLOSE": 20, **changes}
    rows = [{**row, "ADM_EVENT": event, "OBS_VALUE": str(value)} for event, value in events.items()]
    stocks = (("2016", 520), ("2017", now))
    return rows + [{**row, "ADM_EVENT": "PEND", "TIME_PERIOD": p, "OBS_VALUE": str(v)} for p, v in stocks]


def test_what_is_pending_carries_over() -> None:
    assert codes(pending(650), "DF_REFUGEE") == []
    (issue,) = issues(pending(690), "DF_REFUGEE")
    assert (issue.code, issue.found) == ("ACC-13", "690 ≠ 650")
    assert issue.expected == "ADM_EVENT: PEND(-1) + APPL - GRANT - REJ - CLOSE".replace(": ", ": PEND = ")
    without = [row for row in pending(690) if row["ADM_EVENT"] != "CLOSE"]
    assert codes(without, "DF_REFUGEE") == []
    blank = [{**row, "OBS_VALUE": "", "OBS_STATUS": "L"} if row["ADM_EVENT"] == "REJ" else row for row in pending(690)]
    assert codes(blank, "DF_REFUGEE") == ["ACC-00"]


def test_a_part_above_its_whole_beside_a_withheld_one() -> None:
    rows = [{"CITIZENSHIP": code, "OBS_VALUE": value} for code, value in (("_T", "1000"), ("FOR", "1200"))]
    withheld = {"CITIZENSHIP": "NAT", "OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "C"}
    assert codes([*rows, withheld]) == ["ACC-00", "ACC-14"]
    assert codes([*rows]) == ["ACC-04"]  # the sum says it
    assert codes([rows[0], {**rows[1], "OBS_VALUE": "900"}, withheld]) == ["ACC-00"]


def test_the_employed_are_among_the_population_where_the_labour_force_is_withheld() -> None:
    values = {"_T": "1000", "LF": "", "EMP": "1100", "UNE": "10"}
    rows = [{"LABOUR_STATUS": s, "OBS_VALUE": v, "OBS_STATUS": "A" if v else "L"} for s, v in values.items()]
    found = issues(rows, "DF_LABOUR")
    assert ("ACC-14", "LABOUR_STATUS: EMP ≤ _T") in [(issue.code, issue.expected) for issue in found]


# ---------------------------------------------------------------- precision of surveys


def test_the_published_vector_of_eclac() -> None:
    # ECLAC 2023, proportions (framework §10.3, C23).
    rows = np.array(
        [
            (80, 10, 0.12, 70, 60, 0.4, 1.1, 0.05),
            (150, 8, 0.25, 130, 110, 0.8, 0.9, 0.07),
            (500, 8, 0.35, 45, 40, 0.93, 0.4, 0.09),
            (120, 10, 0.2, 110, 100, 0.6, 1.2, 0.06),
        ]
    )
    figures = dict(zip(("n", "df", "cv", "ess", "cases", "p", "deff", "log_cv"), rows.T, strict=True))
    for is_known, is_justified, expected in ((True, True, "RRNR"), (False, True, "RNNR"), (True, False, "RNNR")):
        found = labels(
            CHILE.standards["ECLAC_2023"],
            figures,
            is_proportion=np.ones(4, dtype=bool),
            is_known_domain=is_known,
            is_df_justified=is_justified,
        )
        assert "".join(found) == expected


def test_published_limits_of_proportions() -> None:
    assert highest_se(np.array([0.05, 0.1, 0.2, 0.5])) == pytest.approx([0.01508, 0.02394, 0.038, 0.07], abs=5e-5)
    assert highest_se(np.array([0.9])) == pytest.approx(highest_se(np.array([0.1])))
    assert log_cv(np.array([0.2]), np.array([0.1])) == pytest.approx([0.08686], abs=5e-6)
    assert np.isnan(log_cv(np.array([0.2, 0.2]), np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("standard", "n", "cv", "expected"),
    [
        ("ECLAC_2023", 120, 0.2, "R"),
        ("ECLAC_2023", 120, 0.25, "W"),
        ("ECLAC_2023", 120, 0.31, "N"),
        ("INE_CL_2020", 60, 0.15, "R"),
        ("INE_CL_2020", 60, 0.3, "W"),
        ("INE_CL_2020", 59, 0.1, "N"),
        ("INE_CL_2020", 60, 0.31, "N"),
        ("ECLAC_2020", 140, 0.199, "R"),
        ("ECLAC_2020", 140, 0.2, "W"),
        ("ECLAC_2020", 99, 0.1, "N"),
    ],
)
def test_totals_under_each_standard(standard: str, n: int, cv: float, expected: str) -> None:
    figures = {"n": np.array([float(n)]), "cv": np.array([cv])}
    assert labels(CHILE.standards[standard], figures, is_proportion=np.zeros(1, dtype=bool)).tolist() == [expected]


def survey(**said: str) -> list[tables.ROW]:
    return [{"SOURCE_TYPE": "SUR_HH", "CV": "0.1", "N_OBS": "120", "RELIABILITY": "R", **said}]


def test_a_label_is_no_better_than_the_figures_allow() -> None:
    assert codes(survey()) == codes(survey(RELIABILITY="W")) == codes(survey(RELIABILITY="_Z", CV="0.9")) == []
    (issue,) = issues(survey(CV="0.25"))
    assert (issue.code, issue.found, issue.expected) == ("SUR-01", "R", "W (ECLAC_2023)")
    assert codes(survey(CV="0.2")) == []
    assert codes(survey(CV="0.2"), reliability="INE_CL_2020") == ["SUR-01"]


def test_a_label_of_a_share_is_that_of_a_proportion() -> None:
    share = {"MIG_MEASURE": "SHR", "OBS_VALUE": "60"}
    assert codes(survey(**share), "DF_SOCIO") == []
    assert codes(survey(**share, CV="0.3"), "DF_SOCIO") == ["SUR-01"]  # log-CV 0.327
    assert codes(survey(**share, CV="0.3", RELIABILITY="W"), "DF_SOCIO") == []


def test_what_is_not_reliable_is_not_shown_as_if_it_were() -> None:
    shown = {"RELIABILITY": "N", "CV": "0.4"}
    assert codes(survey(**shown)) == ["SUR-02"]
    assert codes(survey(**shown, OBS_STATUS="U")) == ["SUR-02"]
    assert codes(survey(**shown, OBS_STATUS="U", COMMENT_OBS="Few cases")) == []
    assert codes(survey(**shown, OBS_STATUS="Q", OBS_VALUE="", CONF_STATUS="N")) == []


def test_the_standard_error_is_that_of_the_coefficient() -> None:
    assert codes(survey(SE="100.9")) == []
    (issue,) = issues(survey(SE="102"))
    assert (issue.code, issue.component) == ("SUR-03", "SE")
    assert codes(survey(CV="-0.1")) == ["SUR-03"]
    assert "SUR-03" in codes(survey(N_OBS="-5"))


def test_a_standard_that_is_not_there_is_refused(office: Path) -> None:
    path = office / "metadata/national/XX/DF_STOCK.toml"
    path.write_text('reliability = "MINE"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SetupError, match="not a standard"):
        authored.load(office)


def test_a_limit_that_is_not_understood_is_refused(office: Path) -> None:
    path = office / "dsd/reliability.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("<=0.2", "0.2", 1), encoding="utf-8")
    with pytest.raises(SetupError, match="not a limit"):
        authored.load(office)


# ---------------------------------------------------------------- what a delivery could still have


def test_the_share_of_the_minimum_tables() -> None:
    rows = [{"CITIZENSHIP": c, "COUNTRY_BIRTH": b} for c in ("NAT", "FOR") for b in ("NAT", "FOR")]
    received = tables.observations(rows[:3], CHILE.dataflows["DF_STOCK"])
    assert filled(received, CHILE)["STOCK-4"] == 0.75
    blank = tables.observations(
        [*rows[:3], {**rows[3], "OBS_VALUE": "", "OBS_STATUS": "L"}], CHILE.dataflows["DF_STOCK"]
    )
    assert filled(blank, CHILE)["STOCK-4"] == 0.75
    areas = CHILE.list_of("REF_AREA")
    assert areas is not None
    whole = [{"REF_AREA": a, "COUNTRY_BIRTH": "FOR"} for a in areas.select("kind=area") if a in areas.descendants("CL")]
    assert filled(tables.observations(whole, CHILE.dataflows["DF_STOCK"]), CHILE)["STOCK-5"] == 1
    (issue,) = gaps(received, CHILE, day=tables.DAY)
    assert (issue.code, issue.severity) == ("CMP-01", "I")
    assert "STOCK-4 75%" in issue.found


@pytest.mark.parametrize(
    ("said", "expected"),
    [("2024-11-01", []), ("2024-10-31", ["MET-02"]), ("2024-10", ["MET-02"]), ("last year", ["MET-02"]), (None, [])],
)
def test_the_age_of_the_metadata(said: str | None, expected: list[str]) -> None:
    metadata = {"META_LAST_UPDATE": {"en": said}} if said else {}
    chile = replace(CHILE.countries["CL"], metadata=metadata)
    received = tables.observations([{}], CHILE.dataflows["DF_CAPACITY"])
    told = gaps(received, replace(CHILE, countries={"CL": chile}), day=tables.DAY)
    assert [issue.code for issue in told] == expected
