"""What a site says that it publishes: its manifest, read as the word of a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline import report, vintages
from pipeline.errors import InputError
from pipeline.formats import lineage, table
from pipeline.hub.kept import LINEAGE, RECORD, REPORT, REVISIONS, TABLE, Key
from pipeline.model import Library, Written
from pipeline.package import metadata_path
from pipeline.releases import moment

_RELEASE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\.[1-9]\d{0,5}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OF_TABLE = re.compile(r"packages/(DF_[A-Z0-9_]{1,40})/([A-Z0-9]{2,8})/metadata\.json")
_OF_DELTA = re.compile(r"releases/([\d.-]{12,20})/delta/(DF_[A-Z0-9_]{1,40})/([A-Z0-9]{2,8})\.csv")
_ENDPOINTS = {
    "sdmx_v1": "sdmx/v1/",
    "sdmx_v2": "sdmx/v2/",
    "sdmx_v2xml": "sdmx/v2xml/",
    "registrations": "registrations.xml",
    "dcat": "catalog.ttl",
    "feed": "feed.atom",
    "calendar": "calendar.ics",
    "status": "status.json",
    "releases": "releases/index.json",
}


@dataclass(frozen=True)
class Listed:
    """A release of a site and its files. Only paths that the hub makes itself are ever looked up or asked for."""

    release: str
    files: Mapping[str, Any]

    def entry(self, path: str) -> Written | None:
        """Size and checksum of a file; None where it is not listed as it should be."""
        found = self.files.get(path)
        size, sha256 = (found.get("bytes"), found.get("sha256")) if isinstance(found, dict) else (None, None)
        is_one = isinstance(size, int) and size >= 0 and isinstance(sha256, str) and _SHA256.fullmatch(sha256)
        return Written(size, sha256) if is_one else None  # type: ignore[arg-type]

    def tables(self, library: Library) -> tuple[list[Key], tuple[str, ...]]:
        """The tables that the hub gathers, and the names of countries and dataflows that it does not know.

        What is computed of published tables is not among them: the hub computes it of all.
        """
        computed = (library.indicators.flow, library.capacity.flow)
        found, unknown = list[Key](), set[str]()
        for path in self.files:
            match = _OF_TABLE.fullmatch(path)
            if match is None or match[1] in computed:
                continue
            flow, area = match.groups()
            unknown |= {flow} - library.dataflows.keys() | {area} - library.countries.keys()
            if flow in library.dataflows and area in library.countries:
                found.append((area, flow))
        return sorted(found), tuple(sorted(unknown))

    def deltas(self, key: Key, since: str) -> list[tuple[str, Written]]:
        """What releases after `since` changed of a table, oldest first."""
        found = [each for each in self._changes.get(key, ()) if since and moment(each[0]) > moment(since)]
        return [(path, entry) for _, path, entry in sorted(found, key=lambda each: moment(each[0]))]

    @cached_property
    def _changes(self) -> dict[Key, list[tuple[str, str, Written]]]:
        found: dict[Key, list[tuple[str, str, Written]]] = {}
        for path in self.files:
            match, entry = _OF_DELTA.fullmatch(path), self.entry(path)
            if match and entry is not None and _RELEASE.fullmatch(match[1]):
                found.setdefault((match[3], match[2]), []).append((match[1], path, entry))
        return found

    @property
    def endpoints(self) -> dict[str, str]:
        """The services and notices of the site, by name, as paths below its address."""
        return {name: path for name, path in _ENDPOINTS.items() if any(each.startswith(path) for each in self.files)}


def listed(content: bytes, address: str) -> Listed:
    """The manifest of a site.

    Raises:
        InputError: it is none.
    """
    try:
        found = json.loads(content)
        is_one = isinstance(found["files"], dict) and bool(_RELEASE.fullmatch(found["release"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        is_one = False
    if not is_one:
        raise InputError("{address}manifest.json is not the manifest of a release.", address=address)
    return Listed(found["release"], found["files"])


def paths(key: Key) -> dict[str, str]:
    """Where a site has what the hub needs of a table."""
    area, flow = key
    return {
        RECORD: metadata_path(flow, area),
        TABLE: table.FORMAT.path(flow, area),
        LINEAGE: lineage.FORMAT.path(flow, area),
        REPORT: report.record_path(area, flow),
        REVISIONS: vintages.path(area, flow),
    }
