"""A release that is made before its hour: it waits aside, readable to nobody else, and goes out by one rename."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from pathlib import Path

from pipeline.errors import PublishError

FOLDER = "embargoed"
_NOTE = "embargo.json"
_OWNER_ALONE = 0o700


def moment(text: str) -> dt.datetime:
    """The hour as `publish.toml` has it.

    Raises:
        ValueError: it is no moment, or does not say its distance from UTC.
    """
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def is_over(embargo: str, now: dt.datetime) -> bool:
    """Whether the hour has come; a release without one may go out at any time."""
    return not embargo or moment(embargo) <= now


def lay_aside(folder: Path, build: Path, embargo: str) -> None:
    """Put a finished release where it waits for its hour, in place of one that waits already.

    What it is, and which release it follows, stands outside of it and outside of what is served.
    """
    place = build / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=_OWNER_ALONE)
    folder.chmod(_OWNER_ALONE)
    folder.rename(place / "public")
    note = {"until": embargo, "after": _standing(build)}
    (place / _NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def waiting(build: Path, now: dt.datetime) -> Path:
    """The release whose hour has come.

    Raises:
        PublishError: none waits, its hour has not come, or another release went out since it was made.
    """
    place = build / FOLDER
    if not (place / _NOTE).is_file():
        raise PublishError("no release waits for its hour. Set `embargo` in publish.toml and run `make publish` first.")
    note = json.loads((place / _NOTE).read_text(encoding="utf-8"))
    if not is_over(note["until"], now):
        raise PublishError("the release is under embargo until {until}; nothing was published.", until=note["until"])
    if note["after"] != _standing(build):
        raise PublishError("another release went out since this one was made. Run `make publish` again.")
    return place / "public"


def _standing(build: Path) -> str:
    manifest = build / "public/manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.exists() else ""
