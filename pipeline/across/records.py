"""What the rules between tables found, for machines: `reports/across.json` and the mirror tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.framework import Rule
from pipeline.model import Compared
from pipeline.plain import as_csv, as_json

_DECIMALS = 6
_STATES = ("compared", "withheld", "one_estimate", "partner_data")


def records(compared: Compared, rules: tuple[Rule, ...]) -> dict[str, bytes]:
    """The machine records by their path in the release. No withheld figure took part in any."""
    content = {"rules": [_rule(rule, compared) for rule in rules], "findings": list(_rows(_findings(compared)))}
    found = {"reports/across.json": as_json(content)}
    for kind, table in compared.mirrors.items():
        found[f"reports/mirror/{kind}.csv"] = _csv(table.drop(columns="rule"))
        named = {"kind": kind, "rule": _rule_of(kind, rules), "corridors": list(_rows(table.drop(columns="rule")))}
        found[f"reports/mirror/{kind}.json"] = as_json(named)
    return found


def _rule(rule: Rule, compared: Compared) -> dict[str, Any]:
    pairs, found = (
        each[(each["rule"] == rule.id) & (each["flow"].isin(rule.dataflows) | (not rule.dataflows))]
        for each in (compared.counts, compared.findings)
    )
    faults = found["severity"]
    said: dict[str, Any] = {"rule": rule.id, "severity": rule.severity, "check": rule.check, "argument": rule.argument}
    said |= {"when": rule.when, "then": rule.then, "dataflows": list(rule.dataflows)}
    counts = {state: int(pairs.loc[pairs["state"] == state, "pairs"].sum()) for state in _STATES}
    return {**said, **counts, "warnings": int((faults == "W").sum()), "notes": int((faults == "I").sum())}


def _rule_of(kind: str, rules: tuple[Rule, ...]) -> str:
    return next(rule.id for rule in rules if rule.check == "mirror" and f"kind={kind}" in rule.argument)


def _findings(compared: Compared) -> pd.DataFrame:
    return compared.findings.drop(columns=["row", "state"])


def _rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows without their blank cells."""
    for row in table.to_dict("records"):
        clean = ((str(name), _plain(value)) for name, value in row.items())
        yield {name: value for name, value in clean if value not in ("", None)}


def _plain(value: object) -> object:
    """A figure as the shortest number that says it, and nothing for what is not there."""
    if isinstance(value, float):
        rounded = round(value, _DECIMALS)
        return None if not math.isfinite(value) else int(rounded) if rounded == int(rounded) else rounded
    return value


def _csv(table: pd.DataFrame) -> bytes:
    rows = ([_plain(value) for value in row] for row in table.itertuples(index=False))  # None is written as nothing
    return as_csv(table.columns, rows)
