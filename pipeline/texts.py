"""The words for people that stand in `site/text/<of>.<language>.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "site/text"


@cache
def texts(of: str, language: str) -> Mapping[str, Any]:
    """The words of one kind of page or message in one language."""
    return tomllib.loads((_FOLDER / f"{of}.{language}.toml").read_text(encoding="utf-8"))
