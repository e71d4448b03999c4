"""Cell suppression and its audit on migration tables: seconds, cells, value, and cells that can be told.

    PYTHONPATH=. .venv/bin/python bench/protection.py [A B C D E F] [offices [FOLDER]] [--tauargus]

Tables have three hierarchies (area, origin, age by sex) and heavy skew: a few origins and places hold most people.
`offices` are tables that offices have published, with the rules of their dataflows: Argentina's register of persons,
Chile's estimate by region, Peru's residence cards; with a folder, also those in the files that they give out (FILES).
Seconds are CPU seconds of all processes, and those on the clock. Without names: A, B, C and the offices.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from pipeline import audit, library, run
from pipeline.attack import SAFE, Published, attack
from pipeline.protect import protect_all
from pipeline.suppress import System, costs, suppress
from pipeline.thresholds import is_small, is_withheld

ROOT = Path(__file__).parents[1]
OFFICES = {
    "Argentina's register": ("AR", "DF_STOCK", "RENAPER"),
    "Chile's regions": ("CL", "DF_STOCK", "INE"),
    "Peru's cards": ("PE", "DF_PERMIT", "MIGRACIONES"),
}  # area, dataflow, provider

# Files as offices give them out: name, threshold, where they are in a folder, and how they are read. Chile's are
# modelled estimates, of which fewer than 3 are withheld; the others count persons one by one.
FILES = (
    (
        "Argentina, whole",
        5,
        "ARG/Cantidad_de_personas_extranjeras*.csv",
        {
            "separator": ",",
            "encoding": "utf-8",
            "dimensions": ["provincia_nombre", "pais_origen", "sexo", "edad_quinquenal"],
            "value": "cantidad",
            "only": "",
        },
    ),
    (
        "Chile, 2022, whole",
        3,
        "CHL/baseregiones.csv",
        {
            "separator": ",",
            "encoding": "latin-1",
            "dimensions": ["REGION", "PAIS", "SEXO", "EDAD"],
            "value": "ESTIMACION",
            "only": "`AÑO ESTIMACION` == '2022'",
        },
    ),
    (
        "Peru, January, whole",
        5,
        "PER/CARNET DE EXTRANJERIA 2025-01.csv",
        {
            "separator": "|",
            "encoding": "utf-8",
            "dimensions": ["DEPARTAMENTO_BENEFICIARIO", "NACIONALIDAD", "SEXO", "EDAD"],
            "value": "CANTIDAD",
            "only": "",
        },
    ),
)
Figures = tuple[np.ndarray, csr_array]

TABLES = {  # branches of each hierarchy, from its total down; persons
    "A": (((2, 3), (3, 4), (2,)), 3_000),
    "B": (((3, 5), (4, 4), (2,)), 30_000),
    "C": (((6, 7), (5, 7), (14,)), 300_000),
    "E": (((4, 5), (4, 6), (2, 5)), 100_000),
    "D": (((8, 9), (6, 10), (4, 4)), 1_000_000),
    "F": (((8, 9), (6, 10), (6, 5)), 2_000_000),
}
THRESHOLD = 3
FAR = 1e9


def tree(branches: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The parent of each code (-1 for the total), and the codes without parts."""
    parent, leaves = [-1], [0]
    for count in branches:
        below = []
        for code in leaves:
            parent += [code] * count
            below += range(len(parent) - count, len(parent))
        leaves = below
    return np.array(parent), np.array(leaves)


def table(shapes: tuple[tuple[int, ...], ...], persons: int, seed: int = 0) -> tuple[np.ndarray, csr_array]:
    """The figures of every cell, totals included, and the sums between them."""
    draw = np.random.default_rng(seed)
    trees = [tree(shape) for shape in shapes]
    share = np.array(1.0)
    for _, leaves in trees:
        weight = 1 / np.arange(1, len(leaves) + 1) ** (1.6 if len(leaves) > 3 else 0.1)
        draw.shuffle(weight)
        share = np.multiply.outer(share, weight / weight.sum())
    share = share * draw.lognormal(0, 1.2, share.shape)
    return whole(draw.poisson(share / share.sum() * persons).astype(float), trees)


