"""Words for people: those of `site/text/`, those that data bring in several languages, and the pages they stand in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.framework import Text

SITE = Path(__file__).parents[1] / "site"
LOCALES = {"en": "en_GB", "es": "es", "pt": "pt"}  # of numbers and dates


@cache
def texts(of: str, language: str) -> Mapping[str, Any]:
    """The words of one kind of page or message in one language."""
    return tomllib.loads((SITE / f"text/{of}.{language}.toml").read_text(encoding="utf-8"))


def said(text: Text, language: str) -> str:
    """A text in a language, in English where it has none in it."""
    return text.get(language) or text["en"]


def environment(templates: Path = SITE / "templates") -> Environment:
    """Everything is escaped unless it is marked, and a name that does not exist is an error."""
    return Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
