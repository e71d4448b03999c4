"""Publishing: golden tree, one bad table, kills, same bytes. The office is the fictional XX."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from test_formats import description

from pipeline import publish as publish_
from pipeline.commands import publish, validate
from pipeline.errors import PublishError, SetupError, of_the_machine
from pipeline.model import Library, Report
from pipeline.validate import missing_metadata

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden/XX/public"
COMPARED = ("files/DF_", "packages/", "reports/", "releases/", "catalog.", "en/data/DF_STOCK/XX/")
RUN = "from pathlib import Path; import sys; from pipeline.commands import publish; sys.exit(publish(Path({root!r}), areas=[], flows=[], is_dry=False))"


def run(office: Path, *, areas: list[str] | None = None, flows: list[str] | None = None, is_dry: bool = False) -> int:
    return publish(office, areas=areas or [], flows=flows or [], is_dry=is_dry)


def contents(public: Path) -> dict[str, str]:
    """Checksum of every file below a folder."""
    return {
        path.relative_to(public).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(public.rglob("*"))
        if path.is_file()
    }


def manifest(public: Path) -> dict[str, dict[str, str]]:
    return json.loads((public / "manifest.json").read_text(encoding="utf-8"))["files"]  # type: ignore[no-any-return]


def is_whole(public: Path) -> bool:
    """Every file of the manifest is there and is what it says, and nothing else is."""
    found = contents(public)
    found.pop("manifest.json")
    return found == {path: entry["sha256"] for path, entry in manifest(public).items()}


@pytest.fixture
def standing(published: Path, tmp_path: Path) -> Path:
    """An office with a release, to be changed."""
    return Path(shutil.copytree(published, tmp_path / "office"))


def explain(office: Path, flow: str = "DF_BORDER") -> None:
    """Say why published figures change, so that they may."""
    (office / "metadata/national/XX/revisions.csv").write_text(
        "flow,date,scope,reason_en,reason_es,reason_pt\n"
        f"{flow},2026-11-24,,Forms that came late,Formularios tardíos,Formulários tardios\n",
        encoding="utf-8",
    )


def break_workbook(office: Path) -> None:
    (office / "data/XX/cuadro_1.xlsx").write_bytes(b"PK\x03\x04 cut off")


def test_the_tree_is_the_golden_one(published: Path) -> None:
    """Set GOLDEN=write to accept a change, and review it with git diff."""
    public = published / "build/public"
    made = {
        path.relative_to(public).as_posix(): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
        and path.suffix not in (".zip", ".xlsx")
        and not path.match("releases/*/manifest.json")
        and path.relative_to(public).as_posix().startswith(COMPARED)
    }
    if os.environ.get("GOLDEN") == "write":
        shutil.rmtree(GOLDEN, ignore_errors=True)
        for name, content in made.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_bytes(content)
    golden = {p.relative_to(GOLDEN).as_posix(): p.read_bytes() for p in GOLDEN.rglob("*") if p.is_file()}
    assert made.keys() == golden.keys()
    assert [name for name in made if made[name] != golden[name]] == []


def test_the_manifest_lists_every_file(published: Path) -> None:
    assert is_whole(published / "build/public")


def test_what_the_contract_promises_is_there(published: Path) -> None:
    public = published / "build/public"
    for path in (
        "index.html",
        "es/index.html",
        "en/index.html",
        "pt/index.html",
        "files/DF_STOCK/XX/data.csv",
        "files/DF_STOCK/XX/data.xml",
        "files/structures/structures-2.1.xml",
        "files/structures/structures-3.0.xml",
        "files/structures/structures.json",
        "packages/DF_STOCK/XX/datapackage.json",
        "packages/DF_STOCK/XX.zip",
        "catalog.ttl",
        "catalog.jsonld",
        "sdmx/v1/data/DF_STOCK/index.xml",
        "sdmx/v1/data/MIGLAC,DF_STOCK,1.0/all/index.xml",
        "sdmx/v1/data/DF_STOCK/A.XX........./index.xml",
        "sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/+/A.XX.*.*.*.*.*.*.*.*.*/index.csv",
        "sdmx/v1/availableconstraint/MIGLAC,DF_STOCK,1.0/index.xml",
        "sdmx/v1/dataflow/MIGLAC/all/latest/index.xml",
        "sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0/index.csv",
        "_headers",
        ".htaccess",
        "nginx.conf",
        "web.config",
    ):
        assert (public / path).is_file(), path


def test_no_small_count_is_in_any_published_byte(published: Path) -> None:
    """Namibian men of 2020 were two, and nine persons in all: neither they nor the women of that line show."""
    table = (published / "build/public/files/DF_STOCK/XX/data.csv").read_text(encoding="utf-8").splitlines()
    namibian = [line for line in table if ",M,_T,_T,NA," in line and ",2020," in line]
    assert len(namibian) == 1
    assert ",2020,,Q,A," in namibian[0]


@pytest.mark.thorough
def test_the_same_input_gives_the_same_bytes_elsewhere(published: Path, office: Path) -> None:
    shutil.rmtree(office / "build", ignore_errors=True)
    command = [sys.executable, "-c", RUN.format(root=str(office))]
    environment = {**os.environ, "PYTHONHASHSEED": "42", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert contents(office / "build/public") == contents(published / "build/public")


# ---------------------------------------------------------------- one bad table


def test_a_broken_workbook_stops_nobody(standing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = standing / "build/public"
    before = contents(public)
    break_workbook(standing)
    explain(standing)
    (standing / "data/XX/entradas.csv").write_text(
        "Año;Mes;Nacionalidad;Sexo;Entradas\n2025;Enero;Perú;H;55\n", encoding="latin-1"
    )
    assert run(standing) == 1
    after = contents(public)
    assert is_whole(public)
    kept = ("data.csv", "data.xml", "data-3.0.xml", "lineage.parquet")
    for path in (
        *(f"files/DF_STOCK/XX/{name}" for name in kept),
        "packages/DF_STOCK/XX.zip",
        "reports/XX/DF_STOCK.json",
    ):
        assert after[path] == before[path]
    assert after["files/DF_BORDER/XX/data.csv"] != before["files/DF_BORDER/XX/data.csv"]
    assert "XX/cuadro_1.xlsx: not a workbook that can be opened" in capsys.readouterr().err


def test_a_mandatory_text_that_is_not_there_holds_back_unless_it_is_said_to_be_not_known(
    library: Library,
) -> None:
    said = replace(description(library), missing=("REV_POLICY", "CONTACT_EMAIL"), not_known=("CONTACT_EMAIL",))
    report = Report("CL", "DF_STOCK", missing_metadata(said), {})
    assert {issue.found: issue.severity for issue in report.issues} == {"REV_POLICY": "E", "CONTACT_EMAIL": "W"}
    assert not report.is_fit
    assert Report("CL", "DF_STOCK", missing_metadata(replace(said, missing=said.not_known)), {}).is_fit


@pytest.mark.thorough
def test_a_table_without_a_mandatory_text_is_held_back(standing: Path) -> None:
    country, public = standing / "metadata/national/XX/country.toml", standing / "build/public"
    before = contents(public)
    page = (public / "en/data/DF_STOCK/XX/index.html").read_text(encoding="utf-8")
    assert "Not known, because no source that was read says it: Unit;" in page
    text = country.read_text(encoding="utf-8")
    assert '  "REV_POLICY",\n' in text
    country.write_text(text.replace('  "REV_POLICY",\n', ""), encoding="utf-8")
    assert run(standing) == 1
    assert contents(public)["files/DF_STOCK/XX/data.csv"] == before["files/DF_STOCK/XX/data.csv"]
    issues = (standing / "build/reports/issues.txt").read_text(encoding="utf-8")
    assert "error MET-01  XX/DF_STOCK: The reference metadata lack Revision policy (REV_POLICY)." in issues


@pytest.mark.thorough
def test_a_table_with_a_wrong_sum_is_held_back(standing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = standing / "build/public"
    before = contents(public)
    path = standing / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.250"))
    assert run(standing) == 1
    assert contents(public)["files/DF_BORDER/XX/data.csv"] == before["files/DF_BORDER/XX/data.csv"]
    told = capsys.readouterr().err
    assert "ACC-05" in told
    assert "XX/entradas.csv" in told
    assert "E7" in told


@pytest.mark.thorough
def test_headings_exchanged_in_every_year_are_a_revision_to_be_explained(
    standing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table agrees with itself; it is held against the release that stands."""
    before = contents(standing / "build/public")
    path = standing / "data/XX/cuadro_1.xlsx"
    book = openpyxl.load_workbook(path)
    for cell, heading in zip(("C5", "D5", "F5", "G5"), ("Mujeres", "Hombres") * 2, strict=True):
        book["Cuadro 1"][cell] = heading
    book.save(path)
    assert run(standing, flows=["DF_STOCK"]) == 1
    assert contents(standing / "build/public")["files/DF_STOCK/XX/data.csv"] == before["files/DF_STOCK/XX/data.csv"]
    assert "error REV-" in capsys.readouterr().err


