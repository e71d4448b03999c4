"""dsd/<DATAFLOW>/computed.toml → how a dataflow that the publisher makes is described."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline.framework import Field
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
    for identifier in table.get("metadata", {}):
        if identifier not in fields:
            refuse(path, None, f'"{identifier}" is not a field of metadata/fields.csv')
    said = {"metadata": table.get("metadata", {}), "not_known": not_known(path, table, fields)}
    return {**{name: table[name] for name in keys}, **said}


def not_known(path: Path, table: Mapping[str, Any], fields: Mapping[str, Field]) -> frozenset[str]:
    """The mandatory fields of which a file says that no source says them."""
    for identifier in table.get("not_known", ()):
        if identifier not in fields or fields[identifier].obligation != "M":
            refuse(path, None, f'not_known: "{identifier}" is not a mandatory field of metadata/fields.csv')
        if identifier in table.get("metadata", {}):
            refuse(path, None, f'"{identifier}" has a text and is not_known: take it out of one of them')
    return frozenset(table.get("not_known", ()))
