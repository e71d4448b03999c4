"""Observations → `Report`: the rules of the dataflow, applied and told cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline import conditions
from pipeline.checks import CHECKS
from pipeline.checks.finding import Finding, Mask, Table
from pipeline.framework import Rule
from pipeline.model import Issue, Library, Observations, Origin, Protected, Report

_CELLS_SHOWN = 3


def validate(observations: Observations, library: Library, *, day: str) -> Report:
    """Apply the rules for received data. `day` is the release date: no period may begin after it.

    Structure comes first: rows that fail it are left out of the row rules, and the sums wait until
    there is no structural error at all, so that one fault is reported once.
    """
    table = Table(
        observations.area,
        observations.flow,
        observations.frame,
        observations.origins,
        library,
        day,
        tuple(observations.hierarchies),
        observations.rounding_base,
    )
    return _apply(table, [rule for rule in observations.flow.rules if rule.stage == "received"])


def validate_release(protected: Protected, library: Library, *, day: str) -> Report:
    """Apply the rules for what is about to be published: nothing confidential may be left in it."""
    table = Table(protected.area, protected.flow, protected.frame, protected.sources, library, day)
    return _apply(table, [rule for rule in protected.flow.rules if rule.stage == "release"])


def _apply(table: Table, rules: list[Rule]) -> Report:
    issues: list[Issue] = []
    applied: dict[str, int] = {}
    sound = np.ones(len(table.frame), dtype=bool)
    is_broken = False
    for rule in rules:
        is_structural, is_sum = rule.id.startswith("STR"), rule.id.startswith("ACC")
        if is_sum and is_broken:
            continue
        rows = _rows(table, rule) & (sound if not is_structural else True)
        applied[rule.id] = applied.get(rule.id, 0) + int(rows.sum())
        for finding in CHECKS[rule.check].function(table, rule, rows):
            if not finding.rows.any():
                continue
            found = list(_issues(table, rule, finding))
            issues.extend(found)
            if is_structural and any(issue.severity == "E" for issue in found):
                sound &= ~finding.rows
                is_broken = True
    return Report(table.area, table.flow.id, tuple(issues), applied)


def _rows(table: Table, rule: Rule) -> Mask:
    return conditions.holds(conditions.parse(rule.when), table.frame, table.library.list_of).to_numpy()


def _issues(table: Table, rule: Rule, finding: Finding) -> Iterator[Issue]:
    """One issue for each thing found in each table, with the distinct cells it stands in."""
    hit = table.frame.loc[finding.rows, ["table", "row", "column"]]
    found = finding.found[finding.rows] if isinstance(finding.found, pd.Series) else finding.found
    hit = hit.assign(found=found)
    for (number, text), rows in hit.groupby(["table", "found"], sort=False):
        origin = table.origins[int(number)]
        cells, heading = _cells(origin, finding.component, rows)
        yield Issue(
            code=rule.id,
            severity=finding.severity or rule.severity,
            area=table.area,
            flow=table.flow.id,
            found=str(text),
            expected=finding.expected,
            component=finding.component,
            file=origin.file,
            sheet=origin.sheet,
            heading=heading,
            cells=tuple(cells[:_CELLS_SHOWN]),
            count=len(cells),
        )


def _cells(origin: Origin, component: str, rows: pd.DataFrame) -> tuple[list[str], str]:
    """The cells to blame: those of the component's labels where it has some, else the figures."""
    axis, place = origin.places.get(component, ("figure", 0))
    row, column = rows["row"], rows["column"]
    if axis == "column":
        column = pd.Series(place, index=rows.index)
    elif axis == "row":
        row = pd.Series(place, index=rows.index)
    distinct = pd.DataFrame({"row": row, "column": column}).drop_duplicates()
    cells = [f"{get_column_letter(int(c))}{int(r)}" for r, c in distinct.itertuples(index=False) if c > 0]
    return cells, origin.headings.get(int(distinct["column"].iloc[0]), "")
