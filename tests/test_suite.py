"""The Great Expectations suite and `validate` are two engines with one verdict on every rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
import tables

from pipeline import suite
from pipeline.expectations import expectations
from pipeline.model import Library, Observations, Report
from pipeline.validate import validate

GOOD = (
    {"SEX": "_T", "OBS_VALUE": "1000"},
    {"SEX": "F", "OBS_VALUE": "510"},
    {"SEX": "M", "OBS_VALUE": "490"},
    {"COUNTRY_BIRTH": "NAT", "OBS_VALUE": "900"},
    {"COUNTRY_BIRTH": "FOR", "OBS_VALUE": "100"},
    {"COUNTRY_BIRTH": "NA", "OBS_VALUE": "60"},
    {"COUNTRY_BIRTH": "NO", "OBS_VALUE": "40"},
    {"TIME_PERIOD": "2018", "SOURCE_TYPE": "SUR_HH", "CV": "0.1", "N_OBS": "90", "OBS_VALUE": "1000.5"},
)
MUTATIONS: dict[str, tuple[int, dict[str, str]]] = {
    "nothing": (0, {}),
    "blank dimension": (7, {"AGE": ""}),
    "unknown code": (7, {"AGE": "X"}),
    "unknown code of an attribute": (7, {"RES_CRITERION": "X"}),
    "measure of another dataflow": (7, {"MIG_MEASURE": "FLW_IN", "METHOD": "INTENT"}),
    "key twice": (2, {"SEX": "F"}),
    "unit missing": (7, {"UNIT_MEASURE": ""}),
    "residence rule missing": (7, {"RES_CRITERION": ""}),
    "period that its frequency does not know": (7, {"TIME_PERIOD": "2018-Q1"}),
    "period to come": (7, {"TIME_PERIOD": "2999"}),
    "words for a figure": (7, {"OBS_VALUE": "many", "OBS_STATUS": "O"}),
    "survey without precision": (7, {"CV": ""}),
    "stock without its day": (7, {"REF_DATE": ""}),
    "another country": (7, {"REF_AREA": "AR"}),
    "own country by its code": (6, {"COUNTRY_BIRTH": "CL"}),
    "born stateless": (6, {"COUNTRY_BIRTH": "STLS"}),
    "below zero": (7, {"OBS_VALUE": "-1000"}),
    "part of a person": (0, {"OBS_VALUE": "1000.5"}),
    "missing without a reason": (7, {"OBS_VALUE": ""}),
    "missing with a reason": (7, {"OBS_VALUE": "", "OBS_STATUS": "L"}),
    "suppressed and open": (7, {"OBS_VALUE": "", "OBS_STATUS": "Q"}),
    "suppressed and there": (7, {"OBS_STATUS": "Q", "CONF_STATUS": "A"}),
    "telephone data as a normal value": (7, {"SOURCE_TYPE": "NTS_MOB", "OBS_VALUE": "1000"}),
    "households": (7, {"UNIT_MEASURE": "HH"}),
    "percent above a hundred": (7, {"UNIT_MEASURE": "PT"}),
    "sexes that do not add up": (2, {"OBS_VALUE": "400"}),
    "countries above their total": (6, {"OBS_VALUE": "400"}),
    "countries below their total": (6, {"OBS_VALUE": "20"}),
}


def mutated(name: str, library: Library) -> Observations:
    """The good table with one cell changed, under the name of the change."""
    row, change = MUTATIONS[name]
    rows = [{**each, **(change if number == row else {})} for number, each in enumerate(GOOD)]
    received = tables.observations(rows, library.dataflows["DF_STOCK"])
    return replace(received, area=name)


def failed(verdict: Mapping[str, object], report: Report) -> set[str]:
    """The rules that GX finds broken, of those that `validate` applied."""
    results = verdict["results"]
    assert isinstance(results, list)
    return {result["rule"] for result in results if not result["success"]} & report.applied.keys()


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return tables.with_chile(library)


@pytest.fixture(scope="module")
def judged(chile: Library) -> dict[str, tuple[Report, Mapping[str, object]]]:
    received = {name: mutated(name, chile) for name in MUTATIONS}
    reports = {
        (name, "DF_STOCK"): validate(replace(each, area="CL"), chile, day=tables.DAY) for name, each in received.items()
    }
    verdicts = suite.begin(received.values(), chile)(reports)()
    return {name: (reports[name, "DF_STOCK"], verdicts[name, "DF_STOCK"]) for name in MUTATIONS}


@pytest.mark.parametrize("name", MUTATIONS)
def test_both_engines_give_the_same_verdict(name: str, judged: dict[str, tuple[Report, Mapping[str, object]]]) -> None:
    report, verdict = judged[name]
    broken = {issue.code for issue in report.issues if issue.severity != "I"}
    assert failed(verdict, report) == broken
    assert verdict["success"] == report.is_fit


def test_the_mutations_break_many_rules(judged: dict[str, tuple[Report, Mapping[str, object]]]) -> None:
    broken = {issue.code for report, _ in judged.values() for issue in report.issues}
    assert len(broken) >= 20
    assert judged["nothing"][0].issues == ()


def test_a_table_too_large_for_gx_is_judged_by_counts(chile: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_ROWS", 3)
    received = replace(mutated("sexes that do not add up", chile), area="CL")
    report = validate(received, chile, day=tables.DAY)
    verdict = suite.begin([received], chile)({("CL", "DF_STOCK"): report})()["CL", "DF_STOCK"]
    assert failed(verdict, report) == {"ACC-01"}
    results = verdict["results"]
    assert isinstance(results, list)
    assert {result["table"] for result in results} == {"counts"}
    assert report.applied.keys() == {result["rule"] for result in results}


def test_no_value_is_kept(judged: dict[str, tuple[Report, Mapping[str, object]]]) -> None:
    kept = {"rule", "severity", "expectation", "columns", "table", "success", "unexpected"}
    for _, verdict in judged.values():
        results = verdict["results"]
        assert isinstance(results, list)
        assert all(result.keys() == kept for result in results)


def test_two_allowed_regions(chile: Library) -> None:
    flow = chile.dataflows["DF_RETURN"]
    for rows, is_right in (
        ([{"COUNTRY_BIRTH": "NAT", "CITIZENSHIP": "AR"}], True),
        ([{"COUNTRY_BIRTH": "AR", "CITIZENSHIP": "NAT"}], True),
        ([{"COUNTRY_BIRTH": "AR", "CITIZENSHIP": "AR"}], False),
    ):
        received = tables.observations(rows, flow)
        report = validate(received, chile, day=tables.DAY)
        verdict = suite.begin([received], chile)({("CL", flow.id): report})()["CL", flow.id]
        assert report.is_fit == is_right
        assert ("STR-04" in failed(verdict, report)) != is_right


def test_nothing_received_needs_no_engine(chile: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(suite, "_engine")
    assert suite.begin([], chile)({})() == {}


def test_every_rule_that_can_apply_is_in_the_suite(library: Library) -> None:
    for flow in library.dataflows.values():
        asked = {each.rule for each in expectations(flow, library)}
        rules = [rule for rule in flow.rules if rule.stage in ("received", "figures")]
        absent = {rule.id for rule in rules} - asked
        # The capacity assessment has neither migration measures nor units by measure.
        assert absent == ({"STR-09", "DOM-40", "DOM-41", "SUR-02"} if flow.id == "DF_CAPACITY" else set())


def test_severities_are_those_of_the_rules(library: Library) -> None:
    flow = library.dataflows["DF_STOCK"]
    content = json.loads(suite.write(flow, library))
    severities = {(each["meta"]["rule"], each["severity"]) for each in content["expectations"]}
    assert ("STR-09", "warning") in severities
    assert ("STR-05", "critical") in severities


def test_the_written_suite_is_the_same_every_time_and_gx_reads_it(library: Library) -> None:
    import great_expectations as gx

    flow = library.dataflows["DF_RETURN"]
    written = suite.write(flow, library)
    assert written == suite.write(flow, library)
    content = json.loads(written)
    read = gx.ExpectationSuite(**content)
    assert len(read.expectations) == len(content["expectations"])
