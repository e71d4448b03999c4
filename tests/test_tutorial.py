"""The tutorial is what happens: its files are saved, its commands run, and its lines looked for, in a copy of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?P<before>[^\n]*(?:\n[^\n`#][^\n]*)*)\n\n```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)
NAMED = re.compile(r"`([\w./-]+\.(?:csv|toml))`(?! lists)")


def steps() -> Iterator[tuple[str, str, str]]:
    """Kind, name of the file and content of each block, in order."""
    for found in BLOCK.finditer(TEXT):
        names = NAMED.findall(found["before"])
        yield found["kind"], names[-1] if names else "", found["body"]


@pytest.mark.thorough  # publishes
def test_the_tutorial_is_what_happens(tmp_path: Path) -> None:
    here = tmp_path / "project"
    here.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, here / name)
    (here / ".venv").symlink_to(ROOT / ".venv")
    told, run, shown = "", 0, 0
    for kind, name, body in steps():
        if kind == "sh":
            done = subprocess.run(["sh", "-ec", body], cwd=here, capture_output=True, text=True, check=False)
            told, run = done.stdout + done.stderr, run + 1
            assert done.returncode == 0, f"{body}\n{told}"
        elif kind == "text":
            for line in body.splitlines():
                assert line in told, f"{line!r} is not among what was said:\n{told}"
                shown += 1
        else:
            (here / name).write_text(body, encoding="utf-8")
    assert (run, shown) == (7, 13)
    assert (here / "build/public/es/data/DF_STOCK/UY/index.html").is_file()
