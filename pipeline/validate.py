"""Observations → `Report`: the rules of the dataflow, applied and told cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline import conditions, waivers
from pipeline.checks.finding import Finding, Mask, Table
from pipeline.checks.known import CHECKS
from pipeline.framework import Rule, Structure
from pipeline.model import Description, Issue, Library, Observations, Origin, Protected, Report
from pipeline.vintages import Changes

_CELLS_KEPT = 10_000  # of one issue: all that a person may want to see marked
_TOLD_APART = 50  # different things found by one check in one table; the rest are counted together
_OTHERS = "…"
_HIDDEN, _UNKNOWN = "ING-07", "ING-08"
_GATHERED = ("STR", "DOM-2")  # rules for received data that a published table must keep
_AT_HOME = ("agreement", "numeric")  # less these checks
_LEDGER = {"blank": "ING-02", "added": "ING-03"}  # reasons of the ledger that are no note of a country


def validate(observations: Observations, library: Library, *, day: str) -> Report:
    """Apply the rules for received data. `day` is the release date: no period may begin after it.

    Structure comes first: rows that fail it are left out of the row rules, and the sums wait until
    there is no structural error at all, so that one fault is reported once.
    """
    table = Table(
        observations.area,
        observations.flow,
        _filled(observations.frame, observations.flow.structure),
        observations.origins,
        library,
        day,
        observations.hierarchies,
        observations.rounding_base,
    )
    report = _apply(table, [rule for rule in observations.flow.rules if rule.stage in ("received", "figures")])
    told = (*report.issues, *_left_out(observations), *observations.corrections)
    return replace(report, issues=told, ledger=observations.ledger)


def validate_release(protected: Protected, library: Library, *, day: str) -> Report:
    """Apply the rules for what is about to be published: nothing confidential may be left in it."""
    return _applied(protected, library, _of_stage(protected, "release"), day=day)


def validate_gathered(protected: Protected, library: Library, *, day: str) -> Report:
    """Apply the rules that a published table of another site must keep whoever made it: structure, codes and allowed
    content, marks of what is withheld, and nothing confidential. Its sums are the matter of the office that made it,
    whose report comes along, and so are its agreements; that its figures are numbers is known when they are read.
    """
    mine = [
        rule
        for rule in protected.flow.rules
        if rule.stage == "release" or (rule.stage == "received" and rule.id.startswith(_GATHERED))
    ]
    return _applied(protected, library, [rule for rule in mine if rule.check not in _AT_HOME], day=day)


def public(received: Report, protected: Protected, library: Library, *, day: str) -> Report:
    """The report on a delivery that all may read. The rules for figures are applied again, to those that are
    published: what they say of a withheld figure would tell of it.
    """
    of_figures = {rule.id for rule in protected.flow.rules if rule.stage == "figures"}
    again = _applied(protected, library, _of_stage(protected, "figures"), day=day)
    issues = (issue for issue in received.issues if issue.code not in of_figures)
    return replace(received, issues=(*issues, *again.issues), applied={**received.applied, **again.applied})


def _of_stage(protected: Protected, stage: str) -> list[Rule]:
    return [rule for rule in protected.flow.rules if rule.stage == stage]


def _applied(protected: Protected, library: Library, rules: list[Rule], *, day: str) -> Report:
    frame = _filled(protected.frame, protected.flow.structure)
    country = library.countries.get(protected.area)
    series = country.series.get(protected.flow.id) if country is not None else None
    base = max(series.rounding_base if series is not None else 0, protected.flow.protection.rounding_base)
    table = Table(protected.area, protected.flow, frame, protected.sources, library, day, rounding_base=base)
    return _apply(table, rules)


def validate_revision(changes: Changes, library: Library, *, day: str) -> Report:
    """Apply the rules for what a delivery changes of the figures that were published before."""
    frame = _filled(changes.frame, changes.flow.structure)
    table = Table(changes.area, changes.flow, frame, changes.sources, library, day)
    return _apply(table, [rule for rule in changes.flow.rules if rule.stage == "revision"])


def missing_metadata(description: Description) -> tuple[Issue, ...]:
    """MET-01: mandatory fields of the reference metadata that have no text: a warning where that is said to be not
    known, else an error that holds the package back (framework §5).
    """
    where = description.area, description.flow
    return tuple(
        Issue("MET-01", "W" if field in description.not_known else "E", *where, found=field, expected=field)
        for field in description.missing
    )


def untranslated(library: Library) -> Iterator[Issue]:
    """LNG-01: names and definitions of the shared framework that lack a language."""
    return (Issue("LNG-01", "W", "", "", found=what, expected="en es pt") for what in library.untranslated)


def _left_out(observations: Observations) -> Iterator[Issue]:
    """ING: the cells that were read but are no observation, each kind with its number."""
    files = ", ".join(dict.fromkeys(origin.file for origin in observations.origins))
    for reason, cells in observations.ledger.ignored.items():
        code = _LEDGER.get(reason, "ING-01")
        found = "" if reason in _LEDGER else reason
        yield Issue(code, "I", observations.area, observations.flow.id, found, "", file=files, count=cells)
    for heading, cells in observations.ledger.rejected.items():
        yield Issue(_UNKNOWN, "W", observations.area, observations.flow.id, heading, "", file=files, count=cells)
    for file, sheets in observations.hidden.items():
        yield Issue(_HIDDEN, "I", observations.area, observations.flow.id, ", ".join(sheets), "", file=file)


def _filled(frame: pd.DataFrame, structure: Structure) -> pd.DataFrame:
    """Rows numbered from 0, and a blank column for each component that no table of the country has."""
    frame = frame.reset_index(drop=True)
    absent = {component: "" for component in structure.components if component not in frame}
    return frame.assign(**absent) if absent else frame


def _apply(table: Table, rules: list[Rule]) -> Report:
    found: list[tuple[Rule, Finding]] = []
    applied: dict[str, int] = {}
    is_doubtful = False  # a figure is wrong in itself: the sums it is part of cannot hold
    sound = np.ones(len(table.frame), dtype=bool)
    for rule in rules:
        is_structural = rule.id.startswith("STR")
        if rule.id.startswith("ACC") and (is_doubtful or not sound.all()):
            continue
        rows = _rows(table, rule)
        if not is_structural:
            rows &= sound
        applied[rule.id] = applied.get(rule.id, 0) + (0 if rule.id.startswith("ACC") else int(rows.sum()))
        for finding in CHECKS[rule.check].function(table, rule, rows):
            applied[rule.id] += finding.checked
            if finding.rows.any():
                found.append((rule, finding))
                is_error = (finding.severity or rule.severity) == "E"
                is_doubtful |= is_error and not finding.component and not rule.id.startswith("ACC")
                if is_error and is_structural:
                    sound &= ~finding.rows
    covered, unmet = waivers.applied(_one_cause(found), table, applied)
    issues = [issue for rule, finding in covered for issue in _issues(table, rule, finding)]
    return Report(table.area, table.flow.id, (*_once(issues), *unmet), applied)


def _one_cause(found: list[tuple[Rule, Finding]]) -> list[tuple[Rule, Finding]]:
    """Sums that fail together and share one figure alone fail because of it: that is one fault, of this figure."""
    failed = [each for _, each in found if each.broken]
    suspects = [each.suspects for each in failed if each.suspects is not None]
    if sum(each.broken for each in failed) < 2:
        return found
    shared = np.logical_and.reduce(suspects)
    if shared.sum() != 1:
        return found
    rule, first = next((rule, each) for rule, each in found if each.broken)
    said = next(iter(first.found[first.rows])) if isinstance(first.found, pd.Series) else first.found
    one = replace(first, rows=shared, found=said)
    return [(r, each) for r, each in found if not each.broken] + [(rule, one)]


def _once(issues: list[Issue]) -> Iterator[Issue]:
    """Without those that say the same of the same cells: one label may stand for a period and for a date."""
    told: set[tuple[str, str, str, tuple[str, ...], str]] = set()
    for issue in issues:
        # A figure that breaks a sum is often larger than its whole as well: one fault.
        code = "ACC" if issue.code.startswith("ACC") else issue.code
        key = code, issue.file, issue.sheet, issue.cells, issue.waiver
        if key not in told or not issue.cells:
            yield issue
        told.add(key)


def _rows(table: Table, rule: Rule) -> Mask:
    return conditions.holds(conditions.parse(rule.when), table.frame, table.library.list_of).to_numpy().copy()


def _issues(table: Table, rule: Rule, finding: Finding) -> Iterator[Issue]:
    """One issue for each thing found in each table, with the distinct cells it stands in."""
    hit = table.frame.loc[finding.rows, ["table", "row", "column"]]
    hit["found"] = finding.found[finding.rows] if isinstance(finding.found, pd.Series) else finding.found
    for number, rows in hit.groupby("table", sort=False):
        order = pd.factorize(rows["found"])[0]
        found = rows["found"].where(order < _TOLD_APART, _OTHERS)
        for text, same in rows.groupby(found, sort=False):
            origin = table.origins[int(str(number))]
            cells, heading, count = _cells(origin, finding.component, same)
            yield Issue(
                code=finding.code or rule.id,
                severity=finding.severity or rule.severity,
                area=table.area,
                flow=table.flow.id,
                found=str(text),
                expected=finding.expected,
                component=finding.component,
                file=origin.file,
                sheet=origin.sheet,
                heading=heading,
                cells=cells,
                count=count,
                waiver=finding.waiver,
            )


def _cells(origin: Origin, component: str, rows: pd.DataFrame) -> tuple[tuple[str, ...], str, int]:
    """The cells to blame, the heading of the first and how many there are.

    They are those of the component's labels where it has some, else those of the figures.
    """
    axis, place = origin.places.get(component, ("figure", 0))
    where = rows[["row", "column"]]
    if axis != "figure":
        where = where.assign(**{axis: place})
    distinct = where.drop_duplicates()
    first = distinct[distinct["column"] > 0].head(_CELLS_KEPT)
    cells = tuple(f"{get_column_letter(int(c))}{int(r)}" for r, c in first.itertuples(index=False))
    return cells, origin.headings.get(int(distinct["column"].iloc[0]), ""), len(distinct)
