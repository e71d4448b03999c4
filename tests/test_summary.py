"""What a run says at its end: short, in one language, with what stands where."""

from __future__ import annotations

import logging
import os
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline import summary
from pipeline.commands import _logged
from pipeline.framework import LANGUAGES, Text
from pipeline.model import Compared, Issue, Ledger, Library, Release, Report, Settings

ROOT = Path(__file__).parents[1]
PATH = Path("build/reports/issues.txt")
WORDS = {
    lang: tomllib.loads((ROOT / f"site/text/terminal.{lang}.toml").read_text(encoding="utf-8")) for lang in LANGUAGES
}


def issue(code: str, severity: str = "W", *, area: str = "CL", number: int = 1) -> Issue:
    place = {"file": f"{area}/a.csv", "cells": (f"B{number}",)}
    return Issue(code, severity, area, "DF_STOCK", "1", "2", **place)  # type: ignore[arg-type]


def made(*issues: Issue, held_back: dict[tuple[str, str], Text] | None = None) -> Release:
    report = Report("CL", "DF_STOCK", issues, {})
    return Release((), {("CL", "DF_STOCK"): report}, held_back or {}, compared=Compared())


def test_warnings_are_told_by_kind_and_the_file_has_each(library: Library) -> None:
    found = [*(issue("TSO-01", area=area) for area in ("CL", "PE", "PE")), issue("TSO-02"), issue("ING-01", "I")]
    listed = summary.every(made(*found), library)
    lines = list(summary.grouped(listed, library, "es", path=PATH))
    assert lines[0].startswith("Hay 4 avisos, y 0 errores")
    assert lines[1].split()[:2] == ["3", "TSO-01"]
    assert lines[1].endswith(": CL, PE")
    assert lines[2].split()[:2] == ["1", "TSO-02"]
    assert lines[3].endswith(str(PATH))
    assert len(lines) == 4
    full = summary.listing(listed, library, "es")
    assert full.count("aviso TSO-01") == 3
    assert "CL/a.csv, celda B1" in full
    assert "ING-01" not in full


def test_nothing_is_said_where_nothing_was_found(library: Library) -> None:
    assert list(summary.grouped([], library, "es", path=PATH)) == []
    assert list(summary.held_back(made(), "es")) == []


def test_errors_are_told_in_full_but_not_by_the_hundred(library: Library) -> None:
    found = [issue("STR-08", "E", number=number) for number in range(1, 31)]
    lines = list(summary.errors([*found, issue("TSO-01"), issue("DOM-10", "E", area="PE")], library, "en", path=PATH))
    assert len(lines) == 22
    assert lines[0].startswith("error STR-08  CL/a.csv, cell B1: ")
    assert lines[20] == f"… and 10 more errors of this table: {PATH}"
    assert lines[21].startswith("error DOM-10  PE/a.csv")


def test_a_table_that_is_held_back_says_why(library: Library) -> None:
    held = {("CL", "DF_STOCK"): {"es": "2 celdas: ACC-05", "en": "2 cells: ACC-05"}}
    assert next(iter(summary.held_back(made(held_back=held), "es"))) == "Retenido CL DF_STOCK: 2 celdas: ACC-05"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_end_says_how_to_look_at_it(language: str) -> None:
    chosen = Settings((), (), (), "", "2026-11-24.1", language, {})
    lines = list(summary.published(made(), chosen, public=Path("build/public"), reports=Path("build/reports")))
    assert "2026-11-24.1" in lines[0]
    assert "make serve" in lines[1]
    for path in ("build/public/index.html", f"build/reports/director.{language}.html", "build/reports/publish.log"):
        assert any(line.endswith(path) for line in lines)


def test_what_became_of_the_cells_adds_up() -> None:
    line = summary.read("CL", "DF_STOCK", Ledger(100, 80, {"blank": 12, "a note": 5}, {"Otra": 3}), "en")
    assert line == "CL DF_STOCK: 100 cells read = 80 observations + 17 left out + 3 rejected."


def test_the_log_goes_to_its_file_and_libraries_keep_silent(tmp_path: Path) -> None:
    with _logged(tmp_path / "reports/publish.log"):
        logging.getLogger("trayecto").error("CL DF_STOCK: 3 cells read")
    logging.getLogger("trayecto").error("after")
    assert (tmp_path / "reports/publish.log").read_text(encoding="utf-8") == "CL DF_STOCK: 3 cells read\n"
    code = (
        "import logging, sys; from pipeline.__main__ import main; sys.argv[1:] = ['publish', '--area', 'ZZ'];"
        "code = main(); logging.getLogger('other').info('noise'); logging.getLogger('trayecto').info('work');"
        "logging.getLogger('other').warning('heed'); sys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.splitlines()[1:] == ["heed"]


def test_the_three_languages_say_the_same_and_all_of_it_is_used() -> None:
    used = {"setting_up"}  # by the Makefile
    for module in ("summary.py", "commands.py"):
        source = (ROOT / "pipeline" / module).read_text(encoding="utf-8")
        used |= set(re.findall(r"""(?:say|words\([\w.]+\))\[["'](\w+)["']""", source))
    for path in (ROOT / "pipeline").rglob("*.py"):
        used |= set(re.findall(r'\["(progress_\w+)"\]', path.read_text(encoding="utf-8")))
    fields = {
        language: {key: sorted(f for _, f, _, _ in string.Formatter().parse(text) if f) for key, text in said.items()}
        for language, said in WORDS.items()
    }
    assert fields["es"] == fields["en"] == fields["pt"]
    assert set(WORDS["es"]) - used <= {"fit", "unfit"}


def test_make_says_in_the_same_language_that_it_sets_up() -> None:
    alone = {each: value for each, value in os.environ.items() if not each.startswith("MAKE")}  # make may run this
    shown = subprocess.run(
        ["make", "-n", "-B", ".venv/run.stamp"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    ).stdout
    said = shown.splitlines()[0]
    told = subprocess.run(["sh", "-c", said], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told == WORDS["es"]["setting_up"] + "\n"
