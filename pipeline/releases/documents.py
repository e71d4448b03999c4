"""The files of `releases/`: what a release adds, and what it passes on of those before it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline import vintages
from pipeline.framework import LANGUAGES
from pipeline.model import Library, Release, Settings, Written
from pipeline.releases import INDEX, Change, Past, Table, manifest_path
from pipeline.releases.deltas import ACTIONS
from pipeline.texts import said, texts

_LISTED = ("files/", "packages/", "reports/")  # what figures can be held against; addresses and pages repeat it


def added(
    past: Past, changes: Sequence[Change], release: Release, library: Library, settings: Settings
) -> Iterator[tuple[str, bytes]]:
    """Yield (path, document): the changes in words, and the index of the releases; the deltas stand already."""
    order = (settings.language, *(each for each in LANGUAGES if each != settings.language))
    words = "\n".join(
        _words(settings.release, changes, release, library, against=past.newest, language=language)
        for language in order
    )
    yield f"releases/{settings.release}/changes.md", f"# {settings.release}\n\n{words}".encode()
    yield INDEX, _index({**past.changes, settings.release: tuple(changes)})


def manifest(release: str, written: Mapping[str, Written]) -> tuple[str, bytes]:
    """The list of the files of a release with their checksums."""
    mine = {path: each for path, each in written.items() if path.startswith((*_LISTED, f"releases/{release}/"))}
    files = {path: {"bytes": each.bytes, "sha256": each.sha256} for path, each in sorted(mine.items())}
    return manifest_path(release), _json({"release": release, "files": files})


def passed_on(past: Past) -> Iterator[tuple[str, bytes | None]]:
    """Yield (path, content) for the files of earlier releases; no content where they stay as they are.

    Of a table whose earlier figures are withdrawn, the checksums go too: what little is withheld could be
    found by trying.
    """
    withdrawn: set[Table] = {c.table for changes in past.changes.values() for c in changes if c.is_withdrawn}
    gone = {change.path(name) for name, changes in past.changes.items() for change in changes if change.is_withdrawn}
    for path in past.listed:
        first, _, rest = path.partition("/")
        release, _, name = rest.partition("/")
        if first != "releases" or release not in past.changes or path in gone:
            continue
        left_out = withdrawn & {each.table for each in past.changes[release] if each.is_withdrawn}
        if name == "manifest.json" and left_out:
            found = json.loads(past.read(path))
            files = {listed: entry for listed, entry in found["files"].items() if not _is_of(listed, left_out)}
            yield path, _json({**found, "files": files})
        else:
            yield path, None


def _is_of(path: str, tables: set[Table]) -> bool:
    parts = {part.partition(".")[0] for part in PurePosixPath(path).parts}
    return any({flow, area} <= parts for flow, area in tables)


def _index(changes: Mapping[str, Sequence[Change]]) -> bytes:
    """The releases by time, the newest last, and what each changed."""
    listed = [
        {
            "release": name,
            "path": f"releases/{name}/",
            "tables": [
                {
                    "dataflow": each.table[0],
                    "area": each.table[1],
                    "observations": dict(each.counts),
                    "is_whole": each.is_whole,
                    "is_withdrawn": each.is_withdrawn,
                    **({} if each.is_withdrawn else {"delta": each.path(name)}),
                }
                for each in made
            ],
        }
        for name, made in changes.items()
    ]
    return _json({"releases": listed})


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


# ---------------------------------------------------------------- in words


def _words(
    name: str, changes: Sequence[Change], release: Release, library: Library, *, against: str, language: str
) -> str:
    """What changed against the release before, in one language; Markdown."""
    words = texts("changes", language)
    lines = [f"## {words['language']}", ""]
    lines += [words["against"].format(release=against) if against else words["first"], ""]
    if changes:
        heads = [words[name] for name in ("table", "new", "revised", "gone")]
        lines += [_row(heads), _row(["---", "---:", "---:", "---:"])]
        lines += [_row([_name(c.table, library, language), *(str(c.counts[a]) for a in ACTIONS)]) for c in changes]
    else:
        lines += [words["nothing"]]
    anew = [_name(change.table, library, language) for change in changes if change.is_whole and against]
    lines += ["", words["anew"].format(tables="; ".join(anew))] if anew else []
    notes = list(_reasons(name, release, library, language))
    lines += ["", words["why"], "", *(f"- {note}" for note in notes)] if notes else []
    held_back = [_name((flow, area), library, language) for area, flow in sorted(release.held_back)]
    lines += ["", words["held_back"].format(tables="; ".join(held_back))] if held_back else []
    return "\n".join(lines) + "\n"


def _reasons(name: str, release: Release, library: Library, language: str) -> Iterator[str]:
    """What the offices say of the figures that this release revises."""
    for package in release.packages:
        table = (package.data.flow.id, package.data.area)
        content = release.records.get(vintages.path(table[1], table[0]), b"")
        rows = csv.DictReader(io.StringIO(content.decode()))
        told = {row[f"note_{language}"] or row["note_en"] for row in rows if row["release"] == name}
        for reason in sorted(told - {""}):
            yield f"{_name(table, library, language)}: {_plain(reason)}"


def _name(table: Table, library: Library, language: str) -> str:
    flow, area = table
    return f"{said(library.dataflows[flow].name, language)} · {said(library.area_name(area), language)}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"


def _plain(text: str) -> str:
    return " ".join(text.split())
