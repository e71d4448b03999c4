"""What the hub keeps of a site: files by their checksum, and a state that names those of the last good visit.

A file is there whole or not at all, and the state is replaced by one rename: a run that is killed leaves the state
before it, and the files that it had fetched and verified, which the next run need not fetch again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, str]  # area, dataflow

TABLE, LINEAGE, RECORD, REPORT, REVISIONS = "table", "lineage", "record", "report", "revisions"
_STATE, _FILES = "state.json", "files"


@dataclass(frozen=True)
class Taken:
    """A table of a site: its files by what they are, as checksums; the release of the site and the moment that they
    came with, which stay while they do.
    """

    files: Mapping[str, str]
    release: str
    moment: str
    common: str  # digest of the framework and program that found it fit


@dataclass(frozen=True)
class State:
    """A site as it was last gathered. `held` says by table why what the site publishes now was not taken."""

    manifest: str = ""  # its checksum
    validators: Mapping[str, str] = field(default_factory=dict)
    release: str = ""
    moment: str = ""
    signature: str = ""  # a word of `signed`
    signer: str = ""  # checksum of the public key
    tables: Mapping[Key, Taken] = field(default_factory=dict)
    held: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()  # countries and dataflows that the framework has not
    endpoints: Mapping[str, str] = field(default_factory=dict)
    robots: Mapping[str, Any] = field(default_factory=dict)


class Kept:
    """The folder of one site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = _read(folder / _STATE)

    def path(self, sha256: str) -> Path:
        return self._folder / _FILES / sha256

    def has(self, sha256: str) -> bool:
        """Whether a file is there and undamaged."""
        return self._undamaged(sha256) is not None

    def take(self, content: bytes) -> str:
        """Keep a file; its checksum."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.has(sha256):
            _replaced(self.path(sha256), content)
        return sha256

    def read(self, sha256: str) -> bytes:
        """A kept file; nothing where it has been damaged since."""
        return self._undamaged(sha256) or b""

    def _undamaged(self, sha256: str) -> bytes | None:
        content = self.path(sha256).read_bytes() if self.path(sha256).is_file() else None
        return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None

    def remember(self, state: State, *, also: Collection[str] = ()) -> None:
        """Make `state` the one that holds, and let go of the files that neither it nor `also` names."""
        if state != self.state:
            _replaced(self._folder / _STATE, _written(state))
            self.state = state
        named = {sha256 for taken in state.tables.values() for sha256 in taken.files.values()}
        named |= set(also)
        for path in (self._folder / _FILES).glob("*"):
            if path.name not in named:
                path.unlink()


def _replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _written(state: State) -> bytes:
    content = asdict(state)
    for name in ("tables", "held"):
        content[name] = [{"area": area, "flow": flow, "of": of} for (area, flow), of in sorted(content[name].items())]
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _read(path: Path) -> State:
    """The state that holds; that of a site never seen where there is none or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tables = {(each["area"], each["flow"]): Taken(**each["of"]) for each in content.pop("tables")}
        held = {(each["area"], each["flow"]): each["of"] for each in content.pop("held")}
        return State(**content | {"unknown": tuple(content["unknown"])}, tables=tables, held=held)
    except (OSError, ValueError, KeyError, TypeError):
        return State()
