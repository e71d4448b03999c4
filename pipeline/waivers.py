"""Waivers: an error that somebody answers for, openly and until a day, no longer holds a delivery back.

A waiver may not outlive its day (WAI-01) nor its fault (WAI-02): then the delivery it was for is held back
until the row is taken out, as it is for a correction that no longer fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from pipeline import conditions
from pipeline.checks.finding import Finding, Mask, Table
from pipeline.framework import Rule, Waiver
from pipeline.model import Issue, Library, Report
from pipeline.plain import as_json

PATH = "reports/waivers.json"
_EXPIRED, _UNUSED = "WAI-01", "WAI-02"

Found = tuple[Rule, Finding]


def applied(found: Sequence[Found], table: Table, rules: Mapping[str, int]) -> tuple[list[Found], list[Issue]]:
    """The findings, those that a waiver covers apart from the rest, and an issue for each waiver that fails.

    `rules` are those that were applied: a waiver of another has not been asked for yet.
    """
    mine = [w for w in table.library.waivers if (w.area, w.flow) == (table.area, table.flow.id) and w.code in rules]
    in_force = [(w, _rows(w, table)) for w in mine if w.date <= table.day <= w.expiry]
    used: list[Waiver] = []
    covered: list[Found] = []
    for rule, finding in found:
        left = finding
        for waiver, rows in in_force:
            if _is_of(waiver, rule, finding) and (left.rows & rows).any():
                used.append(waiver)
                covered.append((rule, replace(left, rows=left.rows & rows, waiver=waiver.reference)))
                left = replace(left, rows=left.rows & ~rows)
        if left.rows.any():
            covered.append((rule, left))
    failed = [(_EXPIRED, w) for w in mine if w.expiry < table.day]
    failed += [(_UNUSED, w) for w, _ in in_force if w not in used]
    return covered, [Issue(code, "E", w.area, w.flow, w.code, _span(w)) for code, w in failed]


def record(library: Library, reports: Iterable[Report], *, day: str) -> bytes:
    """Every waiver with its public reason, whether it holds on `day`, and in how many cells it was used."""
    cells: dict[tuple[str, str, str, str], int] = {}
    for report in reports:
        for issue in report.issues:
            key = (report.area, report.flow, issue.code, issue.waiver)
            cells[key] = cells.get(key, 0) + issue.count
    told = [
        {
            **{("dataflow" if name == "flow" else name): value for name, value in asdict(w).items()},
            "state": state(w, day),
            "cells": cells.get((w.area, w.flow, w.code, w.reference), 0),
        }
        for w in library.waivers
    ]
    return as_json({"waivers": told})


def state(waiver: Waiver, day: str) -> str:
    """How a waiver stands on a day: not yet, in force or expired."""
    if day < waiver.date:
        return "not_yet"
    return "in_force" if day <= waiver.expiry else "expired"


def _is_of(waiver: Waiver, rule: Rule, finding: Finding) -> bool:
    return (finding.severity or rule.severity) == "E" and waiver.code == (finding.code or rule.id)


def _rows(waiver: Waiver, table: Table) -> Mask:
    clauses = conditions.parse(waiver.scope)
    return conditions.holds(clauses, table.frame, table.library.list_of).to_numpy(dtype=np.bool_)


def _span(waiver: Waiver) -> str:
    return f"{waiver.date} – {waiver.expiry}, {waiver.reference}" + (f", {waiver.scope}" if waiver.scope else "")
