"""publish.toml + the options of the command line → `Settings`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline import embargo
from pipeline.framework import LANGUAGES
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.model import Library, Settings

_KEYS = ("title", "areas", "flows", "formats", "base_url", "release", "language")
_OPTIONAL = ("embargo", "notice")
_RELEASE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\.[1-9]\d*")


def settings(path: Path, library: Library, *, formats: Collection[str]) -> Settings:
    """Load the run's configuration.

    Raises:
        SetupError: a key is unknown or missing, or names something that does not exist.
    """
    table = authored.toml(path)
    authored.keys(path, table, (*_KEYS, *_OPTIONAL), _KEYS)
    _known(path, table, "areas", library.countries)
    _known(path, table, "flows", library.dataflows)
    _known(path, table, "formats", formats)
    if not _RELEASE.fullmatch(table["release"]):
        refuse(path, None, f'release "{table["release"]}" must be a day and a number: 2026-01-31.1')
    if table["language"] not in LANGUAGES or not set(LANGUAGES) <= table["title"].keys():
        refuse(path, None, f"language must be one of {', '.join(LANGUAGES)}, and title must have all of them")
    try:
        embargo.moment(table.get("embargo", "2026-01-01T00:00:00Z"))
    except (TypeError, ValueError):
        refuse(path, None, "embargo must be a text with a moment and its distance from UTC: 2026-12-01T09:00:00-03:00")
    if table.get("notice") and not set(LANGUAGES) <= table["notice"].keys():
        refuse(path, None, f"notice must have all of the languages {', '.join(LANGUAGES)}")
    lists = {key: tuple(table[key]) for key in ("areas", "flows", "formats")}
    return Settings(**{**table, **lists, "base_url": authored.base_url(path, table)})


def language(path: Path) -> str:
    """The language that publish.toml asks for; English where it cannot be read, as a fault must be told even then."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("language")
    except (OSError, ValueError):
        return "en"
    return found if found in LANGUAGES else "en"


def _known(path: Path, table: Mapping[str, Any], key: str, known: Collection[str]) -> None:
    for each in table[key]:
        if each not in known:
            refuse(path, None, f'{key}: "{each}" does not exist; known are {", ".join(sorted(known))}')
