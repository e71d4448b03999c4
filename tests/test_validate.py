"""Every issue has a case that raises it and nothing else, and a good row that raises none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tables
from test_formats import description

from pipeline.completeness import gaps
from pipeline.framework import Dataflow
from pipeline.library import agreements, replies
from pipeline.methods.border import Asked, border
from pipeline.methods.indicators.definitions import definitions
from pipeline.methods.questions import covered, opened
from pipeline.methods.survey import Asked as Survey
from pipeline.methods.survey import survey
from pipeline.model import Issue, Ledger, Library, Report
from pipeline.validate import missing_metadata, public, untranslated, validate, validate_release, validate_revision

CASES = sorted((Path(__file__).parent / "cases").glob("*/case.csv"))
PASSING = sorted((Path(__file__).parent / "cases").glob("*/passing.csv"))
ACROSS = {path.parent.name for path in PASSING}  # between tables: two figures that do not fit, and two that do
HIERARCHIES = ("HCL_AGE_BROAD",)


Rows = list[dict[str, str]]


def left_out(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    ledger = Ledger(1, 1, {row["LEFT_OUT"]: int(row["CELLS"]) for row in rows})
    return validate(replace(tables.observations([{}], flow), ledger=ledger), library, day=tables.DAY).issues


def corrected(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    return tuple(issue for row in rows for issue in tables.corrected(row, flow.id))


def unread(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    rejected = {row["COLUMN"]: int(row["CELLS"]) for row in rows if "COLUMN" in row}
    hidden = {"CL/stock.xlsx": tuple(row["HIDDEN"] for row in rows if "HIDDEN" in row)}
    told = replace(tables.observations([{}], flow), ledger=Ledger(1 + sum(rejected.values()), 1, {}, rejected))
    told = replace(told, hidden=hidden if any(hidden.values()) else {})
    return validate(told, library, day=tables.DAY).issues


def incomplete(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    return tuple(gaps(tables.observations(rows, flow), library, day=tables.DAY))


def unfilled(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    missing = tuple(row["FIELD"] for row in rows)
    return missing_metadata(replace(description(library), flow=flow.id, missing=missing))


def unnamed(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    return tuple(untranslated(replace(library, untranslated=tuple(row["WHAT"] for row in rows))))


def old(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    (text,) = (row["META_LAST_UPDATE"] for row in rows)
    chile = replace(library.countries["CL"], metadata={"META_LAST_UPDATE": {"en": text}})
    return incomplete([{}], flow, replace(library, countries={"CL": chile}))


def released(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    return validate_release(tables.protected(rows, flow), library, day=tables.DAY).issues


def revised(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    changed = tables.changed(rows, flow, library)
    assert changed is not None
    return validate_revision(changed, library, day=tables.DAY).issues


def waived(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    waivers = tuple(tables.waiver(row, flow.id) for row in rows)
    return validate(tables.observations(rows, flow), replace(library, waivers=waivers), day=tables.DAY).issues


def received(rows: Rows, flow: Dataflow, library: Library) -> tuple[Issue, ...]:
    return validate(tables.observations(rows, flow, hierarchies=HIERARCHIES), library, day=tables.DAY).issues


def crossed(path: Path, out: Path) -> tuple[Issue, ...]:
    """What the border method says of a case, which is a delivery of crossings."""
    layout = Path(__file__).parents[1] / "metadata/crossings/INEC_ESI.toml" if path.parent.name == "BRD-15" else None
    return border(Asked(path, out, "2024-12-31", layout=layout)).issues


def surveyed(path: Path, out: Path, library: Library) -> tuple[Issue, ...]:
    """What the survey method says of a case, which is microdata beside their design and controls."""
    beside = {name: path.with_name(file) for name, file in (("design", "design.toml"), ("controls", "controls.csv"))}
    asked = Survey(path, **beside, out=out, area="CL", provider="SERMIG", phrases=library.phrases)
    method = {"CAL-14": "linear"}.get(path.parent.name, "raking")
    dimensions = {flow.id: flow.structure.dimensions for flow in library.dataflows.values()}
    return survey(replace(asked, method=method, standards=library.standards, dimensions=dimensions)).issues


def indicated(code: str, rows: Rows, library: Library) -> tuple[Issue, ...]:
    """What the indicators say of a case: of its definitions, or of published figures."""
    if code in ("IND-02", "IND-03"):
        return definitions(tables.defined(rows, library), library.dataflows["DF_INDIC"].structure)[1]
    return tables.indicator_issues(rows, library)


def assessed(code: str, rows: Rows, library: Library) -> tuple[Issue, ...]:
    """What the capacity assessment says of a case: of an agreement, of answers, or of what is published."""
    if code in ("CAP-08", "CAP-09"):
        table = {name: text for name, text in rows[0].items() if text} | {"flows": rows[0]["flows"].split()}
        return tuple(agreements.faults(table, ["INE"], library.dataflows, area="CL"))
    if code == "CAP-10":
        return tables.delivered_answers(rows, library)
    said = [tables.reply(row, number) for number, row in enumerate(rows, start=2)]
    if code in ("CAP-06", "CAP-07"):
        return tables.assessment_issues(said, library)
    return tuple(issue for each in said for issue in replies.faults(each, library.capacity, "CL"))


# What says something about a case: the stage that its code belongs to, and `received` for all others.
STAGES: dict[str, Callable[[Rows, Dataflow, Library], tuple[Issue, ...]]] = {
    **dict.fromkeys(("ING-01", "ING-02", "ING-03"), left_out),
    **dict.fromkeys(("ING-05", "ING-06"), corrected),
    **dict.fromkeys(("ING-07", "ING-08"), unread),
    "CMP-01": incomplete,
    "MET-02": old,
    "MET-01": unfilled,
    "LNG-01": unnamed,
    **dict.fromkeys(("DOM-22", "DOM-23", "CNF-01", "CNF-02", "CNF-03"), released),
    **dict.fromkeys(("REV-01", "REV-02", "REV-03", "REV-04"), revised),
    **dict.fromkeys(("WAI-01", "WAI-02"), waived),
}


def issues_of(path: Path, library: Library) -> tuple[Issue, ...]:
    """What the stage that the code belongs to says about the rows of a case."""
    if path.parent.name.startswith("QST-"):
        return covered(opened(path, kind="census", year=2026), library.modules).issues
    if path.parent.name.startswith(("BRD-", "CAL-")):
        with tempfile.TemporaryDirectory() as out:
            is_border = path.parent.name.startswith("BRD-")
            return crossed(path, Path(out)) if is_border else surveyed(path, Path(out), library)
    rows = tables.read(path)
    if path.parent.name.startswith(("IND-", "CAP-")):
        said = indicated if path.parent.name.startswith("IND-") else assessed
        return said(path.parent.name, rows, library)
    if path.parent.name in ACROSS:
        return tables.across_issues(rows, tables.with_facing_posts(library))
    flow = library.dataflows[rows[0].pop("DATAFLOW", "DF_STOCK")]
    for row in rows:
        row.pop("DATAFLOW", None)
    return STAGES.get(path.parent.name, received)(rows, flow, library)


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return tables.with_chile(library)


def stock(library: Library, *rows: tables.ROW, **options: object) -> Report:
    received = tables.observations(rows, library.dataflows["DF_STOCK"], **options)
    return validate(received, library, day=tables.DAY)


def codes(report: Report) -> list[str]:
    return [issue.code for issue in report.issues]


# ---------------------------------------------------------------- the cases


@pytest.mark.parametrize("path", [p for p in CASES if p.parent.name != "ING-04"], ids=lambda path: path.parent.name)
def test_case_raises_exactly_its_code(path: Path, chile: Library) -> None:
    size = {"REV-01"} if path.parent.name in ("REV-02", "REV-03") else set()  # it tells of every revision
    size |= {"BRD-03"} if path.parent.name == "BRD-14" else set()  # what puts the person in error
    size |= {"BRD-07"} if path.parent.name == "BRD-15" else set()  # nobody has a key
    size |= {"CAL-10"} if path.parent.name.startswith("CAL-") and path.parent.name != "CAL-10" else set()  # few rows
    size |= {"CAL-15"} if path.parent.name == "CAL-14" else set()  # what is below zero has changed much
    assert {issue.code for issue in issues_of(path, chile)} - size == {path.parent.name}


@pytest.mark.parametrize("path", PASSING, ids=lambda path: path.parent.name)
def test_passing_case_raises_nothing(path: Path, chile: Library) -> None:
    assert issues_of(path, chile) == ()


def test_every_rule_between_tables_has_both_cases(library: Library) -> None:
    of_rules = {rule.id for flow in library.dataflows.values() for rule in flow.rules if rule.stage == "across"}
    assert of_rules | {"XDF-00"} == ACROSS


def test_rules_issues_and_cases_hold_together(library: Library) -> None:
    of_rules = {rule.id for flow in library.dataflows.values() for rule in flow.rules}
    assert of_rules <= library.issue_types.keys()
    assert {path.parent.name for path in CASES} == library.issue_types.keys()


@pytest.mark.parametrize("flow", sorted(tables.FLOWS))
def test_a_good_row_of_each_dataflow_is_fit(flow: str, chile: Library) -> None:
    agreed = replace(chile.countries["CL"], agreements=frozenset(("CL_INE", f) for f in chile.dataflows))
    library = replace(chile, countries={"CL": agreed})
    received = tables.observations([{}], library.dataflows[flow])
    assert validate(received, library, day=tables.DAY).issues == ()
    assert validate_release(tables.protected([{}], library.dataflows[flow]), library, day=tables.DAY).is_fit


def test_every_dataflow_has_a_good_row(library: Library) -> None:
    assert library.dataflows.keys() == tables.FLOWS


# ---------------------------------------------------------------- where and how many


def test_an_issue_names_the_cells_of_the_label(chile: Library) -> None:
    rows = [{"SEX": "X", "AGE": age} for age in ("_T", "Y0T14", "Y15T24", "Y_GE65")]
    (issue,) = stock(chile, *rows).issues
    assert (issue.file, issue.sheet, issue.heading) == ("stock.xlsx", "Cuadro 1", "Sexo")
    assert (issue.cells, issue.count) == (("B2", "B3", "B4", "B5"), 4)
    assert (issue.found, issue.expected) == ("X", "SDMX:CL_SEX(2.1)")


def test_labels_in_a_heading_row_are_counted_once(chile: Library) -> None:
    rows = [{"COUNTRY_BIRTH": "XX", "AGE": age} for age in ("_T", "Y0T14")]
    (issue,) = stock(chile, *rows).issues
    assert (issue.cells, issue.count) == (("I1",), 1)


def test_each_thing_found_is_told_apart_and_a_flood_is_not(chile: Library) -> None:
    rows = [{"AGE": f"label {number}"} for number in range(120)]
    report = stock(chile, *rows)
    assert len(report.issues) == 51
    assert sum(issue.count for issue in report.issues) == 120
    assert report.issues[-1].found == "…"


def test_a_figure_of_no_cell_still_counts(chile: Library) -> None:
    received = tables.observations([{"OBS_STATUS": "A", "OBS_VALUE": ""}], chile.dataflows["DF_STOCK"])
    derived = replace(received, frame=received.frame.assign(column=0))
    (issue,) = validate(derived, chile, day=tables.DAY).issues
    assert (issue.code, issue.cells, issue.count) == ("DOM-20", (), 1)


# ---------------------------------------------------------------- one fault, one report


def test_rows_with_a_structural_error_are_left_out_of_the_row_rules(chile: Library) -> None:
    assert codes(stock(chile, {"SEX": "X", "OBS_VALUE": "-5000"})) == ["STR-03"]


def test_sums_wait_for_sound_structure(chile: Library) -> None:
    rows = [{"SEX": "_T"}, {"SEX": "F"}, {"SEX": "M"}, {"AGE": "X"}]
    report = stock(chile, *rows)
    assert codes(report) == ["STR-03"]
    assert "ACC-01" not in report.applied


def test_a_warning_of_structure_does_not_stop_the_sums(chile: Library) -> None:
    report = stock(chile, *({"SEX": sex, "REF_DATE": ""} for sex in ("_T", "F", "M")))
    assert codes(report) == ["STR-09", "ACC-01"]


def test_an_unknown_area_is_reported_once(chile: Library) -> None:
    assert codes(stock(chile, {"REF_AREA": "ZZ"})) == ["STR-03"]
    assert codes(stock(chile, {"REF_AREA": ""})) == ["STR-02"]
    assert codes(stock(chile, {"TIME_PERIOD": ""})) == ["STR-02"]


def test_incomplete_keys_are_no_duplicates(chile: Library) -> None:
    assert codes(stock(chile, {"AGE": ""}, {"AGE": ""})) == ["STR-02"]


# ---------------------------------------------------------------- awkward tables


def test_no_rows_at_all(chile: Library) -> None:
    flow = chile.dataflows["DF_STOCK"]
    received = tables.observations([{}], flow)
    empty = replace(received, frame=received.frame.iloc[:0])
    report = validate(empty, chile, day=tables.DAY)
    assert report.issues == ()
    assert set(report.applied.values()) == {0}
    assert validate_release(tables.protected([{}], flow), chile, day=tables.DAY).is_fit


def test_a_missing_dimension_column_is_reported(chile: Library) -> None:
    received = tables.observations([{}], chile.dataflows["DF_STOCK"])
    bare = replace(received, frame=received.frame.drop(columns=["AGE", "UNIT_MULT"]))
    report = validate(bare, chile, day=tables.DAY)
    assert [(issue.code, issue.component) for issue in report.issues] == [
        ("STR-02", "AGE"),
        ("STR-06", "UNIT_MULT"),
    ]


def test_rows_need_not_be_numbered_from_zero(chile: Library) -> None:
    received = tables.observations([{"SEX": "_T"}, {"SEX": "F"}, {"SEX": "M"}], chile.dataflows["DF_STOCK"])
    shuffled = received.frame.set_axis([7, 7, 3])
    assert codes(validate(replace(received, frame=shuffled), chile, day=tables.DAY)) == ["ACC-01"]


def test_codes_that_look_like_something_else(chile: Library) -> None:
    rows = [{"CITIZENSHIP": code} for code in ("NA", "NO", "_T")]
    assert codes(stock(chile, *rows)) == []


def test_the_period_may_begin_in_the_month_of_the_release(chile: Library) -> None:
    flow = chile.dataflows["DF_FLOW"]
    rows = [
        {"FREQ": "M", "TIME_PERIOD": period, "COUNTRY_BIRTH": birth}
        for period, birth in (("2026-11", "_T"), ("2026-12", "NAT"))
    ]
    (issue,) = validate(tables.observations(rows, flow), chile, day=tables.DAY).issues
    assert (issue.found, issue.expected) == ("2026-12", "≤ 2026-11")


def test_a_dataflow_with_two_allowed_regions(chile: Library) -> None:
    flow = chile.dataflows["DF_RETURN"]
    rows = [{"COUNTRY_BIRTH": "AR", "CITIZENSHIP": "NAT"}, {"COUNTRY_BIRTH": "AR", "CITIZENSHIP": "AR"}]
    (issue,) = validate(tables.observations(rows, flow), chile, day=tables.DAY).issues
    assert (issue.code, issue.found) == ("STR-04", "AR.AR")
    assert issue.expected == "CITIZENSHIP NAT | COUNTRY_BIRTH NAT"


@pytest.mark.parametrize("frequency", ["A", "Q", "M"])
def test_periods_can_be_checked_for_every_frequency_allowed(library: Library, frequency: str) -> None:
    for flow in library.dataflows.values():
        assert all(region["FREQ"] <= {"A", "Q", "M"} for region in flow.regions), flow.id


# ---------------------------------------------------------------- nothing small is told


def test_no_figure_below_the_threshold_is_told(chile: Library) -> None:
    rows = [
        {"SEX": "_T", "OBS_VALUE": "1000"},
        {"SEX": "F", "OBS_VALUE": "993"},
        {"SEX": "M", "OBS_VALUE": "4"},
        {"AGE": "Y0T14", "OBS_VALUE": "-7"},
        {"AGE": "Y15T24", "OBS_VALUE": "3.5"},
    ]
    for issue in stock(chile, *rows).issues:
        assert not {"3", "4", "7", "-7", "3.5", "997", "993"} & set(issue.found.replace("≠", " ").split())


def test_a_confidential_figure_is_never_told(chile: Library) -> None:
    rows = [{"SEX": "_T", "CONF_STATUS": "C"}, {"SEX": "F", "OBS_VALUE": "5000"}, {"SEX": "M", "OBS_VALUE": "4000"}]
    (issue,) = stock(chile, *rows).issues
    assert issue.found == "***"


def test_digits_of_what_is_no_number_are_masked(chile: Library) -> None:
    (issue,) = [i for i in stock(chile, {"OBS_VALUE": "4 (e)"}).issues if i.code == "STR-08"]
    assert issue.found == "# (e)"


def test_what_is_implausible_of_a_withheld_figure_is_told_to_its_office_alone(chile: Library) -> None:
    """The published report speaks of published figures: a jump to a withheld one would bound it."""
    flow = chile.dataflows["DF_STOCK"]
    rows = tables.read(Path(__file__).parent / "cases/TSO-01/case.csv")
    rows = [{name: text for name, text in row.items() if name != "DATAFLOW"} for row in rows]
    given = tables.observations(rows, flow)
    mine = validate(given, chile, day=tables.DAY)
    assert "TSO-01" in {issue.code for issue in mine.issues}
    withheld = {"OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A"}
    hidden = tables.protected([rows[0], rows[1] | withheld], flow)
    told = public(mine, hidden, chile, day=tables.DAY)
    assert {issue.code for issue in told.issues} == {issue.code for issue in mine.issues} - {"TSO-01"}
    shown = tables.protected(rows, flow)
    assert "TSO-01" in {issue.code for issue in public(mine, shown, chile, day=tables.DAY).issues}
