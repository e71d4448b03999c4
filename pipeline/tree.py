"""A folder being filled: each file written once, its size and checksum taken on the way, aliases linked."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import PublishError
from pipeline.model import Writer, Written

_PIECE = 2**20  # bytes of a file in memory
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the one date that a zip member can have and that says nothing


class _Counting:
    """A binary file that knows what has gone through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest, self.bytes = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        self.bytes += len(content)
        return self._file.write(content)

    def writelines(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self.write(part)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Tree:
    """The files below `root`, by their path in the release."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written: dict[str, Written] = {}
        self._checked: dict[tuple[int, int], Written] = {}  # files of the standing release, by where they lie on disk

    def write(self, paths: Iterable[str], writer: Writer | bytes) -> None:
        """Write one document; it stands under every one of `paths`."""
        first, *aliases = paths
        target = self._place(first)
        with target.open("xb") as file:
            counting = _Counting(file)
            if isinstance(writer, bytes):
                counting.write(writer)
            else:
                writer(counting)  # type: ignore[arg-type]  # writers only write
        self.written[first] = Written(counting.bytes, counting.sha256)
        for alias in aliases:
            self._link(target, alias)
            self.written[alias] = self.written[first]

    def keep(self, source: Path, path: str, written: Written) -> None:
        """Take a file of an earlier release, known by its checksum, as it is.

        Raises:
            PublishError: it is not that file any more.
        """
        if _written(source) != written:
            raise PublishError("{path} of the standing release has been changed since it was published.", path=path)
        self._link(source, path)
        self.written[path] = written

    def keep_all(self, public: Path, listed: Mapping[str, Written]) -> bool:
        """Take files of the standing release as they are; False, and nothing is taken, where one is not as `listed`."""
        if any(self._standing(public / path) != written for path, written in listed.items()):
            return False
        for path, written in listed.items():
            self._link(public / path, path)
            self.written[path] = written
        return True

    def _standing(self, source: Path) -> Written | None:
        """Size and checksum of a file, read once however many addresses it has."""
        if not source.is_file():
            return None
        status = source.stat()
        place = (status.st_dev, status.st_ino)
        if place not in self._checked:
            self._checked[place] = _written(source)
        return self._checked[place]

    def zip(self, folder: str) -> None:
        """Put the files of `folder` into `<folder>.zip`, the same bytes every time."""
        members = sorted(path for path in self.written if path.startswith(f"{folder}/"))
        path = f"{folder}.zip"
        target = self._place(path)
        with target.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in members:
                entry = zipfile.ZipInfo(member.removeprefix(f"{folder}/"), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                entry.file_size = self.written[member].bytes
                with (self.root / member).open("rb") as source, archive.open(entry, "w") as place:
                    shutil.copyfileobj(source, place, _PIECE)
        self.written[path] = _written(target)

    def _place(self, path: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _link(self, target: Path, alias: str) -> None:
        place = self._place(alias)
        try:
            os.link(target, place)
        except OSError:  # a file system without hard links
            shutil.copyfile(target, place)


def _written(source: Path) -> Written:
    """Size and checksum of a file."""
    with source.open("rb") as file:
        return Written(source.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
