"""`[[agreement]]` of a country's country.toml → the agreements under which its tables are delivered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.framework import LANGUAGES, Agreement
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.library.replies import is_date, is_url
from pipeline.model import Issue

UNKNOWN, DATES = "CAP-08", "CAP-09"
_KEYS = (
    *("provider", "flows", "parties", "basis", "text", "source", "since", "until"),
    *("every_months", "within_months"),
)
_LONGEST = 240  # months


def agreements(
    path: Path, tables: Sequence[Mapping[str, Any]], providers: Collection[str], flows: Collection[str]
) -> tuple[Agreement, ...]:
    """The agreements of a country, in their order.

    Raises:
        SetupError: an agreement is at fault, with the code of its issue where it has one (CAP-08, CAP-09).
    """
    found: list[Agreement] = []
    for table in tables:
        authored.keys(path, table, _KEYS, ("provider", "flows"))
        _check_texts(path, table)
        for issue in faults(table, providers, flows, area=path.parent.name):
            refuse(path, None, f"{issue.code}  {issue.found}  docs/issues/{issue.code}")
        lists = {name: tuple(dict.fromkeys(table[name])) for name in ("flows", "parties") if name in table}
        found.append(Agreement(**{**table, **lists}))
    pairs = [(each.provider, flow) for each in found for flow in each.flows]
    if twice := [pair for number, pair in enumerate(pairs) if pair in pairs[:number]]:
        provider, flow = twice[0]
        refuse(path, None, f'{UNKNOWN}  agreement of "{provider}" for "{flow}" stands twice  docs/issues/{UNKNOWN}')
    return tuple(found)


def faults(
    table: Mapping[str, Any], providers: Collection[str], flows: Collection[str], *, area: str
) -> Iterator[Issue]:
    """What names of an agreement do not exist, and what dates or months do not hold."""
    provider = table["provider"]

    def issue(code: str, found: str, about: str = "") -> Issue:
        said = f'agreement of "{provider}"{about}: {found}'
        return Issue(code, "E", area, "", said, "", file=f"{area}/country.toml")

    for flow in table["flows"]:
        if provider not in providers or flow not in flows:
            yield issue(UNKNOWN, "one of them does not exist", f' for "{flow}"')
    for party in table.get("parties", ()):
        if party not in providers:
            yield issue(UNKNOWN, f'the party "{party}" does not exist')
    since, until = (str(table.get(name, "")) for name in ("since", "until"))
    wrong = [text for text in (since, until) if text and not is_date(text)]
    yield from (issue(DATES, f'"{text}" is not a date') for text in wrong)
    if not wrong and since and until and until < since:
        yield issue(DATES, f"it ends before it begins: {since} to {until}")
    for name in ("every_months", "within_months"):
        if not _is_months(table.get(name, 0)):
            yield issue(DATES, f"{name} must be whole months, from 0 to {_LONGEST}")
    if table.get("within_months") and not table.get("every_months"):
        yield issue(DATES, "within_months needs every_months")


def _is_months(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LONGEST


def _check_texts(path: Path, table: Mapping[str, Any]) -> None:
    """Refuse what no agreement can be made of, whatever it names."""
    for name in ("flows", "parties"):
        if not isinstance(table.get(name, []), list):
            refuse(path, None, f"{name} of an agreement must be a list")
    for name in ("provider", "text", "source", "since", "until"):
        if not isinstance(table.get(name, ""), str):
            refuse(path, None, f"{name} of an agreement must be a text, in quotes")
    basis = table.get("basis")
    if basis is not None and (not isinstance(basis, dict) or set(basis) != set(LANGUAGES)):
        refuse(path, None, "basis of an agreement must be a table of en, es and pt")
    for name in ("text", "source"):
        if table.get(name) and not is_url(table[name]):
            refuse(path, None, f'{name} "{table[name]}" of an agreement must begin with https:// or http://')
