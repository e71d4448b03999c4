"""Where each structure message stands in the static SDMX REST tree, and the full files.

An artefact's own address answers with itself and all it stands on, so that a client that asks for
`references=all`, `descendants` or `children` finds them; a list of dataflows holds dataflows alone
(see docs/decisions/0004-static-rest.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from sdmx.model import common, v21

from pipeline.framework import LANGUAGES
from pipeline.messages import json20, ml, ml21, ml30
from pipeline.messages.artefacts import Framework
from pipeline.messages.names import below
from pipeline.model import Library, Protected, Settings

# Class of artefact → how REST 1.5 and REST 2.x name it in an address.
_RESOURCES = {
    "agencyscheme": ("agencyscheme", "agencyscheme"),
    "dataproviderscheme": ("dataproviderscheme", "dataproviderscheme"),
    "codelist": ("codelist", "codelist"),
    "hierarchicalcodelist": ("hierarchicalcodelist", "hierarchy"),
    "conceptscheme": ("conceptscheme", "conceptscheme"),
    "datastructure": ("datastructure", "datastructure"),
    "dataflow": ("dataflow", "dataflow"),
    "contentconstraint": ("contentconstraint", "dataconstraint"),
    "categoryscheme": ("categoryscheme", "categoryscheme"),
    "categorisation": ("categorisation", "categorisation"),
    "provisionagreement": ("provisionagreement", "provisionagreement"),
}

# sdmx1 2.28 cannot read these in SDMX-ML 3.0, and refuses a message that has one.
_UNREAD_IN_30 = (common.DataProviderScheme, common.ProvisionAgreement)

# Base of the tree → ending of its documents, and the file that holds everything.
_BASES = {
    "v1": ("xml", "structures-2.1.xml"),
    "v2": ("json", "structures.json"),
    "v2xml": ("xml", "structures-3.0.xml"),
}

Paths = tuple[str, ...]
Artefact = Any  # of sdmx1's model; its types are looser than ours


class Messages:
    """The framework as structure messages. Each artefact becomes text once a format."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._framework = Framework(library)
        self._agency = library.agency
        self._header = {"prepared": f"{settings.release_day}T00:00:00Z", "sender": library.agency}
        self._fragments: dict[tuple[str, int], str] = {}
        self._shared = _around(self._framework.by_kind)

    def tree(self) -> Iterator[tuple[Paths, bytes]]:
        """Yield every structure message with the paths in the release where it stands."""
        every = self._framework.by_kind
        for base, (_, file) in _BASES.items():
            whole = (artefact for group in every.values() for artefact in group)
            yield (f"files/structures/{file}",), self._message(base, whole, "STRUCTURES")
            for kind, group in every.items():
                resource = _RESOURCES[kind][0 if base == "v1" else 1]
                yield _list_paths(base, resource, self._agency), self._message(base, group, f"ALL_{kind}".upper())
                for artefact in group:
                    yield (
                        _own_paths(base, resource, artefact),
                        self._message(base, self._superset(base, artefact), artefact.id),
                    )

    def available(self, data: Protected) -> Iterator[tuple[Paths, bytes]]:
        """Yield what the published data of a dataflow have, with the paths where it is asked.

        In REST 2 clients ask for it with `references=all`: the structures come with it.
        """
        flow = data.flow.id
        used = {c: [str(code) for code in pd.unique(data.frame[c])] for c in data.flow.structure.dimensions}
        constraint = self._framework.available(data.flow, used)
        for base, (ending, _) in _BASES.items():
            if base == "v1":
                names = (
                    flow,
                    f"{self._agency},{flow}",
                    f"{self._agency},{flow},latest",
                    f"{self._agency},{flow},1.0.0",
                )
                paths: Paths = tuple(f"sdmx/v1/availableconstraint/{name}/index.xml" for name in names)
                wanted = [constraint]
            else:
                top = f"sdmx/{base}/availability/dataflow/{self._agency}/{flow}"
                paths = tuple(f"{top}/{version}/index.{ending}" for version in ("1.0.0", "+", "~", "*"))
                wanted = [constraint, *self._superset(base, self._framework.flows[flow], is_allowed=False)]
            yield paths, self._message(base, wanted, f"AVAILABLE_{flow}")

    def _message(self, base: str, wanted: Iterable[Artefact], name: str) -> bytes:
        fragments = [(type(artefact), self._fragment(base, artefact)) for artefact in wanted]
        if base == "v2":
            return json20.message(fragments, message_id=name, languages=list(LANGUAGES), **self._header)
        return ml.message(_DIALECTS[base], fragments, message_id=name, **self._header)

    def _fragment(self, base: str, artefact: Artefact) -> str:
        key = (base, id(artefact))
        if key not in self._fragments:
            made = json20.fragment(artefact) if base == "v2" else ml.fragment(_DIALECTS[base], artefact)
            self._fragments[key] = made
        return self._fragments[key]

    def _superset(self, base: str, artefact: Artefact, *, is_allowed: bool = True) -> list[Artefact]:
        """The artefact, what speaks of it, and all that these stand on, each once."""
        found: dict[int, Artefact] = {}
        waiting: list[Artefact] = [artefact, *self._shared.get(id(artefact), [])]
        while waiting:
            each = waiting.pop(0)
            is_unread = base == "v2xml" and each is not artefact and isinstance(each, _UNREAD_IN_30)
            is_left_out = isinstance(each, v21.ContentConstraint) and not is_allowed
            if id(each) not in found and not is_unread and not is_left_out:
                found[id(each)] = each
                waiting += below(each)
        return list(found.values())


