"""Figures under way in a formula: whole columns with the keys they stand for, and what they were made of.

A column is joined to another on the dimensions that both have. With each figure go its quality (the weaker of
those it was made of) and, in the columns that begin with `@`, a number for each input: `used` says which
published figures stand behind it. What was made of a withheld figure is withheld.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.methods.indicators.formula import Call, Expression, Name, Number, Operation

TIME = "TIME_PERIOD"
STATE = ("is_withheld", "quality", "reliability")
_USED = "@"
_RIGHT = " of the right"

Figures = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """`frame` has the dimensions, `value` and STATE, one row a key; `used` has (bundle, input, row).

    `complete` says of how many codes of a dimension a sum must be, where the condition of the input lists them.
    """

    dims: tuple[str, ...]
    frame: pd.DataFrame
    used: pd.DataFrame
    complete: Mapping[str, int] = field(default_factory=dict)

    @property
    def bundles(self) -> list[str]:
        return [str(name) for name in self.frame if str(name).startswith(_USED)]


class Evaluation:
    """One formula, walked. `leaf` gives the figures that a name stands for; their column `row` numbers them."""

    def __init__(self, leaf: Callable[[str], Column | float]) -> None:
        self._leaf, self._columns, self._bundles = leaf, 0, 0

    def of(self, expression: Expression) -> Column | float:
        """The figures that an expression gives; a number where it names no input."""
        match expression:
            case Number(value):
                return value
            case Name(name):
                return self._named(name)
            case Operation(operator, left, right):
                return _joined(operator, self.of(left), self.of(right))
            case Call():
                return self._called(expression)

    def _called(self, call: Call) -> Column:
        found = [self.of(each) for each in call.of]
        columns = [each for each in found if isinstance(each, Column)]
        assert len(columns) == len(found)  # definitions refuse a function of numbers
        match call.function:
            case "first":
                return _first(*columns)
            case "lag":
                return _later(columns[0], call.years)
            case "abs":
                return replace(columns[0], frame=columns[0].frame.assign(value=columns[0].frame["value"].abs()))
        return self._over(call.function, columns[0], call.over)

    def _numbered(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
        """The frame with a new column of bundles, and these."""
        bundles = np.arange(self._bundles, self._bundles + len(frame))
        name = f"{_USED}{self._columns}"
        self._columns, self._bundles = self._columns + 1, self._bundles + len(frame)
        return frame.assign(**{name: bundles}), bundles

    def _named(self, name: str) -> Column | float:
        found = self._leaf(name)
        if not isinstance(found, Column):
            return found
        frame, bundles = self._numbered(found.frame.drop(columns="row"))
        used = pd.DataFrame({"bundle": bundles, "input": name, "row": found.frame["row"].to_numpy()})
        return replace(found, frame=frame, used=used)

    def _over(self, function: str, column: Column, over: Sequence[str]) -> Column:
        """One figure of each group; it stands on all that its members stand on."""
        dims = tuple(name for name in column.dims if name not in over)
        groups = column.frame.groupby(list(dims), sort=False)
        parts = {"value": _aggregate(function, groups["value"]), "size": groups.size()}
        made = pd.DataFrame(parts | {name: groups[name].max() for name in STATE}).reset_index()
        if function == "count":  # however weak a figure is, that it is there is certain
            made = made.assign(quality=0, reliability=0)
        frame, bundles = self._numbered(made)
        below = column.frame[column.bundles].assign(group=bundles[groups.ngroup().to_numpy()])
        told = below.melt("group", value_name="bundle").merge(column.used, on="bundle")
        used = told[["group", "input", "row"]].rename(columns={"group": "bundle"})
        least = {"sum": math.prod(column.complete.get(name, 1) for name in over), "spread": 2}.get(function, 1)
        whole = (frame["size"] >= least).to_numpy(dtype=bool)
        return Column(dims, frame[whole].drop(columns="size").reset_index(drop=True), used)


def lineage(column: Column) -> pd.DataFrame:
    """(position in the column, input, row of the input), each once, in order."""
    told = column.frame[column.bundles].assign(position=np.arange(len(column.frame)))
    found = told.melt("position", value_name="bundle").dropna(subset="bundle").merge(column.used, on="bundle")
    found = found[["position", "input", "row"]].drop_duplicates()
    return found.sort_values(["position", "input", "row"]).reset_index(drop=True)


def _joined(operator: str, left: Column | float, right: Column | float) -> Column | float:
    if isinstance(left, Column) and isinstance(right, Column):
        return _merged(operator, left, right)
    values = (
        side.frame["value"].to_numpy() if isinstance(side, Column) else np.float64(side) for side in (left, right)
    )
    made = _applied(operator, *values)
    for side in (left, right):
        if isinstance(side, Column):
            return replace(side, frame=side.frame.assign(value=made))
    return float(made)


def _merged(operator: str, left: Column, right: Column) -> Column:
    shared = [name for name in left.dims if name in right.dims]
    both = left.frame.merge(right.frame, on=shared, suffixes=("", _RIGHT))
    made: dict[str, Any] = {name: both[[name, name + _RIGHT]].max(axis=1) for name in STATE}
    made["value"] = _applied(operator, both["value"].to_numpy(), both["value" + _RIGHT].to_numpy())
    frame = both.assign(**made).drop(columns=[name + _RIGHT for name in ("value", *STATE)])
    dims = (*left.dims, *(name for name in right.dims if name not in left.dims))
    return Column(dims, frame, pd.concat([left.used, right.used], ignore_index=True))


def _applied(operator: str, left: Any, right: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return np.true_divide(left, right)


def _aggregate(function: str, values: Any) -> Any:
    """The figures of groups, each as one."""
    if function == "spread":
        smallest = values.min()
        return values.max() / smallest.where(smallest != 0)
    return values.sum(min_count=1) if function == "sum" else values.agg(function).astype("float64")


def _first(left: Column, right: Column) -> Column:
    """What the first has, then what only the second has. A withheld figure gives way to one that is published."""
    both = pd.concat([left.frame.assign(turn=0), right.frame.assign(turn=1)], ignore_index=True)
    is_blank = both["is_withheld"].astype(bool) | ~np.isfinite(both["value"].to_numpy(dtype=np.float64))
    order = both.assign(is_blank=is_blank).sort_values([*left.dims, "is_blank", "turn"], kind="stable")
    frame = order.drop_duplicates(list(left.dims)).drop(columns=["turn", "is_blank"]).reset_index(drop=True)
    return Column(left.dims, frame, pd.concat([left.used, right.used], ignore_index=True))


def _later(column: Column, years: int) -> Column:
    """Figures as those of a later year. Only years can be counted on."""
    year = pd.to_numeric(column.frame[TIME], errors="coerce")
    frame = column.frame[year.notna()]
    return replace(column, frame=frame.assign(**{TIME: (year.dropna().astype(int) + years).astype(str)}))
