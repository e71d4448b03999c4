"""What stays of every release: its manifest, what it changed of the one before it, and that in words.

`releases/<RELEASE>/` is written once and passed on from release to release as it is. `releases/index.json` lists
them by time; with the deltas it gives back the figures of a table as of any release (`as_of`).

One thing goes before that: where a figure that an earlier release told is withheld now, the earlier deltas of its
table are withdrawn, for from them it could still be read; its history begins anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import PublishError
from pipeline.formats import csv20
from pipeline.model import Writer, Written
from pipeline.releases import deltas
from pipeline.workers import shared_out

INDEX = "releases/index.json"
_OPEN = ("F", "")  # CONF_STATUS of what is not confidential

Table = tuple[str, str]  # dataflow, area


@dataclass(frozen=True)
class Change:
    """What a release changed of one table: observations by action, and whether its history begins here.

    `content` is blank where an earlier release has it, or where it was withdrawn.
    """

    table: Table
    counts: Mapping[str, int]
    is_whole: bool
    is_withdrawn: bool = False
    content: bytes | Writer = b""
    tells_withheld: bool = False  # the earlier deltas of the table do
    written: Written | None = None  # once it stands in a tree

    def path(self, release: str) -> str:
        """Where a release keeps the delta."""
        flow, area = self.table
        return f"releases/{release}/delta/{flow}/{area}.csv"


@dataclass(frozen=True)
class Past:
    """The releases that a standing release keeps, oldest first."""

    public: Path
    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)

    @cached_property
    def listed(self) -> Mapping[str, Any]:
        """The files of the standing release."""
        manifest = self.public / "manifest.json"
        found: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["files"] if manifest.exists() else {}
        return found

    @property
    def newest(self) -> str:
        """The last of the releases; blank where there is none."""
        return ["", *self.changes][-1]

    def before(self, release: str) -> Past:
        """Those before a release; the same release may be made again until another follows it.

        Raises:
            PublishError: a later release is out.
        """
        later = [each for each in self.changes if moment(each) > moment(release)]
        if later:
            raise PublishError(
                "release {later} is out, and {release} would come before it. Give `release` in publish.toml today's "
                "date, or the next number of the day.",
                later=later[-1],
                release=release,
            )
        return Past(self.public, {name: each for name, each in self.changes.items() if name != release})

    def of(self, table: Table) -> list[tuple[str, Change]]:
        """(release, change) of a table since its history began, oldest first."""
        found = [(name, each) for name, changes in self.changes.items() for each in changes if each.table == table]
        found = [each for each in found if not each[1].is_withdrawn]
        starts = [place for place, (_, change) in enumerate(found) if change.is_whole]
        return found[starts[-1] :] if starts else []

    def read(self, path: str) -> bytes:
        """A file that the standing release keeps.

        Raises:
            PublishError: it is not the one that the release's manifest lists.
        """
        content = (self.public / path).read_bytes() if (self.public / path).is_file() else b""
        if self.listed.get(path, {}).get("sha256") != hashlib.sha256(content).hexdigest():
            raise PublishError("{path} of the standing release has been changed since it was published.", path=path)
        return content

    def delta(self, release: str, change: Change) -> pd.DataFrame:
        return deltas.read(self.read(change.path(release)))

    def checksums(self, release: str) -> Mapping[str, str]:
        """Path → checksum of the files of a release."""
        if not release:
            return {}
        manifest = json.loads(self.read(manifest_path(release)))
        return {path: entry["sha256"] for path, entry in manifest["files"].items()}

    def withdrawn(self, tables: Sequence[Table]) -> Past:
        """The same without the deltas of some tables."""
        changes = {
            name: tuple(
                Change(each.table, each.counts, each.is_whole, is_withdrawn=True) if each.table in tables else each
                for each in every
            )
            for name, every in self.changes.items()
        }
        return Past(self.public, changes)


def manifest_path(release: str) -> str:
    """Where a release keeps the list of its files."""
    return f"releases/{release}/manifest.json"


def snapshot_path(table: Table) -> str:
    """Where a release has the figures of a table."""
    return csv20.FORMAT.path(*table)


def moment(release: str) -> tuple[str, int]:
    """The day of a release and its number on that day, by which releases are ordered."""
    day, _, number = release.partition(".")
    return day, int(number)


def past(public: Path) -> Past:
    """The releases that the tree `public` keeps; none where there is no tree yet."""
    if not (public / INDEX).exists():
        return Past(public)
    empty = Past(public)
    index = json.loads(empty.read(INDEX))
    changes = {
        each["release"]: tuple(
            Change((of["dataflow"], of["area"]), of["observations"], of["is_whole"], of["is_withdrawn"])
            for of in each["tables"]
        )
        for each in index["releases"]
    }
    return Past(public, dict(sorted(changes.items(), key=lambda item: moment(item[0]))))


def as_of(past: Past, table: Table, release: str) -> pd.DataFrame | None:
    """The figures of a table as a release had them; None where it had none, or where they were withdrawn."""
    found: pd.DataFrame | None = None
    for name, change in past.of(table):
        if moment(name) <= moment(release):
            message = past.delta(name, change)
            found = deltas.applied(message[:0] if found is None else found, message)
    return found


def changes(
    earlier: Past, snapshots: Mapping[Table, bytes], keep: Callable[[Change], Change] = lambda change: change
) -> tuple[Past, tuple[Change, ...]]:
    """What the figures of a release, by table, change of those of the release before it.

    Tables are shared out over the cores; `keep` may put a delta away there, for all together are as large as a release.
    Comes back with the earlier releases, less what must be withdrawn of them.
    """
    known = earlier.checksums(earlier.newest)
    gone = {each.table for every in earlier.changes.values() for each in every} - snapshots.keys()
    tasks = [partial(_change, earlier, table, snapshots, known, keep) for table in sorted({*snapshots, *gone})]
    made = [change for change in shared_out(tasks) if change is not None]
    return earlier.withdrawn([change.table for change in made if change.tells_withheld]), tuple(made)


def _change(
    earlier: Past,
    table: Table,
    snapshots: Mapping[Table, bytes],
    known: Mapping[str, str],
    keep: Callable[[Change], Change],
) -> Change | None:
    """What becomes of one table; None where nothing does."""
    content = snapshots.get(table, b"")
    if content and hashlib.sha256(content).hexdigest() == known.get(snapshot_path(table)):
        return None
    before = as_of(earlier, table, earlier.newest) if earlier.newest else None
    if not content and (before is None or not len(before)):
        return None
    if before is None and (made := deltas.of_nothing(content)):
        write, count = made
        appended = {**dict.fromkeys(deltas.ACTIONS, 0), deltas.APPEND: count}
        return keep(Change(table, appended, is_whole=True, content=write))
    after = deltas.read(content) if content or before is None else before[:0]
    tells_withheld = before is not None and _tells(earlier, table, after)
    is_whole = before is None or tells_withheld or deltas.key(before) != deltas.key(after)
    delta = deltas.delta(after[:0] if is_whole or before is None else before, after)
    if not len(delta) and not is_whole:
        return None
    written = deltas.written(delta)
    return keep(Change(table, deltas.counts(delta), is_whole, content=written, tells_withheld=tells_withheld))


def _tells(earlier: Past, table: Table, after: pd.DataFrame) -> bool:
    """Whether an earlier delta has a value for an observation that is withheld now."""
    hidden = after[(after["OBS_VALUE"] == "") & ~after["CONF_STATUS"].isin(_OPEN)]
    keyed = list(deltas.key(after))
    for name, change in earlier.of(table) if len(hidden) else ():
        message = earlier.delta(name, change)
        if list(deltas.key(message)) == keyed and len(
            message.loc[message["OBS_VALUE"] != "", keyed].merge(hidden[keyed], on=keyed)
        ):
            return True
    return False