@pytest.mark.thorough
def test_a_first_release_goes_out_without_the_bad_table(office: Path) -> None:
    break_workbook(office)
    assert run(office) == 1
    public = office / "build/public"
    assert (public / "files/DF_BORDER/XX/data.csv").exists()
    assert not (public / "files/DF_STOCK").exists()
    assert is_whole(public)


def test_a_fault_in_an_authored_file_publishes_nothing(standing: Path) -> None:
    before = contents(standing / "build/public")
    with (standing / "metadata/national/XX/codes.csv").open("a", encoding="utf-8") as file:
        file.write("SEX,,Otro,X,\n")
    with pytest.raises(SetupError, match=r'XX/codes.csv, row \d+: "X" is not a code of SDMX:CL_SEX\(2.1\)'):
        run(standing)
    assert contents(standing / "build/public") == before


def test_a_standing_release_that_was_tampered_with_is_not_passed_on(standing: Path) -> None:
    break_workbook(standing)
    table = standing / "build/public/packages/DF_STOCK/XX/data.csv"
    table.write_bytes(table.read_bytes().replace(b",1550,", b",1551,"))
    with pytest.raises(PublishError, match="has been changed since it was published"):
        run(standing)


@pytest.mark.thorough
def test_a_narrowed_run_leaves_the_rest(standing: Path) -> None:
    public = standing / "build/public"
    before = contents(public)
    path = standing / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.250"))  # would be held back, but is not asked for
    assert run(standing, areas=["XX"], flows=["DF_STOCK"]) == 0
    after = contents(public)
    assert after == before  # pages that name producers and cells, reports and lineage included


