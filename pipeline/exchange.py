"""Tables in the exchange format of the stand-alone `protect` and `audit`: any dimensions, sums by their hierarchies.

A table has one column for each dimension, `OBS_VALUE`, and `PRIMARY`, `N` (contributors), `TOP1` and `TOP2`
(the largest parts), `W1` (the weight of the largest) or `CONF_STATUS`.
A table that lacks a dimension is the table at that dimension's total.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from pipeline import dominance
from pipeline.dominance import Contributors, Dominance
from pipeline.errors import InputError

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_CONTRIBUTORS = {"N": "contributors", "TOP1": "largest", "TOP2": "second", "W1": "weight"}
_ABOUT = ("OBS_VALUE", "PRIMARY", *_CONTRIBUTORS, "CONF_STATUS", "OBS_STATUS")
_TOLERANCE = 0.5


@dataclass(frozen=True)
class Hierarchy:
    """The dimensions with their total, the sums between their codes, and how tables are protected.

    `sums` gives for each dimension (parent, children) pairs; a code may stand in several.
    """

    totals: Mapping[str, str]
    sums: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
    is_count: bool
    threshold: float
    need: float
    lower_bound: float
    rules: tuple[Dominance, ...] = ()


@dataclass(frozen=True)
class Cells:
    """Every distinct cell of some tables, in the order of their keys, and their sums.

    `rows` gives for each table the cell of each row. `sums @ values` is zero.
    """

    keys: pd.DataFrame
    values: Vector
    sums: csr_array
    rows: tuple[Numbers, ...]

    def largest(self, tables: Sequence[pd.DataFrame], column: str) -> Vector:
        """For each cell the largest number that a column has in any table; NaN where no table has one."""
        found = np.full(len(self.keys), np.nan)
        for table, rows in zip(tables, self.rows, strict=True):
            if column in table:
                found[rows] = np.fmax(found[rows], table[column].to_numpy(dtype=np.float64))
        return found

    def contributors(self, tables: Sequence[pd.DataFrame]) -> Contributors:
        """How many have a part in each cell, and the largest parts, as far as a table says so."""
        return Contributors(**{name: self.largest(tables, column) for column, name in _CONTRIBUTORS.items()})


def hierarchy(path: Path, *, threshold: float = 0, need: str = "", width: float = 0) -> Hierarchy:
    """Read a hierarchy with its policy; what is given here stands over the policy.

    Raises:
        InputError: the file is no such hierarchy.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        policy: dict[str, Any] = read.get("policy", {})
        persons = threshold or float(policy.get("threshold", 3))
        asked = need or policy.get("need", "width")
        wide = {"width": width or float(policy.get("min_width", 1)), "threshold": persons}[asked]
        return Hierarchy(
            totals={name: str(each["total"]) for name, each in read["dims"].items()},
            sums={
                name: tuple((str(e["parent"]), tuple(map(str, e["children"]))) for e in each.get("equations", []))
                for name, each in read["dims"].items()
            },
            is_count=policy.get("kind", "count") == "count",
            threshold=persons,
            need=wide,
            lower_bound=float(policy.get("lower_bound", 0)),
            rules=tuple(dominance.rule(each) for each in policy.get("rules", [])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "{file} is no hierarchy with dims, totals and equations: {error!r}", file=path.name, error=error
        ) from error


def table(path: Path, described: Hierarchy) -> pd.DataFrame:
    """Read one table: codes as text, figures as numbers, absent dimensions at their total.

    Raises:
        InputError: no such file, an unknown column or code, a figure that is no number, a key that stands twice.
    """
    try:
        read = pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)
    except (OSError, ValueError) as error:
        raise InputError("{file} cannot be read as CSV: {error}", file=path.name, error=error) from error
    if unknown := [each for each in read.columns if each not in (*described.totals, *_ABOUT)]:
        raise InputError("{file}: column {column} is no dimension of the hierarchy.", file=path.name, column=unknown[0])
    if "OBS_VALUE" not in read:
        raise InputError("{file} has no column OBS_VALUE.", file=path.name)
    for dimension, total in described.totals.items():
        if dimension not in read:
            read[dimension] = total
        known = {total}.union(*({parent, *children} for parent, children in described.sums[dimension]))
        if wrong := sorted(set(read[dimension]) - known):
            raise InputError(
                "{file}: {dimension} has the code {code!r}, which the hierarchy does not know.",
                file=path.name,
                dimension=dimension,
                code=wrong[0],
            )
    for column in {"OBS_VALUE", "PRIMARY", *_CONTRIBUTORS} & {*read.columns}:
        read[column] = _numbers(path, read[column])
    if (twice := read.duplicated(list(described.totals))).any():
        raise InputError(
            "{file}, line {line}: the key stands twice.", file=path.name, line=int(np.flatnonzero(twice)[0]) + 2
        )
    return read


