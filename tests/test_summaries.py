"""The reports for the director and for machines, and `validate` on one file."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import tables
from frictionless import Resource, Schema
from frictionless.resources import TableResource
from lxml import etree, html
from test_publish import break_workbook, explain, manifest, run

from pipeline import commands, director, flat, junit, vintages
from pipeline import library as authored
from pipeline.__main__ import parser
from pipeline.errors import SetupError
from pipeline.formats import formats
from pipeline.framework import LANGUAGES, Waiver
from pipeline.model import Issue, Library, Release, Report
from pipeline.settings import settings
from pipeline.texts import texts

ROOT = Path(__file__).parents[1]
ERROR = Issue(
    "ACC-01", "E", "CL", "DF_STOCK", "1 000 ≠ Σ", "_T = F + M", "SEX", "CL/a.xlsx", "Hoja", "Sexo", ("C7",), 3
)
NOTE = Issue("ING-02", "I", "CL", "DF_STOCK", "", "", file="CL/a.xlsx", count=7)
REPORT = Report("CL", "DF_STOCK", (NOTE, ERROR), {"STR-01": 9, "ACC-01": 4})
KEY = ("CL", "DF_STOCK")
SCHEMA = ROOT / "site/assets/issues.schema.json"


def suites(
    reports: Mapping[tuple[str, str], Report], library: Library, unread: Mapping[tuple[str, str], str] | None = None
) -> etree._Element:
    return etree.fromstring(junit.written(reports, library, "en", unread=unread or {}))


# ---------------------------------------------------------------- flat table


def test_the_flat_table_fits_its_published_schema() -> None:
    waived = replace(ERROR, waiver="INE 7", cells=("C7", "C8", "C9", "C10"))
    content = flat.table(replace(REPORT, issues=(NOTE, ERROR, waived)))
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [(r["code"], r["severity"], r["waiver"], r["cells"], r["count"]) for r in rows] == [
        ("ACC-01", "E", "", "C7", "3"),
        ("ACC-01", "E", "INE 7", "C7 C8 C9", "3"),
        ("ING-02", "I", "", "", "7"),
    ]
    assert "1 000" not in content.decode()  # what was found stays with the office
    schema = Schema.from_descriptor(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert schema.field_names == list(rows[0])
    found = TableResource(data=content, format="csv", schema=schema).validate()
    assert found.valid, found.flatten(["type", "note"])
    wrong = content.replace(b",E,", b",X,", 1)
    assert not Resource(data=wrong, format="csv", schema=schema).validate().valid


# ---------------------------------------------------------------- JUnit


def test_a_rule_that_fails_is_a_case_that_fails(library: Library) -> None:
    root = suites({KEY: REPORT}, library)
    (suite,) = root
    assert suite.get("name") == "CL DF_STOCK"
    counts = {"tests": "3", "failures": "1", "errors": "0", "skipped": "0"}
    assert {name: suite.get(name) for name in counts} == counts
    cases = {case.get("name").split()[0]: case for case in suite}
    assert list(cases) == ["STR-01", "ACC-01", "ING-02"]
    (failure,) = cases["ACC-01"]
    assert 'CL/a.xlsx, sheet "Hoja", cell C7, column "Sexo"' in failure.text
    assert "1 000 ≠ Σ" in failure.get("message")
    assert "_T = F + M" in failure.text
    assert len(cases["STR-01"]) == 0
    assert cases["ING-02"][0].tag == "system-out"


def test_what_is_waived_is_skipped_and_what_could_not_be_read_is_an_error(library: Library) -> None:
    waived = replace(REPORT, issues=(replace(ERROR, waiver="INE 7"),))
    root = suites({KEY: waived, ("AR", "DF_STOCK"): REPORT}, library, {("AR", "DF_STOCK"): "not a workbook"})
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "0",
        "errors": "1",
        "skipped": "1",
    }
    assert root.find(".//skipped").get("message") == "error waived (INE 7)"
    assert root.find(".//error").text == "not a workbook"


def test_signs_that_xml_forbids_do_not_break_it(library: Library) -> None:
    odd = replace(ERROR, found="a\x00\x1f<&>\ufffe", heading="b\x0b")
    assert "a��<&>�" in suites({KEY: replace(REPORT, issues=(odd,))}, library).find(".//failure").get("message")


# ---------------------------------------------------------------- the director's page


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, Library, Path]:
    """A release in which one table is held back, one is revised, and a waiver holds."""
    from office import build_office

    office = build_office(tmp_path_factory.mktemp("office"))
    library = authored.load(office)
    granted = Waiver(
        *("XX", "DF_BORDER", "ACC-05", "", "Directora", "2026-01-01", "2027-01-01"),
        reason={"en": "<Late>", "es": "Tarde", "pt": "Tarde"},
        reference="INF 3",
    )
    unfit = Report("XX", "DF_STOCK", (replace(ERROR, area="XX"),), {})
    rows = [
        {"BEFORE": "1000", "STATUS_BEFORE": "P", "OBS_VALUE": "1100", "OBS_STATUS": "A"},
        {"BEFORE": "1000", "STATUS_BEFORE": "P", "OBS_VALUE": "", "OBS_STATUS": "", "SEX": "F"},
    ]
    changes = tables.changed(rows, library.dataflows["DF_STOCK"], library)
    assert changes is not None
    record = {vintages.path("XX", "DF_BORDER"): vintages.written(changes)}
    held = {("XX", "DF_STOCK"): {"en": "3 cells: ACC-01"}, ("XX", "DF_BORDER"): {"en": "XX/entradas.csv: not there"}}
    release = Release((), {("XX", "DF_STOCK"): unfit}, held, {}, record)
    return release, replace(library, waivers=(granted,)), office


def pages(signed: tuple[Release, Library, Path]) -> dict[str, str]:
    release, library, office = signed
    chosen = replace(settings(office / "publish.toml", library, formats=formats()), release=f"{tables.DAY}.1")
    return {name: content.decode() for name, content in director.pages(release, library, chosen).items()}


def test_the_director_reads_what_is_held_back_waived_and_changed(signed: tuple[Release, Library, Path]) -> None:
    found = pages(signed)
    assert found.keys() == {f"director.{language}.html" for language in LANGUAGES}
    text = html.fromstring(found["director.en.html"]).text_content()
    assert "Fictionland, Migrant stock" in " ".join(text.split()) or "Fictionland" in text
    assert "(ACC-01: 3)" in text
    assert "XX/entradas.csv: not there" in text
    assert "Nothing of it is published." in text
    assert "<Late> (Directora, INF 3; until 1 January 2027, in force)" in text
    assert "+10.0%" in text
    assert "+10,0" in html.fromstring(found["director.es.html"]).text_content()


def test_the_page_works_offline_and_for_everybody(signed: tuple[Release, Library, Path]) -> None:
    for language in LANGUAGES:
        page = pages(signed)[f"director.{language}.html"]
        tree = html.fromstring(page)
        assert tree.get("lang") == language
        assert "http" not in page.replace("http-equiv", "")
        assert not tree.xpath("//script | //link | //img | //*[@src] | //*[@href]")
        assert len(tree.xpath("//main")) == len(tree.xpath("//h1")) == 1
        assert all(tree.xpath(f"//*[@id='{each}']") for each in tree.xpath("//@aria-labelledby"))
        assert all(th.get("scope") for th in tree.xpath("//th"))
        for sentence in ("held_back", "waivers", "changes", "published"):
            assert texts("director", language)[sentence] in page


def test_the_words_are_the_same_in_every_language() -> None:
    words = [texts("director", language).keys() for language in LANGUAGES]
    assert words[0] == words[1] == words[2]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no browser to print the page with")
def test_the_longest_page_is_one_sheet_of_paper(
    signed: tuple[Release, Library, Path], library: Library, tmp_path: Path
) -> None:
    """The ten countries with everything held back, revised and waived."""
    release, of_office, _ = signed
    keys = [(area, flow) for area, country in library.countries.items() for flow in country.series]
    assert len(keys) > 30
    why = {"en": "XX/the_table_of_the_office.xlsx: not a workbook that can be opened. Ask the provider for another."}
    record = next(iter(release.records.values()))
    records = {vintages.path(*key): record for key in keys}
    full = replace(release, reports={}, held_back=dict.fromkeys(keys, why), records=records)
    granted = replace(of_office.waivers[0], area="CL", flow="DF_STOCK", reason={"en": "A reason of the office. " * 4})
    library = replace(library, waivers=(granted,) * 9)
    assert director._MOST["held_back"] < len(keys)
    for language in LANGUAGES:
        (tmp_path / "page.html").write_text(pages((full, library, ROOT))[f"director.{language}.html"], "utf-8")
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
        command += [f"--print-to-pdf={tmp_path}/page.pdf", "--no-pdf-header-footer", f"file://{tmp_path}/page.html"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        assert (tmp_path / "page.pdf").read_bytes().count(b"/Type /Page\n") == 1


# ---------------------------------------------------------------- through the command line


@pytest.mark.thorough
def test_publishing_writes_the_reports(office: Path) -> None:
    break_workbook(office)
    assert run(office, is_dry=True) == 1
    reports = office / "build/reports"
    assert sorted(path.name for path in reports.iterdir()) == [
        *(f"director.{language}.html" for language in LANGUAGES),
        "issues.txt",
        "junit.xml",
        "publish.log",
    ]
    root = etree.parse(reports / "junit.xml").getroot()
    assert {suite.get("name"): suite.get("errors") for suite in root} == {
        "XX DF_BORDER": "0",
        "XX DF_STOCK": "1",
        "XX DF_INDIC": "0",
        "XX DF_CAPACITY": "0",
    }
    assert "XX/cuadro_1.xlsx: not a workbook" in (reports / "director.en.html").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_the_flat_table_is_published_beside_the_record(office: Path) -> None:
    explain(office)
    assert run(office, flows=["DF_BORDER"]) == 0
    listed = manifest(office / "build/public")
    assert {"reports/XX/DF_BORDER.json", "reports/XX/DF_BORDER.csv", "assets/issues.schema.json"} <= listed.keys()
    assert not [path for path in listed if "director" in path or "junit" in path]


def test_one_file_is_validated_alone(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = office / "metadata/national/XX/DF_BORDER.toml"
    text = layout.read_text(encoding="utf-8")
    layout.write_text(text + text.replace("entradas.csv", "salidas.csv").replace("CRS_IN", "CRS_OUT"), encoding="utf-8")
    file = office / "data/XX/entradas.csv"  # salidas.csv has not come
    assert commands.validate(office, area="XX", flow="DF_BORDER", file=file) == 0
    made = {path.name for path in (office / "build/reports/XX").iterdir() if path.is_file()}
    assert made == {"DF_BORDER.json", "DF_BORDER.html", "DF_BORDER.csv", "DF_BORDER.junit.xml"}
    with pytest.raises(SetupError, match=r"none of the files of this dataflow: entradas\.csv, salidas\.csv"):
        commands.validate(office, area="XX", flow="DF_BORDER", file=office / "publish.toml")
    with pytest.raises(SetupError, match="there is no such file"):
        commands.validate(office, area="XX", flow="DF_BORDER", file=office / "nothing.csv")


def test_the_file_is_given_by_place_or_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["a.csv", "--area", "CL", "--flow", "DF_STOCK"], ["--area", "CL", "--file", "a.csv"]):
        options = parser().parse_args(["validate", *words])
        assert (options.given or options.file) == Path("a.csv")


def test_without_arguments_it_says_what_it_needs() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pipeline", "validate"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "python -m pipeline validate FILE --area CL --flow DF_STOCK" in told.stderr
    assert "Traceback" not in told.stderr
