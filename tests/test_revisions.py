"""Revisions: what a delivery changes of what was published, whether that is explained, and what may be told of it."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import tables
from test_publish import contents, explain, run

from pipeline import vintages
from pipeline.errors import SetupError
from pipeline.framework import RevisionNote
from pipeline.library.revisions import revisions
from pipeline.model import Issue, Library
from pipeline.validate import validate_revision

HERE = Path(__file__).parent
UNDESA = HERE.parents[1] / "shared/data/undesa"
ISO3 = dict(
    zip(
        ["ARG", "CHL", "COL", "CRI", "CUB", "DOM", "ECU", "MEX", "PER", "PRY"],
        ["AR", "CL", "CO", "CR", "CU", "DO", "EC", "MX", "PE", "PY"],
        strict=True,
    )
)
ESTIMATE = {"SOURCE_TYPE": "INT", "TIME_PERIOD": "2020", "STATUS_BEFORE": "E", "OBS_STATUS": "E"}
LATE = {"en": "Late forms", "es": "Formularios tardíos", "pt": "Formulários tardios"}


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return tables.with_chile(library)


def row(before: str = "1000", now: str = "1001", **rest: str) -> dict[str, str]:
    return {"BEFORE": before, "STATUS_BEFORE": "A", "OBS_VALUE": now, "OBS_STATUS": "A", **rest}


def compared(library: Library, *rows: Mapping[str, str], notes: tuple[RevisionNote, ...] = ()) -> vintages.Changes:
    found = tables.changed(rows, library.dataflows["DF_STOCK"], library, *notes)
    assert found is not None
    return found


def issues(library: Library, *rows: Mapping[str, str], notes: tuple[RevisionNote, ...] = ()) -> tuple[Issue, ...]:
    return validate_revision(compared(library, *rows, notes=notes), library, day=tables.DAY).issues


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


# ---------------------------------------------------------------- UN DESA, 2020 against 2024


def test_two_revisions_of_un_desa(chile: Library) -> None:
    published = tables.read(HERE / "vintages/undesa_2020.csv")
    rows = [{"REF_AREA": r["area"], "BEFORE": r["rev2020"], "OBS_VALUE": r["rev2024"], **ESTIMATE} for r in published]
    found = compared(chile, *rows)
    told = {r["REF_AREA"]: (r["old"], r["new"], r["r"]) for r in table(vintages.written(found))}
    assert told["CL"] == ("1645015", "1476240", "-0.102598")
    assert told["MX"] == ("1197624", "1335154", "0.114836")
    assert set(told) == {"AR", "CL", "CO", "EC", "MX", "PE"}  # of the others the figure stands
    size, large = validate_revision(found, chile, day=tables.DAY).issues
    assert (size.code, size.severity, size.count, size.found) == ("REV-01", "I", 6, "8.2%")
    # AR, CL, EC, MX by more than 5 %; CO and PE by less.
    assert (large.code, large.severity, large.count) == ("REV-02", "W", 4)
    assert large.found == "2\u00a0281\u00a0728 → 1\u00a0912\u00a0294 (-16.2%)"


@pytest.mark.skipif(not UNDESA.exists(), reason="the bilateral tables of UN DESA are not beside the repository")
def test_two_revisions_of_un_desa_by_origin_and_sex(chile: Library) -> None:
    figures: list[Counter[tuple[str, str, str, str]]] = []
    for year in ("2020", "2024"):
        path = UNDESA / f"undesa_ims_{year}_bilateral_by_sex_iso3_ten_countries.csv"
        figures.append(Counter())
        for r in tables.read(path):
            if r["geo"] in ISO3:
                key = (ISO3[r["geo"]], r["t"], {"female": "F", "male": "M"}[r["sex"]], r["from"])
                figures[-1][key] += int(float(r["n"]))
    codes = {notes["iso3"]: code.id for code in chile.list_of("COUNTRY_BIRTH").codes.values() if (notes := code.notes)}  # type: ignore[union-attr]
    old, new = ({key: n for key, n in each.items() if codes.get(key[3])} for each in figures)
    rows = [
        {
            "REF_AREA": area,
            "SEX": sex,
            "COUNTRY_BIRTH": codes[origin],
            "BEFORE": str(old.get(key, "")),
            "OBS_VALUE": str(new.get(key, "")),
            **ESTIMATE,
            "TIME_PERIOD": year,
            "STATUS_BEFORE": "E" if key in old else "",
            "OBS_STATUS": "E" if key in new else "",
        }
        for key in sorted(old.keys() | new.keys())
        for area, year, sex, origin in [key]
    ]
    found = compared(chile, *rows)
    changed = sum(old[key] != new[key] for key in old.keys() & new.keys())
    assert changed > 3000
    assert vintages.counts(found) == {
        "revised": changed,
        "status": 0,
        "new": len(new.keys() - old.keys()),
        "vanished": len(old.keys() - new.keys()),
    }
    chilean = [r for r in table(vintages.written(found)) if r["REF_AREA"] == "CL" and r["TIME_PERIOD"] == "2020"]
    change = sum(int(r["new"]) - int(r["old"]) for r in chilean if r["kind"] == "revised")
    arrived = sum(n for key, n in new.items() if key[:2] == ("CL", "2020") and key not in old)
    left = sum(n for key, n in old.items() if key[:2] == ("CL", "2020") and key not in new)
    outside = [sum(n for k, n in f.items() if k[:2] == ("CL", "2020") and not codes.get(k[3])) for f in figures]
    assert 1_645_015 - outside[0] + change + arrived - left == 1_476_240 - outside[1]


# ---------------------------------------------------------------- the rules


def test_a_final_figure_may_not_change_unexplained(chile: Library) -> None:
    _, issue = issues(chile, row())
    assert (issue.code, issue.severity, issue.cells) == ("REV-03", "E", ("I2",))
    assert [i.code for i in issues(chile, row(STATUS_BEFORE="P"))] == ["REV-01"]


@pytest.mark.parametrize(("now", "is_large"), [("1050", False), ("1051", True), ("949", True)])
def test_more_than_five_percent(now: str, chile: Library, *, is_large: bool) -> None:
    codes = [i.code for i in issues(chile, row(now=now, STATUS_BEFORE="P"))]
    assert codes == (["REV-01", "REV-02"] if is_large else ["REV-01"])


def test_from_nothing_is_large(chile: Library) -> None:
    found = issues(chile, row(before="0", now="500", STATUS_BEFORE="P"))
    assert [(i.code, i.found) for i in found][1] == ("REV-02", "0 → 500")


def test_a_note_explains_its_scope_and_what_came_before_its_day(chile: Library) -> None:
    rows = [row(TIME_PERIOD="2016"), row(TIME_PERIOD="2017")]
    note = RevisionNote("DF_STOCK", "2026-11-20", "TIME_PERIOD in 2016", LATE)
    found = issues(chile, *rows, notes=(note,))
    assert [(i.code, i.count) for i in found] == [("REV-01", 2), ("REV-03", 1)]
    assert found[1].cells == ("I3",)
    whole = replace(note, scope="")
    assert [i.code for i in issues(chile, *rows, notes=(whole,))] == ["REV-01"]
    # The release that is replaced is of 2025-11-24: a note of the day before was for another revision.
    assert "REV-03" in [i.code for i in issues(chile, *rows, notes=(replace(whole, date="2025-11-23"),))]
    assert "REV-03" in [i.code for i in issues(chile, *rows, notes=(replace(whole, flow="DF_EMIG"),))]
    (told, _) = table(vintages.written(compared(chile, *rows, notes=(note,))))
    assert (told["note_date"], told["note_pt"]) == ("2026-11-20", "Formulários tardios")


def test_a_vanished_category_is_one_issue_with_its_national_name(office: Path) -> None:
    from pipeline import library as authored

    library = authored.load(office)
    gone = {"OBS_VALUE": "", "OBS_STATUS": ""}
    rows = [row(now="1000", CITIZENSHIP="PE")]
    rows += [row(CITIZENSHIP="NL", SEX=sex, **gone) for sex in ("F", "M", "_T")]
    rows += [row(CITIZENSHIP="PE", SEX="F", TIME_PERIOD="2017", **gone), row(now="1000", CITIZENSHIP="FOR", SEX="F")]
    found = tables.changed(rows, library.dataflows["DF_STOCK"], library)
    assert found is not None
    issued = validate_revision(replace(found, area="XX"), library, day=tables.DAY).issues
    assert [(i.code, i.severity, i.component, i.expected, i.count) for i in issued] == [
        ("REV-04", "W", "CITIZENSHIP", "NL", 3),
        ("REV-04", "W", "", "", 1),
    ]
    assert issued[0].found == "Holandesa (CITIZENSHIP NL)"
    assert (
        issued[1].found
        == "FREQ A, REF_AREA CL, SOURCE_TYPE CEN, MIG_MEASURE STK_POP, SEX F, CITIZENSHIP PE, TIME_PERIOD 2017"
    )


def test_a_figure_that_is_gone_or_new(chile: Library) -> None:
    rows = [row(SEX="F", now="", OBS_STATUS="M"), row(SEX="M", before="", STATUS_BEFORE="L")]
    found = compared(chile, *rows, row(SEX="_T", now="1000"))
    assert vintages.counts(found) == {"revised": 0, "status": 0, "new": 1, "vanished": 1}
    (issue,) = validate_revision(found, chile, day=tables.DAY).issues
    assert (issue.code, issue.cells) == ("REV-04", ("I2",))
    assert all(r["old"] == r["new"] == "" for r in table(vintages.written(found)))


def test_a_status_alone_is_told_and_is_no_fault(chile: Library) -> None:
    found = compared(chile, row(now="1000", STATUS_BEFORE="P"))
    assert validate_revision(found, chile, day=tables.DAY).issues == ()
    (told,) = table(vintages.written(found))
    assert (told["kind"], told["old_status"], told["new_status"]) == ("status", "P", "A")


def test_nothing_withheld_now_or_then_is_told(chile: Library) -> None:
    hidden = {"SEX": "F", "OBS_VALUE": "", "OBS_STATUS": "Q"}
    shown = {"SEX": "M", "BEFORE": "", "STATUS_BEFORE": "Q"}
    found = compared(chile, row(**hidden, before="7777"), row(now="8888", **shown), row(now="2000", STATUS_BEFORE="P"))
    content = vintages.written(found).decode()
    assert "7777" not in content
    assert "8888" not in content
    assert [r["SEX"] for r in table(content.encode())] == ["_T"]
    assert {(i.code, i.count) for i in validate_revision(found, chile, day=tables.DAY).issues} == {
        ("REV-01", 1),
        ("REV-02", 1),
    }
    assert tables.changed([row(**hidden)], chile.dataflows["DF_STOCK"], chile) is None


def test_the_same_delivery_again_tells_the_same_revisions(chile: Library) -> None:
    """Published again, it is compared with what its figures replaced, as the table of revisions has it."""
    flow, gone = chile.dataflows["DF_STOCK"], {"OBS_VALUE": "", "OBS_STATUS": ""}
    rows = [
        row(SEX="F", before="1000.5", now="1001.25"),
        row(SEX="M", now="1000", STATUS_BEFORE="P"),
        row(SEX="_T", before="", STATUS_BEFORE=""),
        row(SEX="_O", **gone),
        row(SEX="_N", now="", OBS_STATUS="M"),
        row(SEX="_U", before="", STATUS_BEFORE="L"),
        row(AGE="Y0T14", now="1000"),
        row(AGE="Y15T24", OBS_VALUE="", OBS_STATUS="Q"),
    ]
    first = compared(chile, *rows)
    content = vintages.written(first)
    stands = [{**r, "BEFORE": r["OBS_VALUE"], "STATUS_BEFORE": r["OBS_STATUS"]} for r in rows if r["OBS_STATUS"]]
    again = tables.changed(stands, flow, chile, published=content)
    assert again is not None
    assert vintages.written(replace(again, notes=first.notes)) == content
    report, before = (validate_revision(each, chile, day=tables.DAY) for each in (again, first))
    assert report == before
    # A figure that is withheld from now on leaves the table of revisions too.
    stands[0] |= {"OBS_VALUE": "", "OBS_STATUS": "Q"}
    later = tables.changed(stands, flow, chile, published=content)
    assert later is not None
    assert "1000.5" not in vintages.written(later).decode()


# ---------------------------------------------------------------- notes as data


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("DF_NONE,2026-11-20,,a,b,c", '"DF_NONE" is not a dataflow of this country'),
        ("DF_STOCK,20 Nov,,a,b,c", 'date "20 Nov" is not a day'),
        ("DF_STOCK,2026-11-20,SEX is F,a,b,c", 'the condition "SEX is F" is not understood'),
        ("DF_STOCK,2026-11-20,SEX in X,a,b,c", '"X" matches no code of SDMX:CL_SEX'),
        ("DF_STOCK,2026-11-20,HEIGHT in 3,a,b,c", '"HEIGHT" is not a component'),
        ("DF_STOCK,2026-11-20,,a,,c", "reason_es is empty"),
        ("DF_STOCK,2026-11-20,SEX in F,a,b,c\nDF_STOCK,2026-11-20,SEX in F,d,e,f", "same day and scope"),
    ],
)
def test_a_note_that_does_not_fit_is_refused(line: str, fault: str, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "revisions.csv"
    path.write_text(f"flow,date,scope,reason_en,reason_es,reason_pt\n{line}\n", encoding="utf-8")
    with pytest.raises(SetupError, match=fault):
        revisions(path, library.countries["CL"].series, library.dataflows)


# ---------------------------------------------------------------- through to the release


@pytest.mark.thorough
def test_a_revision_is_published_once_it_is_explained(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = office / "build/public"
    assert run(office, flows=["DF_BORDER"]) == 0
    assert not list((public / "reports").rglob("revisions"))
    first = contents(public)
    source = office / "data/XX/entradas.csv"
    source.write_bytes(source.read_bytes().replace(b"1.259", b"1.260").replace(b"1.234", b"1.235"))
    assert run(office, flows=["DF_BORDER"]) == 1
    assert "error REV-03  XX/entradas.csv, cells E7, E2" in capsys.readouterr().err
    assert contents(public)["files/DF_BORDER/XX/data.csv"] == first["files/DF_BORDER/XX/data.csv"]
    explain(office)
    assert run(office, flows=["DF_BORDER"]) == 0
    told = table((public / "reports/XX/revisions/DF_BORDER.csv").read_bytes())
    assert [(r["kind"], r["old"], r["new"], r["note_es"]) for r in told] == [
        ("revised", "1259", "1260", "Formularios tardíos"),
        ("revised", "1234", "1235", "Formularios tardíos"),
    ]
    then = contents(public)
    assert run(office, flows=["DF_BORDER"]) == 0  # the same again
    assert contents(public) == then
    shutil.rmtree(office / "data/XX")
    assert run(office, flows=["DF_BORDER"]) == 1  # nothing to read: all is kept
    assert contents(public)["reports/XX/revisions/DF_BORDER.csv"] == then["reports/XX/revisions/DF_BORDER.csv"]
