"""`Observations` → `Protected`: what would give a person away is withheld, and what would give that away.

Primary suppression follows the thresholds of the dataflow's `protect.toml` (framework §11). Then
further cells are withheld, the smallest that serve, until no withheld figure can be worked out
exactly from the published ones by any combination of the table's sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import qr
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipeline.checks.finding import Mask, Table
from pipeline.equations import equations
from pipeline.framework import Dataflow
from pipeline.model import Library, Observations, Origin, Protected
from pipeline.thresholds import has_few_cases, is_small, is_withheld, threshold_persons

_PRIMARY, _SECONDARY = "A", "D"
_CONFIDENTIAL = list("ACDGMNOSTX")  # CONF_STATUS of a figure that may not leave (framework §4, DOM-22)
_SPEAKS_OF_VALUE = ("CV", "SE", "N_OBS", "RELIABILITY", "COMMENT_OBS")
_UNBOUNDED = 1e12  # more than any count
_SLACK = 1e-3  # for sums of large figures in binary
_ROUNDS = 50
_EPSILON = 1e-7  # below it, a diagonal of the projection on the null space is zero

Vector = npt.NDArray[np.float64]
Limits = npt.NDArray[np.int64]


def protect(observations: Observations, library: Library, *, day: str) -> Protected:
    """Withhold the confidential figures of a table: value empty, OBS_STATUS Q, CONF_STATUS A or D."""
    flow = observations.flow
    frame = _ordered(observations.frame, flow, library)
    primary = _primary(flow, frame, library)
    # What the producer withheld itself must not follow from what it gave.
    hidden = is_withheld(frame)
    secondary = np.zeros(len(frame), dtype=bool)
    if (primary | hidden).any():
        table = Table(observations.area, flow, frame, observations.origins, library, day, observations.hierarchies)
        secondary = _secondary(
            equations(table, hidden),
            primary | hidden,
            frame["OBS_VALUE"].to_numpy(),
            threshold_persons(flow, frame, library.list_of),
        )
    frame = _withheld(frame, primary, secondary)
    counts = {_PRIMARY: int(primary.sum()), _SECONDARY: int(secondary.sum())}
    return Protected(observations.area, flow, frame, observations.origins, counts)


def _ordered(frame: pd.DataFrame, flow: Dataflow, library: Library) -> pd.DataFrame:
    """Rows in the order of the code lists and of time, so that equal figures give equal files."""
    frame = frame.drop(columns="text", errors="ignore")
    for component in flow.structure.components.values():
        if component.codelist is not None and component.id in frame:
            used = set(frame[component.id].cat.categories)
            order = [code for code in ("", *component.codelist.codes) if code in used]
            frame[component.id] = frame[component.id].cat.set_categories(order, ordered=False)
    keys = [frame[c] for c in flow.structure.key]
    codes = [
        k.cat.codes.to_numpy() if isinstance(k.dtype, pd.CategoricalDtype) else pd.factorize(k, sort=True)[0]
        for k in keys
    ]
    return frame.iloc[np.lexsort(codes[::-1])].reset_index(drop=True)


def _primary(flow: Dataflow, frame: pd.DataFrame, library: Library) -> Mask:
    if flow.protection.method == "none":
        return np.zeros(len(frame), dtype=bool)
    primary = (
        is_small(flow, frame, library.list_of)
        | has_few_cases(flow, frame)
        | frame["CONF_STATUS"].isin(_CONFIDENTIAL).to_numpy()
    )
    return primary & frame["OBS_VALUE"].notna().to_numpy()


def _secondary(sums: csr_array, confidential: Mask, values: Vector, limits: Limits) -> Mask:
    """Further cells to withhold so that no withheld one, other than a zero, is determined by the rest.

    It ends: each round withholds at least one more cell, and once all cells of connected sums are
    withheld nothing but zeros could follow from them.
    """
    withheld = confidential.copy()
    while True:
        _close_single_lines(sums, withheld, values)
        known = _determined(sums, withheld) | _pinned(sums, withheld, confidential, values, limits)
        added = [_cover(sums, cell, withheld, values) for cell in np.flatnonzero(known & (values != 0))]
        if not any(added):
            return withheld & ~confidential


def _close_single_lines(sums: csr_array, withheld: Mask, values: Vector) -> None:
    """Until no sum has exactly one withheld cell, withhold the smallest other cell of such a sum."""
    pattern = abs(sums)
    while len(single := np.flatnonzero(pattern @ withheld == 1)):
        for line in single:
            cells = _cells(sums, line)
            if withheld[cells].sum() == 1:
                _add_smallest(cells, withheld, values)


def _pinned(sums: csr_array, withheld: Mask, confidential: Mask, values: Vector, limits: Limits) -> Mask:
    """Withheld cells that bounds leave one whole number for.

    What everyone knows: a small count lies from 1 to its threshold - 1, and what is withheld beside it
    is not small. Two small counts that sum to 2 are 1 and 1. Bounds are carried from sum to sum until
    they stand still (interval propagation).
    """
    is_open = abs(sums) @ (withheld & np.isnan(values)) == 0  # the producer's own gaps have no known sum
    entries = sums[is_open][:, withheld].tocoo()
    if not entries.nnz:
        return np.zeros(len(withheld), dtype=bool)
    line, cell, sign = entries.row, entries.col, entries.data
    value, limit = values[withheld], limits[withheld]
    small = confidential[withheld] & (value > 0) & (value < limit)
    low = np.where(small, 1.0, np.where(value < 0, -_UNBOUNDED, np.minimum(limit, np.nan_to_num(value))))
    low[confidential[withheld] & ~small] = -_UNBOUNDED if (value < 0).any() else 0.0
    high = np.where(small, limit - 1.0, _UNBOUNDED)
    rest = np.bincount(line, weights=sign * value[cell])
    for _ in range(_ROUNDS):
        least, most = sign * np.where(sign > 0, low[cell], high[cell]), sign * np.where(sign > 0, high[cell], low[cell])
        room_below = (rest - np.bincount(line, weights=least))[line] + least
        room_above = (rest - np.bincount(line, weights=most))[line] + most
        upper, lower = np.where(sign > 0, room_below, -room_above), np.where(sign > 0, room_above, -room_below)
        new_high, new_low = high.copy(), low.copy()
        np.minimum.at(new_high, cell, np.floor(upper + _SLACK))
        np.maximum.at(new_low, cell, np.ceil(lower - _SLACK))
        if (new_high == high).all() and (new_low == low).all():
            break
        high, low = new_high, new_low
    verdict = np.zeros(len(withheld), dtype=bool)
    verdict[np.flatnonzero(withheld)[low >= high]] = True
    return verdict


def _cells(sums: csr_array, line: np.intp) -> npt.NDArray[np.intp]:
    cells: npt.NDArray[np.intp] = sums.indices[sums.indptr[line] : sums.indptr[line + 1]]
    return cells


def _cover(sums: csr_array, cell: np.intp, withheld: Mask, values: Vector) -> bool:
    """Withhold one more cell of the sums around `cell`, the nearest sums first."""
    pattern = abs(sums)
    reached = np.zeros(len(withheld), dtype=bool)
    reached[cell] = True
    while True:
        lines = pattern @ (reached & withheld) > 0
        around = (pattern.T @ lines > 0) | reached
        if _add_smallest(np.flatnonzero(around), withheld, values):
            return True
        if (around == reached).all():
            return False
        reached = around


def _add_smallest(cells: npt.NDArray[np.intp], withheld: Mask, values: Vector) -> bool:
    """Withhold the smallest published cell above zero; a zero, which is often known to be one, only if it must."""
    published = cells[~withheld[cells]]
    above_zero = published[values[published] > 0]
    free = above_zero if len(above_zero) else published
    if len(free):
        withheld[free[np.argmin(values[free])]] = True
    return len(free) > 0


def _determined(sums: csr_array, withheld: Mask) -> Mask:
    """Withheld cells whose figure follows exactly from the published ones.

    Cell j is determined when the unit vector of j lies in the row space of the sums over the
    withheld cells, that is, when its distance from that space is zero.
    """
    verdict = np.zeros(len(withheld), dtype=bool)
    cells = np.flatnonzero(withheld)
    system = sums[:, cells]
    system = system[np.diff(system.indptr) > 0]
    if not system.shape[0]:
        return verdict
    count, label = connected_components(abs(system).T @ abs(system), directed=False)
    order = np.argsort(label, kind="stable")
    columns = system.tocsc()
    for members in np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1]):
        block = columns[:, members].tocsr()
        block = block[np.diff(block.indptr) > 0]
        if block.shape[0]:
            basis, triangle, _ = qr(block.T.toarray(), mode="economic", pivoting=True)
            rank = int((np.abs(np.diagonal(triangle)) > _EPSILON).sum())
            distance = 1 - (basis[:, :rank] ** 2).sum(axis=1)
            verdict[cells[members[distance < _EPSILON]]] = True
    return verdict


def _withheld(frame: pd.DataFrame, primary: Mask, secondary: Mask) -> pd.DataFrame:
    hidden = primary | secondary
    frame = frame.copy()
    frame.loc[hidden, "OBS_VALUE"] = np.nan
    for column, marks in (
        ("OBS_STATUS", [(hidden, "Q")]),
        ("CONF_STATUS", [(primary, _PRIMARY), (secondary, _SECONDARY)]),
    ):
        for rows, code in marks:
            if rows.any():
                if code not in frame[column].cat.categories:
                    frame[column] = frame[column].cat.add_categories(code)
                frame.loc[rows, column] = code
    for column in _SPEAKS_OF_VALUE:
        if column in frame:
            numeric = pd.api.types.is_float_dtype(frame[column].dtype)
            frame.loc[hidden, column] = np.nan if numeric else ""
    return frame


# ---------------------------------------------------------------- protected figures, put together or taken apart


def unite(tables: Sequence[Protected], library: Library) -> Protected:
    """One dataflow's tables of several countries as one."""
    start = np.cumsum([0, *(len(table.sources) for table in tables)])
    frames = [
        table.frame.assign(table=table.frame["table"] + offset)
        for table, offset in zip(tables, start[:-1], strict=True)
    ]
    coded = [str(c) for c in frames[0].columns if isinstance(frames[0][c].dtype, pd.CategoricalDtype)]
    for column in coded:
        union = pd.Index(dict.fromkeys(code for frame in frames for code in frame[column].cat.categories))
        frames = [frame.assign(**{column: frame[column].cat.set_categories(union)}) for frame in frames]
    suppressed = {status: sum(table.suppressed.get(status, 0) for table in tables) for status in (_PRIMARY, _SECONDARY)}
    return Protected(
        area="",
        flow=tables[0].flow,
        frame=_ordered(pd.concat(frames, ignore_index=True), tables[0].flow, library),
        sources=tuple(source for table in tables for source in table.sources),
        suppressed=suppressed,
    )


def only(table: Protected, area: str) -> Protected:
    """The rows of one reference area."""
    frame = table.frame[table.frame["REF_AREA"] == area].reset_index(drop=True)
    return Protected(area, table.flow, frame, table.sources, table.suppressed)


def released(table: pd.DataFrame, record: Mapping[str, Any], area: str, flow: Dataflow, library: Library) -> Protected:
    """Figures of an earlier release, as it published them: they are protected already.

    `table` is the text of its `data.csv` with the lineage of each row, `record` its `metadata.json`.
    """
    frame = table.copy()
    for component in flow.structure.components.values():
        if component.id not in frame:
            continue
        if component.codelist is not None:
            frame[component.id] = frame[component.id].astype("category")
        elif component.concept.representation in ("Double", "Integer"):
            frame[component.id] = pd.to_numeric(frame[component.id].replace("", None))
    origins: list[dict[str, Any]] = record["origins"]
    sources = tuple(Origin(**origin, places={}, headings={}) for origin in origins)
    return Protected(area, flow, _ordered(frame, flow, library), sources, record["suppressed"])
