"""The structures of a release, laid out so that SDMX REST clients find them on a static host.

Every address is a folder with an index document. One base answers in one format: `v1` (REST 1.5) in
SDMX-ML 2.1, `v2` (REST 2) in SDMX-JSON 2.0, `v2xml` in SDMX-ML 3.0. Each document is written once and
stands under every address that it answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sdmx.model import common, v21

from pipeline import vtl
from pipeline.formats.columns import used
from pipeline.framework import GROUP
from pipeline.model import Library, Protected, Settings
from pipeline.structures import json20, ml21, ml30, sdg, walk, xsd
from pipeline.structures.artefacts import VERSION, Artefacts, artefacts
from pipeline.structures.constraints import actual
from pipeline.structures.national import maps
from pipeline.structures.resources import Answer, Resource, described, resources, resources_of_maps

Document = tuple[tuple[str, ...], bytes]  # every path below the release, content


@dataclass(frozen=True)
class Base:
    """One base address: its format, and how addresses below it say "all" and "the latest"."""

    folder: str
    index: str
    write: Callable[..., bytes]
    structures: str  # what comes before the kind of structure
    any_agency: tuple[str, ...]
    any_id: str
    latest: tuple[str, ...]
    short: str  # how version 1.0.0 is asked too
    has_lists_beside: bool  # concept schemes and hierarchies come with their code lists

    def path(self, *parts: str) -> str:
        return "/".join(("sdmx", self.folder, *filter(None, parts), self.index))

    def versions(self, version: str) -> tuple[str, ...]:
        """The ways to ask for a version."""
        return (version, self.short) if version == VERSION and self.short else (version,)


V1 = Base("v1", "index.xml", ml21.write, "", ("all", "ALL"), "all", ("latest", ""), "1.0", has_lists_beside=False)
V2 = Base("v2", "index.json", json20.write, "structure", ("*",), "*", ("+", "~", ""), "", has_lists_beside=True)
V2XML = Base("v2xml", "index.xml", ml30.write, "structure", ("*",), "*", ("+", "~", ""), "", has_lists_beside=True)
BASES = (V1, V2, V2XML)


def tree(library: Library, settings: Settings) -> Iterator[Document]:
    """Yield every structure document of a release."""
    built = artefacts(library)
    header = _header(library, settings)
    national = maps(library, built)
    for base in BASES:
        kinds = (*resources(built), *(resources_of_maps(national) if base is V2XML else ()))
        for answer, paths in _answers(base, kinds):
            yield _document(base, paths, answer, header)
    for flow in built.dataflows.values():
        yield _schema(flow, (*described(built, flow), built.constraints[flow.id]), header)
    for dsd in built.structures.values():
        yield _schema(dsd, described(built, next(f for f in built.dataflows.values() if f.structure is dsd)), header)
    yield from _files(library, built, header)
    yield ("files/structures/maps-3.0.xml",), ml30.write(national.all, message_id="MAPS", **header)
    if to_sdg := sdg.sdg(library, built):
        yield (sdg.FILE,), ml30.write(to_sdg, message_id="SDG", **header)


def available(library: Library, data: Protected, settings: Settings) -> Iterator[Document]:
    """Yield what is there of one dataflow: the codes that the figures use, and the span of time."""
    built = artefacts(library)
    flow = built.dataflows[data.flow.id]
    answer = (flow, *described(built, flow), content(built, data))
    header = _header(library, settings)
    names = [flow.id, *(f"{library.agency},{flow.id}{version}" for version in ("", ",latest", ",1.0", f",{VERSION}"))]
    keys = ("", "all", "all/all", "all/all/all")
    yield _document(V1, [V1.path("availableconstraint", name, key) for name in names for key in keys], answer, header)
    for base in (V2, V2XML):
        paths = [
            base.path("availability", context, library.agency, flow.id, version, key)
            for context in ("dataflow", "*")
            for version in dict.fromkeys((*base.versions(VERSION), *base.latest, "*"))
            for key in ("", "*", "*/*")
            if version or not key
        ]
        yield _document(base, paths, answer, header)


def content(built: Artefacts, data: Protected, *, components: Collection[str] = ()) -> v21.ContentConstraint:
    """The codes that figures use in each dimension, their span of time, and how many there are.

    Only those of `components` are told where there are any.
    """
    flow = built.dataflows[data.flow.id]
    dimensions = data.flow.structure.dimensions
    values = {name: used(data, name) for name in dimensions}
    values["TIME_PERIOD"] = data.frame["TIME_PERIOD"].drop_duplicates().astype(str).tolist()
    return actual(
        flow,
        {name: codes for name, codes in values.items() if codes and (name in components or not components)},
        {"maintainer": flow.maintainer, "version": VERSION, "is_final": True, "is_external_reference": False},
        series=len(data.frame[list(dimensions)].drop_duplicates()),
        observations=len(data.frame),
    )


def _header(library: Library, settings: Settings) -> dict[str, Any]:
    day = datetime.fromisoformat(settings.release_day).replace(tzinfo=UTC)
    return {"prepared": day, "sender": library.agency}


def _document(
    base: Base, paths: Sequence[str], answer: Sequence[common.MaintainableArtefact], header: Mapping[str, Any]
) -> Document:
    """One document; the id of its message comes from its first address, so it is the same in every build."""
    number = hashlib.sha256(paths[0].encode()).hexdigest()[:16]
    return tuple(paths), base.write(answer, message_id=f"STRUCTURES_{number}", **header)


# ---------------------------------------------------------------- addresses


def _answers(base: Base, kinds: Iterable[Resource]) -> Iterator[tuple[Answer, list[str]]]:
    """Yield every answer of a base once, with all the addresses that it stands under."""
    found: dict[tuple[str, ...], tuple[Answer, list[str]]] = {}
    for resource in kinds:
        for answer, path in _addressed(base, resource):
            key = tuple(f"{type(each).__name__} {walk.urn('any.Any', each)}" for each in answer)
            found.setdefault(key, (answer, []))[1].append(path)
    yield from found.values()


def _addressed(base: Base, resource: Resource) -> Iterator[tuple[Answer, str]]:
    """Yield (answer, address) for the lists and the single artefacts of one kind."""
    name = resource.name_v1 if base is V1 and resource.name_v1 else resource.name
    everything = (*resource.artefacts, *resource.beside_list(resource.artefacts))
    yield everything, base.path(base.structures, name)
    agencies = dict.fromkeys(walk.agency(each) for each in resource.artefacts)
    for agency in (*agencies, *base.any_agency):
        is_any = agency in base.any_agency
        chosen = tuple(each for each in resource.artefacts if is_any or walk.agency(each) == agency)
        for path in _list_paths(base, name, agency):
            yield (*chosen, *resource.beside_list(chosen)), path
        for identifier, version, same in _asked(base, chosen):
            yield _with_beside(base, resource, same), base.path(base.structures, name, agency, identifier, version)


def _list_paths(base: Base, name: str, agency: str) -> Iterator[str]:
    yield base.path(base.structures, name, agency)
    for version in base.latest:
        yield base.path(base.structures, name, agency, base.any_id, version)


def _asked(base: Base, chosen: Answer) -> Iterator[tuple[str, str, Answer]]:
    """Yield (id, version as it is asked, artefacts); several agencies may maintain one of the same id."""
    versions: dict[str, dict[str, list[common.MaintainableArtefact]]] = {}
    for each in chosen:
        versions.setdefault(each.id, {}).setdefault(str(each.version), []).append(each)
    for identifier, by_version in versions.items():
        newest = max(by_version, key=lambda version: [int(part) for part in version.split(".")])
        for version, same in by_version.items():
            for alias in (*base.versions(version), *(base.latest if version == newest else ())):
                yield identifier, alias, tuple(same)


def _with_beside(base: Base, resource: Resource, same: Sequence[common.MaintainableArtefact]) -> Answer:
    is_alone = not base.has_lists_beside and resource.name in ("conceptscheme", "hierarchy")
    beside = () if is_alone else (other for each in same for other in resource.beside(each))
    return (*same, *beside)


def _schema(
    of: common.MaintainableArtefact, answer: Sequence[common.MaintainableArtefact], header: Mapping[str, Any]
) -> Document:
    """The answer to a schema query: a structure and its lists, with links to what it was made from."""
    context = "dataflow" if isinstance(of, common.BaseDataflow) else "datastructure"
    kinds = {"dataflow": "datastructure.Dataflow", "datastructure": "datastructure.DataStructure"}
    paths = tuple(
        V2.path("schema", context, walk.agency(of), of.id, version)
        for version in (*V2.versions(str(of.version)), *V2.latest)
    )
    links = [walk.urn(kinds[context], of)]
    return paths, json20.write(answer, message_id=f"SCHEMA_{of.id}", links=links, **header)


# ---------------------------------------------------------------- files/structures


def _files(library: Library, built: Artefacts, header: Mapping[str, Any]) -> Iterator[Document]:
    """Everything in one file a format, a schema for the data of each structure, and the rules of each dataflow."""
    for name, write, chosen in (
        ("structures-2.1.xml", ml21.write, built.all_but_metadata),
        ("structures-3.0.xml", ml30.write, built.all),
        ("structures.json", json20.write, built.all),
    ):
        yield (f"files/structures/{name}",), write(chosen, message_id="STRUCTURES", **header)
    for structure in library.structures.values():
        for version, name in ((xsd.V21, structure.id), (xsd.V30, f"{structure.id}-3.0")):
            path = f"files/structures/schemas/{name}.xsd"
            yield (path,), xsd.schema(structure, library.agency, group=GROUP, version=version)
    for dataflow in library.dataflows.values():
        yield (f"files/structures/rules/{dataflow.id}.vtl",), vtl.script(dataflow, library)
        yield (f"files/structures/rules/{dataflow.id}.revisions.vtl",), vtl.revisions(dataflow)
