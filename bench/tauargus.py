"""The same synthetic tables protected by τ-ARGUS (pytauargus, EUPL), for `bench/protection.py` to compare with.

It is no part of the test environment: install `pytauargus` and `scipy` in a folder of their own and run there

    python bench/protection.py A B --tauargus
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np


def withheld(parents: list[np.ndarray], figures: np.ndarray, threshold: int) -> np.ndarray:
    """The cells that its modular method withholds, with the confidential ones. One record a person is what it reads.

    A safety range of 100 % is asked for, so that a count of 1 keeps an interval of one person.
    `parents` has for each hierarchy the parent of each code (-1 for the total); `figures` is over all codes.
    """
    from pytauargus import protect

    names = [f"d{axis}" for axis in range(len(parents))]
    inner = [np.setdiff1d(np.arange(len(parent)), parent) for parent in parents]
    counts = figures[np.ix_(*inner)].astype(int)
    place = np.array(np.unravel_index(np.repeat(np.arange(counts.size), counts.ravel()), counts.shape))
    persons = {name: [f"c{code:04}" for code in inner[axis][place[axis]]] for axis, name in enumerate(names)} | {
        "persons": [1] * place.shape[1]
    }
    folder = Path(tempfile.mkdtemp())
    hierarchies = {}
    for name, parent in zip(names, parents, strict=True):
        path = folder / f"{name}.hrc"
        path.write_text("".join(f"{line}\n" for line in _lines(parent, 0, 0)), encoding="utf-8")
        hierarchies[name] = str(path)
    with chdir(folder):  # it leaves its logs where it runs
        made = protect(
            persons,
            tables=[names],
            response="persons",
            safety_rules=f"FREQ({threshold},100)",
            suppress="MOD(1,5,1,1,1)",
            hrc=hierarchies,
            hierleadstring="@",
            totcode="Total",
            workdir=str(folder),
        ).tables[0]
    found = np.zeros(figures.shape, dtype=bool)
    for row, status in zip(made.rows, made.status(), strict=True):
        if status not in ("S", "P", "Z", "E", "V"):
            found[tuple(_code(row[name]) for name in names)] = True
    shutil.rmtree(folder)
    return found.ravel()


def _lines(parent: np.ndarray, code: int, depth: int) -> list[str]:
    """The codes below one, each with a sign for every level above it but the first."""
    return [
        line
        for below in np.flatnonzero(parent == code)
        for line in ("@" * depth + f"c{below:04}", *_lines(parent, int(below), depth + 1))
    ]


def _code(text: object) -> int:
    said = str(text).strip()
    return int(said[1:]) if said.startswith("c") else 0
