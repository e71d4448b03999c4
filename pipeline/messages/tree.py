"""Where each structure message stands in the static SDMX REST tree, and the full files.

An artefact's own address answers with itself and all it stands on, so that a client that asks for
`references=all`, `descendants` or `children` finds them; a list of dataflows holds dataflows alone
(see docs/decisions/0004-static-rest.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd
from sdmx.model import common

from pipeline.framework import LANGUAGES
from pipeline.messages import json20, ml, ml21, ml30
from pipeline.messages.artefacts import Artefact, artefacts
from pipeline.messages.artefacts import available as availability
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

Paths = tuple[str, ...]
Message = Callable[[Iterable[Artefact], str], bytes]


class _Rendering:
    """The three formats; each artefact becomes a fragment once a format."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._fragments: dict[tuple[str, int], str] = {}
        header = {"prepared": f"{settings.release_day}T00:00:00Z", "sender": library.agency}
        languages = list(LANGUAGES)
        self.formats: dict[str, Message] = {
            "v1": partial(
                self._message, "v1", partial(ml.fragment, ml21.DIALECT), partial(ml.message, ml21.DIALECT, **header)
            ),
            "v2": partial(self._message, "v2", json20.fragment, partial(json20.message, languages=languages, **header)),
            "v2xml": partial(
                self._message, "v2xml", partial(ml.fragment, ml30.DIALECT), partial(ml.message, ml30.DIALECT, **header)
            ),
        }

    def _message(
        self,
        base: str,
        fragment: Callable[[Any], str],
        message: Callable[..., bytes],
        wanted: Iterable[Artefact],
        name: str,
    ) -> bytes:
        parts = []
        for artefact in wanted:
            key = (base, id(artefact))
            if key not in self._fragments:
                self._fragments[key] = fragment(artefact)
            parts.append((type(artefact), self._fragments[key]))
        return message(parts, message_id=name)


def tree(library: Library, settings: Settings) -> Iterator[tuple[Paths, bytes]]:
    """Yield every structure message with the paths in the release where it stands."""
    every, rendering = artefacts(library), _Rendering(library, settings)
    whole = [artefact for group in every.values() for artefact in group]
    for base, file in (("v1", "structures-2.1.xml"), ("v2xml", "structures-3.0.xml"), ("v2", "structures.json")):
        yield (f"files/structures/{file}",), rendering.formats[base](whole, "STRUCTURES")
    shared = _around(every)
    for kind, group in every.items():
        for base, message in rendering.formats.items():
            resource = _RESOURCES[kind][0 if base == "v1" else 1]
            yield _list_paths(base, resource, library.agency), message(group, f"ALL_{kind}".upper())
            for artefact in group:
                wanted = _superset(artefact, shared)
                if base == "v2xml" and not isinstance(artefact, _UNREAD_IN_30):
                    wanted = [each for each in wanted if not isinstance(each, _UNREAD_IN_30)]
                yield _own_paths(base, resource, artefact), message(wanted, artefact.id)


def available(library: Library, data: Protected, settings: Settings) -> Iterator[tuple[Paths, bytes]]:
    """Yield what the published data of a dataflow have, in each format, with the paths where it is asked."""
    rendering, agency, flow = _Rendering(library, settings), library.agency, data.flow.id
    used = {c: [str(code) for code in pd.unique(data.frame[c])] for c in data.flow.structure.dimensions}
    constraint = availability(library, data.flow, used)
    names = (flow, f"{agency},{flow}", f"{agency},{flow},latest", f"{agency},{flow},1.0.0")
    paths = {
        "v1": tuple(f"sdmx/v1/availableconstraint/{name}/index.xml" for name in names),
        **{
            base: tuple(
                f"sdmx/{base}/availability/dataflow/{agency}/{flow}/{version}/index.{ending}"
                for version in ("1.0.0", "+", "~", "*")
            )
            for base, ending in (("v2", "json"), ("v2xml", "xml"))
        },
    }
    for base, message in rendering.formats.items():
        yield paths[base], message([constraint], f"AVAILABLE_{flow}")


def _around(every: dict[str, list[Artefact]]) -> dict[int, list[Artefact]]:
    """For each dataflow, the artefacts that speak of it: constraint, categorisation, agreements."""
    found: dict[int, list[Artefact]] = {id(flow): [] for flow in every["dataflow"]}
    for constraint in every["contentconstraint"]:
        (flow,) = constraint.content  # type: ignore[attr-defined]
        found[id(flow)].append(constraint)
    for each in every["categorisation"]:
        found[id(each.artefact)].append(each)  # type: ignore[attr-defined]
    for each in every["provisionagreement"]:
        found[id(each.structure_usage)].append(each)  # type: ignore[attr-defined]
    for flow in every["dataflow"]:
        found[id(flow)] += [*every["categoryscheme"], *every["agencyscheme"], *every["dataproviderscheme"]]
        structure = flow.structure  # type: ignore[attr-defined]
        found.setdefault(id(structure), []).append(flow)
    return found


def _superset(artefact: Artefact, shared: dict[int, list[Artefact]]) -> list[Artefact]:
    """The artefact, what speaks of it, and all that these stand on, each once."""
    found: dict[int, Artefact] = {}
    waiting: list[Artefact] = [artefact, *shared.get(id(artefact), [])]
    while waiting:
        each = waiting.pop(0)
        if id(each) not in found:
            found[id(each)] = each
            waiting += below(each)
    return list(found.values())


def _list_paths(base: str, resource: str, agency: str) -> Paths:
    """Where all artefacts of a kind are asked."""
    if base == "v1":
        owners = (f"/{agency}", "/all", "/ALL")
        ends = ("", "/all", "/all/latest", "/all/all")
        return (f"sdmx/v1/{resource}/index.xml", *(f"sdmx/v1/{resource}{o}{e}/index.xml" for o in owners for e in ends))
    ending = "json" if base == "v2" else "xml"
    top = f"sdmx/{base}/structure/{resource}"
    ends = ("", "/*", *(f"/*/{version}" for version in ("+", "~", "*")))
    return (f"{top}/index.{ending}", *(f"{top}/{o}{e}/index.{ending}" for o in (agency, "*") for e in ends))


def _own_paths(base: str, resource: str, artefact: Artefact) -> Paths:
    """Where one artefact is asked, under each name for its agency and version."""
    agency, version = artefact.maintainer.id, str(artefact.version)  # type: ignore[union-attr]
    if base == "v1":
        owners: Sequence[str] = (agency, "all", "ALL") if _is_sole(artefact) else (agency,)
        versions = dict.fromkeys(("", "/latest", f"/{version}", f"/{version.removesuffix('.0')}", "/all"))
        return tuple(f"sdmx/v1/{resource}/{o}/{artefact.id}{v}/index.xml" for o in owners for v in versions)
    ending = "json" if base == "v2" else "xml"
    owners = (agency, "*") if _is_sole(artefact) else (agency,)
    top = f"sdmx/{base}/structure/{resource}"
    versions = dict.fromkeys(("", "/+", "/~", "/*", "/latest", f"/{version}"))
    paths = [f"{top}/{o}/{artefact.id}{v}/index.{ending}" for o in owners for v in versions]
    if resource == "dataflow":
        schema = f"sdmx/{base}/schema/dataflow/{agency}/{artefact.id}"
        paths += [f"{schema}{v}/index.{ending}" for v in versions]
    return tuple(paths)


def _is_sole(artefact: Artefact) -> bool:
    """Organisation schemes have one id for every agency, so "any agency" does not name one of them."""
    return artefact.id not in ("AGENCIES", "DATA_PROVIDERS")
