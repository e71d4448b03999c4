"""What all tests share: the framework as the repository authors it."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import build_office

from pipeline import library as authored
from pipeline.model import Library

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def library() -> Library:
    """The library of this repository."""
    return authored.load(ROOT)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A root folder with one fictional country, XX, on the real framework."""
    return build_office(tmp_path)
