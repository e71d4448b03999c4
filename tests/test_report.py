"""Issues in words, in three languages, and the pages that explain each of them."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from pathlib import Path

import pytest
import tables

from pipeline import library as authored
from pipeline import report
from pipeline.framework import LANGUAGES
from pipeline.model import Issue, Library, Report
from pipeline.validate import validate

ROOT = Path(__file__).parents[1]
PLACEHOLDERS = {"found", "expected", "component", "allowed", "area", "flow"}

X = Issue(
    code="STR-03",
    severity="E",
    area="CL",
    flow="DF_STOCK",
    found="X",
    expected="SDMX:CL_SEX(2.1)",
    component="SEX",
    file="stock.xlsx",
    sheet="Cuadro 1",
    heading="Sexo",
    cells=("C7", "C8", "C9"),
    count=12,
)


def test_an_issue_says_where_what_and_what_to_do(library: Library) -> None:
    assert report.terminal(X, library, "en") == (
        'error STR-03  CL/stock.xlsx, sheet "Cuadro 1", cells C7, C8, C9, column "Sexo": '
        '"X" is not a code of SDMX:CL_SEX(2.1).  [12 cells, first 3 shown]\n'
        '              Allowed: F, M, _N, _O, _T, _U, _Z. If "X" means one of these, '
        "add a row to metadata/national/CL/codes.csv.  docs/issues/STR-03"
    )


def test_in_the_language_of_the_office(library: Library) -> None:
    assert report.terminal(X, library, "es").startswith(
        'error STR-03  CL/stock.xlsx, hoja "Cuadro 1", celdas C7, C8, C9, columna "Sexo": "X" no es un código'
    )
    assert report.terminal(replace(X, severity="W"), library, "pt").startswith(
        'aviso STR-03  CL/stock.xlsx, planilha "Cuadro 1", células C7, C8, C9'
    )


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"cells": ("C7",), "count": 1}, ""),
        ({"cells": (), "count": 1}, "  [1 cell]"),
        ({"cells": (), "count": 7}, "  [7 cells]"),
        ({"cells": ("C7", "C8"), "count": 2}, "  [2 cells]"),
        ({"file": ""}, ""),
    ],
)
def test_the_number_of_cells(change: dict[str, object], count: str, library: Library) -> None:
    first = report.terminal(replace(X, **change), library, "en").split("\n")[0]
    assert first.endswith(f'"X" is not a code of SDMX:CL_SEX(2.1).{count}')


def test_a_long_list_of_codes_is_cut(library: Library) -> None:
    said = report.terminal(replace(X, component="AGE"), library, "en")
    assert "Allowed: _T, Y0T14, Y15T24, Y25T44, Y45T64, Y_GE65, Y0T4, Y5T9, …" in said


def test_an_issue_of_no_table(library: Library) -> None:
    issue = Issue("MET-01", "W", "CL", "DF_STOCK", "CONTACT_ORGANISATION", "CONTACT_ORGANISATION")
    assert report.terminal(issue, library, "en").startswith(
        "warning MET-01  CL/DF_STOCK: The reference metadata lack Contact organisation (CONTACT_ORGANISATION)."
    )


def test_errors_come_first() -> None:
    notes = [replace(X, severity=severity) for severity in ("I", "W", "E")]
    assert [i.severity for i in report.ordered(Report("CL", "DF_STOCK", tuple(notes), {}))] == ["E", "W", "I"]


def test_why_a_delivery_is_held_back() -> None:
    found = Report("CL", "DF_STOCK", (X, replace(X, found="Y", count=1), replace(X, severity="W")), {})
    assert report.reason(found) == {"en": "13 cells: STR-03", "es": "13 celdas: STR-03", "pt": "13 células: STR-03"}


def test_the_record_is_json_and_tells_no_small_figure(library: Library) -> None:
    chile = tables.with_chile(library)
    rows = [{"SEX": sex, "OBS_VALUE": value} for sex, value in (("_T", "1000"), ("F", "993"), ("M", "4"))]
    found = validate(tables.observations(rows, chile.dataflows["DF_STOCK"]), chile, day=tables.DAY)
    content = report.records({("CL", "DF_STOCK"): found}, {("CL", "DF_STOCK"): {"success": False}})
    record = json.loads(content["reports/CL/DF_STOCK.json"])
    assert record["fit"] is False
    assert record["suite"] == {"success": False}
    (issue,) = record["issues"]
    assert "found" not in issue
    assert found.issues[0].found == "1\u00a0000 ≠ Σ ± <10"
    assert issue["cells"] == ["I2"]


# ---------------------------------------------------------------- the texts and pages


def test_texts_use_known_placeholders_in_every_language(library: Library) -> None:
    for kind in library.issue_types.values():
        for text in (kind.title, kind.when, kind.message, kind.remedy):
            used = [{name for _, name, _, _ in string.Formatter().parse(text[lang]) if name} for lang in LANGUAGES]
            assert used[0] <= PLACEHOLDERS, kind.code
            assert used[0] == used[1] == used[2], kind.code
        assert kind.who in ("provider", "office", "framework")


def test_every_language_has_the_same_words() -> None:
    words = [report._words(language) for language in LANGUAGES]
    assert words[0].keys() == words[1].keys() == words[2].keys()


def test_pages_on_disk_are_those_generated(library: Library) -> None:
    pages = dict(report.issue_pages(library, ROOT / "tests/cases"))
    on_disk = {f"docs/issues/{path.name}" for path in (ROOT / "docs/issues").glob("*.md")}
    assert on_disk == pages.keys()
    for path, content in pages.items():
        assert (ROOT / path).read_text(encoding="utf-8") == content, f"{path} is not as generated"


def test_rules_issues_cases_and_pages_hold_together(library: Library) -> None:
    issues = library.issue_types.keys()
    assert {rule.id for flow in library.dataflows.values() for rule in flow.rules} <= issues
    assert {path.name for path in (ROOT / "tests/cases").iterdir() if path.is_dir()} == issues
    assert {path.stem for path in (ROOT / "docs/issues").glob("*.md")} == issues


def test_the_reason_for_leaving_cells_out_is_told_in_the_language_of_the_reader(library: Library) -> None:
    reason = "The same figure stands in the table by region and sex; it is read there"
    issue = Issue("ING-01", "I", "CL", "DF_STOCK", reason, "", file="CL/a.csv", count=3)
    assert reason in report.terminal(issue, library, "en")
    assert library.reasons[reason]["es"] in report.terminal(issue, library, "es")
    assert library.reasons[reason]["pt"] in report.terminal(issue, library, "pt")


def test_a_reason_in_one_language_only_is_told_as_such(office: Path) -> None:
    path = office / "metadata/reasons.csv"
    assert authored.load(office).untranslated == ()
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    assert authored.load(office).untranslated == ('XX, "Crew are not counted as travellers": en es pt',)