_DIALECTS = {"v1": ml21.DIALECT, "v2xml": ml30.DIALECT}


def _around(every: Mapping[str, Sequence[Artefact]]) -> dict[int, list[Artefact]]:
    """For each dataflow, the artefacts that speak of it; for each structure, its dataflows."""
    found: dict[int, list[Artefact]] = {}
    for constraint in every["contentconstraint"]:
        (flow,) = constraint.content
        found.setdefault(id(flow), []).append(constraint)
    for each in every["categorisation"]:
        found[id(each.artefact)].append(each)
    for each in every["provisionagreement"]:
        found[id(each.structure_usage)].append(each)
    for flow in every["dataflow"]:
        found[id(flow)] += [*every["categoryscheme"], *every["agencyscheme"], *every["dataproviderscheme"]]
        found.setdefault(id(flow.structure), []).append(flow)
    return found


def _list_paths(base: str, resource: str, agency: str) -> Paths:
    """Where all artefacts of a kind are asked."""
    if base == "v1":
        owned = [f"/{owner}{end}" for owner in (agency, "all", "ALL") for end in ("", "/all", "/all/latest", "/all/all")]
        return tuple(f"sdmx/v1/{resource}{each}/index.xml" for each in ("", *owned))
    ending = "json" if base == "v2" else "xml"
    top = f"sdmx/{base}/structure/{resource}"
    ends = ("", "/*", *(f"/*/{version}" for version in ("+", "~", "*")))
    return (f"{top}/index.{ending}", *(f"{top}/{o}{e}/index.{ending}" for o in (agency, "*") for e in ends))


def _own_paths(base: str, resource: str, artefact: Artefact) -> Paths:
    """Where one artefact is asked, under each name for its agency and version."""
    agency, version = artefact.maintainer.id, str(artefact.version)
    if base == "v1":
        owners: tuple[str, ...] = (agency, "all", "ALL") if _is_sole(artefact) else (agency,)
        versions = dict.fromkeys(("", "/latest", f"/{version}", f"/{version.removesuffix('.0')}", "/all"))
        return tuple(f"sdmx/v1/{resource}/{o}/{artefact.id}{v}/index.xml" for o in owners for v in versions)
    ending = "json" if base == "v2" else "xml"
    owners = (agency, "*") if _is_sole(artefact) else (agency,)
    top = f"sdmx/{base}/structure/{resource}"
    aliases = dict.fromkeys(("", "/+", "/~", "/*", "/latest", f"/{version}"))
    paths = [f"{top}/{o}/{artefact.id}{v}/index.{ending}" for o in owners for v in aliases]
    if resource == "dataflow":
        schema = f"sdmx/{base}/schema/dataflow/{agency}/{artefact.id}"
        paths += [f"{schema}{v}/index.{ending}" for v in aliases]
    return tuple(paths)


def _is_sole(artefact: Artefact) -> bool:
    """Organisation schemes have one id for every agency, so "any agency" does not name one of them."""
    return artefact.id not in ("AGENCIES", "DATA_PROVIDERS")
