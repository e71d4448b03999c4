"""metadata/waivers.csv → the errors that somebody answers for until a day. What may never be waived is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.framework import LANGUAGES, Dataflow, Waiver
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.library.dataflows import check_condition
from pipeline.library.revisions import day, reasons
from pipeline.model import Country

_COLUMNS = ("area", "dataflow", "code", "scope", "role", "date", "expiry", *(f"reason_{lang}" for lang in LANGUAGES))
_NEVER = {
    "STR": "a table whose structure is wrong cannot be read for certain",
    "CNF": "it would give confidential figures away",
    "DOM-21": "it would give confidential figures away",
    "DOM-22": "it would give confidential figures away",
    "DOM-23": "it would break an embargo",
}


def waivers(path: Path, countries: Mapping[str, Country], flows: Mapping[str, Dataflow]) -> tuple[Waiver, ...]:
    """Load the waivers, if there are any.

    Raises:
        SetupError: a row is of no delivery, of an error that may not be waived or of none, has no role,
            reference or reason in a language, ends before it begins, or stands twice.
    """
    found: dict[tuple[str, ...], Waiver] = {}
    for row, cells in authored.rows(path, (*_COLUMNS, "reference")) if path.exists() else ():
        _check_delivery(path, row, cells, countries)
        _check_code(path, row, cells["code"], flows[cells["dataflow"]])
        check_condition(path, row, cells["scope"], flows[cells["dataflow"]].structure.components)
        if day(path, row, "expiry", cells["expiry"]) < day(path, row, "date", cells["date"]):
            refuse(path, row, f"the waiver ends before it begins: {cells['date']} to {cells['expiry']}")
        if not cells["role"] or "@" in cells["role"]:
            refuse(path, row, "role must say which office answers for it, such as Director of statistics, not who")
        if not cells["reference"]:
            refuse(path, row, "reference is empty: name the document that grants the waiver")
        reason = reasons(path, row, cells)
        key = tuple(cells[column] for column in ("area", "dataflow", "code", "scope", "date"))
        if key in found:
            refuse(path, row, "a waiver of the same errors and day stands above")
        rest = {name: cells[name] for name in ("area", "code", "scope", "role", "date", "expiry", "reference")}
        found[key] = Waiver(flow=cells["dataflow"], reason=reason, **rest)
    return tuple(found.values())


def _check_delivery(path: Path, row: int, cells: Mapping[str, str], countries: Mapping[str, Country]) -> None:
    area, flow = cells["area"], cells["dataflow"]
    if area not in countries:
        refuse(path, row, f'"{area}" is not a country; known are {", ".join(countries)}')
    if flow not in countries[area].series:
        refuse(path, row, f'"{flow}" is not a dataflow of {area}; those are {", ".join(countries[area].series)}')


def _check_code(path: Path, row: int, code: str, flow: Dataflow) -> None:
    for start, why in _NEVER.items():
        if code.startswith(start):
            refuse(path, row, f"{code} can never be waived: {why}")
    severities = {rule.severity for rule in flow.rules if rule.id == code}
    if not severities:
        refuse(path, row, f'"{code}" is not a rule of {flow.id}')
    if "E" not in severities:
        refuse(path, row, f"{code} is no error and holds nothing back: it needs no waiver")
