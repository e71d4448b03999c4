"""ACC: totals are the sums of their parts.

A line is one total with its parts, every other component being equal. It is checked when the total
and at least one part are there; an absent part counts as zero, as VTL's `partial_zero` has it. A
line with a summand that has no value is skipped, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Table, key_numbers, shown
from pipeline.framework import Codelist, Rule

_ESTIMATE_TOLERANCE = 0.005  # share of the total, for lines with estimates (framework §4)
_QUARTERS = {f"{m:02d}": f"Q{(m + 2) // 3}" for m in range(1, 13)}


def sum_of_parts(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`SEX: _T = F + M`"""
    component, total, parts = _equation(rule.argument, "+")
    yield from _balanced(table, rows, component, total, parts)


def hierarchy(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`AGE`: every sum of the hierarchies that the data set declares for the component."""
    codelist = table.library.list_of(rule.argument)
    for name in table.hierarchies:
        declared = table.library.hierarchies[name]
        if codelist is not None and declared.codelist == codelist.ref:
            for total, parts in declared.parts.items():
                yield from _balanced(table, rows, rule.argument, total, parts)


def tree(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`REASON`: every parent of the code list is the sum of its children, memo items left out."""
    codelist = _list(table, rule.argument)
    present = set(table.frame[rule.argument].unique())
    for total, children in codelist.children.items():
        parts = [code for code in children if codelist.codes[code].notes.get("role") != "memo"]
        if total in present and present.intersection(parts):
            yield from _balanced(table, rows, rule.argument, total, parts)


def detail(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`COUNTRY_BIRTH: FOR`: regions, and separately countries, sum to the total (ACC-05).

    More than the total is an error. Less is an error when `FOR_O` says that the rest is shown, and
    a warning when neither `FOR_O` nor `FOR_U` stands for what is not shown.
    """
    component, _, total = (part.strip() for part in rule.argument.partition(":"))
    codelist = _list(table, component)
    common = ["FOR_U"] if total == "FOR" else ["FOR_U", "STLS", "_U"]
    present = set(table.frame[component].unique())
    for kind in ("region", "country"):
        shown_codes = sorted(codelist.select(f"kind={kind}") & present)
        if total not in present or not shown_codes:
            continue
        parts = [*shown_codes, *common, *(["FOR_O"] if kind == "country" else [])]
        lines = _lines(table, rows, component, total, parts)
        gap = lines["total"] - lines["parts"]
        over = gap < -lines["tolerance"]
        under = gap > lines["tolerance"]
        is_partition = lines["FOR_O"] if kind == "country" else np.ones(len(lines), dtype=bool)
        yield _finding(table, lines[over | (under & is_partition)], component, f"{total} = Σ")
        unnamed = under & ~is_partition & ~lines["FOR_U"]
        yield _finding(table, lines[unnamed], component, f"{total} = Σ + FOR_O + FOR_U", is_warning=True)


def areas(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`REF_AREA`: the country is the sum of its first-level areas and of area unknown."""
    codelist = _list(table, rule.argument)
    yield from _balanced(table, rows, rule.argument, table.area, codelist.children.get(table.area, ()))


def difference(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`MIG_MEASURE: FLW_NET = FLW_IN - FLW_OUT`, where all three are given."""
    component, total, parts = _equation(rule.argument, "-")
    lines = _lines(table, rows, component, total, parts, sign=-1)
    wrong = (lines[list(parts)].all(axis=1)) & ((lines["total"] - lines["parts"]).abs() > lines["tolerance"])
    yield _finding(table, lines[wrong], component, f"{total} = {parts[0]} − {parts[1]}")


def periods(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`FLW_* CRS_IN`: twelve months or four quarters sum to the year, three months to the quarter."""
    codelist = _list(table, "MIG_MEASURE")
    measures = frozenset().union(*(codelist.select(pattern) for pattern in rule.argument.split()))
    frame = table.frame[rows & table.frame["MIG_MEASURE"].isin(list(measures)).to_numpy()]
    period = frame["TIME_PERIOD"].astype(str)
    rest = tuple(c for c in table.flow.structure.key if c not in ("FREQ", "TIME_PERIOD"))
    line = key_numbers(frame, rest)
    year = period.str.slice(0, 4)
    quarter = year + "-" + period.str.slice(5).map(lambda text: _QUARTERS.get(text, text))
    for whole, part, span, count in (("A", "M", year, 12), ("A", "Q", year, 4), ("Q", "M", quarter, 3)):
        is_part = (frame["FREQ"] == part).to_numpy()
        parts = pd.DataFrame({"line": line, "span": span, "value": frame["OBS_VALUE"]})[is_part]
        sums = parts.groupby(["line", "span"])["value"].agg(["sum", "count"]).reset_index()
        totals = pd.DataFrame({"line": line, "span": period, "total": frame["OBS_VALUE"], "row": frame.index})
        lines = totals[(frame["FREQ"] == whole).to_numpy()].merge(sums, on=["line", "span"])
        wrong = (lines["count"] == count) & ((lines["total"] - lines["sum"]).abs() > _rounding(table, count + 1))
        yield _finding(table, lines[wrong].rename(columns={"sum": "parts"}), "TIME_PERIOD", f"Σ {count} {part}")


def relations(table: Table) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every (component, total, parts) that the rules of the dataflow say must add up."""
    for rule in table.flow.rules:
        component = rule.argument.partition(":")[0]
        match rule.check:
            case "sum" | "difference":
                _, total, parts = _equation(rule.argument, "+" if rule.check == "sum" else "-")
                yield component, total, tuple(parts)
            case "tree":
                for total, parts in _list(table, component).children.items():
                    yield component, total, parts
            case "areas":
                yield component, table.area, _list(table, component).children.get(table.area, ())
            case "hierarchy":
                for declared in table.library.hierarchies.values():
                    if declared.codelist == _list(table, component).ref:
                        for total, parts in declared.parts.items():
                            yield component, total, parts
            case "detail":
                codelist, total = _list(table, component), rule.argument.partition(":")[2].strip()
                for kind in ("region", "country"):
                    others = ("FOR_O", "FOR_U") if total == "FOR" else ("FOR_O", "FOR_U", "STLS", "_U")
                    yield component, total, (*sorted(codelist.select(f"kind={kind}")), *others)


# ---------------------------------------------------------------- lines


def _balanced(table: Table, rows: Mask, component: str, total: str, parts: Sequence[str]) -> Iterator[Finding]:
    lines = _lines(table, rows, component, total, parts)
    wrong = (lines["total"] - lines["parts"]).abs() > lines["tolerance"]
    present = [part for part in parts if lines[part].any()]
    yield _finding(table, lines[wrong], component, f"{total} = {' + '.join(present)}")
    skipped = lines["total"].isna() | lines["parts"].isna()
    if skipped.any():
        where = np.isin(np.arange(len(table.frame)), lines.loc[skipped, "row"])
        yield Finding(where, "", f"{total} = {' + '.join(present)}", component, severity="I")


def _lines(
    table: Table, rows: Mask, component: str, total: str, parts: Sequence[str], sign: int = 1
) -> pd.DataFrame:
    """One row per line: row number of the total, `total`, `parts` (NaN if any has no value),
    `tolerance`, and for each part whether it is there. With `sign` -1 the later parts are subtracted.
    """
    column = table.frame[component]
    used = np.flatnonzero(rows & column.isin([total, *parts]).to_numpy())
    frame = table.frame.iloc[used]
    rest = tuple(c for c in table.flow.structure.key if c != component)
    code = column.iloc[used].astype(str).to_numpy()
    long = pd.DataFrame(
        {
            "line": key_numbers(frame, rest),
            "code": code,
            "row": used,
            "value": frame["OBS_VALUE"].to_numpy(),
            "is_estimate": (frame["OBS_STATUS"] == "E").to_numpy(),
        }
    )
    totals = long[long["code"] == total].set_index("line")
    pieces = long[long["code"] != total]
    signs = np.where(pieces["code"] == parts[0] if len(parts) else False, 1, sign)
    by_line = (pieces["value"] * signs).groupby(pieces["line"])
    sums = by_line.sum().where(by_line.count() == by_line.size())
    present = pd.crosstab(pieces["line"], pieces["code"]).astype(bool).reindex(columns=list(parts), fill_value=False)
    estimates = long.groupby("line")["is_estimate"].any()
    lines = totals[["row", "value"]].rename(columns={"value": "total"}).join(sums.rename("parts"), how="inner")
    lines = lines.join(present)
    share = np.where(estimates.reindex(lines.index), _ESTIMATE_TOLERANCE, 0.0)
    lines["tolerance"] = np.maximum(share * lines["total"].abs(), _rounding(table, len(parts) + 1))
    return lines


def _rounding(table: Table, summands: int) -> float:
    """Half the rounding base for each summand; without rounding, room for binary fractions only."""
    return table.rounding_base * summands / 2 or 1e-6


def _finding(
    table: Table, lines: pd.DataFrame, component: str, expected: str, *, is_warning: bool = False
) -> Finding:
    where = np.zeros(len(table.frame), dtype=bool)
    where[lines["row"].to_numpy(dtype=np.intp)] = True
    found = pd.Series("", index=table.frame.index)
    texts = [f"{shown(t)} ≠ {shown(p)}" for t, p in zip(lines["total"], lines["parts"], strict=True)]
    found.iloc[lines["row"].to_numpy(dtype=np.intp)] = texts
    return Finding(where, found, f"{component}: {expected}", severity="W" if is_warning else None)


def _equation(argument: str, sign: str) -> tuple[str, str, list[str]]:
    component, _, equation = argument.partition(":")
    total, _, parts = equation.partition("=")
    return component.strip(), total.strip(), [part.strip() for part in parts.split(sign)]


def _list(table: Table, component: str) -> Codelist:
    codelist = table.library.list_of(component)
    assert codelist is not None, component
    return codelist
