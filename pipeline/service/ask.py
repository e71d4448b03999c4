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
_VERSIONS = ("latest", "1.0.0", "1.0", "+", "~", "*", "all", "")
_FILTER = re.compile(r"c\[([A-Za-z0-9_@$-]+)\]")
_MOST_VALUES = 2000
_KNOWN = (
    "asOf",
    "attributes",
    "detail",
    "dimensionAtObservation",
    "endPeriod",
    "firstNObservations",
    "includeHistory",
    "lastNObservations",
    "measures",
    "mode",
    "references",
    "startPeriod",
    "updatedAfter",
)

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
    parameters: Mapping[str, str] = field(default_factory=dict)


def ask_v1(parts: Sequence[str], query: Pairs, library: Library) -> Ask:
    """`flow[/key[/provider]]`: DF, AG,DF or AG,DF,version; key `all`, blank, or codes by dimension with `+` and `.`."""
    reference, key, provider = [*parts, "", "", ""][:3]
    if provider not in ("", "all", "ALL"):
        raise RequestError(NOT_IMPLEMENTED, "Data are not kept by provider: leave the provider out, or ask for all.")
    agency, identifier, version = [*reference.split(","), "", ""][:3] if "," in reference else ["all", reference, ""]
    flow = _flow(agency, identifier, version, library)
    return _asked(flow, _keys(key, flow, {"", "all", "ALL"}), query)


def ask_v2(parts: Sequence[str], query: Pairs, library: Library) -> Ask:
    """`context/agency/flow/version[/key]`: `*` stands for any; several keys are separated by commas."""
    context, agency, identifier, version, key = [*parts, "", "", "", "", ""][:5]
    if len(parts) < 3:
        raise RequestError(SYNTAX, "An address reads data/dataflow/{agency}/{id}/{version}/{key}.")
    if context not in ("dataflow", "*"):
        raise RequestError(NOT_IMPLEMENTED, f'The context "{context}" is not served: ask for a dataflow.')
    flow = _flow(agency, identifier, version, library)
    return _asked(flow, _keys(key, flow, {"", "*"}), query)


def _flow(agency: str, identifier: str, version: str, library: Library) -> Dataflow:
    if "," in identifier or "+" in identifier or identifier in ("*", "all"):
        raise RequestError(NOT_IMPLEMENTED, "One dataflow is served at a time.")
    is_ours = agency in (library.agency, "all", "ALL", "*") and version in _VERSIONS
    if not is_ours or identifier not in library.dataflows:
        known = ", ".join(library.dataflows)
        raise RequestError(NO_RESULTS, f"There is no dataflow {agency}:{identifier}({version}). Known are {known}.")
    return library.dataflows[identifier]


def _keys(text: str, flow: Dataflow, every: set[str]) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    if text in every:
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


def _asked(flow: Dataflow, keys: tuple[Mapping[str, tuple[str, ...]], ...], query: Pairs) -> Ask:
    given = {name: value for name, value in query if not _FILTER.fullmatch(name)}
    for name in given:
        if name not in _KNOWN:
            raise RequestError(SYNTAX, f'There is no parameter "{name}". Known are c[DIMENSION], {", ".join(_KNOWN)}.')
    filters = _filters(flow, query, given)
    at_observation = given.get("dimensionAtObservation", "TIME_PERIOD")
    if at_observation not in ("TIME_PERIOD", "AllDimensions"):
        raise RequestError(NOT_IMPLEMENTED, "dimensionAtObservation is TIME_PERIOD or AllDimensions here.")
    return Ask(
        flow,
        keys,
        tuple(filters),
        first=_count(given, "firstNObservations"),
        last=_count(given, "lastNObservations"),
        detail=_detail(given),
        is_flat=at_observation == "AllDimensions",
        updated_after=given.get("updatedAfter", ""),
        as_of=given.get("asOf", ""),
        has_history=_is_true(given, "includeHistory"),
        parameters=given,
    )


def _filters(flow: Dataflow, query: Pairs, given: Mapping[str, str]) -> list[tuple[Condition, ...]]:
    named = ((match[1], value) for name, value in query if (match := _FILTER.fullmatch(name)))
    found = [group for component, value in named for group in _groups(component, value)]
    for name, operator in (("startPeriod", "ge"), ("endPeriod", "le")):
        found += [(Condition("TIME_PERIOD", operator, given[name]),)] if given.get(name) else []
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


def _detail(given: Mapping[str, str]) -> str:
    """`detail` of 1.5, or what `attributes` and `measures` of 2.x come to."""
    detail = given.get("detail", "full")
    if detail not in DETAILS:
        raise RequestError(SYNTAX, f"detail is one of {', '.join(DETAILS)}.")
    attributes, measures = given.get("attributes", "dsd"), given.get("measures", "all")
    if attributes not in ("dsd", "all", "none") or measures not in ("all", "none", "OBS_VALUE"):
        raise RequestError(NOT_IMPLEMENTED, "attributes is dsd, all or none here, and measures all or none.")
    if attributes == "none":
        return "serieskeysonly" if measures == "none" else "dataonly"
    return "nodata" if measures == "none" else detail


def _count(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "")
    if text and not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise RequestError(SYNTAX, f"{name} is a whole number above 0.")
    return int(text or 0)


def _is_true(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise RequestError(SYNTAX, f"{name} is true or false.")
    return text == "true"


def _limited(sizes: Iterable[int]) -> None:
    if sum(sizes) > _MOST_VALUES:
        raise RequestError(TOO_LARGE, f"A query may name {_MOST_VALUES} values.")