@pytest.mark.thorough
def test_a_dry_run_lists_and_publishes_nothing(standing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(standing / "build/public")
    path = standing / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.260").replace(b"1.234", b"1.235"))
    explain(standing)
    assert run(standing, is_dry=True) == 0
    assert "changed  files/DF_BORDER/XX/data.csv" in capsys.readouterr().out
    assert contents(standing / "build/public") == before
    assert [p.name for p in (standing / "build").iterdir() if p.name.startswith(".next")] == []


def test_validate_says_where_and_writes_to_no_input(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = office / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace("Perú;H;987".encode("latin-1"), b"Marciana;H;987"))
    before = path.read_bytes()
    assert validate(office, area="XX", flow="DF_BORDER", file=None) == 1
    told = capsys.readouterr().out
    assert "STR-03" in told
    assert "C10" in told
    assert "Marciana" in told
    assert path.read_bytes() == before


def test_a_file_is_tried_in_place_of_the_table_of_its_name(office: Path, tmp_path: Path) -> None:
    tried = tmp_path / "tried"
    tried.mkdir()
    shutil.copy(office / "data/XX/cuadro_1.xlsx", tried / "cuadro_1.xlsx")
    assert validate(office, area="XX", flow="DF_STOCK", file=tried / "cuadro_1.xlsx") == 0
    shutil.copy(office / "data/XX/cuadro_1.xlsx", tried / "other.xlsx")
    assert validate(office, area="XX", flow="DF_STOCK", file=tried / "other.xlsx") == 0  # the only file there is


# ---------------------------------------------------------------- kills and races


@pytest.mark.thorough
def test_a_kill_at_any_moment_leaves_a_whole_release(standing: Path) -> None:
    """While files are written, when all are, after the new release has taken the place of the old one, and whenever."""
    public = standing / "build/public"
    # Its import is a third of the time; the pages, of which most moments do without, are another.
    without_gx = "from pipeline import suite; suite.begin = lambda *_: suite.unjudged; "
    without_pages = "from pipeline import catalogue; catalogue.pages = lambda *_, **__: (); "
    whole_run = [sys.executable, "-c", without_gx + RUN.format(root=str(standing))]
    quick_run = [sys.executable, "-c", without_gx + without_pages + RUN.format(root=str(standing))]
    half = len(contents(public)) // 2

    def is_new() -> bool:
        return public.exists() and public.stat().st_ino != stands

    def being_built(left: set[Path]) -> list[str]:
        """Names of the files of the folder that this run makes; `left` are those of runs that were killed."""
        folders = set(standing.glob("build/.next*")) - left
        return [name for folder in folders for _, _, names in os.walk(folder) for name in names]

    began = time.monotonic()
    (standing / "build/.parts.json").unlink()  # or nothing would be made again
    subprocess.run(quick_run, cwd=ROOT, check=True, capture_output=True)
    whole, chance = time.monotonic() - began, random.Random(50)
    moments: list[Callable[[set[Path], float], bool]] = [
        lambda left, _: len(being_built(left)) > half,
        lambda left, _: "manifest.json" in being_built(left),
        lambda *_: is_new(),
    ]

    def after(moment: float) -> Callable[[set[Path], float], bool]:
        return lambda _, spent: spent > moment

    moments += [after(chance.uniform(0, whole)) for _ in range(47)]
    for number, is_now in enumerate(moments):
        left, stands = set(standing.glob("build/.next*")), public.stat().st_ino
        (standing / "build/.parts.json").unlink(missing_ok=True)
        began, command = time.monotonic(), whole_run if number < 3 else quick_run
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not is_now(left, time.monotonic() - began) and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None or number > 2, "the run ended before the moment came"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert is_whole(public)
    (standing / "build/.parts.json").unlink(missing_ok=True)
    assert run(standing) == 0
    assert is_whole(public)
    assert sorted(path.name for path in (standing / "build").iterdir()) == [".lock", ".parts.json", "public", "reports"]


def test_the_swap_is_one_exchange(tmp_path: Path) -> None:
    first, second = tmp_path / "next", tmp_path / "public"
    first.mkdir()
    second.mkdir()
    (first / "new").touch()
    (second / "old").touch()
    if not publish_._exchanged(first, second):
        pytest.skip("this system cannot exchange two names")
    assert (second / "new").exists()
    assert (first / "old").exists()


def test_without_an_exchange_two_renames_do_and_heal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_, "_exchanged", lambda *_: False)
    public = tmp_path / "build/public"
    public.mkdir(parents=True)
    (public / "old").touch()
    with publish_.building(tmp_path / "build") as folder:
        (folder / "new").touch()
        publish_.swap(folder, public)
    assert [path.name for path in public.iterdir()] == ["new"]
    public.rename(tmp_path / "build/.previous")  # as a kill between the two renames leaves it
    with publish_.building(tmp_path / "build"):
        assert [path.name for path in public.iterdir()] == ["new"]


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    again = publish_.building(tmp_path / "build")
    with publish_.building(tmp_path / "build"), pytest.raises(PublishError, match="another run is publishing"), again:
        pass


