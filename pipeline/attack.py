"""What someone who sees only what is published can tell of the withheld figures.

The audit of cell suppression (framework §11): the published cells and the sums between cells leave each
withheld cell an interval. It shares nothing with what chose the cells: it is told which cells add up to
which, and nothing else. First come the cells that follow exactly, sum by sum; then linear programs that
push many cells apart at once; then, for the few that those leave open, one program for each end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]

_ROUNDS = 8
_SLACK = 1e-6
_GROUP = 1000  # cells of small pieces that one program takes together
_LARGE = 3000  # cells of a component from which on the interior point method is the faster one
SAFE, TOLD, UNDECIDED = "safe", "told", "undecided"


@dataclass(frozen=True)
class Published:
    """What is seen: `sums @ cells` is zero, `values` is NaN for a withheld cell, which lies from `low` to `high`.

    `targets` are the cells that must keep an interval of at least `need`, `singles` those of one contributor. Where
    `reach` is given, the interval of a target must end no lower: it is asked of the attack, and no part of it.
    """

    sums: csr_array | csc_array
    values: Vector
    low: Vector
    high: Vector
    targets: Mask
    need: Vector
    singles: Mask
    reach: Vector | None = None


@dataclass(frozen=True)
class Verdict:
    """For each cell the interval that was found, as wide as was needed, and what is known of it."""

    low: Vector
    high: Vector
    state: npt.NDArray[np.str_]
    told_to_single: Mask
    is_possible: bool  # False when no figures at all agree with what is published


def attack(published: Published) -> Verdict:
    """Try to tell every withheld cell.

    Returns:
        Arrays over all cells. A safe target's interval is an inner one: it is at least as wide as shown.
        The interval of a told one is exact. A published cell has its value for both ends.
    """
    withheld = np.isnan(published.values)
    low, high = published.values.copy(), published.values.copy()
    state = np.full(len(withheld), SAFE, dtype="<U9")
    unknown = np.flatnonzero(withheld)
    if not len(unknown):
        nobody = np.zeros(len(withheld), dtype=bool)
        return Verdict(low, high, state, nobody, is_possible=_agrees(published))
    sums = published.sums[:, unknown]
    right = -(published.sums @ np.nan_to_num(published.values))
    is_possible = _agrees(published)
    joined = pieces(sums)
    open_lines = np.flatnonzero(np.diff(sums.indptr))
    narrow, of_lines = _narrowed(published, unknown, sums[open_lines]), right[open_lines]
    for group in _grouped(joined):
        piece = _Piece(narrow, group, of_lines)
        is_possible &= piece.push_apart()
        low[unknown[group]], high[unknown[group]] = piece.least, piece.most
    for members in joined:
        cells = unknown[members]
        piece = _Piece(narrow, members, of_lines, seen=(low[cells], high[cells]))
        if piece.is_wide().all():
            continue
        if piece.push_apart():
            piece.find_ends()
        else:
            piece.undecided |= ~piece.is_wide()
        low[cells], high[cells] = piece.least, piece.most
        state[cells[~piece.is_wide()]] = TOLD
        state[cells[piece.undecided]] = UNDECIDED
    told = _told_to_singles(sums, unknown, right, published)
    return Verdict(low, high, state, told, is_possible=is_possible)


def _narrowed(published: Published, unknown: npt.NDArray[np.int64], sums: csr_array) -> Published:
    """The withheld cells alone, with the sums that they stand in: few of those of a large table."""
    arrays: dict[str, Any] = {
        each.name: None if (found := getattr(published, each.name)) is None else found[unknown]
        for each in fields(published)
        if each.name != "sums"
    }
    return Published(sums=csc_array(sums), **arrays)


def _agrees(published: Published) -> bool:
    """The sums whose cells are all published hold."""
    withheld = np.isnan(published.values)
    open_lines = abs(published.sums) @ withheld == 0
    balance = published.sums @ np.nan_to_num(published.values)
    size = abs(published.sums) @ np.abs(np.nan_to_num(published.values))
    return bool((np.abs(balance[open_lines]) <= _SLACK * (1 + size[open_lines])).all())


def pieces(sums: csr_array) -> list[npt.NDArray[np.int64]]:
    """The cells that hang together through sums, by position."""
    joined = abs(sums[np.diff(sums.indptr) > 0])
    count, label = connected_components(joined.T @ joined, directed=False)
    order = np.argsort(label, kind="stable")
    return np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])


def _grouped(pieces: list[npt.NDArray[np.int64]]) -> list[npt.NDArray[np.int64]]:
    """Small pieces together, for one program to push apart at once."""
    groups: list[list[npt.NDArray[np.int64]]] = [[]]
    for piece in pieces:
        if groups[-1] and sum(map(len, groups[-1])) + len(piece) > _GROUP:
            groups.append([])
        groups[-1].append(piece)
    return [np.concatenate(group) for group in groups]


class _Piece:
    """Withheld cells that hang together: what each can be at least and at most, as far as it is known."""

    def __init__(
        self,
        published: Published,
        cells: npt.NDArray[np.int64],
        right: Vector,
        seen: tuple[Vector, Vector] | None = None,
    ) -> None:
        entries = published.sums[:, cells].tocoo()
        lines, line = np.unique(entries.row, return_inverse=True)
        self.sums = csr_array((entries.data, (line, entries.col)), shape=(len(lines), len(cells)))
        self.right = right[lines]
        self.need = np.where(published.targets[cells], published.need[cells], 0)
        reach = np.full(len(cells), -np.inf) if published.reach is None else published.reach[cells]
        self.reach = np.where(published.targets[cells], reach, -np.inf)
        self.low, self.high = published.low[cells].astype(float), published.high[cells].astype(float)
        least, most = seen or (np.full(len(cells), np.inf), np.full(len(cells), -np.inf))
        self.least: Vector = least
        self.most: Vector = most
        self.undecided = np.zeros(len(cells), dtype=bool)
        self._tighten()

    def is_wide(self) -> Mask:
        """Cells that are known to keep the interval they need."""
        goes_far: Mask = (self.reach == -np.inf) | (self.most >= self.reach - _SLACK)
        wide: Mask = (self.need == 0) | ((self.most - self.least >= self.need - _SLACK) & goes_far)
        return wide

    def push_apart(self) -> bool:
        """Widen many intervals at once; False when no figures agree with the sums."""
        draw = np.random.default_rng(0)
        if self._extreme(np.zeros(len(self.need))) is None:
            return False
        for _ in range(_ROUNDS):
            left = np.flatnonzero(~self.is_wide() & (self.high - self.low > _SLACK))
            if not len(left):
                return True
            direction = np.zeros(len(self.need))
            direction[left] = draw.choice([-1.0, 1.0], len(left)) * draw.uniform(0.5, 1.5, len(left))
            self._extreme(direction)
            self._extreme(-direction)
        return True

    def find_ends(self) -> None:
        """The least and the most of each cell that is not known to be wide, one after the other."""
        for cell in np.flatnonzero(~self.is_wide() & (self.high - self.low > _SLACK)):
            for sign in (1.0, -1.0):
                direction = np.zeros(len(self.need))
                direction[cell] = sign
                if not self.is_wide()[cell]:
                    self.undecided[cell] |= self._extreme(direction) is None
        self.undecided &= ~self.is_wide()

    def _extreme(self, direction: Vector) -> Vector | None:
        """The figures that agree with the sums and lie furthest in a direction; what they show is kept."""
        found = linprog(
            -direction,
            A_eq=self.sums if self.sums.shape[0] else None,
            b_eq=self.right if self.sums.shape[0] else None,
            bounds=np.column_stack([self.low, self.high]),
            method="highs-ipm" if len(direction) > _LARGE else "highs-ds",
        )
        if found.x is None:
            return None
        figures = np.asarray(found.x, dtype=np.float64)
        self.least, self.most = np.minimum(self.least, figures), np.maximum(self.most, figures)
        return figures

    def _tighten(self) -> None:
        """Sums with one cell that is still open give it; then the sums it stands in have one less."""
        pattern = abs(self.sums)
        while True:
            is_open = self.high - self.low > _SLACK
            known = np.where(is_open, 0.0, self.low)
            single = np.flatnonzero(pattern @ is_open.astype(float) == 1)
            if not len(single):
                return
            entries = self.sums[single].tocoo()
            mine = is_open[entries.col]
            line, cell = entries.row[mine], entries.col[mine]
            value = (self.right - self.sums @ known)[single][line] / entries.data[mine]
            self.low[cell] = self.high[cell] = value


def _told_to_singles(sums: csr_array, unknown: npt.NDArray[np.int64], right: Vector, published: Published) -> Mask:
    """Targets that the one contributor of another withheld cell can subtract from a sum of the two.

    A total whose published parts are all zero and its one other part are the same people.
    """
    told = np.zeros(len(published.values), dtype=bool)
    single = published.singles[unknown].astype(float)
    pattern = abs(sums)
    is_same = (right == 0) & (sums @ np.ones(len(unknown)) == 0)
    pairs = (pattern @ np.ones(len(unknown)) == 2) & (pattern @ single > 0) & ~is_same
    entries = sums[np.flatnonzero(pairs)].tocoo()
    of_line = np.bincount(entries.row, weights=single[entries.col], minlength=int(pairs.sum()))
    # With two singles in the line each tells the other; with one, the other cell alone is told.
    is_told = (single[entries.col] == 0) | (of_line[entries.row] > 1)
    told[unknown[entries.col[is_told]]] = True
    return told & published.targets
