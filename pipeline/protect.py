"""`Observations` → `Protected`: what would give a person away is withheld, and what would give that away.

Primary suppression follows the thresholds of the dataflow's `protect.toml` (framework §11). Then further
cells are withheld until no confidential one can be told from anything that the release publishes: all its
tables, and the release before it, are one system of sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import altered, conditions, rates
from pipeline.attack import TOLD, Published, attack
from pipeline.checks.finding import Mask, Table
from pipeline.dominance import CONTRIBUTORS
from pipeline.framework import Dataflow
from pipeline.linked import Linked, link, together
from pipeline.model import Library, Observations, Origin, Protected
from pipeline.suppress import System, costs, suppress
from pipeline.thresholds import has_few_cases, is_forbidden, is_small, is_withheld, lacks, threshold_persons

_PRIMARY, _SECONDARY = "A", "D"
_CONFIDENTIAL = list("ACDGMNOSTX")  # CONF_STATUS of a figure that may not leave (framework §4, DOM-22)
_SPEAKS_OF_VALUE = ("CV", "SE", "N_OBS", "RELIABILITY", "COMMENT_OBS")
_NEED = 1.0  # another whole number must be possible
_EXACT = 1e-3  # an interval below it is one figure
_FAR = 1e9  # more than any count

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ProtectedTables:
    """The tables of a release as they may be published, with what an audit of all of them together needs.

    `linked` is over `tables`, then `standing`: the release before, whose figures are known. `perturbed` are the
    tables whose counts are changed at random: no system of sums holds of them. `needs` has for each confidential cell
    how wide an interval must be left of it, and `reach` how far up, where one contributor dominates an amount.
    """

    tables: tuple[Protected, ...]
    standing: tuple[Protected, ...]
    linked: Linked
    needs: Vector
    reach: Vector
    perturbed: tuple[Protected, ...] = ()


def protect(observations: Observations, library: Library, *, day: str) -> Protected:
    """Protect one table as if nothing else were published."""
    made = protect_all([observations], library, day=day)
    return (*made.tables, *made.perturbed)[0]


def protect_all(
    deliveries: Iterable[Observations], library: Library, *, day: str, standing: Sequence[Protected] = ()
) -> ProtectedTables:
    """Withhold the confidential figures of a release: value empty, OBS_STATUS Q, CONF_STATUS A or D.

    What `standing`, the release before, withheld stays withheld, and what it published with the same figure
    stays published unless it is confidential now: nobody forgets it. Deliveries that come from an iterator that lets go
    of them need not all be in memory beside what is made of them.
    """
    every = [
        Table(e.area, e.flow, _ordered(e.frame, e.flow, library), e.origins, library, day, e.hierarchies)
        for e in deliveries
    ]
    tables = [each for each in every if not each.flow.protection.is_by_chance]
    before = [Table(each.area, each.flow, each.frame, each.sources, library, day) for each in standing]
    perturbed = _perturbed([each for each in every if each.flow.protection.is_by_chance], before)
    standing = tuple(each for each in standing if not each.flow.protection.is_by_chance)
    old = [each for each in before if not each.flow.protection.is_by_chance]
    linked = link([*tables, *old])
    if not tables:
        nothing = np.zeros(linked.count)
        return ProtectedTables((), standing, linked, nothing, nothing, perturbed)
    confidential = linked.any_of(_primary(t.flow, t.frame, library) for t in tables)
    short = np.zeros(linked.count)
    for table, cells in zip(tables, linked.cells, strict=False):
        np.maximum.at(short, cells, lacks(table.flow, table.frame, library.list_of))
    hidden = [is_withheld(t.frame) for t in (*tables, *old)]
    system = _system(linked, [*tables, *old], confidential, known=_published(linked, len(tables), old), hidden=hidden)
    if short.any():
        system = replace(system, need=np.where(system.need > 0, np.maximum(system.need, short), 0.0), rises=short > 0)
    reach = np.where(short > 0, system.values + short, -np.inf)
    withheld = confidential | suppress(system) | linked.any_of(hidden)
    withheld &= ~_superfluous(system, withheld)
    small = _small(linked, tables, library)
    is_primary = _labelled(system, withheld, np.where(confidential, small, 0.0))
    telling = rates.telling(tables, [withheld[cells] for cells in linked.cells[: len(tables)]])
    made = []
    for table, cells, was_hidden, tells in zip(tables, linked.cells, hidden, telling, strict=False):
        blank = (withheld[cells] | tells) & ~was_hidden & table.frame["OBS_VALUE"].notna().to_numpy()
        primary = blank & is_primary[cells]
        counts = {_PRIMARY: int(primary.sum()), _SECONDARY: int((blank & ~primary).sum())}
        frame = blanked(table.frame.drop(columns=list(CONTRIBUTORS), errors="ignore"), primary, blank & ~primary)
        made.append(Protected(table.area, table.flow, frame, _unsigned(table.origins, frame), counts))
    return ProtectedTables(tuple(made), standing, linked, system.need, reach, perturbed)


def _perturbed(tables: Sequence[Table], standing: Sequence[Table]) -> tuple[Protected, ...]:
    """Tables of which counts are changed at random; only what their producer marked is withheld, and rates."""
    if not tables:
        return ()
    made = []
    by_chance = [each for each in standing if each.flow.protection.is_by_chance]
    for table, (changed, rates_) in zip(tables, altered.altered(tables, altered.secret(), by_chance), strict=True):
        frame = changed.drop(columns=list(CONTRIBUTORS), errors="ignore")
        primary = frame["CONF_STATUS"].isin(_CONFIDENTIAL).to_numpy() & frame["OBS_VALUE"].notna().to_numpy()
        frame = blanked(frame, primary, rates_ & ~primary)
        counts = {_PRIMARY: int(primary.sum()), _SECONDARY: int((rates_ & ~primary).sum())}
        origins = tuple(replace(each, sha256="") for each in table.origins)
        made.append(Protected(table.area, table.flow, frame, origins, counts))
    return tuple(made)


def _unsigned(origins: Sequence[Origin], frame: pd.DataFrame) -> tuple[Origin, ...]:
    """The origins without the checksum of a file of which a figure is withheld: who tries all small figures in its
    place would know the right one by it.
    """
    closed = set(frame.loc[is_withheld(frame), "table"])
    return tuple(replace(each, sha256="") if number in closed else each for number, each in enumerate(origins))


def _published(linked: Linked, start: int, old: Sequence[Table]) -> Mask:
    """The cells whose figure the release before has."""
    known = np.zeros(linked.count, dtype=bool)
    for cells, table in zip(linked.cells[start:], old, strict=True):
        known[cells[table.frame["OBS_VALUE"].notna().to_numpy()]] = True
    return known


def _system(
    linked: Linked, tables: Sequence[Table], confidential: Mask, *, known: Mask, hidden: Sequence[Mask]
) -> System:
    """What the choice of cells needs. A figure that is withheld somewhere already costs nothing."""
    values = linked.values(t.frame for t in tables)
    return System(
        sums=linked.sums,
        values=values,
        low=np.where(values < 0, -_FAR, np.minimum(np.nan_to_num(values, nan=1.0), 1.0)),
        confidential=confidential | linked.any_of(hidden),
        open_cells=~known,
        weights=costs(values),
        need=np.where(confidential & ~known, _NEED, 0.0),
        singles=confidential & (values == 1) & linked.any_of(_counted(t) for t in tables),
    )


def _counted(table: Table) -> Mask:
    """Figures that count persons one by one: whom a modelled estimate of 1 is about nobody knows, not even they."""
    counted: Mask = conditions.holds(conditions.parse(rates.COUNTED), table.frame, table.library.list_of).to_numpy()
    return counted


def _small(linked: Linked, tables: Sequence[Table], library: Library) -> Vector:
    """The most that a small count of each cell can be, threshold - 1; 0 for a figure that is not small."""
    most = np.zeros(linked.count)
    for table, cells in zip(tables, linked.cells, strict=False):
        limit = threshold_persons(table.flow, table.frame, library.list_of) - 1
        plain = is_small(table.flow, table.frame, library.list_of) & (np.abs(table.frame["OBS_VALUE"]) <= limit)
        np.maximum.at(most, cells[plain.to_numpy()], limit[plain.to_numpy()])
    return most


def _superfluous(system: System, withheld: Mask) -> Mask:
    """Cells withheld for others that follow exactly from what is published: to publish them tells nothing."""
    values, every = np.where(withheld, np.nan, system.values), np.full(len(withheld), _FAR)
    need = np.where(system.confidential, 0.0, _EXACT)
    told = attack(Published(system.sums, values, system.low, every, withheld, need, np.zeros_like(withheld))).state
    follows: Mask = (told == TOLD) & ~system.confidential & (system.values != 0)
    return follows


def _labelled(system: System, withheld: Mask, most: Vector) -> Mask:
    """The cells that may be marked as small without telling them.

    Who reads A knows that the figure lies from 1 to `most`. Where that is enough to tell it or another one
    (2 is the sum of two small counts), it and those beside it are marked D, which says nothing of their size.
    """
    is_primary = most > 0
    values = np.where(withheld, np.nan, system.values)
    while is_primary.any():
        high = np.where(is_primary, most, _FAR)
        seen = Published(system.sums, values, system.low, high, most > 0, system.need, np.zeros_like(withheld))
        around = (attack(seen).state == TOLD) & (most > 0)
        size = 0
        while around.sum() > size and not (around & is_primary).any():
            size, around = int(around.sum()), _beside(system, around) & withheld
        if not (around & is_primary).any():
            break
        is_primary &= ~(around | _beside(system, around))
    return is_primary


def _beside(system: System, cells: Mask) -> Mask:
    """The cells that stand in a sum with one of these, and these themselves where they stand in one."""
    lines = abs(system.sums)
    found: Mask = lines.T @ (lines @ cells.astype(float)) > 0
    return found


def _ordered(frame: pd.DataFrame, flow: Dataflow, library: Library) -> pd.DataFrame:
    """Rows in the order of the code lists and of time, so that equal figures give equal files."""
    frame = frame.drop(columns="text", errors="ignore")
    for component in flow.structure.components.values():
        if component.id in frame and isinstance(frame[component.id].dtype, pd.CategoricalDtype):
            used = set(frame[component.id].cat.categories)
            listed = ("", *component.codelist.codes) if component.codelist else sorted(used)
            order = [code for code in listed if code in used]
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
        | is_forbidden(flow, frame, library.list_of)
        | (lacks(flow, frame, library.list_of) > 0)
        | frame["CONF_STATUS"].isin(_CONFIDENTIAL).to_numpy()
    )
    return primary & frame["OBS_VALUE"].notna().to_numpy()


def blanked(frame: pd.DataFrame, primary: Mask, secondary: Mask) -> pd.DataFrame:
    """The rows without their figures, the marks that say so in their place, and nothing that speaks of a figure."""
    hidden = primary | secondary
    frame = frame.copy(deep=False)  # a column is copied when it is written to
    frame.loc[hidden, "OBS_VALUE"] = np.nan
    for column, marks in (
        ("OBS_STATUS", [(hidden, "Q")]),
        ("CONF_STATUS", [(primary, _PRIMARY), (secondary, _SECONDARY)]),
    ):
        for rows, code in marks:
            _set(frame, column, rows, code)
    for column in _SPEAKS_OF_VALUE:
        if column in frame:
            numeric = pd.api.types.is_float_dtype(frame[column].dtype)
            _set(frame, column, hidden, np.nan if numeric else "")
            if isinstance(frame[column].dtype, pd.CategoricalDtype):  # what only withheld rows said is nowhere
                frame[column] = frame[column].cat.remove_unused_categories()
    return frame


def _set(frame: pd.DataFrame, column: str, rows: Mask, value: str | float) -> None:
    """Write a value to some rows of a column, also where no code of the column is that one yet."""
    if not rows.any():
        return
    if isinstance(frame[column].dtype, pd.CategoricalDtype) and value not in frame[column].cat.categories:
        frame[column] = frame[column].cat.add_categories(str(value))
    frame.loc[rows, column] = value


# ---------------------------------------------------------------- protected figures, put together or taken apart


def unite(tables: Sequence[Protected], library: Library) -> Protected:
    """One dataflow's tables of several countries as one."""
    start = np.cumsum([0, *(len(table.sources) for table in tables)])
    frames = [
        table.frame.assign(table=table.frame["table"] + int(offset))
        for table, offset in zip(tables, start[:-1], strict=True)
    ]
    suppressed = {status: sum(table.suppressed.get(status, 0) for table in tables) for status in (_PRIMARY, _SECONDARY)}
    return Protected(
        area="",
        flow=library.dataflows[tables[0].flow.id],
        frame=_ordered(together(frames), tables[0].flow, library),
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
        if component.is_number:
            frame[component.id] = pd.to_numeric(frame[component.id].replace("", None))
        elif component.is_word:
            frame[component.id] = frame[component.id].astype("category")
    origins: list[dict[str, Any]] = record["origins"]
    sources = tuple(Origin(**origin, places={}, headings={}) for origin in origins)
    return Protected(area, flow, _ordered(frame, flow, library), sources, record["suppressed"])
