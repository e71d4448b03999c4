"""PLA and DOM-42: figures that are possible but hardly true, and ages too young for the labour force."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.checks.finding import Finding, Mask, Table, shown
from pipeline.checks.lines import Lines, compare
from pipeline.errors import SetupError
from pipeline.framework import Codelist, Rule

_RATIO = re.compile(
    r"(?P<component>[A-Z_]+): 100 (?P<part>\S+) / (?P<base>\S+) within (?P<low>\d+) (?P<high>\d+) from (?P<least>\d+)"
)
_OLDEST = 999  # of an open age group


def ratio(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`SEX: 100 M / F within 40 250 from 1000`: one part of a group against another or against all.

    A part `15-64` is a span of ages, in whatever groups the line has. `from` is the smallest group
    that is judged: part and base together, or the base where it is the whole.
    """
    match = _RATIO.fullmatch(rule.argument)
    if match is None:
        raise SetupError(
            'the argument "{argument}" is not understood: write {pattern}',
            argument=rule.argument,
            pattern=_RATIO.pattern,
        )
    lines = _lines(table, rows, *match.group("component", "part", "base"))
    if not len(lines.line):
        return
    compared = compare(table, lines)
    part, base = compared["parts"], compared["total"]
    group = base if match["base"] == "_T" else part + base
    low, high = float(match["low"]), float(match["high"])
    wrong = (group >= float(match["least"])) & ((100 * part < low * base) | (100 * part > high * base))
    mask = np.zeros(len(table.frame), dtype=bool)
    mask[lines.row[wrong.to_numpy()[lines.line] & ~lines.is_total]] = True
    yield Finding(mask, "", f"{match['component']}: {low:g} ≤ 100 × {match['part']} / {match['base']} ≤ {high:g}")


def working_age(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`15`: no one is younger than the age at which work is counted, 15 or what the country declares (DOM-42)."""
    series = table.library.countries[table.area].series.get(table.flow.id)
    age = (series.working_age if series else 0) or int(rule.argument)
    codelist, column = table.codelist("AGE"), table.frame["AGE"]
    old_enough = codelist.select(f"min_years>={age}")
    young = [code for code in column.unique() if code in codelist.codes and code not in old_enough]
    wrong = rows & column.isin(young).to_numpy()
    if wrong.any():
        yield Finding(wrong, column.astype("str"), shown(age), "AGE")


def _lines(table: Table, rows: Mask, component: str, part: str, base: str) -> Lines:
    """Lines of a base and the codes that make the part; a line without either is no line."""
    codes, number = table.frame[component], table.line_numbers(component)
    codelist = table.codelist(component)
    span = re.fullmatch(r"(\d+)-(\d+)", part)
    ages = _ages_within(codelist, int(span[1]), int(span[2])) if span else {part: 1}
    used = np.flatnonzero(rows & codes.isin([*ages, base]).to_numpy() & table.frame["OBS_VALUE"].notna().to_numpy())
    code = codes.iloc[used].astype("str").to_numpy()
    line, is_total = number[used], code == base
    kept = is_total | ~_is_inside_another(line, code, codelist, ages)
    whole = int(span[2]) - int(span[1]) + 1 if span else 1
    years = np.array([ages.get(each, 0) for each in code], dtype=np.int64)
    size = int(line.max(initial=-1)) + 1
    covered = np.bincount(line[kept & ~is_total], weights=years[kept & ~is_total], minlength=size) == whole
    lines = Lines(component, base, line, used, np.where(is_total, 1.0, -1.0), is_total)
    return lines.keep(kept & covered[line])


def _ages_within(codelist: Codelist, first: int, last: int) -> dict[str, int]:
    """Codes of age that lie in the span, with the years they hold."""
    found = {}
    for code in codelist.codes.values():
        if code.notes.get("min_years"):
            low, high = int(code.notes["min_years"]), int(code.notes["max_years"] or _OLDEST)
            if first <= low and high <= last:
                found[code.id] = high - low + 1
    return found


def _is_inside_another(line: np.ndarray, code: np.ndarray, codelist: Codelist, ages: dict[str, int]) -> Mask:
    """Entries whose line has an age group that holds theirs."""
    inside = np.zeros(len(line), dtype=bool)
    for outer in sorted(ages, key=lambda each: -ages[each]):
        held = [each for each in ages if each != outer and _holds(codelist, outer, each)]
        if held and (code == outer).any():
            inside |= np.isin(code, held) & np.isin(line, line[code == outer])
    return inside


def _holds(codelist: Codelist, outer: str, inner: str) -> bool:
    (low, high), (first, last) = (_span(codelist, each) for each in (outer, inner))
    return low <= first and last <= high


def _span(codelist: Codelist, code: str) -> Sequence[int]:
    notes = codelist.codes[code].notes
    return int(notes["min_years"]), int(notes["max_years"] or _OLDEST)
