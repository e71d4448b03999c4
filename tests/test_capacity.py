"""The capacity assessment: scores worked by hand, answers beside evidence, the items replaced, agreements and lateness."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import tables
from lxml import html
from office import AREA, figures

from pipeline.assessed import Assessed, Profile, TableScore, worth
from pipeline.commands import publish
from pipeline.errors import SetupError
from pipeline.framework import LANGUAGES, Agreement, Planned
from pipeline.library import load
from pipeline.methods import coordination
from pipeline.methods.capacity.derived import profile, with_indicators
from pipeline.methods.capacity.scores import WEIGHTS, Evidence, table_score
from pipeline.model import Description, Library, Package, Report
from pipeline.texts import texts

ROOT = Path(__file__).parents[1]
DAY = "2026-11-24"
ROWS = Iterable[tables.ROW]


def evidence(
    library: Library, rows: ROWS, *, missing: tuple[str, ...] = (), reports: Iterable[Report] = ()
) -> Evidence:
    """What Chile publishes, from rows that name their dataflow."""
    packages = {}
    for flow, whole in tables.wholes(rows, library).items():
        fields = {"STAT_CONC_DEF": {"en": "As defined"}, "CONF_POLICY": {"en": "Law"}}
        said = Description("CL", flow, {}, fields, missing, (), (), "2026-11-24.1", DAY)
        packages[flow] = Package(replace(whole.data, area="CL"), said, {})
    return Evidence("CL", packages, {each.flow: each for each in reports}, library, DAY)


def scored(library: Library, table: str, rows: ROWS, select: str = "", **options: object) -> TableScore:
    flow = next(each for each in library.dataflows.values() if table in each.minimum_tables)
    return table_score(evidence(library, rows, **options), table, flow, select)  # type: ignore[arg-type]


def stock(birth: str, citizenship: str, value: float | str = 100, **row: str) -> tables.ROW:
    cells = {"COUNTRY_BIRTH": birth, "CITIZENSHIP": citizenship, "OBS_VALUE": value, "TIME_PERIOD": "2023"}
    return {"DATAFLOW": "DF_STOCK", **cells, **row}


FOUR = [stock(birth, citizenship) for birth in ("NAT", "FOR") for citizenship in ("NAT", "FOR")]


def assessed(found: Profile, item: str) -> Assessed:
    return next(each for each in found.items if each.item.id == item)


# ---------------------------------------------------------------- scores worked by hand (framework §8.3)


def test_a_table_worked_by_hand(library: Library) -> None:
    """STOCK-4 asks 4 cells: 2 of 4 in 2023, of which one is withheld; 2021 and 2023 of 2021 to 2025 have a figure."""
    rows = [
        stock("NAT", "NAT", TIME_PERIOD="2021"),
        stock("FOR", "FOR"),
        stock("NAT", "FOR", "", OBS_STATUS="Q", CONF_STATUS="A"),
    ]
    issue = tables.issue("ACC-01", count=5)
    report = Report("CL", "DF_STOCK", (issue,), {"ACC-01": 40, "STR-02": 60, "REV-01": 1000, "CMP-01": 7})
    mandatory = sum(each.obligation == "M" for each in library.fields.values())
    found = scored(library, "STOCK-4", rows, missing=("CONTACT_EMAIL", "REV_POLICY"), reports=[report])
    assert found.latest == "2023"
    assert found.counts["A"] == (2, 5)
    assert found.counts["F"] == (2, 4)
    assert found.counts["T"] == (35, 36)  # December 2023 to November 2026
    assert found.counts["M"] == (mandatory - 2, mandatory)
    errors = [rule.id for rule in library.dataflows["DF_STOCK"].rules if rule.severity == "E"]
    assert "REV-01" not in errors
    assert found.counts["Q"] == (5, 100)
    shares = {"A": 0.4, "F": 0.5, "T": round(1 / 36, 4), "M": round(36 / 38, 4), "Q": 0.95}
    assert mandatory == 38
    assert found.shares == shares
    assert found.score == round(0.3 * 0.4 + 0.3 * 0.5 + 0.15 * 0.0278 + 0.15 * 0.9474 + 0.1 * 0.95, 4) == 0.5113


def test_the_weights_are_those_of_the_framework() -> None:
    assert WEIGHTS == {"A": 0.3, "F": 0.3, "T": 0.15, "M": 0.15, "Q": 0.1}
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_a_withheld_cell_is_filled_and_a_missing_one_is_not(library: Library) -> None:
    withheld = stock("NAT", "FOR", "", OBS_STATUS="Q", CONF_STATUS="A")
    missing = stock("FOR", "NAT", "", OBS_STATUS="O")
    found = scored(library, "STOCK-4", [*FOUR[:1], withheld, missing])
    assert found.counts["F"] == (2, 4)


def test_a_withheld_total_is_no_figure_of_its_year(library: Library) -> None:
    rows = [stock("FOR", "FOR", "", OBS_STATUS="Q", CONF_STATUS="A", TIME_PERIOD="2024"), *FOUR]
    assert scored(library, "STOCK-4", rows).counts["A"] == (1, 5)


def test_of_a_table_by_month_every_month_of_the_year_counts(library: Library) -> None:
    """BRD-1 asks 2 measures, 2 citizenships and 3 modes in each month: 144 cells a year."""
    rows = [
        {
            "DATAFLOW": "DF_BORDER",
            "FREQ": "M",
            "TIME_PERIOD": f"2025-{month:02}",
            "CITIZENSHIP": "FOR",
            "TRANSPORT_MODE": mode,
        }
        for month in (1, 2, 3)
        for mode in ("AIR", "SEA")
    ]
    whole = scored(library, "BRD-1", rows)
    assert (whole.counts["F"], whole.latest) == ((6, 144), "2025-03")
    assert whole.counts["T"] == (20, 36)
    entries = scored(library, "BRD-1", rows, "MIG_MEASURE in CRS_IN")
    assert entries.counts["F"] == (6, 72)


@pytest.mark.parametrize(("period", "share"), [("2026", 1.0), ("2025", 0.6944), ("2020", 0.0)])
def test_timeliness_ends_at_three_years(library: Library, period: str, share: float) -> None:
    assert scored(library, "STOCK-4", [stock("FOR", "FOR", TIME_PERIOD=period)]).shares["T"] == share


def test_what_an_international_organisation_says_is_no_evidence(library: Library) -> None:
    found = scored(library, "STOCK-4", [{**row, "SOURCE_TYPE": "ORG"} for row in FOUR])
    assert (found.score, found.latest, found.counts) == (0.0, "", {})
    assert scored(library, "STOCK-4", FOUR).score > 0


def test_a_total_of_a_group_of_origin_makes_a_year_available(library: Library) -> None:
    """Foreign citizens by sex, no nationals and no ages: the total counts for A, and fills 1 of 300 cells."""
    rows = [{"DATAFLOW": "DF_STOCK", "TIME_PERIOD": "2025", "CITIZENSHIP": "FOR", "SEX": sex} for sex in ("_T", "F")]
    found = scored(library, "STOCK-2", rows)
    assert found.counts["A"] == (1, 5)
    assert scored(library, "STOCK-2", rows[1:]).counts["A"] == (0, 5)  # of women alone: no total


def test_a_total_without_the_breakdown_of_the_table_is_available_and_fills_nothing(library: Library) -> None:
    row = {"DATAFLOW": "DF_BORDER", "FREQ": "M", "CITIZENSHIP": "FOR", "TRANSPORT_MODE": "_T", "TIME_PERIOD": "2025-12"}
    found = scored(library, "BRD-1", [row])
    assert (found.counts["A"], found.counts["F"], found.latest) == ((1, 5), (0, 144), "2025-12")


def test_what_is_counted_divides_no_group(library: Library) -> None:
    """Permits of any kind that were issued are a table of permits; those for work alone are not."""
    row = {"DATAFLOW": "DF_PERMIT", "LEGAL_STATUS": "PERM", "CITIZENSHIP": "VE", "TIME_PERIOD": "2025"}
    assert scored(library, "PRM-1", [{**row, "ADM_EVENT": "ISS_ANY", "REASON": "_T"}]).counts["F"][0] == 1
    assert scored(library, "PRM-1", [{**row, "ADM_EVENT": "ISS_ANY", "REASON": "WORK"}]).score == 0


def test_figures_of_a_group_fill_no_table_of_all(library: Library) -> None:
    """Foreign citizens by age are no table of residents born anywhere by age."""
    row = {"DATAFLOW": "DF_STOCK", "TIME_PERIOD": "2023", "COUNTRY_BIRTH": "_T", "SEX": "F"}
    assert scored(library, "STOCK-1", [{**row, "CITIZENSHIP": "FOR", "AGE": "Y20T24"}]).score == 0
    assert scored(library, "STOCK-1", [{**row, "CITIZENSHIP": "_T", "AGE": "Y20T24"}]).score > 0


# ---------------------------------------------------------------- items


def test_an_item_is_the_mean_of_its_tables_and_goes_out_as_a_half(library: Library) -> None:
    rows = [{**row, "SOURCE_TYPE": "CEN", "TIME_PERIOD": "2025"} for row in FOUR]
    found = profile(evidence(library, rows), (), library.capacity.items)
    scores = {each.table: each.score for each in found.tables if each.select == "SOURCE_TYPE in CEN"}
    item = assessed(found, "D04_07")
    assert scores["STOCK-4"] > 0
    assert item.part == pytest.approx(sum(scores.values()))
    assert (item.out_of, item.score) == (5, round(sum(scores.values()) / 5, 4))
    assert assessed(found, "D03_03").derived == 0.5  # A 0.2, F 1, T 0.6944, M 1, Q 0: 0.6142
    assert assessed(found, "D03_03").score == 0.6142


@pytest.mark.parametrize(("score", "shown"), [(0.2499, 0), (0.25, 0.5), (0.7499, 0.5), (0.75, 1), (1, 1)])
def test_a_score_goes_out_as_the_nearest_half(library: Library, score: float, shown: float) -> None:
    assert Assessed(library.capacity.items["D03_03"], part=score, out_of=1).derived == shown


def test_items_that_are_no_tables_worked_by_hand(library: Library) -> None:
    border = {"DATAFLOW": "DF_BORDER", "BORDER_POST": "EC_05", "TIME_PERIOD": "2024"}
    rows = [
        *FOUR,
        {**FOUR[0], "RES_CRITERION": "", "TIME_PERIOD": "2022"},
        border,
        {**border, "TIME_PERIOD": "2025"},
        {**border, "TIME_PERIOD": "2019"},
        {"DATAFLOW": "DF_STOCK", "SOURCE_TYPE": "SUR_HH", "CV": "0.1", "TIME_PERIOD": "2024"},
        {"DATAFLOW": "DF_STOCK", "SOURCE_TYPE": "SUR_HH", "SEX": "F", "TIME_PERIOD": "2024"},
    ]
    found = with_indicators(
        profile(evidence(library, rows, missing=("REV_POLICY",)), (), library.capacity.items), (7, 35)
    )
    parts = {each.item.id: (each.part, each.out_of) for each in found.items}
    assert parts["D08_03"] == (2, 5)  # 2024 and 2025 of the five years; 2019 is too old
    assert parts["D05_06"] == (1, 2)
    assert parts["D03_02"] == (6, 7)
    assert parts["D03_06"] == (2, 2)  # two datasets state it
    assert parts["D09_01"] == (0, 2)
    assert parts["D09_02"] == (74, 76)
    assert parts["D09_03"] == parts["D09_04"] == (1, 1)
    assert parts["D08_02"] == (0, 1)  # the post has no coordinates
    assert parts["D09_07"] == (7, 35)
    assert assessed(found, "D01_01").score is None


def test_who_publishes_nothing_has_a_profile_of_zeros(library: Library) -> None:
    found = profile(evidence(library, []), (), library.capacity.items)
    assert {each.score for each in found.items if each.item.derivation} == {0.0}
    assert found.derived("D01") is None
    assert found.answered("D07") is None


def test_a_dimension_is_the_weighted_mean_of_its_items(library: Library) -> None:
    items = dict(library.capacity.items)
    items["D09_03"] = replace(items["D09_03"], weight=3.0)
    found = profile(evidence(library, FOUR), (), items)
    own = [(each.score, each.item.weight) for each in found.items if each.item.dimension == "D09"]
    assert found.derived("D09") == pytest.approx(sum(s * w for s, w in own) / 9)  # type: ignore[operator]
    assert found.derived("D10") is None


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("item", "answer", "value"),
    [
        ("D01_01", "Y", 1),
        ("D01_01", "P", 0.5),
        ("D01_01", "N", 0),
        ("D01_01", "PL", 0),
        ("D01_01", "_U", None),
        ("D01_01", "_Z", None),
        ("D01_02", "Y", 1),
        ("D01_04", "universities", 0.5),
        ("D01_04", "universities; unions; IOM", 1),
        ("D01_04", "universities; universities", 0.5),
        ("D05_02", "6", 0),
        ("D05_02", "5", 0.5),
        ("D05_02", "1", 1),
        ("D10_01", "0", 0),
        ("D10_01", "3", 1),
    ],
)
def test_what_an_answer_is_worth(library: Library, item: str, answer: str, value: float | None) -> None:
    assert worth(library.capacity.items[item], answer) == value


@pytest.mark.parametrize(
    ("item", "answer"),
    [("D01_02", "P"), ("D01_01", "yes"), ("D01_01", ""), ("D01_04", " ; "), ("D05_02", "many"), ("D05_02", "-1"), ("D05_02", "nan"), ("D10_01", "inf")],
)  # fmt: skip
def test_an_answer_of_another_kind_is_none(library: Library, item: str, answer: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        worth(library.capacity.items[item], answer)


def test_the_latest_answer_counts_and_the_gap_is_told(library: Library) -> None:
    said = [tables.reply({"item": "D07_06", "year": year, "answer": a}) for year, a in (("2026", "Y"), ("2021", "N"))]
    found = profile(evidence(library, []), tuple(said), library.capacity.items)
    item = assessed(found, "D07_06")
    assert (item.answered, item.derived, item.has_gap) == (1, 0, True)
    partly = profile(evidence(library, []), (tables.reply({"item": "D07_06", "answer": "P"}),), library.capacity.items)
    assert not assessed(partly, "D07_06").has_gap  # a half and no more


def test_every_item_is_in_three_languages_and_marked_as_ours(library: Library) -> None:
    of = library.capacity
    assert len(of.items) == 63
    assert {each.dimension for each in of.items.values()} == {f"D{number:02}" for number in range(1, 11)}
    for each in of.items.values():
        assert each.text.keys() == set(LANGUAGES)
        assert each.origin == "MIGLAC"
    never = {"D01", "D02", "D10"}  # they can only be answered (framework §8.3)
    assert all(each.derivation is None for each in of.items.values() if each.dimension in never)
    assert all(any(e.derivation for e in of.items.values() if e.dimension == d) for d in ("D03", "D04", "D09"))


def test_nobody_has_answered_in_the_name_of_an_office(library: Library) -> None:
    """The answers of the example are read from public sources, each of which is named."""
    for country in library.countries.values():
        for reply in country.replies:
            assert reply.role == "EDITOR"
            assert reply.source in library.capacity.sources
            assert reply.comment.keys() == set(LANGUAGES)
    silent = {"AR", "CR", "CU", "PY"}  # nothing public was found (framework §8.1)
    assert not any(library.countries[area].replies for area in silent)
    assert not any(set(each.areas) & (silent | {"DO", "MX"}) for each in library.capacity.findings)
    assert [each.areas for each in library.capacity.findings if not each.is_clear] == [("EC", "PE")] * 3


# ---------------------------------------------------------------- files that are wrong


def edit(office: Path, file: str, right: str, wrong: str) -> None:
    path = office / file
    content = path.read_text(encoding="utf-8")
    assert right in content
    path.write_text(content.replace(right, wrong, 1), encoding="utf-8")


ITEMS = "codelists/MIGLAC/CL_CAP_ITEM-1.0.0.csv"
HEADER = "item,year,answer,source,url,evidence_date,role,comment_en,comment_es,comment_pt"


def answer(office: Path, *rows: str) -> None:
    path = office / f"metadata/national/{AREA}/capacity.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("D99_01,2026,Y,S0,,,NSO,,,", "CAP-01  D99_01"),
        ("D01_02,2026,P,S0,,,NSO,,,", "CAP-02  D01_02: P"),
        ("D01_02,2026,Y,,,,NSO,,,", "CAP-03  D01_02: -"),
        ("D01_02,2026,Y,S99,,,NSO,,,", "CAP-03  D01_02: S99"),
        ("D01_02,2026,Y,,javascript:alert(1),,NSO,,,", "CAP-03"),
        ("D01_02,2026,Y,,https://user:secret@office.example/,,NSO,,,", "CAP-03"),
        ("D01_02,2026,Y,S0,,,Ana Pérez,,,", "CAP-04  D01_02  "),
        ("D01_02,2026,Y,S0,,,NSO,ask ana@office.example,,", "CAP-04"),
        ("D01_02,26,Y,S0,,,NSO,,,", "CAP-05  D01_02: 26"),
        ("D01_02,2026,Y,S0,,24/11/2026,NSO,,,", "CAP-05"),
        ("D01_02,2026,Y,S0,,2026-02-31,NSO,,,", "CAP-05"),
        ("D01_02,2026,Y,S0", "10"),
    ],
)
def test_a_wrong_answer_is_refused(office: Path, row: str, fault: str) -> None:
    answer(office, row)
    with pytest.raises(SetupError, match=re.escape(fault)) as told:
        load(office)
    assert "capacity.csv, row 2" in str(told.value)
    assert "Ana" not in str(told.value)  # names of persons reach no message


def test_an_item_is_answered_once_a_year(office: Path) -> None:
    answer(office, "D01_02,2026,Y,S0,,,NSO,,,", "D01_02,2025,N,,,,NSO,,,", "D01_02,2026,N,,,,NSO,,,")
    with pytest.raises(SetupError, match="row 4: D01_02 is answered twice for 2026"):
        load(office)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "fault"),
    [
        (ITEMS, "D01,scale,", "D11,scale,", 'dimension "D11"'),
        (ITEMS, "D01,scale,", "D01,maybe,", 'kind "maybe"'),
        (ITEMS, "number,5 1,1,", "number,5,1,", "levels must be two"),
        (ITEMS, "number,5 1,1,", "number,5 5,1,", "levels must be two"),
        (ITEMS, "number,5 1,1,", "number,5 one,1,", "levels must be two"),
        (ITEMS, "scale,,1,yes", "scale,,0,yes", 'weight "0"'),
        (ITEMS, "scale,,1,yes", "scale,,nan,yes", 'weight "nan"'),
        (ITEMS, "scale,,1,yes", "scale,,1,perhaps", 'evidence "perhaps"'),
        (ITEMS, "tables: STOCK-4", "tables: STOCK-9", '"STOCK-9" is not known'),
        (ITEMS, "tables: STOCK-4", "guess: STOCK-4", 'derive "guess: STOCK-4" is not understood'),
        (ITEMS, "tables: STOCK-4", "tables:", 'derive: ""'),
        (ITEMS, "rows: DF_FLOW,SOURCE_TYPE in CEN", "rows: DF_FLOW,SOURCE_TYPE in CENSUS", '"CENSUS" matches no code'),
        (ITEMS, "¿Una ley o un decreto", "", ""),
        ("metadata/capacity/roles.csv", "NSO,yes", "NSO,maybe", 'office "maybe"'),
        ("metadata/capacity/sources.csv", "S2,2023-12-29", "S2,in 2023", 'date "in 2023"'),
        ("metadata/capacity/findings.csv", ",S0,", ",S77,", 'source "S77"'),
        ("metadata/capacity/findings.csv", "CL,yes,D01", "ZZ,yes,D01", '"ZZ" is not a country'),
        ("metadata/capacity/findings.csv", "CL,yes,D01", "CL,yes,D77", 'dimension "D77"'),
        ("dsd/DF_CAPACITY/computed.toml", '"MIGLAC_CAP"', '"NOBODY"', "provider or licence does not exist"),
    ],
)
def test_what_does_not_fit_together_is_refused(office: Path, file: str, right: str, wrong: str, fault: str) -> None:
    if not fault:
        text = (office / file).read_text(encoding="utf-8").splitlines(keepends=True)
        text[2] = text[2].rstrip("\n").rpartition(",")[0] + ",\n"
        (office / file).write_text("".join(text), encoding="utf-8")
        fault = "text is empty in a language"
    else:
        edit(office, file, right, wrong)
    with pytest.raises(SetupError, match=re.escape(fault)):
        load(office)


COUNTRY = f"metadata/national/{AREA}/country.toml"


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ('parties = ["INF", "GHOST"]', 'CAP-08  agreement of "INF": the party "GHOST" does not exist'),
        ('since = "soon"', 'CAP-09  agreement of "INF": "soon" is not a date'),
        ('since = "2026-01-01"\nuntil = "2025"', "CAP-09"),
        ("every_months = 0.5", "CAP-09"),
        ("every_months = -1", "CAP-09"),
        ("within_months = 3", "within_months needs every_months"),
        ('text = "ftp://inf.example"', "must begin with https://"),
        ('basis = { en = "Law 1" }', "basis of an agreement must be a table"),
        ('parties = "INF"', "parties of an agreement must be a list"),
        ("since = 2026-01-01", "since of an agreement must be a text"),
        ('month = "12"', '"month" is not a known key'),
    ],
)
def test_a_wrong_agreement_is_refused(office: Path, added: str, fault: str) -> None:
    edit(office, COUNTRY, '"DF_BORDER"]', f'"DF_BORDER"]\n{added}')
    with pytest.raises(SetupError, match=re.escape(fault)):
        load(office)


def test_two_agreements_for_one_dataflow_are_refused(office: Path) -> None:
    edit(office, COUNTRY, "[metadata", '[[agreement]]\nprovider = "INF"\nflows = ["DF_BORDER"]\n\n[metadata')
    with pytest.raises(SetupError, match='CAP-08  agreement of "INF" for "DF_BORDER" stands twice'):
        load(office)


# ---------------------------------------------------------------- agreements and lateness


def delivered(
    library: Library, *periods: str, planned: tuple[Planned, ...] = (), **terms: object
) -> coordination.Delivery:
    """What an agreement of Chile's INE for DF_STOCK has brought by the day of the release."""
    agreement = Agreement("INE", ("DF_STOCK",), **terms)  # type: ignore[arg-type]
    chile = replace(library.countries["CL"], exchanges=(agreement,))
    library = replace(library, countries={"CL": chile}, planned=planned)
    rows = [stock("FOR", "FOR", TIME_PERIOD=period) for period in periods]
    rows += [stock("NAT", "FOR", TIME_PERIOD="2026", SOURCE_TYPE="ORG")]  # of another provider
    packages = evidence(library, rows).packages.values()
    (found,) = coordination.deliveries(packages, library, areas=["CL"], day=DAY)
    return found


