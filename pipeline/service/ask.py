"""The address of a data or availability query, as SDMX REST 1.5 and 2.x write it → what is asked for.

Nothing of it is trusted: names must be those of the structure, and values only ever become parameters of a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.framework import Dataflow
from pipeline.model import Library
from pipeline.service.faults import NO_RESULTS, NOT_IMPLEMENTED, SYNTAX, TOO_LARGE, RequestError

OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew")
DETAILS = ("full", "dataonly", "serieskeysonly", "nodata")
PARTS_V1 = ("flow", "key", "provider", "component")  # of an address; the last one of availability alone
PARTS_V2 = ("context", "agency", "id", "version", "key", "component")
CONTEXTS = ("dataflow", "*")
ANY = ("all", "ALL", "*")
VERSIONS = ("latest", "1.0.0", "1.0", "+", "~", "*", "all")
_FILTER = re.compile(r"c\[([A-Za-z0-9_@$-]+)\]")
_MOST_VALUES = 2000
MOST_COUNTED = 999_999_999
CHOICES: Mapping[str, tuple[str, ...]] = {  # of parameters with a closed list of values, the usual one first
    "attributes": ("dsd", "all", "none"),
    "detail": DETAILS,
    "dimensionAtObservation": ("TIME_PERIOD", "AllDimensions"),
    "includeHistory": ("false", "true"),
    "measures": ("all", "none", "OBS_VALUE"),
    "mode": ("exact", "available"),
    "references": ("none", "all", "dataflow", "datastructure", "codelist", "conceptscheme"),
}
PERIODS = ("asOf", "endPeriod", "startPeriod", "updatedAfter")
COUNTS = ("firstNObservations", "lastNObservations")
KNOWN = tuple(sorted((*CHOICES, *PERIODS, *COUNTS)))

Pairs = Sequence[tuple[str, str]]  # of a query string, decoded


@dataclass(frozen=True)
class Condition:
    """`operator` of OPERATORS between a component and a value."""

    component: str
    operator: str
    value: str


@dataclass(frozen=True)
class Ask:
    """What of a dataflow is asked for.

    `keys`: codes by dimension, any of which may hold; none means all. `filters`: groups that all must hold, in each
    of which one condition must. `first` and `last` count observations of each series; 0 means all.
    """

    flow: Dataflow
    keys: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    filters: tuple[tuple[Condition, ...], ...] = ()
    first: int = 0
    last: int = 0
    detail: str = "full"
    is_flat: bool = False
    updated_after: str = ""
    as_of: str = ""
    release: str = ""  # the figures as this release had them
    has_history: bool = False
    components: tuple[str, ...] = ()  # whose availability is asked; none means all
    parameters: Mapping[str, str] = field(default_factory=dict)


def ask_v1(parts: Sequence[str], query: Pairs, library: Library) -> Ask:
    """`flow[/key[/provider]]`: DF, AG,DF or AG,DF,version; key `all`, blank, or codes by dimension with `+` and `.`."""
    reference, key, provider, component = _placed(parts, PARTS_V1)
    if provider not in ("", *ANY):
        raise RequestError(NOT_IMPLEMENTED, "Data are not kept by provider: leave the provider out, or ask for all.")
    agency, identifier, version = [*reference.split(","), "", ""][:3] if "," in reference else ["all", reference, ""]
    flow = _flow(agency, identifier, version, library)
    return _asked(flow, _keys(key, flow), query, component)


def ask_v2(parts: Sequence[str], query: Pairs, library: Library) -> Ask:
    """`context/agency/flow/version[/key]`: `*` stands for any; several keys are separated by commas."""
    context, agency, identifier, version, key, component = _placed(parts, PARTS_V2)
    if len(parts) < 3:
        raise RequestError(SYNTAX, "An address reads data/dataflow/{agency}/{id}/{version}/{key}.")
    if context not in CONTEXTS:
        raise RequestError(NOT_IMPLEMENTED, f'The context "{context}" is not served: ask for a dataflow.')
    flow = _flow(agency, identifier, version, library)
    return _asked(flow, _keys(key, flow), query, component)


def given(query: Pairs) -> dict[str, str]:
    """The parameters that have one value.

    Raises:
        RequestError: one is given twice, and nobody can tell which is meant.
    """
    found: dict[str, str] = {}
    for name, value in query:
        if name in found:
            raise RequestError(SYNTAX, f'The parameter "{name}" is given twice.')
        if not _FILTER.fullmatch(name):
            found[name] = value
    return found


def choice(parameters: Mapping[str, str], name: str, code: int = SYNTAX) -> str:
    """What is asked for by a parameter with a closed list of values."""
    value = parameters.get(name, CHOICES[name][0])
    if value not in CHOICES[name]:
        raise RequestError(code, f"{name} is one of {', '.join(CHOICES[name])} here.")
    return value


def _placed(parts: Sequence[str], names: Sequence[str]) -> list[str]:
    """The parts of an address, blank where it ends before."""
    if len(parts) > len(names):
        raise RequestError(SYNTAX, f"An address has no more parts than {'/'.join(names)}.")
    return [*parts, *[""] * (len(names) - len(parts))]


def _flow(agency: str, identifier: str, version: str, library: Library) -> Dataflow:
    if "," in identifier or "+" in identifier or identifier in ("*", "all"):
        raise RequestError(NOT_IMPLEMENTED, "One dataflow is served at a time.")
    is_ours = agency in (library.agency, *ANY) and version in ("", *VERSIONS)
    if not is_ours or identifier not in library.dataflows:
        known = ", ".join(library.dataflows)
        raise RequestError(NO_RESULTS, f"There is no dataflow {agency}:{identifier}({version}). Known are {known}.")
    return library.dataflows[identifier]


def _keys(text: str, flow: Dataflow) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    if text in ("", *ANY):
        return ()
    dimensions = flow.structure.dimensions
    found = []
    for key in text.split(","):
        parts = key.split(".")
        if len(parts) != len(dimensions):
            raise RequestError(
                SYNTAX,
                f"The key {key} has {len(parts)} parts; {flow.id} has {len(dimensions)} dimensions: "
                f"{'.'.join(dimensions)}. Leave blank, or write *, what may be anything.",
            )
        named = zip(dimensions, parts, strict=True)
        found.append({name: tuple(part.split("+")) for name, part in named if part not in ("", "*")})
    _limited(len(codes) for key in found for codes in key.values())
    return tuple(found) if all(found) else ()


def _asked(flow: Dataflow, keys: tuple[Mapping[str, tuple[str, ...]], ...], query: Pairs, component: str) -> Ask:
    said = given(query)
    for name in said:
        if name not in KNOWN:
            raise RequestError(SYNTAX, f'There is no parameter "{name}". Known are c[DIMENSION], {", ".join(KNOWN)}.')
    return Ask(
        flow,
        keys,
        tuple(_filters(flow, query, said)),
        first=_count(said, "firstNObservations"),
        last=_count(said, "lastNObservations"),
        detail=_detail(said),
        is_flat=choice(said, "dimensionAtObservation", NOT_IMPLEMENTED) == "AllDimensions",
        updated_after=said.get("updatedAfter", ""),
        as_of=said.get("asOf", ""),
        has_history=choice(said, "includeHistory") == "true",
        components=_components(component, flow),
        parameters=said,
    )


def _components(text: str, flow: Dataflow) -> tuple[str, ...]:
    named = () if text in ("", *ANY) else tuple(text.split(","))
    for name in named:
        if name not in flow.structure.key:
            raise RequestError(SYNTAX, f"{flow.id} has no dimension {name}. It has {', '.join(flow.structure.key)}.")
    return named


def _filters(flow: Dataflow, query: Pairs, said: Mapping[str, str]) -> list[tuple[Condition, ...]]:
    named = ((match[1], value) for name, value in query if (match := _FILTER.fullmatch(name)))
    found = [group for component, value in named for group in _groups(component, value)]
    for name, operator in (("startPeriod", "ge"), ("endPeriod", "le")):
        found += [(Condition("TIME_PERIOD", operator, said[name]),)] if said.get(name) else []
    for group in found:
        component = flow.structure.components.get(group[0].component)
        if component is None or component.attachment == "dataset":
            known = ", ".join(flow.structure.components)
            raise RequestError(
                SYNTAX, f'{flow.id} has no component "{group[0].component}" to filter by. It has {known}.'
            )
    _limited(map(len, found))
    return found


def _groups(component: str, text: str) -> Iterable[tuple[Condition, ...]]:
    """`ge:2020+le:2024` is both, `A,B` is either; without an operator a value is to be equal."""
    for part in re.split(r"[+ ]", text):
        group = []
        for each in part.split(","):
            operator, sign, value = each.partition(":")
            is_said = bool(sign) and operator in OPERATORS
            group.append(Condition(component, operator if is_said else "eq", value if is_said else each))
        yield tuple(group)


def _detail(said: Mapping[str, str]) -> str:
    """`detail` of 1.5, or what `attributes` and `measures` of 2.x come to."""
    detail = choice(said, "detail")
    attributes, measures = (choice(said, name, NOT_IMPLEMENTED) for name in ("attributes", "measures"))
    if attributes == "none":
        return "serieskeysonly" if measures == "none" else "dataonly"
    return "nodata" if measures == "none" else detail


def _count(said: Mapping[str, str], name: str) -> int:
    text = said.get(name, "")
    if text and not re.fullmatch(f"[1-9][0-9]{{0,{len(str(MOST_COUNTED)) - 1}}}", text):
        raise RequestError(SYNTAX, f"{name} is a whole number above 0, and none of more than nine digits.")
    return int(text or 0)


def _limited(sizes: Iterable[int]) -> None:
    if sum(sizes) > _MOST_VALUES:
        raise RequestError(TOO_LARGE, f"A query may name {_MOST_VALUES} values.")
