"""Cell suppression and its audit on synthetic migration tables: CPU seconds, cells, value, and cells that can be told.

    .venv/bin/python bench/protection.py [A B C D E] [--tauargus]

Tables have three hierarchies (area, origin, age by sex) and heavy skew: a few origins and places hold most people.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from scipy.sparse import csr_array

from pipeline.attack import SAFE, Published, attack
from pipeline.suppress import System, costs, suppress

TABLES = {  # branches of each hierarchy, from its total down; persons
    "A": (((2, 3), (3, 4), (2,)), 3_000),
    "B": (((3, 5), (4, 4), (2,)), 30_000),
    "C": (((6, 7), (5, 7), (14,)), 300_000),
    "E": (((4, 5), (4, 6), (2, 5)), 100_000),
    "D": (((8, 9), (6, 10), (4, 4)), 1_000_000),
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
    figures = draw.poisson(share / share.sum() * persons).astype(float)
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


def ours(values: np.ndarray, sums: csr_array, small: np.ndarray) -> np.ndarray:
    """The cells that we withhold, with the confidential ones."""
    nobody, n = np.zeros(len(values), dtype=bool), len(values)
    low = np.minimum(values, 1.0)
    return small | suppress(System(sums, values, low, small, ~nobody, costs(values), np.ones(n), nobody))


def main() -> None:
    """Print one line for each table and tool, and how the seconds of ours grow with the cells."""
    print(
        "table tool         cells  confidential  CPU s  more withheld     value  audit s  told exactly  within one    MB"
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
        for tool, protect in tools.items():
            begin = time.process_time()
            hidden = protect()
            middle = time.process_time()
            broken = told(values, sums, hidden, small, 1.0)
            end = time.process_time()
            exactly = told(values, sums, hidden, small, 1e-3)
            more = hidden & ~small
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{name:5} {tool:10} {len(values):7,} {int(small.sum()):13,} {middle - begin:6.1f} {int(more.sum()):14,} "
                f"{values[more].sum():9,.0f} {end - middle:8.1f} {exactly:13,} {broken:11,} {memory:5.0f}",
                flush=True,
            )
            if tool == "trayecto":
                spent.append((len(values), middle - begin))
    if len(spent) > 1:
        cells, seconds = np.log(np.array(spent)).T
        print(f"seconds grow as cells to the power of {np.polyfit(cells, seconds, 1)[0]:.2f}")


if __name__ == "__main__":
    main()
