"""codelists/ → code lists and hierarchies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.framework import Code, Codelist, Hierarchy, Text
from pipeline.library import authored
from pipeline.library.authored import NAMES, refuse


def codelists(folder: Path, own_agency: str) -> dict[str, Codelist]:
    """Every list below `folder`, by ref. Lists of other agencies must equal `official.lock`."""
    lists: dict[str, Codelist] = {}
    for path in sorted(folder.glob("*/CL_*.csv")):
        identifier, _, version = path.stem.partition("-")
        found = codelist(path, path.parent.name, identifier, version)
        lists[found.ref] = found
    lock = folder / "official.lock"
    official = authored.toml(lock)
    for ref, locked in official.items():
        if ref not in lists or " ".join(lists[ref].codes) != locked["codes"]:
            refuse(lock, None, f"the codes of {ref} differ from the official list, which is not ours to change")
    for ref, found in lists.items():
        if found.agency != own_agency and ref not in official:
            refuse(lock, None, f"{ref} is another agency's list and is not locked here")
    return lists


def codelist(path: Path, agency: str, identifier: str, version: str) -> Codelist:
    """One list. The row with an empty code names the list itself; other columns become notes."""
    name: Text = {}
    codes: dict[str, Code] = {}
    found: dict[str, int] = {}
    for row, cells in authored.rows(path, ("code", "parent", *NAMES), extra=True):
        if not cells["code"]:
            name = authored.name(path, row, cells)
            continue
        code = authored.unique(path, row, cells["code"], codes)
        notes = {column: value for column, value in cells.items() if column not in ("code", "parent", *NAMES)}
        codes[code] = Code(code, cells["parent"], authored.name(path, row, cells), notes)
        found[code] = row
    if not name:
        refuse(path, 2, "the row with an empty code, which names the list itself, is missing")
    for code, row in found.items():
        _check_ancestry(path, row, code, codes)
    return Codelist(agency, identifier, version, name, codes)


def _check_ancestry(path: Path, row: int, code: str, codes: Mapping[str, Code]) -> None:
    seen = {code}
    parent = codes[code].parent
    while parent:
        if parent not in codes:
            refuse(path, row, f'parent "{parent}" of "{code}" is not a code of this list')
        if parent in seen:
            refuse(path, row, f'"{code}" is its own ancestor')
        seen.add(parent)
        parent = codes[parent].parent


def hierarchies(folder: Path, lists: Mapping[str, Codelist]) -> dict[str, Hierarchy]:
    """Every hierarchy below `folder`, by id."""
    return {path.stem.partition("-")[0]: _hierarchy(path, lists) for path in sorted(folder.glob("*/HCL_*.csv"))}


def _hierarchy(path: Path, lists: Mapping[str, Codelist]) -> Hierarchy:
    name: Text = {}
    ref = ""
    parts: dict[str, list[str]] = {}
    for row, cells in authored.rows(path, ("code", "parent", *NAMES, "codelist")):
        if not cells["code"]:
            name, ref = authored.name(path, row, cells), cells["codelist"]
        if ref not in lists:
            refuse(
                path,
                row,
                f'code list "{ref}" does not exist; the row with an empty code must come first and name it',
            )
        for code in filter(None, (cells["code"], cells["parent"])):
            if code not in lists[ref].codes:
                refuse(path, row, f'"{code}" is not a code of {ref}')
        if cells["parent"]:
            parts.setdefault(cells["parent"], []).append(cells["code"])
    return Hierarchy(path.stem.partition("-")[0], ref, name, {parent: tuple(codes) for parent, codes in parts.items()})