def whole(figures: np.ndarray, trees: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, csr_array]:
    """The figures of every cell from those of the finest, and the sums between them."""
    for axis, (parent, leaves) in enumerate(trees):
        within = np.zeros((len(parent), len(leaves)))
        for place, leaf in enumerate(leaves):
            code = leaf
            while code >= 0:
                within[code, place], code = 1, parent[code]
        figures = np.moveaxis(np.tensordot(within, figures, axes=(1, axis)), 0, axis)
    place = np.arange(figures.size).reshape(figures.shape)
    rows, columns, signs, start = [], [], [], 0
    for axis, (parent, _) in enumerate(trees):
        for total in np.unique(parent[parent >= 0]):
            lines = np.take(place, total, axis=axis).ravel()
            for code, sign in [(total, 1.0), *((part, -1.0) for part in np.flatnonzero(parent == total))]:
                rows.append(start + np.arange(len(lines)))
                columns.append(np.take(place, code, axis=axis).ravel())
                signs.append(np.full(len(lines), sign))
            start += len(lines)
    entries = np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns))
    return figures.ravel(), csr_array(entries, shape=(start, figures.size))


def told(values: np.ndarray, sums: csr_array, hidden: np.ndarray, small: np.ndarray, within: float) -> int:
    """How many confidential cells an attacker, who knows that zeros are published, tells within so many persons."""
    n, shown = len(values), np.where(hidden, np.nan, values)
    nobody = np.zeros(n, dtype=bool)
    seen = Published(sums, shown, np.minimum(values, 1.0), np.full(n, FAR), small, np.full(n, within), nobody)
    return int((small & (attack(seen).state != SAFE)).sum())


def ours(values: np.ndarray, sums: csr_array, small: np.ndarray, given: np.ndarray | None = None) -> np.ndarray:
    """The cells that we withhold, with the confidential ones, and what is needed beside those that are `given`."""
    nobody, n = np.zeros(len(values), dtype=bool), len(values)
    given = nobody if given is None else given
    low, weights = np.minimum(values, 1.0), np.where(given, 0.0, costs(values))
    return small | given | suppress(System(sums, values, low, small, ~nobody, weights, np.ones(n), nobody))


def now() -> np.ndarray:
    """CPU seconds of this process and of those that it has waited for, and seconds on the clock."""
    every = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return np.array([sum(each.ru_utime + each.ru_stime for each in every), time.perf_counter()])


def received(path: Path, *, separator: str, encoding: str, dimensions: list[str], value: str, only: str) -> Figures:
    """The figures of a file of an office by some of its columns, with all totals, and the sums between them."""
    rows = pd.read_csv(path, sep=separator, encoding=encoding, dtype=str)
    rows = rows.query(only) if only else rows
    codes = [pd.factorize(rows[name], sort=True) for name in dimensions]
    figures = np.zeros([len(names) for _, names in codes])
    np.add.at(figures, tuple(code for code, _ in codes), pd.to_numeric(rows[value], errors="coerce").fillna(0))
    return whole(figures, [tree((len(names),)) for _, names in codes])


def files(folder: Path) -> None:
    """Print one line for each table that offices have published in full, in files as they gave them out."""
    for name, threshold, pattern, how in FILES:
        found = sorted(folder.glob(pattern))
        if not found:
            print(f"{name:22}  left out: no {pattern} in the folder")
            continue
        values, sums = received(found[0], **how)
        small = (values > 0) & (values < threshold)
        begin = now()
        hidden = ours(values, sums, small)
        middle = now()
        broken = told(values, sums, hidden, small, 1.0)
        line(name, values, small, hidden & ~small, (*(middle - begin), (now() - middle)[0]), told_=broken)


def line(
    name: str, values: np.ndarray, small: np.ndarray, more: np.ndarray, seconds: tuple[float, ...], *, told_: int
) -> None:
    """Print the line of a published table."""
    print(
        f"{name:22} {len(values):6,} {int((values == 1).sum()):6,} {int(small.sum()):13,} {seconds[0]:6.1f} "
        f"{seconds[1]:6.1f} {int(more.sum()):14,} {values[more].sum():10,.0f} {seconds[2]:8.1f} {told_:6}",
        flush=True,
    )


