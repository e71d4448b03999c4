"""Packages → one release: built aside, checked, swapped in by one rename."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from pipeline import agenda, catalogue, dcat, notices, releases, report, rest, reuse
from pipeline.errors import PublishError
from pipeline.formats import Format, csv20
from pipeline.framework import LANGUAGES
from pipeline.methods import coordination
from pipeline.methods.questions import written as questionnaires
from pipeline.model import Library, Package, Protected, Release, Settings, Whole, Written
from pipeline.releases import documents
from pipeline.structures import reports as metadata
from pipeline.structures import tree as structures
from pipeline.texts import texts
from pipeline.tree import Tree
from pipeline.workers import shared_out

_ROWS_VALIDATED = 100_000  # of a package in full: frictionless reads some 10,000 rows a second
_ROWS_SAMPLED = 2_500  # of a larger one, whose every row our own checks have seen
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # renameat2(2)


@contextmanager
def building(build: Path) -> Iterator[Path]:
    """A new folder beside `build/public`, removed at the end unless it was swapped in.

    Only one run at a time may publish: a second one is told so. Whatever a run that was killed has
    left is cleared away; the release it did not reach is untouched.

    Raises:
        PublishError: another run is publishing here.
    """
    build.mkdir(parents=True, exist_ok=True)
    with (build / ".lock").open("w") as lock:
        try:
            _lock(lock)
        except OSError:
            raise PublishError(
                "another run is publishing in {folder}/. Wait for it to end.", folder=build.name
            ) from None
        public, aside = build / "public", build / ".previous"
        if aside.exists() and not public.exists():
            aside.rename(public)
        for left in [*build.glob(".next-*"), *([aside] if aside.exists() else [])]:
            shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix=".next-", dir=build))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _lock(file: TextIO) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def publish(
    release: Release,
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    site: Path,
    folder: Path,
    past: releases.Past,
    parts: reuse.Parts,
) -> None:
    """Fill `folder` with the whole release; what is kept of those in the `past` goes along.

    What the standing release has of the same `parts` is taken from it.
    """
    tree = Tree(folder)
    said = texts("terminal", settings.language)["progress_writing"]
    parts.fill(tree, _parts(release, library, settings, formats), said)
    _history(tree, release, library, settings, formats=formats, past=past)
    for places, content in _documents(tree, release, library, settings, formats=formats, site=site):
        tree.write(places, content)
    path, listed = documents.manifest(settings.release, tree.written)
    tree.write([path], listed)
    manifest = {
        "release": settings.release,
        "files": {path: {"bytes": w.bytes, "sha256": w.sha256} for path, w in sorted(tree.written.items())},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _parts(
    release: Release, library: Library, settings: Settings, formats: Mapping[str, Format]
) -> Iterator[reuse.Part]:
    """What depends on its own figures alone; the largest first, so that no worker is left with it at the end."""
    packages = release.packages
    for flow, whole in sorted(release.whole.items(), key=lambda each: -len(each[1].data.frame)):
        made = partial(_data, whole=whole, library=library, settings=settings, formats=formats)
        yield reuse.Part(flow, reuse.of_figures(whole.data, whole.description), made)
    yield reuse.Part("structures", (), partial(_structures, library=library, settings=settings))
    said = [repr((package.description, [origin.provider for origin in package.data.sources])) for package in packages]
    yield reuse.Part("metadata", said, partial(_metadata, packages=packages, library=library, settings=settings))
    for package in sorted(packages, key=lambda each: -len(each.data.frame)):
        what = f"{package.data.flow.id} {package.data.area}"
        made = partial(_package, package=package)
        yield reuse.Part(what, reuse.of_figures(package.data, package.description), made)


def _documents(
    tree: Tree,
    release: Release,
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    site: Path,
) -> Iterator[tuple[Sequence[str], bytes]]:
    """What speaks of the figures: (paths, content). Each is asked for when those before it stand in the tree."""
    records = {**report.records(release.reports, release.verdicts()), **release.records}
    yield from (([path], content) for path, content in records.items())
    yield from (([path], content) for path, content in questionnaires.files(library))
    described = dcat.catalogue(release.packages, library, settings, formats=formats, written=dict(tree.written))
    yield from (([path], content) for path, content in described)
    yield from notices.notices(release, library, settings, written=dict(tree.written))
    root = urlsplit(settings.base_url).path.encode()  # where below its host the release will stand
    for host in sorted((site / "hosts").iterdir()):
        yield [host.name], host.read_bytes().replace(b"{root}", root)
    pages = catalogue.pages(release, library, settings, site=site, written=dict(tree.written))
    yield from (([path], content) for path, content in pages)


def _history(
    tree: Tree,
    release: Release,
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    past: releases.Past,
) -> None:
    """What earlier releases left, and what this one changes of their figures."""
    changes: tuple[releases.Change, ...] = ()
    if csv20.FORMAT.id in formats:
        snapshots = _Snapshots(tree.root, [(package.data.flow.id, package.data.area) for package in release.packages])
        past, changes = releases.changes(past, snapshots, partial(_stored, tree.root, settings.release))
        tree.written |= {change.path(settings.release): change.written for change in changes if change.written}
    for path, content in documents.passed_on(past):
        if content is None:
            tree.keep(past.public / path, path, Written(**past.listed[path]))
        else:
            tree.write([path], content)
    for path, content in documents.added(past, changes, release, library, settings):
        tree.write([path], content)
    names = (*past.changes, settings.release)
    expected = coordination.expected(release.deliveries, library, day=settings.release_day)
    for language in LANGUAGES:
        paths = [f"{language}/{agenda.PATH}", *([agenda.PATH] if language == settings.language else [])]
        tree.write(paths, agenda.agenda(names, library, settings, language=language, expected=expected))


def _stored(root: Path, name: str, change: releases.Change) -> releases.Change:
    """The delta of a table, written to the tree at `root`."""
    tree, path = Tree(root), change.path(name)
    tree.write([path], change.content)
    return replace(change, content=b"", written=tree.written[path])


@dataclass(frozen=True)
class _Snapshots(Mapping[releases.Table, bytes]):
    """The figures of tables as a tree has them, read when they are asked for."""

    root: Path
    tables: Sequence[releases.Table]

    def __getitem__(self, table: releases.Table) -> bytes:
        if table not in self.tables:
            raise KeyError(table)
        return (self.root / releases.snapshot_path(table)).read_bytes()

    def __iter__(self) -> Iterator[releases.Table]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


def _package(tree: Tree, package: Package) -> None:
    """The files of one country and dataflow, and their archive."""
    for path, writer in package.files.items():
        tree.write([path], writer)
    tree.zip(f"packages/{package.data.flow.id}/{package.data.area}")


def _structures(tree: Tree, library: Library, settings: Settings) -> None:
    for paths, content in structures.tree(library, settings):
        tree.write(paths, content)


def _metadata(tree: Tree, packages: Sequence[Package], library: Library, settings: Settings) -> None:
    for paths, content in metadata.documents(packages, library, settings):
        tree.write(paths, content)


def _data(tree: Tree, whole: Whole, library: Library, settings: Settings, formats: Mapping[str, Format]) -> None:
    """One dataflow under every address that clients ask: whole, one country at a time, and what there is of it."""
    flow = whole.data.flow
    answers = [(whole.data, rest.data_paths(flow, library.agency))]
    for area, part in whole.by_area.items():
        # Of one country alone, a key that names it has the same answer as one that does not; so it is of one frequency.
        table = whole.data if len(part.frame) == len(whole.data.frame) else part
        frequencies = sorted(part.frame["FREQ"].astype(str).unique())
        is_one = len(frequencies) == 1
        answers += [(table, rest.area_paths(flow, library.agency, area, ("", *frequencies) if is_one else ("",)))]
        for frequency in () if is_one else frequencies:
            rows = part.frame[part.frame["FREQ"] == frequency].reset_index(drop=True)
            answers += [(replace(part, frame=rows), rest.area_paths(flow, library.agency, area, (frequency,)))]
    documents: dict[tuple[int, str], tuple[Protected, list[str]]] = {}
    for table, addresses in answers:
        for form, paths in addresses:
            documents.setdefault((id(table), form), (table, []))[1].extend(paths)
    for (_, form), (table, every) in documents.items():
        if form in formats:
            tree.write(every, partial(formats[form].write, table, whole.description, library))
    for paths, content in structures.available(library, whole.data, settings):
        tree.write(paths, content)


def check(folder: Path, *, checked: Collection[str] = (), said: str = "") -> None:
    """Read the new release back before it goes out, less the packages that an earlier run has `checked`.

    The packages are shared out over the cores, while a terminal shows how far that is after the words `said`.

    Raises:
        PublishError: a file has not the size that the manifest says, or a package is not valid.
    """
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    for path, entry in listed.items():
        if not (folder / path).exists() or (folder / path).stat().st_size != entry["bytes"]:
            raise PublishError("{path} is not what was written; is the disk full? Nothing was published.", path=path)
    import frictionless  # noqa: F401  # here once, and not in each worker

    descriptors = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("packages/*/*/datapackage.json"))]
    asked = [path for path in descriptors if path not in checked]
    for path, faults in zip(asked, shared_out([partial(_faults, folder / path) for path in asked], said), strict=True):
        if faults:
            raise PublishError("{path} is not valid: {faults}. Nothing was published.", path=path, faults=faults)


def _faults(descriptor: Path) -> list[Any]:
    """The first of what makes a data package invalid."""
    from frictionless import Package, system

    with system.use_context(trusted=False):
        package = Package(str(descriptor))
        is_large = any(_lines(descriptor.parent / str(each.path)) > _ROWS_VALIDATED for each in package.resources)
        report = package.validate(limit_rows=_ROWS_SAMPLED if is_large else None)
    return [] if report.valid else list(report.flatten(["rowNumber", "fieldName", "type", "note"]))[:3]


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(some.count(b"\n") for some in iter(partial(file.read, 1 << 20), b""))


def swap(folder: Path, public: Path) -> None:
    """Put the new release where the old one stands, in one step where the system can exchange names."""
    if not public.exists():
        folder.rename(public)
    elif not _exchanged(folder, public):
        aside = public.with_name(".previous")
        public.rename(aside)
        folder.rename(public)
        shutil.rmtree(aside)


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two folders atomically (Linux renameat2); False where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    names = os.fsencode(first), os.fsencode(second)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
