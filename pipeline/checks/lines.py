"""Lines: one total with its parts, every other component being equal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.checks.finding import Mask, Numbers, Table, key_numbers
from pipeline.thresholds import may_be_negative

ESTIMATE_TOLERANCE = 0.005  # share of the total, for lines with estimates (framework §4)
_EXACT = 1e-6  # room for binary fractions only


@dataclass(frozen=True)
class Lines:
    """Many lines of one kind in long form: an entry for each figure that takes part.

    `line` numbers the lines from 0 up, `row` is the position of the figure in the table, `sign` is 1
    for the total and -1 for its parts (1 for a part that is subtracted), so that sign * value sums
    to zero. `needed` says how many parts of each line must be there for the sum to be asserted.
    """

    component: str
    total: str
    line: Numbers
    row: Numbers
    sign: npt.NDArray[np.float64]
    is_total: Mask
    needed: int = 0
    is_needed: Mask | None = None
    written: str = ""  # the equation, where its parts are of other periods than its total

    def keep(self, entries: Mask) -> Lines:
        """The lines of these entries that still have a total and a part worth the name, renumbered."""
        line, is_total = self.line[entries], self.is_total[entries]
        size = int(line.max(initial=-1)) + 1
        whole = np.zeros(size, dtype=bool)
        whole[line[is_total]] = True
        with_part = np.zeros(size, dtype=bool)
        with_part[line[~is_total]] = True
        kept = (whole & with_part)[line]
        places = np.flatnonzero(entries)[kept]
        return replace(
            self,
            line=pd.factorize(line[kept])[0],
            row=self.row[places],
            sign=self.sign[places],
            is_total=self.is_total[places],
            is_needed=None if self.is_needed is None else self.is_needed[places],
        )

    def asserted(self) -> Lines:
        """The lines that have every part they need."""
        return self if self.is_needed is None else self.keep(self.is_complete()[self.line])

    def is_complete(self) -> Mask:
        """For each line, whether every part that it needs is there."""
        size = int(self.line.max(initial=-1)) + 1
        if self.is_needed is None:
            return np.ones(size, dtype=bool)
        complete: Mask = np.bincount(self.line[self.is_needed], minlength=size) == self.needed
        return complete

    def formula(self, table: Table) -> str:
        """The equation with the parts that occur, in the order of the code list."""
        codelist = table.library.list_of(self.component)
        if self.written:
            return f"{self.component}: {self.written}"
        if codelist is None:
            return f"{self.component}: {self.total} = Σ"
        entries = self.row[~self.is_total]
        codes = table.frame[self.component].iloc[entries].to_numpy()
        signs = pd.Series(self.sign[~self.is_total], index=codes).groupby(level=0, observed=True).last()
        parts = [f" {'−' if signs[code] > 0 else '+'} {code}" for code in codelist.codes if code in signs.index]
        return f"{self.component}: {self.total} ={''.join(parts).removeprefix(' +')}"


def of_equation(
    table: Table,
    rows: Mask,
    component: str,
    total: str,
    parts: Collection[str],
    *,
    needed: Collection[str] = (),
    subtracted: Collection[str] = (),
) -> Lines:
    """Lines of `total` = sum of `parts`. A line with no other part than an unknown one is no line."""
    codes = table.frame[component]
    used = np.flatnonzero(rows & codes.isin([total, *parts]).to_numpy())
    code = codes.iloc[used]
    is_total = (code == total).to_numpy()
    if is_total.all() or not is_total.any():
        return _none(component, total)
    line = table.line_numbers(component)[used]
    known = np.zeros(int(line.max(initial=-1)) + 1, dtype=bool)
    known[line[code.isin([part for part in parts if not part.endswith("_U")]).to_numpy()]] = True
    sign = np.where(is_total | code.isin(list(subtracted)).to_numpy(), 1.0, -1.0)
    is_needed = code.isin(list(needed)).to_numpy() if needed else None
    lines = Lines(component, total, line, used, sign, is_total, len(needed), is_needed)
    return lines.keep(known[line])


def of_tree(table: Table, component: str, rows: Mask) -> Iterator[Lines]:
    """Lines of every parent of the component's list, one `Lines` for each parent.

    A figure counts towards the nearest code above it that its line has, so that a table without a
    middle level still adds up. Memo items count towards nothing.
    """
    codelist = table.codelist(component)
    order = {code: number for number, code in enumerate(codelist.codes)}
    parent = np.array([order.get(code.parent, -1) for code in codelist.codes.values()] + [-1])
    memo = [order[code.id] for code in codelist.codes.values() if code.notes.get("role") == "memo"]
    used = np.flatnonzero(rows)
    categories, distinct = pd.factorize(table.frame[component].iloc[used])
    if not codelist.is_nested([*map(str, distinct)]):
        return
    code = np.array([order.get(value, -1) for value in distinct] + [-1], dtype=np.int64)[categories]
    line = table.line_numbers(component)[used]
    place = line * (len(order) + 1)
    there = np.unique(place[code >= 0] + code[code >= 0])
    above = np.where(np.isin(code, memo), -1, parent[code])
    while (climbing := (above >= 0) & ~np.isin(place + above, there)).any():
        above[climbing] = parent[above[climbing]]
    names = list(codelist.codes)
    for total in np.unique(above[above >= 0]):
        chosen = (above == total) | (code == total)
        is_total = code[chosen] == total
        entries = np.where(is_total, 1.0, -1.0)
        known = ~np.isin(code[chosen], [order[name] for name in names if name.endswith("_U")])
        lines = Lines(component, names[total], line[chosen], used[chosen], entries, is_total)
        has_known = np.zeros(int(line.max(initial=-1)) + 1, dtype=bool)
        has_known[lines.line[known & ~is_total]] = True
        yield lines.keep(has_known[lines.line])


def of_periods(table: Table, rows: Mask, whole: str, part: str, count: int = 0) -> Lines:
    """Lines of a year or quarter with all `count` of its months or quarters, or with any when it is 0."""
    frame = table.frame
    used = np.flatnonzero(rows & frame["FREQ"].isin([whole, part]).to_numpy())
    is_total = (frame["FREQ"].iloc[used] == whole).to_numpy()
    if is_total.all() or not is_total.any():
        return _none("TIME_PERIOD", whole)
    numbers, periods = pd.factorize(frame["TIME_PERIOD"].iloc[used])
    spans = [str(period) if whole == "Q" and "Q" in str(period) else _span(str(period), whole) for period in periods]
    rest = tuple(each for each in table.flow.structure.key if each not in ("FREQ", "TIME_PERIOD"))
    labelled = frame.iloc[used][list(rest)].assign(span=np.array(spans, dtype=object)[numbers] if spans else [])
    line = key_numbers(labelled, (*rest, "span"))
    lines = Lines("TIME_PERIOD", whole, line, used, np.where(is_total, 1.0, -1.0), is_total)
    is_full = np.bincount(line[~is_total], minlength=int(line.max(initial=-1)) + 1) == count
    return lines.keep(is_full[line] | (count == 0))


def _none(component: str, total: str) -> Lines:
    nothing = np.zeros(0, dtype=np.int64)
    return Lines(component, total, nothing, nothing, nothing.astype(float), nothing.astype(bool))


def _span(period: str, whole: str) -> str:
    year, _, month = period.partition("-")
    return year if whole == "A" or not month.isdigit() else f"{year}-Q{(int(month) + 2) // 3}"


def compare(table: Table, lines: Lines) -> pd.DataFrame:
    """One row for each line: `row` of its total, `total`, `parts` (NaN if any has no value),
    `tolerance`, and whether it `is_complete`, `is_open` (nothing confidential) and `is_signed`
    (a part that is not there could be negative).
    """
    frame, line = table.frame, lines.line
    size = int(line.max(initial=-1)) + 1
    value = frame["OBS_VALUE"].to_numpy(dtype=np.float64)[lines.row]
    total_first = np.flatnonzero(lines.is_total)
    row = np.zeros(size, dtype=np.int64)
    row[line[total_first]] = lines.row[total_first]
    total = frame["OBS_VALUE"].to_numpy(dtype=np.float64)[row] if size else np.zeros(0)
    part = ~lines.is_total
    sums = np.bincount(line[part], weights=-lines.sign[part] * value[part], minlength=size)
    estimated = np.bincount(line, weights=is_estimate(table)[lines.row], minlength=size) > 0
    closed = np.bincount(line, weights=~frame["CONF_STATUS"].isin(["F", ""]).to_numpy()[lines.row], minlength=size)
    rounding = table.rounding_base * np.bincount(line, minlength=size) / 2 if table.rounding_base else _EXACT
    is_signed = may_be_negative(table.flow, frame)
    return pd.DataFrame(
        {
            "row": row,
            "total": total,
            "parts": sums,
            "tolerance": np.maximum(np.where(estimated, ESTIMATE_TOLERANCE * np.abs(total), 0.0), rounding),
            "is_complete": lines.is_complete(),
            "is_open": closed == 0,
            "is_signed": is_signed[row],
            "is_estimate": estimated,
        }
    )


def is_estimate(table: Table) -> Mask:
    """Rows that are estimated: by their status, or because their source is a sample or a model."""
    estimated: Mask = (table.frame["OBS_STATUS"].isin(["E"]) | _is_from_sample(table)).to_numpy()
    return estimated


def _is_from_sample(table: Table) -> pd.Series[bool]:
    """Rows whose source is a sample or a model: their rounded figures add up only nearly."""
    if "SOURCE_TYPE" not in table.frame:
        return pd.Series(data=False, index=table.frame.index)
    codes = table.codelist("SOURCE_TYPE").descendants("SUR")
    return table.frame["SOURCE_TYPE"].isin([*codes, "INT"])