def offices() -> None:
    """Print one line for each table that an office has published, protected alone as its dataflow asks."""
    loaded = library.load(ROOT)
    print(f"{'published table':22}  cells   of 1  confidential  CPU s  clock  more withheld      value  audit s   told")
    for name, (area, flow, provider) in OFFICES.items():
        series = loaded.countries[area].series.get(flow) if area in loaded.countries else None
        if series is None or not all((ROOT / "data" / area / each.file).is_file() for each in series.layouts):
            print(f"{name:22}  left out: its files are not in data/{area}")
            continue
        received = run.receive(ROOT, series, loaded)
        by = np.array([each.provider == provider for each in received.origins])
        frame = received.frame[by[received.frame["table"].to_numpy()]].reset_index(drop=True)
        begin = now()
        made = protect_all([replace(received, frame=frame)], loaded, day="2026-11-24")
        middle = now()
        issues = audit.audit(made.tables, (), made.linked, loaded, needs=made.needs, reach=made.reach)
        seconds = (*(middle - begin), (now() - middle)[0])
        told_ = sum(each.count for each in issues.get((area, flow), ()))
        key = [*received.flow.structure.key, "table"]
        shown = made.tables[0].frame.assign(hidden=is_withheld(made.tables[0].frame))[[*key, "hidden"]].astype(str)
        both = frame[[*key, "OBS_VALUE"]].assign(small=is_small(received.flow, frame, loaded.list_of))
        both = both.astype(dict.fromkeys(key, str)).merge(shown, on=key, validate="one_to_one")
        more = (both["hidden"] == "True") & ~both["small"]
        values = both["OBS_VALUE"].to_numpy()
        line(name, values, both["small"].to_numpy(), more.to_numpy(), seconds, told_=told_)


def main() -> None:
    """Print one line for each table and tool, and how the seconds of ours grow with the cells."""
    if not set(sys.argv[1:]) - {"--tauargus"} or "offices" in sys.argv:
        offices()
        for folder in filter(Path.is_dir, map(Path, sys.argv[1:])):
            files(folder)
        if "offices" in sys.argv:
            return
    print(
        "table tool         cells  confidential  CPU s  clock  more withheld     value  audit s  told exactly  within one    MB"
    )
    names = [each for each in sys.argv[1:] if each in TABLES] or list(TABLES)[:3]
    spent: list[tuple[int, float]] = []
    for name in names:
        shapes, persons = TABLES[name]
        values, sums = table(shapes, persons)
        small = (values > 0) & (values < THRESHOLD)
        parents = [tree(shape)[0] for shape in shapes]
        tools = {"trayecto": lambda: ours(values, sums, small)}  # noqa: B023 (called before the next table)
        if "--tauargus" in sys.argv:
            from tauargus import withheld

            figures = values.reshape([len(parent) for parent in parents])
            tools["tauargus"] = lambda: withheld(parents, figures, THRESHOLD)  # noqa: B023
            tools["and mended"] = lambda: ours(values, sums, small, hidden)  # noqa: B023
        for tool, protect in tools.items():
            begin = now()
            hidden = protect()
            middle = now()
            broken = told(values, sums, hidden, small, 1.0)
            end = now()
            exactly = told(values, sums, hidden, small, 1e-3)
            more = hidden & ~small
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{name:5} {tool:10} {len(values):7,} {int(small.sum()):13,} {(middle - begin)[0]:6.1f} "
                f"{(middle - begin)[1]:6.1f} {int(more.sum()):14,} {values[more].sum():9,.0f} {(end - middle)[0]:8.1f} {exactly:13,} {broken:11,} {memory:5.0f}",
                flush=True,
            )
            if tool == "trayecto":
                spent.append((len(values), (middle - begin)[0]))
    if len(spent) > 1:
        cells, seconds = np.log(np.array(spent)).T
        print(f"seconds grow as cells to the power of {np.polyfit(cells, seconds, 1)[0]:.2f}")


if __name__ == "__main__":
    main()
