"""Waivers: what they cover, what they never may, and that none outlives its day or its fault."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
import tables
from test_publish import manifest, run

from pipeline import report, waivers
from pipeline.errors import SetupError
from pipeline.framework import LANGUAGES, Waiver
from pipeline.library.waivers import waivers as load
from pipeline.model import Library, Report
from pipeline.validate import validate, validate_revision

ROOT = Path(__file__).parents[1]
HEADER = "area,dataflow,code,scope,role,date,expiry,reason_en,reason_es,reason_pt,reference\n"
GOOD = "CL,DF_STOCK,ACC-01,,Director of statistics,2026-01-01,2026-12-31,a,b,c,INE 7/2026"
WAIVER = Waiver(
    area="CL",
    flow="DF_STOCK",
    code="ACC-01",
    scope="",
    role="Director of statistics",
    date="2026-01-01",
    expiry="2026-12-31",
    reason={"en": "Sexes were revised apart", "es": "Revisión por separado", "pt": "Revisão em separado"},
    reference="INE 7/2026",
)
WRONG = [{"SEX": sex, "TIME_PERIOD": year} for year in ("2016", "2017") for sex in ("_T", "F", "M")]  # 1000 ≠ 2000


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return tables.with_chile(library)


def judged(library: Library, *granted: Waiver, rows: list[dict[str, str]] = WRONG) -> Report:
    received = tables.observations(rows, library.dataflows["DF_STOCK"])
    return validate(received, replace(library, waivers=granted), day=tables.DAY)


def told(found: Report) -> list[tuple[str, str, str, int]]:
    return [(i.code, i.severity, i.waiver, i.count) for i in found.issues]


def test_a_waived_error_holds_nothing_back_and_stays_an_error(chile: Library) -> None:
    assert not judged(chile).is_fit
    found = judged(chile, WAIVER)
    assert found.is_fit
    assert told(found) == [("ACC-01", "E", "INE 7/2026", 2)]
    (issue,) = found.issues
    assert report.terminal(issue, chile, "en").startswith("error waived (INE 7/2026) ACC-01  ")
    assert report.told(issue, chile, "pt").severity == "erro dispensado (INE 7/2026)"
    assert set(report.reason(found).values()) == {""}
    record = report.record(found)
    assert record["fit"] is True
    (kept,) = record["issues"]  # type: ignore[misc]
    assert (kept["code"], kept["severity"], kept["waiver"]) == ("ACC-01", "E", "INE 7/2026")
    schema = json.loads((ROOT / "site/assets/report.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(json.loads(json.dumps(record)))
    assert report.restored(json.dumps(record).encode()).is_fit


def test_a_scope_covers_its_rows_alone(chile: Library) -> None:
    found = judged(chile, replace(WAIVER, scope="TIME_PERIOD in 2016"))
    assert not found.is_fit
    assert told(found) == [("ACC-01", "E", "INE 7/2026", 1), ("ACC-01", "E", "", 1)]
    assert report.reason(found)["en"] == "1 cells: ACC-01"


@pytest.mark.parametrize(
    "change", [{"area": "AR"}, {"flow": "DF_FLOW"}, {"date": "2026-11-25", "expiry": "2027-01-01"}]
)
def test_a_waiver_of_something_else_or_of_later_covers_nothing(change: dict[str, str], chile: Library) -> None:
    assert told(judged(chile, replace(WAIVER, **change))) == [("ACC-01", "E", "", 2)]


def test_expired_and_unused_waivers_fail(chile: Library) -> None:
    expired = replace(WAIVER, expiry="2026-11-23")
    assert [code for code, *_ in told(judged(chile, expired))] == ["ACC-01", "WAI-01"]
    assert judged(chile, replace(WAIVER, expiry="2026-11-24")).is_fit  # the last day counts
    good = judged(chile, WAIVER, rows=[{}])
    assert told(good) == [("WAI-02", "E", "", 1)]
    assert not good.is_fit
    # Sums wait for a sound structure: nobody can say yet that the waiver is not used.
    assert told(judged(chile, WAIVER, rows=[*WRONG, {"AGE": "X"}])) == [("STR-03", "E", "", 1)]


def test_an_unexplained_revision_can_be_waived(chile: Library) -> None:
    row = {"BEFORE": "1000", "STATUS_BEFORE": "A", "OBS_VALUE": "1001", "OBS_STATUS": "A"}
    library = replace(chile, waivers=(replace(WAIVER, code="REV-03"),))
    changed = tables.changed([row], library.dataflows["DF_STOCK"], library)
    assert changed is not None
    assert validate_revision(changed, library, day=tables.DAY).is_fit
    assert told(judged(library)) == [("ACC-01", "E", "", 2)]  # at the stage before, it is not asked for


# ---------------------------------------------------------------- waivers as data


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ACC-01", "CNF-01", "CNF-01 can never be waived: it would give confidential figures away"),
        ("ACC-01", "DOM-21", "DOM-21 can never be waived"),
        ("ACC-01", "DOM-22", "DOM-22 can never be waived: it would give confidential figures away"),
        ("ACC-01", "DOM-23", "DOM-23 can never be waived: it would break an embargo"),
        ("ACC-01", "STR-05", "STR-05 can never be waived: a table whose structure is wrong"),
        ("ACC-01", "ING-05", '"ING-05" is not a rule of DF_STOCK'),
        ("ACC-01", "REV-02", "REV-02 is no error and holds nothing back"),
        ("CL,", "ZZ,", '"ZZ" is not a country'),
        ("DF_STOCK", "DF_RIGHTS", '"DF_RIGHTS" is not a dataflow of CL'),
        (",,Dir", ",SEX is F,Dir", 'the condition "SEX is F" is not understood'),
        ("2026-12-31", "2025-12-31", "the waiver ends before it begins"),
        ("2026-12-31", "soon", 'expiry "soon" is not a day'),
        ("Director of statistics", "", "role must say which office"),
        ("Director of statistics", "a.perez@ine.example", "role must say which office"),
        (",b,", ",,", "reason_es is empty"),
        ("INE 7/2026", "", "reference is empty"),
        (GOOD, f"{GOOD}\n{GOOD}", "a waiver of the same errors and day stands above"),
    ],
)
def test_a_waiver_that_does_not_fit_is_refused(
    old: str, new: str, fault: str, library: Library, tmp_path: Path
) -> None:
    path = tmp_path / "waivers.csv"
    path.write_text(HEADER + GOOD + "\n", encoding="utf-8")
    assert len(load(path, library.countries, library.dataflows)) == 1
    path.write_text(HEADER + GOOD.replace(old, new) + "\n", encoding="utf-8")
    with pytest.raises(SetupError, match=f"waivers.csv, row [23]: {fault.replace('(', '.')}"):
        load(path, library.countries, library.dataflows)


# ---------------------------------------------------------------- published


@pytest.mark.thorough
def test_waivers_are_published_and_an_unused_one_holds_back_its_table_alone(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public, path = office / "build/public", office / "metadata/waivers.csv"
    source = office / "data/XX/entradas.csv"
    right = source.read_bytes()
    source.write_bytes(right.replace(b"1.259", b"1.250"))  # ACC-05
    line = "XX,DF_BORDER,ACC-05,,Director,2026-01-01,2026-12-31,Crew <late>,Tripulantes,Tripulantes,INF 3"
    path.write_text(f"{HEADER}{line}\n", encoding="utf-8")
    assert run(office) == 0
    assert "error waived (INF 3) ACC-05" in capsys.readouterr().err.replace("error dispensado", "error waived")
    (told,) = json.loads((public / waivers.PATH).read_text(encoding="utf-8"))["waivers"]
    assert (told["dataflow"], told["code"], told["state"], told["cells"]) == ("DF_BORDER", "ACC-05", "in_force", 1)
    assert waivers.PATH in manifest(public)
    for language, reason in zip(LANGUAGES, ("Crew &lt;late&gt;", "Tripulantes", "Tripulantes"), strict=True):
        page = (public / language / "quality/index.html").read_text(encoding="utf-8")
        assert reason in page
        assert "INF 3" in page
    source.write_bytes(right)
    (office / "metadata/national/XX/revisions.csv").write_text(
        "flow,date,scope,reason_en,reason_es,reason_pt\nDF_BORDER,2026-11-24,,a,b,c\n", encoding="utf-8"
    )
    assert run(office) == 1
    error = capsys.readouterr().err
    assert "WAI-02" in error
    assert "Held back XX DF_BORDER: 1" in error
    assert "Held back XX DF_STOCK" not in error
