"""Reading the files we author: CSV and TOML, all text, every fault named by file and row."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pipeline.errors import SetupError, Told
from pipeline.framework import LANGUAGES, Text

NAMES = ("name_en", "name_es", "name_pt")

_ID = re.compile(r"[A-Za-z0-9_@$-]+")


def refuse(path: Path, row: int | None, fault: str | Told) -> NoReturn:
    """Stop the run: an authored file is wrong, here and so."""
    where = Told("{file}, row {row}" if row else "{file}", file=f"{path.parent.name}/{path.name}", row=row)
    raise SetupError("{where}: {fault}", where=where, fault=fault)


def is_address(text: str) -> bool:
    """Whether it is an address of the web with a host, and without a query or a mark."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_one and not (parts.query or parts.fragment)


def base_url(path: Path, table: Mapping[str, Any]) -> str:
    """The address that a file gives as its `base_url`, without a slash at the end; blank where it gives none."""
    text = str(table.get("base_url", ""))
    if "base_url" in table and not is_address(text):
        refuse(path, None, f'base_url "{text}" must be a whole address: https://statistics.example.org/migration')
    return text.rstrip("/")


def rows(
    path: Path, columns: Collection[str], *, extra: bool = False, optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (row number in the file, cells by column) of a CSV with the given columns, and perhaps the optional ones.

    Raises:
        SetupError: the file is absent, is not UTF-8, lacks or has an unknown column, or a row is ragged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            absent = [column for column in columns if column not in header]
            unknown = [] if extra else [column for column in header if column not in (*columns, *optional)]
            if absent or unknown or len(set(header)) < len(header):
                refuse(path, 1, f"columns must be {', '.join(columns)}; found {', '.join(header) or 'none'}")
            for cells in reader:
                if len(cells) != len(header):
                    refuse(path, reader.line_num, f"{len(cells)} cells where the header has {len(header)}")
                yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except FileNotFoundError:
        refuse(path, None, "the file does not exist")
    except (UnicodeDecodeError, csv.Error) as error:
        refuse(path, None, f"not a UTF-8 CSV file ({error})")


def toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        SetupError: the file is absent or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        refuse(path, None, "the file does not exist")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        refuse(path, None, f"not a TOML file ({error})")


def words(cells: Mapping[str, str], stem: str) -> Text:
    """The texts in columns `<stem>_en`, `_es`, `_pt`, without the blank ones."""
    return {lang: cells[f"{stem}_{lang}"] for lang in LANGUAGES if cells.get(f"{stem}_{lang}")}


def keys(path: Path, found: Mapping[str, Any], allowed: Collection[str], required: Collection[str] = ()) -> None:
    """Refuse a TOML table with a key that is not in `allowed`, or without one of `required`."""
    for key in found:
        if key not in allowed:
            refuse(path, None, f'"{key}" is not a known key; known are {", ".join(sorted(allowed))}')
    for key in required:
        if key not in found:
            refuse(path, None, f'"{key}" is missing')


def name(path: Path, row: int, cells: Mapping[str, str], stem: str = "name") -> Text:
    """The texts of `<stem>_*`; English, the language of reference, may not be blank."""
    if not cells[f"{stem}_en"]:
        refuse(path, row, f"{stem}_en is empty")
    return words(cells, stem)


def every(path: Path, row: int, cells: Mapping[str, str], stem: str) -> Text:
    """The texts of `<stem>_*` in every language; a page must not fall silent in one of them."""
    texts = words(cells, stem)
    if len(texts) < len(LANGUAGES):
        refuse(path, row, f"{stem} is empty in a language")
    return texts


def unique(path: Path, row: int | None, identifier: str, known: Collection[str]) -> str:
    """An identifier that SDMX allows (IDType of the 2.1 and 3.0 schemas) and that is new."""
    if not _ID.fullmatch(identifier):
        refuse(path, row, f'"{identifier}" is not a valid SDMX identifier')
    if identifier in known:
        refuse(path, row, f'"{identifier}" stands twice')
    return identifier
