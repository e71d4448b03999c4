"""dsd/<DATAFLOW>/computed.toml → how a dataflow that the publisher makes is described."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline.framework import LANGUAGES, Field, Text
from pipeline.library import authored
from pipeline.library.authored import refuse

_TEXTS = ("title", "source_operation", "stat_pop")


def described(
    path: Path, *, providers: Collection[str], licences: Collection[str], fields: Mapping[str, Field]
) -> dict[str, Any]:
    """Who makes the dataflow, under which licence, its texts and its reference metadata.

    Raises:
        SetupError: the file names a provider, licence or field that does not exist, or lacks a key.
    """
    table = authored.toml(path)
    keys = ("provider", "licence", *_TEXTS)
    authored.keys(path, table, (*keys, "metadata", "not_known"), keys)
    if table["provider"] not in providers or table["licence"] not in licences:
        refuse(path, None, "provider or licence does not exist in metadata/")
    said = {"metadata": metadata(path, table.get("metadata", {}), fields), "not_known": not_known(path, table, fields)}
    return {**{name: table[name] for name in keys}, **said}


def metadata(path: Path, table: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Text]:
    """Texts by field of the reference metadata."""
    for identifier in table:
        if identifier not in fields:
            refuse(path, None, f'"{identifier}" is not a field of metadata/fields.csv')
    return {identifier: text(path, said, identifier) for identifier, said in table.items()}


def text(path: Path, table: Mapping[str, str], what: str) -> Text:
    """A text in the three languages; English may not be absent."""
    if not isinstance(table, dict) or "en" not in table or not table.keys() <= set(LANGUAGES):
        refuse(path, None, f"{what} must be a table of en, es and pt, with en at least")
    return table


def not_known(path: Path, table: Mapping[str, Any], fields: Mapping[str, Field]) -> frozenset[str]:
    """The mandatory fields of which a file says that no source says them."""
    for identifier in table.get("not_known", ()):
        if identifier not in fields or fields[identifier].obligation != "M":
            refuse(path, None, f'not_known: "{identifier}" is not a mandatory field of metadata/fields.csv')
        if identifier in table.get("metadata", {}):
            refuse(path, None, f'"{identifier}" has a text and is not_known: take it out of one of them')
    return frozenset(table.get("not_known", ()))
