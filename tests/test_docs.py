"""What the documents promise is there: commands, files, links, and nothing of the machine they were written on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import architecture
from pipeline.__main__ import parser

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/decisions").glob("*.md")),
]
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
VERBS = set(parser()._subparsers._group_actions[0].choices)  # type: ignore[union-attr, arg-type]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    if not paths:
        pytest.skip("not a git checkout")
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_and_path_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= TARGETS
    assert set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) <= TARGETS
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (document.parent / link).exists(), link
    for path in re.findall(r"`((?:pipeline|tests|dsd|metadata|codelists|site|docs)/[\w./-]*\w)`", text):
        assert (ROOT / path).exists() or "/UY/" in path, path  # UY is the country that the tutorial makes


def test_every_test_that_a_document_names_is_there() -> None:
    there = {
        name
        for path in (ROOT / "tests").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    named = {name for path in DOCUMENTS for name in re.findall(r"`(test_\w+)`", path.read_text("utf-8"))}
    assert "test_through_a_chart" in named
    assert sorted(named - there) == []


def test_every_verb_is_a_target_and_every_target_a_verb() -> None:
    assert VERBS <= TARGETS
    recipes = (ROOT / "Makefile").read_text()
    for target in TARGETS - {"help", "test", "check", "bench"}:
        assert f"$(RUN) {target}" in recipes
    assert TARGETS - {"help", "test", "check", "bench"} == VERBS


def test_the_picture_of_the_architecture_is_current() -> None:
    page = (ROOT / architecture.PAGE).read_text(encoding="utf-8")
    assert page == architecture.page(ROOT)
    assert "run --> read" in page
    assert not re.search(r"^  read --> (recode|validate|protect|publish)$", page, re.MULTILINE)


def test_bare_make_and_bare_module_print_help() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in shown.splitlines()} == TARGETS
    run = subprocess.run([sys.executable, "-m", "pipeline"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert all(verb in run.stdout for verb in VERBS)


def test_the_repository_speaks_of_the_product_alone() -> None:
    # Written so that this file does not name what it forbids.
    forbidden = re.compile(rb"/(?:work|root|tmp)/|py(?:pi\.org)|python(?:hosted)|npm(?:js)")
    for path in tracked():
        if path.suffix in (".png", ".xlsx"):
            continue
        found = forbidden.search(path.read_bytes())
        assert found is None, f"{path.relative_to(ROOT)}: {found[0]!r}"


def test_lock_files_pin_every_package_by_hash() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        packages = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
        blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
        assert packages
        assert all("--hash=sha256:" in block for block in blocks)


def test_the_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+(?: ; [^\\\n]+)?)", (ROOT / name).read_text(), re.MULTILINE))

    assert {p.strip() for p in pins("requirements.lock")} <= {p.strip() for p in pins("requirements-test.lock")}
