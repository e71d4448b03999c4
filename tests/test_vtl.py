"""The rules exported as VTL, run by another engine, give the verdicts of `validate`."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import mutations
import pandas as pd
import pytest
import tables

from pipeline import vintages, vtl
from pipeline.framework import Dataflow, RevisionNote
from pipeline.model import Library
from pipeline.validate import _filled, validate_revision

NUMBERS = ("OBS_VALUE", "CV", "SE", "N_OBS")
CASE = "CASE"  # one more identifier: each broken table is a table of its own


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return mutations.chile(library)


def judged_revisions(table: bytes, flow: Dataflow) -> set[str]:
    """The codes that VTL finds in a published table of revisions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vtlengine
    rows = pd.read_csv(io.BytesIO(table), dtype=str, keep_default_na=False)
    kinds = {"old": "Number", "new": "Number"}
    written = []
    for name in rows:
        is_key = name in flow.structure.key
        role = "Identifier" if is_key else "Measure"
        written.append({"name": name, "role": role, "type": kinds.get(name, "String"), "nullable": not is_key})
        words = rows[name].astype("object")
        rows[name] = pd.to_numeric(words) if name in kinds else words.where(words != "", None)
    structures = {"datasets": [{"name": "REVISIONS", "DataStructure": written}]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = vtlengine.run(vtl.revisions(flow).decode(), structures, {"REVISIONS": rows})
    return set(found["ROWS"].data["errorcode"].dropna())


def judged(cases: Mapping[str, mutations.Example], flow: Dataflow, library: Library) -> dict[str, set[str]]:
    """Case → the error codes that VTL finds in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vtlengine
    frames = [_filled(tables.frame(rows.values(), flow), flow.structure) for rows in cases.values()]
    whole = pd.concat([frame.assign(**{CASE: name}) for name, frame in zip(cases, frames, strict=True)])
    written = [{"name": CASE, "role": "Identifier", "type": "String", "nullable": False}]
    data = {CASE: whole[CASE]}
    for name in flow.structure.components.keys() - set(flow.structure.attributes("dataset")):
        is_key = name in flow.structure.key
        kind = "Number" if name in NUMBERS else "String"
        role = "Identifier" if is_key else "Measure"
        written.append({"name": name, "role": role, "type": kind, "nullable": not is_key})
        words = whole[name].astype("object")
        data[name] = pd.to_numeric(words, errors="coerce") if kind == "Number" else words.where(words != "", None)
    structures = {"datasets": [{"name": flow.id, "DataStructure": written}]}
    script = vtl.script(flow, library).decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = vtlengine.run(script, structures, {flow.id: pd.DataFrame(data).reset_index(drop=True)})
    verdicts: dict[str, set[str]] = {name: set() for name in cases}
    for result in found.values():
        for case, code in zip(result.data[CASE], result.data["errorcode"], strict=True):
            verdicts[case] |= {code} if isinstance(code, str) else set()
    return verdicts


@pytest.mark.parametrize(("flow", "least"), [pytest.param("DF_FLOW", 20, marks=pytest.mark.thorough), ("DF_INDIC", 15)])
def test_both_engines_give_the_same_verdicts(flow: str, least: int, chile: Library) -> None:
    dataflow = chile.dataflows[flow]
    expressed = vtl.expressed(dataflow)
    cases = {"good": mutations.example(dataflow, chile)}
    for number, (rule, _, rows) in enumerate(mutations.applicable(dataflow, chile)):
        if rule in expressed:
            cases[f"{rule} {number}"] = rows
    ours = {name: mutations.codes(rows, dataflow, chile, is_release=False) & expressed for name, rows in cases.items()}
    assert len(cases) > least
    assert judged(cases, dataflow, chile) == ours
    assert ours["good"] == set()
    assert all(name.split()[0] in found for name, found in ours.items() if name != "good")


def test_the_published_totals_of_chile(chile: Library) -> None:
    # Foreign residents of Chile, 2021 and 2022, and a partition by birth (framework §4).
    def sexes(total: str) -> mutations.Example:
        values = {"2021": ("744213", "738177", "1482390"), "2022": ("826071", "799003", total)}
        return {
            f"{year} {sex}": {"SEX": sex, "TIME_PERIOD": year, "OBS_VALUE": value}
            for year, figures in values.items()
            for sex, value in zip(("M", "F", "_T"), figures, strict=True)
        }

    births = {
        code: {"COUNTRY_BIRTH": code, "OBS_VALUE": value}
        for code, value in (("_T", "1000"), ("NAT", "900"), ("FOR", "95"), ("_U", "5"))
    }
    withheld = births | {"NAT": {"COUNTRY_BIRTH": "NAT", "OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "C"}}
    cases = {
        "right": sexes("1625074"),
        "one too many": sexes("1625075"),
        "partition": births,
        "without unknown": {name: row for name, row in births.items() if name != "_U"},
        "withheld": withheld,
    }
    assert judged(cases, chile.dataflows["DF_STOCK"], chile) == {
        "right": set(),
        "one too many": {"ACC-01"},
        "partition": set(),
        "without unknown": {"ACC-03"},
        "withheld": set(),
    }


def test_revisions_judged_from_the_published_table(chile: Library) -> None:
    note = RevisionNote("DF_STOCK", "2026-11-20", "", {"en": "Late forms"})
    stays = {"BEFORE": "900", "OBS_VALUE": "900", "STATUS_BEFORE": "A", "OBS_STATUS": "A", "SEX": "F"}
    figures = {
        "final": ("1000", "1001", "A"),
        "much": ("1000", "1051", "P"),
        "little": ("1000", "1050", "P"),
        "from nothing": ("0", "500", "P"),
        "gone": ("1000", "", "A"),
        "new": ("", "700", ""),
        "as it was": ("1000", "1000", "A"),
    }
    for noted in (False, True):
        for name, (before, now, status) in figures.items():
            one = {"BEFORE": before, "OBS_VALUE": now, "STATUS_BEFORE": status, "OBS_STATUS": status if now else ""}
            one |= {"OBS_STATUS": "P"} if name == "new" else {}
            found = tables.changed([one | {"SEX": "M"}, stays], chile.dataflows["DF_STOCK"], chile, *[note] * noted)
            assert (found is None) == (name == "as it was")
            if found is not None:
                ours = {issue.code for issue in validate_revision(found, chile, day=tables.DAY).issues}
                assert judged_revisions(vintages.written(found), found.flow) == ours, name


def test_a_script_names_what_it_leaves_out(chile: Library) -> None:
    for flow in chile.dataflows.values():
        text = vtl.script(flow, chile).decode()
        head = text.splitlines()[0]
        received = {rule.id for rule in flow.rules if rule.stage == "received"}
        assert all(rule in head for rule in received - vtl.expressed(flow))
        assert not any(rule in head for rule in vtl.expressed(flow))
        assert text == vtl.script(flow, chile).decode()