def _numbers(path: Path, column: pd.Series[str]) -> pd.Series[float]:
    text = column.str.strip()
    number = pd.to_numeric(text.replace("", None), errors="coerce").astype(np.float64)
    if (wrong := number.isna() & (text != "")).any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            "{file}, line {line}: {column} is {found!r}, no number.",
            file=path.name,
            line=row + 2,
            column=column.name,
            found=column.iloc[row],
        )
    return number


def cells(tables: Sequence[pd.DataFrame], described: Hierarchy) -> Cells:
    """Put tables together: equal keys are one cell, and its figure is the one that any table has.

    Raises:
        InputError: two tables have different figures for one key.
    """
    dimensions = list(described.totals)
    every = pd.concat([each[[*dimensions, "OBS_VALUE"]] for each in tables], ignore_index=True)
    grouped = every.groupby(dimensions, sort=True, observed=True)
    number = grouped.ngroup().to_numpy()
    span = grouped["OBS_VALUE"].agg(["min", "max"])
    keys = span.index.to_frame(index=False) if len(dimensions) > 1 else pd.DataFrame({dimensions[0]: span.index})
    if (apart := (span["max"] - span["min"] > _TOLERANCE)).any():
        raise InputError("Two tables have different figures for {key}.", key=keys.iloc[int(np.argmax(apart))].to_dict())
    ends = np.cumsum([0, *map(len, tables)])
    rows = tuple(number[start:end].astype(np.int64) for start, end in pairwise(ends))
    values = span["max"].to_numpy(dtype=np.float64)
    return Cells(keys, values, _sums(keys, values, described), rows)


def _sums(keys: pd.DataFrame, values: Vector, described: Hierarchy) -> csr_array:
    """One row for each equation and each combination of the other dimensions that has its parent.

    A child without a row is taken as zero where the figures that are there allow it.
    """
    coded = {name: pd.factorize(keys[name], sort=True) for name in described.totals}
    lines, places, signs, start = [], [], [], 0
    for dimension, equations in described.sums.items():
        rest = np.zeros(len(keys), dtype=np.int64)
        for name, (code, distinct) in coded.items():
            if name != dimension:
                rest = rest * len(distinct) + code
        rest = pd.factorize(rest)[0]
        column = keys[dimension].to_numpy()
        for parent, children in equations:
            is_parent = column == parent
            chosen = np.flatnonzero(is_parent | np.isin(column, list(children)))
            sign = np.where(is_parent[chosen], 1.0, -1.0)
            holds = _may_hold(rest[chosen], sign, values[chosen], len(children))
            kept = holds[rest[chosen]]
            line, names = pd.factorize(rest[chosen][kept])
            lines.append(line + start)
            places.append(chosen[kept])
            signs.append(sign[kept])
            start += len(names)
    entries = np.concatenate(signs), (np.concatenate(lines), np.concatenate(places))
    return csr_array(entries, shape=(start, len(keys)))


def _may_hold(line: Numbers, sign: Vector, values: Vector, parts: int) -> Mask:
    """The lines that have a total and a part, and all parts or figures that leave nothing for the absent ones."""
    size = int(line.max(initial=-1)) + 1
    balance = np.bincount(line, weights=sign * np.nan_to_num(values), minlength=size)
    blanks = np.bincount(line, weights=np.isnan(values), minlength=size)
    has_total = np.bincount(line, weights=sign > 0, minlength=size) == 1
    count = np.bincount(line, weights=sign < 0, minlength=size)
    exact = np.abs(balance) <= _TOLERANCE
    holds: Mask = has_total & (count > 0) & ((count == parts) | exact | (blanks > 0))
    return holds
