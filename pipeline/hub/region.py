"""What is kept of all sites → one regional release, each table with the site that it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

from pipeline import describe, releases, report, reuse, vintages
from pipeline.catalogue.sites import PATH
from pipeline.errors import InputError
from pipeline.formats import Format
from pipeline.framework import Text
from pipeline.hub import fit
from pipeline.hub.gather import Visit
from pipeline.hub.kept import Kept, Key, Taken
from pipeline.model import Library, Package, Release, Report, Settings
from pipeline.package import package
from pipeline.plain import as_json
from pipeline.united import united
from pipeline.workers import shared_out


@dataclass(frozen=True)
class Chosen:
    """A table and the site that it is taken from."""

    visit: Visit
    taken: Taken

    @property
    def provenance(self) -> dict[str, str]:
        """Where the hub has it from, as its record says."""
        return {
            "address": self.visit.site.address,
            "agency": self.visit.site.agency,
            "release": self.taken.release,
            "signature": self.visit.state.signature,
            "moment": self.taken.moment,
        }


def choose(visits: Sequence[Visit]) -> tuple[dict[Key, Chosen], dict[tuple[str, Key], Text]]:
    """Each table from one site, and what is left out of another: by address and table, why.

    Where several have it, the one whose list of countries names its country, then the one that is listed first.
    """
    order = sorted(range(len(visits)), key=lambda place: not visits[place].site.areas)
    chosen: dict[Key, Chosen] = {}
    left: dict[tuple[str, Key], Text] = {}
    for visit in (visits[place] for place in order):
        for key, taken in sorted(visit.state.tables.items()):
            if not visit.site.speaks_for(key[0]):
                continue
            if key not in chosen:
                chosen[key] = Chosen(visit, taken)
                continue
            first = chosen[key].visit.site
            error = InputError(
                "{address} and {other} both publish {area} {flow}; that of {address} is taken. Say in the list of "
                "sites which of them speaks for {area}.",
                address=first.address,
                other=visit.site.address,
                area=key[0],
                flow=key[1],
            )
            left[visit.site.address, key] = error.text()
    return dict(sorted(chosen.items())), left


def identity(chosen: Mapping[Key, Chosen], common: str, settings: Settings) -> str:
    """Digest of all that a regional release depends on."""
    tables = (
        json.dumps([*key, dict(each.taken.files), each.provenance], sort_keys=True) for key, each in chosen.items()
    )
    said = repr(replace(settings, release="", areas=()))
    return reuse.digest((common, said, *tables))


def next_release(past: releases.Past, day: str) -> str:
    """The name of a release of a day, after those that are out.

    Raises:
        PublishError: one of a later day is out.
    """
    known = releases.moment(past.newest) if past.newest else ("", 0)
    name = f"{day}.{known[1] + 1 if known[0] == day else 1}"
    past.before(name)
    return name


def release(
    chosen: Mapping[Key, Chosen],
    visits: Sequence[Visit],
    left: Mapping[tuple[str, Key], Text],
    library: Library,
    settings: Settings,
    *,
    sites: Path,
    formats: Mapping[str, Format],
    said: str,
) -> Release:
    """The regional release of the tables that were chosen; `sites` is where their files are kept."""
    tasks = [partial(_read, sites / each.visit.site.folder, each.taken, key, library) for key, each in chosen.items()]
    packages: list[Package] = []
    reports: dict[Key, Report] = {}
    carried: dict[str, bytes] = {}
    held_back = {key: why for visit in visits for key, why in visit.state.held.items()}
    for (key, each), found in zip(chosen.items(), shared_out(tasks, said), strict=True):
        if isinstance(found, InputError):
            held_back[key] = found.text()
            kept = Kept(sites / each.visit.site.folder)
            kept.remember(replace(kept.state, manifest="", validators={}))  # so that the next run mends it
            continue
        description = describe.released(found.standing.record, library)
        description = replace(description, gathered=(*description.gathered, each.provenance))
        packages.append(package(found.data, description, library, formats=formats.values()))
        if found.report is not None:
            reports[key], carried[report.record_path(*key)] = found.report, found.standing.report
        carried |= {vintages.path(*key): found.standing.revisions} if found.standing.revisions else {}
    made = united(packages, reports, held_back, library, settings, formats=formats.values(), carried=carried)
    return replace(made, records={**made.records, PATH: sources(visits, left)})


def _read(folder: Path, taken: Taken, key: Key, library: Library) -> fit.Fit | InputError:
    kept = Kept(folder)
    try:
        return fit.read({name: kept.read(sha256) for name, sha256 in taken.files.items()}, key, library)
    except InputError as error:
        return error


def sources(visits: Iterable[Visit], left: Mapping[tuple[str, Key], Text]) -> bytes:
    """Every site with its address, state, tables and services: the list of lists."""
    by_site: dict[str, dict[Key, Text]] = {}
    for (address, key), why in left.items():
        by_site.setdefault(address, {})[key] = why
    order = sorted(visits, key=lambda visit: visit.site.address)
    return as_json({"sites": [_source(each, by_site.get(each.site.address, {})) for each in order]})


def _source(visit: Visit, left: Mapping[Key, Text]) -> dict[str, object]:
    site, state = visit.site, visit.state
    not_taken = {**state.held, **left}
    return {
        "address": site.address,
        "agency": site.agency,
        "areas": sorted(site.areas or {area for area, _ in state.tables}),
        "state": "unreached" if visit.fault else "partly" if not_taken else "gathered",
        "why": dict(visit.fault),
        "release": state.release,
        "gathered": state.moment,
        "signature": state.signature,
        "tables": [
            {"dataflow": flow, "area": area, "release": taken.release, "gathered": taken.moment}
            for (area, flow), taken in sorted(state.tables.items())
            if (area, flow) not in left
        ],
        "held_back": [
            {"dataflow": flow, "area": area, "why": dict(why)} for (area, flow), why in sorted(not_taken.items())
        ],
        "unknown": list(state.unknown),
        "endpoints": {name: urljoin(site.address, path) for name, path in sorted(state.endpoints.items())},
    }