VERB = """
import resource, sys
from pathlib import Path
import pipeline.__main__ as program
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
program.ROOT = Path({root!r})
sys.argv = ["pipeline", "publish"]
sys.exit(program.main())
"""


@pytest.mark.thorough
@pytest.mark.parametrize("size", [0, 20_000, 300_000])
def test_a_disk_that_is_full_is_told_and_what_stands_stays(size: int, standing: Path) -> None:
    """A limit to the size of files is what a test can set without a disk of its own: writing fails in the same way."""
    before = contents(standing / "build/public")
    (standing / "build/.parts.json").unlink(missing_ok=True)
    command = [sys.executable, "-c", VERB.format(root=str(standing), bytes=size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert "Look whether the disk is full" in done.stderr
    assert contents(standing / "build/public") == before
    assert not list((standing / "build").glob(".next*"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "build/public/x"), "build/public/x: No space left on device"),
        (OSError(errno.EROFS, "Read-only file system", "build"), "build: Read-only file system"),
        (OSError(errno.ESTALE, "Stale file handle"), "a file: Stale file handle"),
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOENT, "No such file or directory", "x"), None),
        (ValueError("x"), None),
    ],
)
def test_faults_of_the_machine_are_no_faults_of_the_program(error: BaseException, says: str | None) -> None:
    found = of_the_machine(error)
    assert (says is None and found is None) or (says is not None and says in str(found))
