"""dsd/<DATAFLOW>/computed.toml → how a dataflow that the publisher makes is described."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.library import authored
from pipeline.library.authored import refuse

_TEXTS = ("title", "source_operation", "stat_pop")


def described(
    path: Path, *, providers: Collection[str], licences: Collection[str], fields: Collection[str]
) -> dict[str, Any]:
    """Who makes the dataflow, under which licence, its texts and its reference metadata.

    Raises:
        SetupError: the file names a provider, licence or field that does not exist, or lacks a key.
    """
    table = authored.toml(path)
    keys = ("provider", "licence", *_TEXTS)
    authored.keys(path, table, (*keys, "metadata"), keys)
    if table["provider"] not in providers or table["licence"] not in licences:
        refuse(path, None, "provider or licence does not exist in metadata/")
    for identifier in table.get("metadata", {}):
        if identifier not in fields:
            refuse(path, None, f'"{identifier}" is not a field of metadata/fields.csv')
    return {**{name: table[name] for name in keys}, "metadata": table.get("metadata", {})}
