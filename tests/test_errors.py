"""Errors that stop a table or a run are told in the language of the office."""

from __future__ import annotations

import ast
import string
import tomllib
from pathlib import Path

import pytest

from pipeline.errors import InputError, Told, in_sheet
from pipeline.read import read
from pipeline.settings import language

ROOT = Path(__file__).parents[1]
RAISED = {"InputError", "SetupError", "PublishError", "Told"}
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "pipeline").rglob("*.py"))]
TRANSLATIONS = {
    each: tomllib.loads((ROOT / f"site/text/errors.{each}.toml").read_text(encoding="utf-8")) for each in ("es", "pt")
}


def templates() -> set[str]:
    """The texts that errors are raised with; those that are only facts and marks are the same in any language."""
    first = [
        node.args[0]
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args
    ]
    texts = [each for arg in first for each in ast.walk(arg) if isinstance(each, ast.Constant)]
    return {text.value for text in texts if any(part.strip(" :.,/") for part, *_ in fields(text.value))}


def fields(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(template))


@pytest.mark.parametrize("spoken", ["es", "pt"])
def test_every_error_is_translated_with_the_same_facts(spoken: str) -> None:
    told = TRANSLATIONS[spoken]
    assert sorted(templates() - told.keys()) == []
    for english, translated in told.items():
        facts = [sorted({part[1:] for part in fields(text) if part[1]}) for text in (english, translated)]
        assert facts[0] == facts[1], translated


def test_no_translation_is_left_over() -> None:
    texts = {
        node.value
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert TRANSLATIONS["es"].keys() == TRANSLATIONS["pt"].keys()
    assert sorted(TRANSLATIONS["es"].keys() - texts) == []


def test_no_error_is_raised_with_a_text_that_was_put_together() -> None:
    """A text with its facts already in it has no translation."""
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args:
                assert not isinstance(node.args[0], ast.JoinedStr), ast.unparse(node)


def test_facts_that_are_told_are_told_in_the_same_language() -> None:
    fault = Told('no column is headed "{heading}"', heading="Año {x}")
    assert Told("{where}: {fault}", where=in_sheet("CL/a.xlsx", "Datos"), fault=fault).said("es") == (
        'CL/a.xlsx, hoja "Datos": ninguna columna tiene el encabezado "Año {x}"'
    )


def test_a_file_that_cannot_be_read_says_so_in_three_languages(tmp_path: Path) -> None:
    from pipeline.model import Layout

    (tmp_path / "a.xlsx").write_bytes(b"%PDF-1.7")
    with pytest.raises(InputError) as refused:
        read(tmp_path, Layout("a.xlsx", "", "", ""))
    said = refused.value.text()
    assert str(refused.value) == said["en"]
    assert "un documento PDF" in said["es"]
    assert "um documento PDF" in said["pt"]


@pytest.mark.parametrize(
    ("content", "expected"), [('language = "pt"', "pt"), ('language = "fr"', "en"), ("language = [", "en")]
)
def test_the_language_is_known_even_where_the_settings_are_wrong(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "publish.toml"
    file.write_text(content, encoding="utf-8")
    assert language(file) == expected
    assert language(tmp_path / "absent.toml") == "en"
