"""What a run need not make again: what was made before of the same figures, by the same program and framework.

A part of a release is named by a digest of all that it is made of. Where the standing release has a part of the same
name, its files go into the next one as they are, after their checksums were taken again; so an incremental run gives
the bytes that a whole one gives. The record of the parts stands in `build/`, beside the release and outside of it, and
holds digests and paths alone, no figures.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.model import Description, Library, Protected, Settings, Written
from pipeline.tree import Tree
from pipeline.workers import shared_out

RECORD = ".parts.json"
_AUTHORED = ("codelists", "dsd", "metadata", "site", "publish.toml")
_LEFT_OUT = ("__pycache__", ".pyc")
_OF_NO_PART = "metadata/national/*/revisions.csv"  # goes into records, which are made anew each time


@dataclass(frozen=True)
class Part:
    """A part by its name in words, the digests of what it is made of, and what fills a tree with it."""

    what: str
    of: Iterable[str]
    make: Callable[[Tree], None]


@dataclass
class Parts:
    """The parts of the standing release by name, and those of the one being made."""

    public: Path
    common: str  # digest of the program, its libraries and the framework
    before: Mapping[str, Collection[str]] = field(default_factory=dict)
    listed: Mapping[str, Written] = field(default_factory=dict)  # the files of the standing release
    now: dict[str, list[str]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)  # what could not be taken over, in words
    kept: set[str] = field(default_factory=set)  # paths of what was taken over

    def fill(self, tree: Tree, parts: Iterable[Part], said: str = "") -> None:
        """Fill `tree` with the parts: from the standing release what is made of the same, and the others anew.

        These are shared out over the cores, while a terminal shows how far that is after the words `said`.
        """
        anew: dict[str, Part] = {}
        for part in parts:
            name = digest((self.common, part.what, *part.of))
            known = self.before.get(name, ())
            if known and tree.keep_all(self.public, {path: self.listed[path] for path in known}):
                self.kept.update(known)
                self.now[name] = list(known)
            else:
                anew[name] = part
        made = shared_out([partial(_made, tree.root, part) for part in anew.values()], said)
        for (name, part), written in zip(anew.items(), made, strict=True):
            tree.written |= written
            self.made.append(part.what)
            self.now[name] = list(written)


def _made(root: Path, part: Part) -> dict[str, Written]:
    tree = Tree(root)
    part.make(tree)
    return tree.written


def parts(root: Path, build: Path | None = None) -> Parts:
    """What the standing release in `build` of an office can give; nothing where its record is of another release."""
    build = build or root / "build"
    empty = Parts(build / "public", common(root))
    try:
        found = json.loads((build / RECORD).read_text(encoding="utf-8"))
        manifest = build / "public/manifest.json"
        if found["manifest"] == _checksum(manifest):
            files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
            listed = {path: Written(**entry) for path, entry in files.items()}
            return Parts(empty.public, empty.common, found["parts"], listed)
    except (OSError, ValueError, KeyError):
        pass
    return empty


def remember(build: Path, made: Parts, run: str, *, code: int) -> None:
    """Record the parts of the release that now stands, and of which run it is."""
    content = {"manifest": _checksum(build / "public/manifest.json"), "run": run, "code": code, "parts": made.now}
    (build / RECORD).write_text(json.dumps(content) + "\n", encoding="utf-8")


def standing_code(build: Path, run: str) -> int | None:
    """The exit code of the run that made what stands, if `run` would make the same again; None if it would not."""
    try:
        found = json.loads((build / RECORD).read_text(encoding="utf-8"))
        if found["run"] == run and found["manifest"] == _checksum(build / "public/manifest.json"):
            return int(found["code"])
    except (OSError, ValueError, KeyError):
        pass
    return None


# ---------------------------------------------------------------- digests


def common(root: Path) -> str:
    """Digest of all but the data that a part may depend on: the program, its libraries, and what is authored."""
    libraries = sorted(f"{each.name} {each.version}" for each in distributions())
    program = _files(Path(__file__).parent, Path(__file__).parent)
    beside = {line for path in root.glob(_OF_NO_PART) for line in _files(root, path)}
    authored = (line for name in _AUTHORED for line in _files(root, root / name) if line not in beside)
    return digest((sys.version, *libraries, *program, *authored))


def whole_run(
    root: Path, library: Library, settings: Settings, *, areas: Collection[str], flows: Collection[str]
) -> str:
    """Digest of all that a run depends on; blank where it asks a database or waits for an hour."""
    series = (each for country in library.countries.values() for each in country.series.values())
    if settings.embargo or any(layout.database for each in series for layout in each.layouts):
        return ""
    beside = (line for path in sorted(root.glob(_OF_NO_PART)) for line in _files(root, path))
    return digest((common(root), *_files(root, root / "data"), *beside, repr(sorted(areas)), repr(sorted(flows))))


def of_figures(data: Protected, description: Description) -> list[str]:
    """Digest of protected figures with the cells they come from, and of what describes them."""
    found = hashlib.sha256()
    for name in data.frame:
        codes, distinct = pd.factorize(data.frame[name])
        said = json.dumps([str(name), [str(value) for value in distinct]], ensure_ascii=False)
        found.update(said.encode())
        found.update(np.ascontiguousarray(codes).tobytes())
    kinds = [str(data.frame[name].dtype.kind) for name in data.frame]
    about: list[Any] = [data.area, data.flow.id, kinds, list(map(repr, data.sources)), dict(data.suppressed)]
    return [found.hexdigest(), json.dumps([about, asdict(description)], ensure_ascii=False, sort_keys=True)]


def _files(root: Path, folder: Path) -> Iterable[str]:
    """A line for each file of a folder, or for the file itself: its path and checksum."""
    found = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    for path in found:
        if path.is_file() and not any(part.endswith(_LEFT_OUT) for part in path.parts):
            yield f"{path.relative_to(root).as_posix()} {_checksum(path)}"


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
