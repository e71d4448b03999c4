"""Rows of a table of suggestions that a person has marked → rows of the country's `codes.csv`."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import astuple, fields
from pathlib import Path

from pipeline.errors import SetupError
from pipeline.labels import folded
from pipeline.library.authored import refuse
from pipeline.library.national import check_fate
from pipeline.model import CodeRow, Library
from pipeline.suggest import unshielded

YES = frozenset(("x", "si", "sí", "sim", "yes"))
IGNORE = "-"
_NEEDED = ("accept", "component", "column", "label", "code", "note")
_PART = re.compile(r"\d+")


def marked(path: Path, library: Library, labels: Collection[tuple[str, str]]) -> list[CodeRow]:
    """The rows that a person has accepted: a mark takes the row's code, anything else is a code of their own.

    `-` leaves the label's cells out, for the reason in `note`. `labels` are the (component, folded
    label) of the national tables.

    Raises:
        SetupError: the file cannot be read, a code does not exist, a label is none of the tables', or
            one label has two codes; the message names the row.
    """
    chosen: dict[tuple[str, str, str], CodeRow] = {}
    for number, cells in _rows(path):
        mark = cells["accept"].strip()
        if not mark:
            continue
        code = cells["code"] if mark.lower() in YES else "" if mark == IGNORE else mark
        each = CodeRow(cells["component"], unshielded(cells["column"]), unshielded(cells["label"]), code, cells["note"])
        if mark.lower() in YES and not code:
            refuse(path, number, f'"{each.label}" is accepted, but there is no code: write one in place of "{mark}"')
        _check(path, number, each, library)
        if (each.component, folded(each.label)) not in labels:
            refuse(
                path,
                number,
                f'"{each.label}" is not a label of the tables. Has a program changed it, as when 5-9 becomes a date?',
            )
        key = (each.component, each.column, folded(each.label))
        if key in chosen and chosen[key].code != each.code:
            refuse(path, number, f'"{each.label}" is accepted as {chosen[key].code} and as {code}: choose one')
        chosen.setdefault(key, each)
    return list(chosen.values())


def marks(path: Path) -> dict[tuple[str, str, str, str], tuple[str, str]]:
    """What a person wrote in accept and note, by component, column, label and suggested code."""
    found = {}
    for _, cells in _rows(path):
        if cells["accept"] or cells["note"]:
            key = (cells["component"], unshielded(cells["column"]), unshielded(cells["label"]), cells["code"])
            found[key] = (cells["accept"], cells["note"])
    return found


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    """The cells by column, as a spreadsheet may have saved them: comma, semicolon or tab; UTF-8 or Windows-1252."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SetupError("{file}: the file cannot be opened ({error}).", file=path.name, error=error.strerror) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    absent = [name for name in _NEEDED if name not in header]
    if absent:
        refuse(path, 1, f"columns {', '.join(absent)} are missing; the file is not a table of suggestions")
    for cells in reader:
        filled = [*cells, *[""] * (len(header) - len(cells))]
        yield reader.line_num, {name: cell.strip() for name, cell in zip(header, filled, strict=False)}


def _check(path: Path, number: int, each: CodeRow, library: Library) -> None:
    check_fate(path, number, each, library, remedy=". Write x to take the suggestion, or a code of the list")
    if library.list_of(each.component) is None and each.code and not _PART.fullmatch(each.code):
        refuse(path, number, f'"{each.code}" is no part of a period; write figures, such as 04')


def add(path: Path, rows: Iterable[CodeRow], standing: Iterable[CodeRow]) -> list[CodeRow]:
    """Add rows to a `codes.csv`, and say which were new; what stands there keeps its bytes.

    A file in order (component, column, label without accents) stays in order. The file is replaced at once.

    Raises:
        SetupError: a label has another fate already.
    """
    known: dict[tuple[str, str, str], list[CodeRow]] = {}
    for row in standing:
        known.setdefault(_key(astuple(row)), []).append(row)
    new = []
    for row in rows:
        others = known.get(_key(astuple(row)), [])
        if any(other.code != row.code for other in others):
            refuse(path, None, f'"{row.label}" is {others[0].code or "ignored"} already: change that row by hand')
        if not others:
            new.append(row)
    if new:
        _replace(path, new)
    return new


def _replace(path: Path, new: list[CodeRow]) -> None:
    text = path.read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in text else "\n"
    header, *standing = _records(text if text.endswith("\n") else text + end)
    names = header[0]
    where = [names.index(name) for name in ("component", "column", "label")]
    is_ordered = [_key([cells[i] for i in where]) for cells, _ in standing]
    added = []
    for row in new:
        cells = [getattr(row, name) for name in names if name in {each.name for each in fields(CodeRow)}]
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator=end).writerow(cells)
        added.append((cells, line.getvalue()))
    every = [*standing, *added]
    if is_ordered == sorted(is_ordered):
        every.sort(key=lambda record: _key([record[0][i] for i in where]))
    content = "".join(raw for _, raw in (header, *every))
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".codes-", delete=False) as file:
        file.write(content.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(path, file.name)
    Path(file.name).replace(path)


def _records(text: str) -> list[tuple[list[str], str]]:
    """Each record with its text as it stands, which may span lines."""
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    found, start = [], 0
    for cells in reader:
        found.append((cells, "".join(lines[start : reader.line_num])))
        start = reader.line_num
    return found


def _key(cells: Iterable[str]) -> tuple[str, str, str]:
    component, column, label, *_ = cells
    return component, column, folded(label)