@pytest.mark.parametrize(
    ("last", "terms", "due", "state"),
    [
        ("2025", {"every_months": 12, "within_months": 6}, "2027-06-30", "waiting"),
        ("2024", {"every_months": 12, "within_months": 6}, "2026-06-30", "late"),
        ("2024", {"every_months": 12, "within_months": 11}, "2026-11-30", "waiting"),
        ("2025", {"every_months": 12}, "", "waiting"),
        ("2024", {"every_months": 12}, "", "waiting"),  # a year after the end of 2025 has not passed
        ("2023", {"every_months": 12}, "", "overdue"),
        ("2020", {"every_months": 120, "within_months": 36}, "2033-12-31", "waiting"),
    ],
)
def test_what_was_agreed_says_what_is_late(
    library: Library, last: str, terms: dict[str, int], due: str, state: str
) -> None:
    found = delivered(library, last, **terms)
    assert (found.last_period, found.basis, found.due, found.state) == (last, "agreement", due, state)


@pytest.mark.parametrize(
    ("periods", "interval", "state"),
    [
        (("2020", "2021", "2022"), 12, "overdue"),
        (("2023", "2024", "2025"), 12, "waiting"),
        (("2010", "2015", "2020"), 60, "waiting"),
        (("2005", "2010", "2015"), 60, "overdue"),
        (("2015", "2020"), 0, "unknown"),
        ((), 0, "none"),
    ],
)
def test_where_nothing_was_agreed_the_usual_interval_says_it(
    library: Library, periods: tuple[str, ...], interval: int, state: str
) -> None:
    found = delivered(library, *periods)
    assert (found.interval, found.state, found.due) == (interval, state, "")
    assert found.basis == ("habit" if interval else "")


