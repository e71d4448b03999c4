"""The release that is served, with the framework that it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sdmx.model import common

from pipeline import describe, releases
from pipeline import library as authored
from pipeline.formats import parquet
from pipeline.model import Description, Library
from pipeline.package import metadata_path
from pipeline.structures import ml21
from pipeline.structures.artefacts import Artefacts, artefacts
from pipeline.structures.national import maps

_STRUCTURES = "files/structures/structures-2.1.xml"


@dataclass(frozen=True)
class Standing:
    """One release: where its tables stand, what describes them, and its structures.

    `tables` gives the countries of each dataflow. `mark` differs between any two releases.
    """

    public: Path
    release: str
    mark: str
    library: Library
    built: Artefacts
    maps: tuple[common.MaintainableArtefact, ...]
    tables: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, Description]  # of whole dataflows
    past: releases.Past

    @property
    def day(self) -> datetime:
        """The day of the release."""
        return datetime.fromisoformat(self.release.partition(".")[0]).replace(tzinfo=UTC)

    @property
    def header(self) -> dict[str, Any]:
        """What the messages of the release say of themselves."""
        return {"prepared": self.day, "sender": self.library.agency}

    def parquet(self, flow: str) -> list[str]:
        """The files of a dataflow."""
        return [str(self.public.resolve() / parquet.FORMAT.path(flow, area)) for area in self.tables.get(flow, ())]


def standing(root: Path, public: Path) -> Standing | None:
    """The release in `public`; None where the framework in `root` is not the one that it was made from any more."""
    manifest = (public / "manifest.json").read_bytes()
    content = json.loads(manifest)
    library = authored.load(root)
    built = artefacts(library)
    national = maps(library, built)
    day = datetime.fromisoformat(content["release"].partition(".")[0]).replace(tzinfo=UTC)
    structures = ml21.write(built.all_but_metadata, message_id="STRUCTURES", prepared=day, sender=library.agency)
    if content["files"].get(_STRUCTURES, {}).get("sha256") != hashlib.sha256(structures).hexdigest():
        return None
    tables = {
        flow: tuple(area for area in library.countries if parquet.FORMAT.path(flow, area) in content["files"])
        for flow in library.dataflows
    }
    described = {
        flow: describe.united([_description(public, flow, area, library) for area in areas], library)
        for flow, areas in tables.items()
        if areas
    }
    return Standing(
        public=public,
        release=content["release"],
        mark=hashlib.sha256(manifest).hexdigest(),
        library=library,
        built=built,
        maps=(*national.structure, *national.representation),
        tables=tables,
        descriptions=described,
        past=releases.past(public),
    )


def _description(public: Path, flow: str, area: str, library: Library) -> Description:
    record = json.loads((public / metadata_path(flow, area)).read_text(encoding="utf-8"))
    return describe.released(record, library)
