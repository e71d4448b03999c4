"""`protect` and `audit` for tables that are no dataflow of ours: any office's, in the exchange format."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import exchange
from pipeline.attack import SAFE, TOLD, UNDECIDED, Published, attack
from pipeline.dominance import lacking
from pipeline.errors import InputError
from pipeline.suppress import System, costs, suppress

_FAR = 1e9
PROTECTED, DISCLOSED, OPEN, MALFORMED = 0, 1, 2, 3


def protect(tables: Sequence[Path], hierarchy: Path, out: Path, *, threshold: float = 0) -> int:
    """Write each table to `out` under its name, with `CONF_STATUS` and no figure where it is withheld.

    Returns:
        0, or 1 when something could not be protected: then nothing is written.

    Raises:
        InputError: a table or the hierarchy is not in the exchange format, or would be written over.
    """
    described = exchange.hierarchy(hierarchy, threshold=threshold)
    read = [exchange.table(path, described) for path in tables]
    if len({path.name for path in tables}) < len(tables) or any(
        path.parent.resolve() == out.resolve() for path in tables
    ):
        raise InputError(
            "Tables are written under their names: give them different names, and another folder for --out."
        )
    cells = exchange.cells(read, described)
    _must_add_up(cells)
    value, of = cells.values, cells.contributors(read)
    count, lacks = of.contributors, lacking(cells.values, of, described.rules)
    primary = cells.largest(read, "PRIMARY") > 0
    contributors = value if described.is_count else count
    primary |= ((contributors > 0) & (contributors < described.threshold)) | (lacks > 0)
    system = System(
        sums=cells.sums,
        values=value,
        low=np.where(value < 0, -_FAR, np.minimum(np.nan_to_num(value), described.lower_bound)),
        confidential=primary,
        open_cells=value != 0 if described.lower_bound else np.ones(len(value), dtype=bool),
        weights=costs(value),
        need=np.maximum(described.need, lacks),
        singles=count == 1,
        rises=lacks > 0 if lacks.any() else None,
    )
    secondary = suppress(system)
    published = np.where(primary | secondary, np.nan, value)
    reach = np.where(lacks > 0, value + lacks, -np.inf)
    verdict = attack(replace(_published(cells, read, published, primary, described), need=system.need, reach=reach))
    left = int(((verdict.state != SAFE) & primary).sum())
    print(
        f"{len(value)} cells: {int(primary.sum())} confidential, {int(secondary.sum())} more withheld, {left} not safe"
    )
    if left:
        return DISCLOSED
    out.mkdir(parents=True, exist_ok=True)
    for path, table, rows in zip(tables, read, cells.rows, strict=True):
        source = pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)
        status = np.where(primary[rows], "A", np.where(secondary[rows], "D", "F"))
        text = source["OBS_VALUE"].where(status == "F", "")
        kept = [each for each in table if each in source and each in described.totals]
        source[kept].assign(OBS_VALUE=text, CONF_STATUS=status).to_csv(out / path.name, index=False)
    return PROTECTED


def audit(
    published: Sequence[Path], hierarchy: Path, *, need: str = "", width: float = 0, out: Path | None = None
) -> int:
    """Attack published tables and list the confidential cells that can be told, with their intervals.

    Returns:
        0 when every cell marked A is protected, 1 when one is disclosed, 2 when one is undecided, 3 when
        the tables are malformed or contradict themselves.
    """
    begin = time.perf_counter()
    try:
        described = exchange.hierarchy(hierarchy, need=need, width=width)
        read = [exchange.table(path, described) for path in published]
        for path, table in zip(published, read, strict=True):
            _must_be_published(path, table)
        cells = exchange.cells(read, described)
    except InputError as error:
        print(error)
        return MALFORMED
    targets = np.zeros(len(cells.values), dtype=bool)
    for table, rows in zip(read, cells.rows, strict=True):
        targets[rows[(table["CONF_STATUS"] == "A").to_numpy()]] = True
    verdict = attack(_published(cells, read, cells.values, targets, described))
    if not verdict.is_possible:
        print("The published figures contradict their sums.")
        return MALFORMED
    state = np.where(targets & ~np.isnan(cells.values), TOLD, verdict.state)
    proof = cells.keys.assign(LOW=verdict.low, HIGH=verdict.high, STATE=state)[targets]
    if out:
        proof.to_csv(out, index=False, float_format="%.6g")
    told, undecided = proof[proof["STATE"] == TOLD], proof[proof["STATE"] == UNDECIDED]
    print(
        f"{len(proof)} confidential cells, need {described.need:g}: {len(told)} disclosed, {len(undecided)} undecided,"
    )
    print(
        f"{len(proof) - len(told) - len(undecided)} protected; linear programs over {cells.sums.shape[0]} sums,",
        end=" ",
    )
    print(f"{time.perf_counter() - begin:.1f} s")
    if len(told) + len(undecided):
        print(pd.concat([told, undecided]).to_string(index=False))
    return DISCLOSED if len(told) else OPEN if len(undecided) else PROTECTED


def _published(
    cells: exchange.Cells,
    tables: Sequence[pd.DataFrame],
    values: exchange.Vector,
    targets: exchange.Mask,
    described: exchange.Hierarchy,
) -> Published:
    """What an attacker sees. A withheld figure may be below zero only where all its tables have some that are."""
    low = np.full(len(values), -_FAR)
    for table, rows in zip(tables, cells.rows, strict=True):
        if not (table["OBS_VALUE"] < 0).any():
            low[rows] = described.lower_bound
    return Published(
        sums=cells.sums,
        values=values,
        low=low,
        high=np.full(len(values), max(_FAR, 2 * np.nanmax(values, initial=0))),
        targets=targets,
        need=np.full(len(values), described.need),
        singles=np.zeros(len(values), dtype=bool),
    )


def _must_add_up(cells: exchange.Cells) -> None:
    balance = np.abs(cells.sums @ np.nan_to_num(cells.values))
    size = abs(cells.sums) @ np.abs(np.nan_to_num(cells.values))
    if (wrong := balance > 1e-6 * (1 + size)).any():
        line = cells.sums[[int(np.argmax(wrong))]]
        total = cells.keys.iloc[int(line.indices[np.argmax(line.data)])].to_dict()
        raise InputError("{count} sums do not hold; the first is that of {total}.", count=int(wrong.sum()), total=total)


def _must_be_published(path: Path, table: pd.DataFrame) -> None:
    if "CONF_STATUS" not in table:
        raise InputError("{file} has no column CONF_STATUS.", file=path.name)
    if wrong := sorted(set(table["CONF_STATUS"]) - {"F", "A", "D"}):
        raise InputError("{file}: CONF_STATUS {code!r} is none of F, A, D.", file=path.name, code=wrong[0])
    blank, free = table["OBS_VALUE"].isna(), table["CONF_STATUS"] == "F"
    if (bad := blank == free).any():
        row = int(np.flatnonzero(bad)[0]) + 2
        raise InputError(
            "{file}, line {row}: a figure stands where CONF_STATUS is F, and nowhere else.", file=path.name, row=row
        )