@pytest.mark.parametrize(
    ("date", "period", "basis", "state"),
    [
        ("2026-10-01", "2025", "calendar", "late"),
        ("2026-12-01", "2025", "calendar", "waiting"),
        ("2026-10-01", "2024", "habit", "waiting"),  # it has come
        ("2026-10-01", "", "habit", "waiting"),  # nothing says whether it has come
        ("2026-10-01", "first half", "habit", "waiting"),
    ],
)
def test_what_the_calendar_announced_and_has_not_come_is_late(
    library: Library, date: str, period: str, basis: str, state: str
) -> None:
    found = delivered(library, "2022", "2023", "2024", planned=(Planned(date, "CL", "DF_STOCK", period, {}),))
    assert (found.basis, found.state) == (basis, state)


def test_an_agreement_that_ended_is_marked(library: Library) -> None:
    assert delivered(library, "2025", until="2026-06").is_expired
    assert not delivered(library, "2025", until="2026-12-31").is_expired
    assert not delivered(library, "2025").is_expired


def test_nothing_is_claimed_of_the_agreements_of_the_example(library: Library) -> None:
    known = [each for country in library.countries.values() for each in country.exchanges if each.is_known]
    assert [(each.provider, each.text, each.basis) for each in known] == [("INE", "", {})]


