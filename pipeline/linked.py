"""All tables that a release publishes, and what was published before, as one system of cells and sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array, vstack

from pipeline import conditions
from pipeline.checks.finding import Mask, Numbers, Table, key_numbers
from pipeline.equations import equations
from pipeline.thresholds import is_withheld

Vector = npt.NDArray[np.float64]

_ANY = "_T"  # a dimension that a table does not have, or that does not apply, is taken as its total
_NONE = "_Z"


@dataclass(frozen=True)
class Linked:
    """Which rows of the tables are one cell, and which cells add up to which. It holds no figure.

    `cells` gives for each table the cell of each row; `sums @ values` is zero over all `count` cells.
    """

    cells: tuple[Numbers, ...]
    sums: csr_array
    count: int

    def any_of(self, masks: Iterable[Mask]) -> Mask:
        """The cells of which some row is marked, given one mask for each table."""
        found = np.zeros(self.count, dtype=bool)
        for cells, mask in zip(self.cells, masks, strict=False):
            found[cells[mask]] = True
        return found

    def values(self, frames: Iterable[pd.DataFrame]) -> Vector:
        """The figure of each cell, from whichever row has one; NaN where none has."""
        found = np.full(self.count, np.nan)
        for cells, frame in zip(self.cells, frames, strict=False):
            value = frame["OBS_VALUE"].to_numpy(dtype=np.float64)
            found[cells[~np.isnan(value)]] = value[~np.isnan(value)]
        return found


def link(tables: Sequence[Table]) -> Linked:
    """Put the tables together.

    Two rows are one cell when they have one key (as `same_as` of the dataflow's protection rewrites it),
    one provider and one figure: what a provider says twice cannot be withheld once. Where some of
    the rows of a key have no figure because it is withheld, they are the cell of the others' one figure.
    """
    if not tables:
        return Linked((), csr_array((0, 0)), 0)
    rows = together([_keyed(number, table) for number, table in enumerate(tables)])
    key = key_numbers(rows, tuple(c for c in rows.columns if c not in ("table", "value", "withheld")))
    value = _told_elsewhere(key, rows["value"], rows["withheld"].to_numpy())
    apart = np.where(value.isna(), np.arange(len(rows)), -1)
    cell = key_numbers(pd.DataFrame({"key": key, "value": value.round(6), "apart": apart}), ("key", "value", "apart"))
    cells = tuple(cell[(rows["table"] == number).to_numpy()] for number in range(len(tables)))
    count = int(cell.max(initial=-1)) + 1
    return Linked(cells, _stacked(tables, cells, count), count)


def together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables; each column that is coded in one of them has the codes of all."""
    found: dict[str, list[Any]] = {}
    for name in map(str, tables[0]):
        if any(isinstance(table[name].dtype, pd.CategoricalDtype) for table in tables):
            found[name] = [table[name].astype("category") for table in tables]
    for name, columns in found.items():
        codes = list(dict.fromkeys(code for column in columns for code in column.cat.categories))
        found[name] = [column.cat.set_categories(codes) for column in columns]
    of_all = (table.assign(**{name: c[i] for name, c in found.items()}) for i, table in enumerate(tables))
    return pd.concat(of_all, ignore_index=True)


def _told_elsewhere(key: Numbers, value: pd.Series[float], withheld: Mask) -> pd.Series[float]:
    """The figures, with those that are withheld from their key's one other figure."""
    some = np.isin(key, key[withheld])
    by_key = value[some].groupby(key[some])
    found = value.copy()
    is_one = (by_key.transform("nunique") == 1) & withheld[some]
    found[some] = value[some].where(~is_one, by_key.transform("max"))
    return found


def _keyed(number: int, table: Table) -> pd.DataFrame:
    """The key of each row with its provider and its figure."""
    found, frame = keys(table), table.frame
    codes, names = pd.factorize(np.array([*(origin.provider for origin in table.origins), ""], dtype=object))
    found["provider"] = _coded(codes[frame["table"].to_numpy()], names)
    return found.assign(table=number, value=frame["OBS_VALUE"].to_numpy(), withheld=is_withheld(frame))


def keys(table: Table) -> pd.DataFrame:
    """The key of each row as every dataflow has it, as codes; what `same_as` rewrites is rewritten."""
    frame, structure = table.frame, table.flow.structure
    plain = {each: frame[each] for each in (*structure.key, "UNIT_MEASURE", "UNIT_MULT") if each in frame}
    plain["MIG_MEASURE"] = frame[structure.measure_dimension]
    key = dict(plain)
    for same in table.flow.protection.same_as:
        rows = conditions.holds(conditions.parse(same.when), frame, table.library.list_of).to_numpy()
        for component, said in same.key.items():
            text = plain[said[1:-1]].astype("str") if said.startswith("{") else said
            key[component] = key[component].astype("str").mask(rows, text) if rows.any() else key[component]
    nothing = _coded(np.zeros(len(frame), dtype=np.int64), [_ANY])
    return pd.DataFrame(
        {name: _said(key[name]) if name in key else nothing for name in _components(table)}, index=frame.index
    )


def _said(column: pd.Series[str]) -> Any:
    """The codes of a column, less those that say that it does not apply."""
    codes = column.astype("category").cat
    places, names = pd.factorize(
        np.array([_ANY if c in (_NONE, "") else str(c) for c in codes.categories], dtype=object)
    )
    return _coded(np.append(places, -1)[codes.codes], names)


def _coded(places: Numbers, names: Iterable[str]) -> Any:
    return pd.Categorical.from_codes(places, pd.Index(list(names)))


def _components(table: Table) -> list[str]:
    structures = table.library.structures.values()
    every = dict.fromkeys(each for structure in structures for each in structure.key)
    return [*every, "UNIT_MEASURE", "UNIT_MULT"]


def _stacked(tables: Sequence[Table], cells: Sequence[Numbers], count: int) -> csr_array:
    """The sums of every table over the common cells, each once."""
    blocks = []
    for table, cell in zip(tables, cells, strict=True):
        entries = equations(table, is_withheld(table.frame)).tocoo()
        blocks.append(csr_array((entries.data, (entries.row, cell[entries.col])), shape=(entries.shape[0], count)))
    sums = csr_array(vstack(blocks)) if blocks else csr_array((0, count))
    sums.sum_duplicates()
    sums.eliminate_zeros()
    sums = sums[np.diff(sums.indptr) > 0]
    # Equal sums have equal products with a vector of random numbers, and others surely do not.
    weights = np.random.default_rng(0).uniform(1, 2, (count, 2))
    _, first = np.unique(np.abs(sums @ weights).round(9), axis=0, return_index=True)
    return sums[np.sort(first)]
