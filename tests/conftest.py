"""What all tests share: the framework as the repository authors it."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from office import build_office

from pipeline import library as authored
from pipeline import suite
from pipeline.commands import publish
from pipeline.expectations import Expectation
from pipeline.model import Library

ROOT = Path(__file__).parents[1]

os.environ.setdefault("TRAYECTO_CORES", "1")  # the tests are shared out over the cores already


@pytest.fixture(scope="session")
def library() -> Library:
    """The library of this repository."""
    return authored.load(ROOT)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A root folder with one fictional country, XX, on the real framework."""
    return build_office(tmp_path)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The office with its first release, made by whoever of the workers asks first; tests copy and never change it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / "published"
    with (shared / "published.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            aside = Path(tempfile.mkdtemp(dir=shared))
            assert publish(build_office(aside / "office"), areas=[], flows=[], is_dry=False) == 0
            (aside / "office").rename(made)
    return made


@pytest.fixture(scope="session", autouse=True)
def _judged_once() -> Iterator[None]:
    """Great Expectations judges each table once: the office of most tests is the same, and so is the verdict on it."""
    judge, known = suite._judged, {}

    def judged(engine: Any, frame: Any, asked: Sequence[Expectation], form: str) -> list[Any]:
        said = [json.dumps(each.configuration(), sort_keys=True) for each in asked]
        table = [(str(column), str(frame[column].dtype), frame[column].tolist()) for column in frame]
        key = pickle.dumps((said, table, form))
        if key not in known:
            known[key] = judge(engine, frame, asked, form)
        return known[key]

    suite._judged = judged
    yield
    suite._judged = judge