# ---------------------------------------------------------------- a release


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def run(office: Path) -> int:
    return publish(office, areas=[], flows=[], is_dry=False)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fictional office with answers, an agreement with terms, and a calendar."""
    from office import build_office

    office = build_office(tmp_path_factory.mktemp("office"))
    answer(
        office,
        "D06_01,2025,Y,,https://inf.example/frontera,2025-03,MIGRATION,Every post,Todos los puestos,Todos os postos",
        "D04_07,2019,Y,,https://inf.example/censo,,NSO,,,",
        "D01_04,2026,universities; <b>unions</b>,S0,,,EDITOR,,,",
        "D02_05,2026,_U,,,,NSO,,,",
        "D08_01,2026,_Z,,,,NSO,,,",
    )
    edit(
        office,
        COUNTRY,
        '"DF_BORDER"]',
        '"DF_BORDER"]\nevery_months = 1\nwithin_months = 2\nparties = ["INF", "UNDESA"]',
    )
    calendar = office / "metadata/calendar.csv"
    calendar.write_text(calendar.read_text(encoding="utf-8") + "2026-12-01,XX,DF_STOCK,2024,,,\n", encoding="utf-8")
    assert run(office) == 0
    return office


@pytest.mark.thorough
def test_answers_and_evidence_are_published_side_by_side(released: Path) -> None:
    rows = figures(released, "DF_CAPACITY")
    answered = {row["CAP_ITEM"]: row for row in rows if row["CAP_MODE"] == "ANS"}
    derived = {row["CAP_ITEM"]: row for row in rows if row["CAP_MODE"] == "DER"}
    assert {row["OBS_VALUE"] for row in rows} <= {"0", "0.5", "1", ""}
    assert len(derived) == 35
    assert {row["TIME_PERIOD"] for row in derived.values()} == {"2026"}
    assert answered.keys() == {"D06_01", "D04_07", "D01_04", "D02_05", "D08_01"}
    assert (answered["D06_01"]["OBS_VALUE"], answered["D06_01"]["OBS_STATUS"]) == ("1", "A")
    assert (answered["D01_04"]["OBS_VALUE"], answered["D01_04"]["OBS_STATUS"]) == ("0.5", "P")
    assert "the country has not answered" in answered["D01_04"]["COMMENT_OBS"]
    assert (answered["D02_05"]["OBS_VALUE"], answered["D02_05"]["OBS_STATUS"]) == ("", "O")
    assert (answered["D08_01"]["OBS_VALUE"], answered["D08_01"]["OBS_STATUS"]) == ("", "M")
    assert {row["CAP_DIM"] for row in rows if row["CAP_ITEM"].startswith("D06")} == {"D06"}


@pytest.mark.thorough
def test_every_number_can_be_worked_out_again_from_the_release(released: Path) -> None:
    public = released / "build/public"
    scores = read((public / f"files/DF_CAPACITY/{AREA}/tables.csv").read_bytes())
    assert {row["TABLE"] for row in scores if not row["SELECT"]} >= {"STOCK-1", "BRD-1", "REM-1"}
    filled = [row for row in scores if float(row["SCORE"])]
    assert filled
    for row in filled:
        shares = {
            "A": int(row["YEARS_WITH_TOTAL"]) / int(row["YEARS"]),
            "F": int(row["CELLS_FILLED"]) / int(row["CELLS"]),
            "T": max(0, 1 - int(row["MONTHS"]) / int(row["MONTHS_STALE"])),
            "M": int(row["FIELDS_FILLED"]) / int(row["FIELDS"]),
            "Q": 1 - int(row["ERRORS"]) / int(row["ROWS_CHECKED"]),
        }
        assert {name: float(row[name]) for name in shares} == pytest.approx(shares, abs=1e-4)
        assert float(row["SCORE"]) == pytest.approx(sum(WEIGHTS[n] * s for n, s in shares.items()), abs=2e-4)
        record = json.loads((public / f"reports/{AREA}/{row['DATAFLOW']}.json").read_text(encoding="utf-8"))
        assert int(row["ROWS_CHECKED"]) <= sum(record["applied"].values())
        described = json.loads(
            (public / f"packages/{row['DATAFLOW']}/{AREA}/metadata.json").read_text(encoding="utf-8")
        )
        assert int(row["FIELDS"]) - int(row["FIELDS_FILLED"]) == len(described["description"]["missing"])
    by_table = {(row["TABLE"], row["SELECT"]): float(row["SCORE"]) for row in scores}
    published = {
        row["CAP_ITEM"]: row["OBS_VALUE"] for row in figures(released, "DF_CAPACITY") if row["CAP_MODE"] == "DER"
    }
    items = read((public / f"files/DF_CAPACITY/{AREA}/items.csv").read_bytes())
    assert len(items) == 63
    for row in items:
        way, _, names = row["DERIVE"].partition(": ")
        if way == "tables":
            mean = sum(by_table[name, row["SELECT"]] for name in names.split()) / len(names.split())
            assert float(row["SCORE"]) == pytest.approx(mean, abs=1e-4)
        if way:
            assert published[row["CAP_ITEM"]] == row["DER"]
            assert float(row["SCORE"] or 0) == pytest.approx(float(row["PART"]) / (float(row["OUT_OF"]) or 1), abs=1e-4)
    gaps = {row["CAP_ITEM"] for row in items if row["GAP"]}
    assert gaps == {
        r["CAP_ITEM"] for r in items if r["ANS"] and r["DER"] and abs(float(r["ANS"]) - float(r["DER"])) > 0.5
    }


@pytest.mark.thorough
def test_the_gap_and_the_old_answer_are_in_the_report(released: Path) -> None:
    record = json.loads((released / f"build/public/reports/{AREA}/DF_CAPACITY.json").read_text(encoding="utf-8"))
    codes = [each["code"] for each in record["issues"]]
    assert "CAP-07" in codes
    assert codes.count("CAP-06") == 1
    assert record["fit"]


@pytest.mark.thorough
def test_the_indicator_of_the_global_compact_is_the_mean_of_the_evidence(released: Path) -> None:
    derived = [
        float(row["OBS_VALUE"])
        for row in figures(released, "DF_CAPACITY")
        if row["CAP_MODE"] == "DER" and row["CAP_ITEM"] != "D09_07"
    ]
    (row,) = [row for row in figures(released, "DF_INDIC") if row["INDICATOR"] == "GCM_1"]
    assert float(row["OBS_VALUE"]) == pytest.approx(sum(derived) / len(derived), abs=0.005)


@pytest.mark.thorough
def test_agreements_drive_provision_agreements_calendar_and_lateness(released: Path) -> None:
    public = released / "build/public"
    rows = {row["DATAFLOW"]: row for row in read((public / "coordination/deliveries.csv").read_bytes())}
    assert rows["DF_BORDER"]["PROVISION_AGREEMENT"] == "PA_DF_BORDER_XX_INF"
    structures = (public / "files/structures/structures-2.1.xml").read_text(encoding="utf-8")
    for row in rows.values():
        assert f'id="{row["PROVISION_AGREEMENT"]}"' in structures
    assert 'id="PA_DF_CAPACITY_XX_MIGLAC_CAP"' in structures
    border = rows["DF_BORDER"]
    assert (border["PARTIES"], border["EVERY_MONTHS"], border["BASIS"]) == ("INF UNDESA", "1", "agreement")
    last = max(row["TIME_PERIOD"] for row in figures(released, "DF_BORDER"))
    assert border["LAST_PERIOD"] == last
    late = json.loads((public / "coordination/late.json").read_text(encoding="utf-8"))
    assert {each["dataflow"] for each in late["late"]} == {
        r["DATAFLOW"] for r in rows.values() if r["STATE"] in ("late", "overdue")
    }
    assert "DF_BORDER" in {each["dataflow"] for each in late["late"]}


@pytest.mark.thorough
def test_a_day_that_was_agreed_stands_in_the_calendar(office: Path) -> None:
    edit(office, COUNTRY, '"DF_BORDER"]', '"DF_BORDER"]\nevery_months = 120\nwithin_months = 12')
    assert run(office) == 0
    calendar = (office / "build/public/calendar.ics").read_text(encoding="utf-8")
    due = {r["DUE"] for r in read((office / "build/public/coordination/deliveries.csv").read_bytes())}
    assert due
    for day in due:
        assert f"DTSTART;VALUE=DATE:{day.replace('-', '')}" in calendar


def text(page: Path) -> str:
    return " ".join(html.document_fromstring(page.read_text(encoding="utf-8")).text_content().split())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.thorough
def test_the_pages_say_it_in_every_language(released: Path, lang: str) -> None:
    public, words, said = released / "build/public", texts("capacity", lang), texts("coordination", lang)
    region = text(public / lang / "capacity/index.html")
    assert words["ours"] in region
    assert words["no_ranking"] in region
    assert words["how_text"] in region
    country = text(public / lang / f"capacity/{AREA}/index.html")
    assert words["not_answered"] in country
    assert words["gaps_lead"] in country
    assert words["no_finding"] in country
    assert words["by_editors"] in country
    assert "universities; <b>unions</b>" in country
    deliveries = text(public / lang / "coordination/index.html")
    assert said["no_text"] in deliveries
    assert said["states"]["late"] in deliveries
    for page in ("agencies", "capacity"):
        links = html.document_fromstring((public / lang / page / "index.html").read_bytes()).xpath("//main//a/@href")
        assert any(link.endswith("coordination/index.html") for link in links)
    links = html.document_fromstring((public / lang / f"country/{AREA}/index.html").read_bytes()).xpath(
        "//main//a/@href"
    )
    assert any(link.endswith(f"capacity/{AREA}/index.html") for link in links)


@pytest.mark.parametrize("kind", ["capacity", "coordination"])
def test_words_are_the_same_in_every_language_and_all_are_used(kind: str) -> None:
    said = [texts(kind, lang) for lang in LANGUAGES]
    assert said[0].keys() == said[1].keys() == said[2].keys()
    for key, value in said[0].items():
        for other in said[1:]:
            if isinstance(value, dict):
                assert value.keys() == other[key].keys()
            else:
                assert sorted(re.findall(r"{\w+}", value)) == sorted(re.findall(r"{\w+}", other[key]))
    sources = [*(ROOT / "site/templates").glob("*.html"), *(ROOT / "pipeline/catalogue").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    sign = {"capacity": "k", "coordination": "c"}[kind]
    used = set(re.findall(rf"\b{sign}\.(\w+)", code)) | set(re.findall(r"\[\"(\w+)\"\]", code))
    assert [key for key in said[0] if key not in used] == []


@pytest.mark.thorough
def test_equal_inputs_give_equal_bytes(released: Path, tmp_path: Path) -> None:
    import shutil

    other = Path(shutil.copytree(released, tmp_path / "office", ignore=shutil.ignore_patterns("build")))
    assert run(other) == 0
    made = [json.loads((root / "build/public/manifest.json").read_text(encoding="utf-8")) for root in (released, other)]
    assert made[0] == made[1]


@pytest.mark.thorough
def test_another_list_of_items_takes_the_place_of_ours(office: Path) -> None:
    """One CSV is replaced and nothing else: other ids, another number of items, another author."""
    rows = [
        "code,parent,name_en,name_es,name_pt,dimension,kind,levels,weight,evidence,origin,derive,select,text_en,text_es,text_pt",
        ",,Item,Ítem,Item,,,,,,,,,,,",
        "Q01,,Law,Ley,Lei,D01,yes_no,,1,yes,ECLAC,,,Is there a law?,¿Hay ley?,Há lei?",
        "Q02,,Stock,Stock,Estoque,D04,scale,,2,no,ECLAC,tables: STOCK-1,,Are there stocks?,¿Hay stocks?,Há estoques?",
    ]
    (office / ITEMS).write_text("\n".join(rows) + "\n", encoding="utf-8")
    answer(office, "Q01,2026,Y,S0,,,NSO,,,")
    assert run(office) == 0
    found = {(row["CAP_ITEM"], row["CAP_MODE"]) for row in figures(office, "DF_CAPACITY")}
    assert found == {("Q01", "ANS"), ("Q02", "DER")}
    page = text(office / f"build/public/en/capacity/{AREA}/index.html")
    assert "Is there a law?" in page
    assert "ECLAC" in (office / "build/public/files/structures/structures-2.1.xml").read_text(encoding="utf-8")


def test_answers_to_earlier_items_are_refused_when_the_list_is_replaced(office: Path) -> None:
    answer(office, "D01_02,2026,Y,S0,,,NSO,,,")
    edit(office, ITEMS, "\nD01_02,", "\nQ01_02,")
    with pytest.raises(SetupError, match="CAP-01  D01_02"):
        load(office)


@pytest.mark.thorough
def test_answers_as_a_table_are_held_back_and_the_evidence_goes_out(office: Path) -> None:
    (office / f"data/{AREA}/answers.csv").write_text("Item,Dim,Value\nD01_01,D01,1\n", encoding="utf-8")
    (office / f"metadata/national/{AREA}/DF_CAPACITY.toml").write_text(
        '[[table]]\nfile = "answers.csv"\nprovider = "INF"\nlicence = "CC-BY-4.0"\nvalues = ["Value"]\n'
        'labels = { CAP_ITEM = "Item", CAP_DIM = "Dim" }\n'
        'title = { en = "t", es = "t", pt = "t" }\nsource_operation = { en = "t", es = "t", pt = "t" }\n'
        'stat_pop = { en = "t", es = "t", pt = "t" }\n\n[table.constants]\nFREQ = "A"\nREF_AREA = "XX"\nCAP_MODE = "ANS"\n'
        'TIME_PERIOD = "2026"\nUNIT_MEASURE = "SCORE"\nUNIT_MULT = "0"\nTIME_PER_COLLECT = "E"\nOBS_STATUS = "A"\nCONF_STATUS = "F"\n',
        encoding="utf-8",
    )
    edit(office, COUNTRY, '"DF_BORDER"]', '"DF_BORDER", "DF_CAPACITY"]')
    assert run(office) == 1
    record = json.loads((office / f"build/public/reports/{AREA}/DF_CAPACITY.json").read_text(encoding="utf-8"))
    assert "CAP-10" in {each["code"] for each in record["issues"]}
    assert {row["CAP_MODE"] for row in figures(office, "DF_CAPACITY")} == {"DER"}
