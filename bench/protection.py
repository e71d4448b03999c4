"""Cell suppression and its audit on synthetic migration tables: CPU seconds, cells, value, and cells that can be told.

    .venv/bin/python bench/protection.py [A B C …]

Tables have three hierarchies (area, origin, age by sex) and heavy skew: a few origins and places hold most people.
"""

from __future__ import annotations

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


def main() -> None:
    """Print one line for each table."""
    print("table    cells  confidential  seconds  more withheld     value  audit s  can be told")
    for name in sys.argv[1:] or list(TABLES)[:3]:
        values, sums = table(*TABLES[name])
        small, n = (values > 0) & (values < THRESHOLD), len(values)
        low, need, nobody = np.minimum(values, 1.0), np.ones(n), np.zeros(n, dtype=bool)
        begin = time.process_time()
        chosen = suppress(System(sums, values, low, small, ~nobody, costs(values), need, nobody))
        middle = time.process_time()
        shown = np.where(small | chosen, np.nan, values)
        state = attack(Published(sums, shown, low, np.full(n, FAR), small, need, nobody)).state
        end = time.process_time()
        told = int((small & (state != SAFE)).sum())
        print(
            f"{name:5} {n:8,} {int(small.sum()):13,} {middle - begin:8.1f} {int(chosen.sum()):14,} "
            f"{values[chosen].sum():9,.0f} {end - middle:8.1f} {told:12,}",
            flush=True,
        )


if __name__ == "__main__":
    main()
