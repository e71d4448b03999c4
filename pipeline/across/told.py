"""What the rules between tables found, in the reports of the deliveries and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline.across import arguments
from pipeline.across.pairs import COMPARED, WITHHELD
from pipeline.checks.finding import shown
from pipeline.framework import Rule, Severity
from pipeline.model import Compared, Issue, Library, Report, Whole

Key = tuple[str, str]  # area, dataflow
NOT_COMPARED = "XDF-00"
_SEVERITIES: tuple[Severity, ...] = ("W", "I")
_CELLS_KEPT = 100
_NOTHING = 1e-9  # a ratio to a figure that is zero is as far as can be


def told(
    compared: Compared, reports: Mapping[Key, Report], wholes: Mapping[str, Whole], library: Library
) -> dict[Key, Report]:
    """The reports with what the rules within one country say of their figures.

    What a rule says of two countries stands in `reports/across.json` alone: it is of neither.
    """
    rules = _rules(library)
    return {key: _told(compared, report, wholes, rules) for key, report in reports.items()}


def between(findings: pd.DataFrame, library: Library) -> Iterator[Issue]:
    """One issue for each rule between countries and each severity, with the largest asymmetry."""
    rules = _rules(library)
    for name, severity, same in _grouped(findings[findings["area"] != findings["other_area"]]):
        rule = rules[name, str(same["flow"].iloc[0])]
        more = f" (+{len(same) - 1})" if len(same) > 1 else ""
        yield Issue(
            name, severity, "", rule.dataflows[0], _worst(same, rule) + more, expected(rule, severity), count=len(same)
        )


def expected(rule: Rule, severity: str) -> str:
    """What a rule asks of a pair of figures, in signs that need no language."""
    found = arguments.settings(rule)
    if rule.check == "balance":
        return found["equation"].replace(":=", "=")
    if rule.check == "ratio":
        return " … ".join(found[each] for each in ("low", "high") if each in found)
    return found.get(severity, "=" if rule.check == "same" else "≠")


def _rules(library: Library) -> dict[Key, Rule]:
    """The rules between tables by id and by each dataflow whose figures they may blame."""
    return {
        (rule.id, flow.id): rule
        for flow in library.dataflows.values()
        for rule in flow.rules
        if rule.stage == "across" and flow.id in (rule.dataflows[:1] or library.dataflows)
    }


def _told(compared: Compared, report: Report, wholes: Mapping[str, Whole], rules: Mapping[Key, Rule]) -> Report:
    """One report with what concerns its figures: faults, comparisons made, and those that could not be."""
    counts, found = compared.counts, compared.findings
    own = counts[(counts["area"] == report.area) & (counts["flow"] == report.flow)]
    is_own = (found["area"] == report.area) & (found["other_area"] == report.area) & (found["flow"] == report.flow)
    one_country = {name: rule for (name, flow), rule in rules.items() if flow == report.flow and rule.check != "mirror"}
    applied = {name: 0 for name, rule in one_country.items() if rule.dataflows}
    issues: list[Issue] = []
    for name, severity, same in _grouped(found[is_own]):
        issues += _issues(report, one_country[name], severity, same, wholes[report.flow])
    for name, state, pairs in own[["rule", "state", "pairs"]].itertuples(index=False):
        if name in one_country and state == COMPARED:
            applied[name] = applied.get(name, 0) + int(pairs)
        if name in one_country and state == WITHHELD:
            issues.append(Issue(NOT_COMPARED, "I", report.area, report.flow, "", name, count=int(pairs)))
    return replace(
        report, issues=(*report.issues, *issues), applied={**report.applied, **dict(sorted(applied.items()))}
    )


def _issues(report: Report, rule: Rule, severity: Severity, found: pd.DataFrame, whole: Whole) -> Iterator[Issue]:
    """One issue for each table that figures at fault stand in, with their cells and the worst of them."""
    placed = whole.data.frame.loc[found["row"].to_numpy(dtype="int64"), ["table", "row", "column"]].astype("int64")
    for table in sorted(placed["table"].unique()):
        is_here = (placed["table"] == table).to_numpy()
        origin = whole.data.sources[table]
        cells = placed.loc[is_here, ["row", "column"]].drop_duplicates()
        cells = cells[cells["column"] > 0].head(_CELLS_KEPT)
        yield Issue(
            code=rule.id,
            severity=severity,
            area=report.area,
            flow=report.flow,
            found=_worst(found[is_here], rule),
            expected=expected(rule, severity),
            file=origin.file,
            sheet=origin.sheet,
            heading=origin.headings.get(int(placed.loc[is_here, "column"].iloc[0]), ""),
            cells=tuple(f"{get_column_letter(c)}{r}" for r, c in cells.itertuples(index=False)),
            count=int(is_here.sum()),
        )


def _grouped(findings: pd.DataFrame) -> Iterator[tuple[str, Severity, pd.DataFrame]]:
    """The findings of each rule, the warnings before the notes."""
    for rule in sorted(findings["rule"].unique()):
        for severity in _SEVERITIES:
            same = findings[(findings["rule"] == rule) & (findings["severity"] == severity)]
            if len(same):
                yield rule, severity, same


def _worst(found: pd.DataFrame, rule: Rule) -> str:
    """The pair that is farthest from what the rule asks: `SEX=F 2023: 1 000 ↔ 1 029 (DF_STOCK ORG 2024)`."""
    measure = found["measure"].to_numpy(dtype=float)
    if rule.check == "ratio":
        measure = np.log(np.where(measure > 0, measure, _NOTHING))
    pair: dict[str, Any] = found.iloc[[int(np.argmax(np.abs(measure)))]].to_dict("records")[0]  # type: ignore[assignment]
    other = " ".join(filter(None, (pair["other_flow"], pair["other_source"], pair["other_period"])))
    start = " ".join(filter(None, (pair["key"], pair["period"])))
    return f"{start}: {shown(pair['figure'])} ↔ {shown(pair['other_figure'])} ({other})"
