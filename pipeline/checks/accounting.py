"""ACC: totals are the sums of their parts.

A part that is not there counts as zero, as VTL's `partial_zero` has it, where the rule or the data
set says that the parts are all there are. Where a needed part is not given at all, only parts
above the total are an error. A line with a figure that has no value is skipped, and said to be
(framework §4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.checks import breakdown
from pipeline.checks.carried import of_carried
from pipeline.checks.finding import Finding, Mask, Table, shown
from pipeline.checks.lines import Lines, compare, of_equation, of_periods, of_tree
from pipeline.framework import Rule

_SPANS = (("A", "M", 12), ("A", "Q", 4), ("Q", "M", 3))  # whole, part, parts in a whole
_NOT_CHECKED = "ACC-00"

Builder = Callable[[Table, str, Mask], Iterator[Lines]]


def sum_of_parts(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`SEX: _T = F + M + _U?`; a part with a question mark may be left out of a complete line."""
    for lines in _of_sum(table, rule.argument, rows):
        yield from _judged(table, lines)


def hierarchy(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`AGE`: every sum of the hierarchies that the data set declares for the component."""
    if table.hierarchies:
        for lines in _of_hierarchies(table, rule.argument, rows):
            yield from _judged(table, lines)


def tree(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`REASON`: every parent of the code list is the sum of what stands below it, memo items left out."""
    for lines in of_tree(table, rule.argument, rows):
        yield from _judged(table, lines)


def areas(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`REF_AREA`: the country is the sum of its first-level areas and of area unknown."""
    for lines in _of_areas(table, rule.argument, rows):
        yield from _judged(table, lines)


def difference(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`MIG_MEASURE: FLW_NET = FLW_IN - FLW_OUT`, where all three are given."""
    for lines in _of_difference(table, rule.argument, rows):
        yield from _judged(table, lines)


def periods(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`FLW_* CRS_IN`: twelve months or four quarters sum to the year, three months to the quarter."""
    for lines in _of_periods(table, rule.argument, rows):
        yield from _judged(table, lines)


def carried(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`ADM_EVENT: PEND = PEND(-1) + APPL - GRANT`: what stood at the end of the period before, and what changed."""
    for lines in of_carried(table, rule.argument, rows):
        yield from _judged(table, lines)


def detail(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`COUNTRY_BIRTH: FOR`: countries and regions against the total they break down (ACC-05).

    More than the total is an error. Less is an error when `FOR_O` says that the rest is shown, and
    a warning when neither `FOR_O` nor `FOR_U` stands for what is not shown.
    """
    ways = list(breakdown.of_detail(table, rule.argument, rows))
    for lines in ways:
        yield from _judged(table, lines)
    for coarse in ways[:1]:
        yield _unnamed(table, coarse)


def _unnamed(table: Table, coarse: Lines) -> Finding:
    """Lines that fall short of their total without a word on what is not shown."""
    compared = compare(table, coarse)
    codes = table.frame[coarse.component].iloc[coarse.row]
    is_named = np.bincount(coarse.line[(codes == "FOR_U").to_numpy()], minlength=len(compared)) > 0
    short = (compared["total"] - compared["parts"] > compared["tolerance"]) & ~compared["is_complete"]
    expected = f"{coarse.component}: {coarse.total} = Σ + FOR_O + FOR_U"
    unnamed = _finding(table, compared[short & ~compared["is_signed"] & ~is_named], expected)
    # The figures go out all the same: beside them, what the parts sum to would give a withheld one away.
    return replace(unnamed, severity="W", found="")


def candidates(table: Table) -> Iterator[Lines]:
    """Every line of the table that the rules of its dataflow say may be a sum, needed parts or not.

    Where the table declares no hierarchies, those of which it has every group are taken.
    """
    rows = np.ones(len(table.frame), dtype=bool)
    for rule in table.flow.rules:
        if rule.check in _BUILDERS:
            yield from _BUILDERS[rule.check](table, rule.argument, rows)


def exact(table: Table, lines: Lines) -> Lines:
    """The lines that assert an equality, and have no estimate that would make it only near."""
    whole = lines.asserted()
    return whole.keep(~compare(table, whole)["is_estimate"].to_numpy()[whole.line])


# ---------------------------------------------------------------- which lines


def _of_sum(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    component, total, parts = _equation(argument)
    needed = [part for part in parts if not part.endswith("?")]
    yield of_equation(table, rows, component, total, [part.rstrip("?") for part in parts], needed=needed)


def _of_difference(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    component, total, parts = _equation(argument)
    lines = of_equation(table, rows, component, total, parts, needed=parts, subtracted=parts[1:])
    yield lines.asserted()


def _of_areas(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    """All first-level areas are needed somewhere in the table; in one line a missing one is zero."""
    parts = table.codelist(argument).children.get(table.area, ())
    present = set(table.frame[argument].unique())
    absent = [part for part in parts if part not in present and not part.endswith("_U")]
    yield of_equation(table, rows, argument, table.area, parts, needed=absent)


def _of_periods(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    if "MIG_MEASURE" not in table.flow.structure.dimensions:
        return
    codelist = table.codelist("MIG_MEASURE")
    measures = frozenset().union(*(codelist.select(pattern) for pattern in argument.split()))
    rows = rows & table.frame["MIG_MEASURE"].isin(list(measures)).to_numpy()
    if len(set(table.frame["FREQ"].unique())) > 1:
        for whole, part, count in _SPANS:
            yield of_periods(table, rows, whole, part, count)


def _of_hierarchies(table: Table, component: str, rows: Mask) -> Iterator[Lines]:
    """Lines of each sum of the hierarchies, without those that another hierarchy covers better."""
    ref = table.codelist(component).ref
    declared = [table.library.hierarchies[name] for name in table.hierarchies or _fitting(table, component)]
    sums = [(total, parts) for each in declared if each.codelist == ref for total, parts in each.parts.items()]
    for total, parts in sums:
        lines = of_equation(table, rows, component, total, parts)
        for rival, others in sums:
            if rival == total and others != parts and len(lines.line):
                lines = lines.keep(~_is_covered(table, rows, lines, parts, others)[lines.line])
        yield lines


def _is_covered(table: Table, rows: Mask, lines: Lines, parts: Sequence[str], others: Sequence[str]) -> Mask:
    """For each line, whether all its parts, and more figures still, are parts of the other sum."""
    size = int(lines.line.max(initial=-1)) + 1
    codes, number = table.frame[lines.component], table.line_numbers(lines.component)
    there = np.bincount(number[rows & codes.isin(list(others)).to_numpy()], minlength=int(number.max()) + 1)
    is_shared = codes.iloc[lines.row].isin(list(others)).to_numpy()
    own = ~lines.is_total
    shared = np.bincount(lines.line[own & is_shared], minlength=size)
    count = np.bincount(lines.line[own], minlength=size)
    original = np.zeros(size, dtype=np.int64)
    original[lines.line] = number[lines.row]
    covered: Mask = (shared == count) & (there[original] > count)
    return covered


def _fitting(table: Table, component: str) -> tuple[str, ...]:
    present = set(table.frame[component].unique())
    return tuple(
        each.id
        for each in table.library.hierarchies.values()
        if each.codelist == table.codelist(component).ref
        and all(code in present for code in each.codes if not code.endswith("_U"))
    )


_BUILDERS: dict[str, Builder] = {
    "sum": _of_sum,
    "hierarchy": _of_hierarchies,
    "tree": of_tree,
    "detail": breakdown.of_detail,
    "difference": _of_difference,
    "areas": _of_areas,
    "periods": _of_periods,
    "carried": of_carried,
}


def _equation(argument: str) -> tuple[str, str, list[str]]:
    component, _, equation = argument.partition(":")
    total, _, parts = equation.partition("=")
    return component.strip(), total.strip(), parts.replace("+", " ").replace(" - ", " ").split()


# ---------------------------------------------------------------- the verdict


def _judged(table: Table, lines: Lines) -> Iterator[Finding]:
    compared = compare(table, lines)
    gap = compared["total"] - compared["parts"]
    wrong = compared["is_complete"] & (gap.abs() > compared["tolerance"])
    wrong |= ~compared["is_complete"] & ~compared["is_signed"] & (gap < -compared["tolerance"])
    expected = lines.keep(wrong.to_numpy()[lines.line]).formula(table) if wrong.any() else ""
    skipped = compared["parts"].isna() | compared["total"].isna()
    finding = _finding(table, compared[wrong], expected)
    suspects = np.zeros(len(table.frame), dtype=np.int64)
    np.add.at(suspects, lines.row[wrong.to_numpy()[lines.line]], 1)
    broken = int(wrong.sum())
    yield replace(finding, checked=int((~skipped).sum()), broken=broken, suspects=suspects == broken)
    if skipped.any():
        expected = f"{lines.component}: {lines.total} = Σ"
        yield Finding(_rows(table, compared[skipped]), "", expected, severity="I", code=_NOT_CHECKED)


def _finding(table: Table, compared: pd.DataFrame, expected: str) -> Finding:
    columns = (compared[name] for name in ("row", "total", "parts", "is_open"))
    told = {row: _versus(total, parts, is_open=is_open) for row, total, parts, is_open in zip(*columns, strict=True)}
    found = pd.Series(told, dtype="str").reindex(table.frame.index, fill_value="") if told else ""
    return Finding(_rows(table, compared), found, expected)


def _rows(table: Table, compared: pd.DataFrame) -> Mask:
    where = np.zeros(len(table.frame), dtype=bool)
    where[compared["row"]] = True
    return where


def _versus(total: float, parts: float, *, is_open: bool) -> str:
    """`total ≠ parts`, unless that would show a confidential figure or a difference as small as one."""
    if not is_open:
        return "***"
    gap = shown(total - parts)
    return f"{shown(total)} ≠ Σ ± {gap}" if gap.startswith("<") else f"{shown(total)} ≠ {shown(parts)}"
