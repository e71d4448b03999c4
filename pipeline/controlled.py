"""Counts rounded at random so that all sums still hold: controlled rounding to base 3 (framework §11).

A zero stays, and a count becomes the multiple of 3 below or above it, as it was drawn where the sums allow that.
Three hierarchies at once may allow no such figures at all, and whole numbers that fit are then too hard to find by
search: linear programs are solved one after another, each with more counts settled (diving), and a count that fits
nowhere moves by one multiple more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csc_array, csr_array, hstack

from pipeline.attack import pieces

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]

BASE = 3
_KEPT = 20.0  # for a count that the release before shows rounded otherwise, against one that was drawn otherwise
_FURTHER = 1000.0  # for one multiple more
_SETTLED = 0.5  # of the counts that a program leaves between two multiples, the nearest to one: the others wait
_FEW = 50  # that are settled at once
_EPSILON = 1e-6


def controlled(sums: csr_array, counts: Vector, draw: Vector, shown: Vector) -> Vector:
    """Multiples of the base near the counts for which all sums hold.

    Args:
        sums: m sums of the n counts; `sums @ counts` is zero.
        counts: n whole numbers.
        draw: n numbers from 0 to below 1: what is below the rest of a count by the base rounds it up.
        shown: n figures of the release before, NaN where there is none: a count stays as it was shown where that is
            one of its two multiples, or the two together would tell more of it.

    Returns:
        n multiples; zeros stay zeros and signs stay. The mean over draws is the count where the sums leave it free.
    """
    below = np.floor(counts / BASE)
    rest = counts - BASE * below
    up, cost = draw < rest / BASE, 1 + draw / 1000  # no two solutions cost the same
    for step in (0, 1):
        same = shown == BASE * (below + step)
        up, cost = np.where(same, step == 1, up), np.where(same, _KEPT, cost)
    made = below + (up & (rest > 0))
    for cells in (each for each in pieces(sums) if len(each) > 1):
        lines = sums[:, cells]
        lines = lines[np.diff(lines.indptr) > 0]
        made[cells] = _Piece.of(lines, counts[cells], np.where(up, -cost, cost)[cells]).solved()
    rounded: Vector = BASE * made
    return rounded


@dataclass
class _Piece:
    """A whole-number program: matrix @ x is `right`, x between its bounds, at the least cost.

    For n cells x has 3 n parts: whether a cell is the multiple above, and how many multiples it is further up and down.
    """

    matrix: csc_array
    right: Vector
    cost: Vector
    low: Vector
    high: Vector
    below: Vector

    @classmethod
    def of(cls, sums: csr_array, counts: Vector, up: Vector) -> _Piece:
        """The program of some cells, `up` being what the multiple above costs more than that below."""
        below, n = np.floor(counts / BASE), len(counts)
        between = (counts % BASE > 0).astype(float)
        can_rise, can_fall = np.where(counts > 0, np.inf, -below - between), np.where(counts < 0, np.inf, below)
        return cls(
            matrix=hstack([sums, sums, -sums]).tocsc(),
            right=-(sums @ below),
            cost=np.concatenate([up, np.full(2 * n, _FURTHER)]),
            low=np.zeros(3 * n),
            high=np.concatenate([between, can_rise, can_fall]),
            below=below,
        )

    def solved(self) -> Vector:
        """The multiple of each cell, divided by the base."""
        n = len(self.below)
        is_cell = np.arange(3 * n) < n
        while True:
            found = self._relaxed()
            off = np.abs(found - np.rint(found))
            if (off <= _EPSILON).all():
                break
            between = np.flatnonzero(is_cell & (off > _EPSILON))
            if not len(between):
                found = self._whole()
                break
            nearest = between[np.argsort(off[between], kind="stable")[: max(_FEW, int(len(between) * _SETTLED))]]
            settled = is_cell & (off <= _EPSILON)
            settled[nearest] = True
            self._settle(settled, np.rint(found))
        found = np.rint(found)
        multiples: Vector = self.below + found[:n] + found[n : 2 * n] - found[2 * n :]
        return multiples

    def _settle(self, which: Mask, found: Vector) -> None:
        """Fix some of the cells; what was rounded up may be a multiple lower after all, but not beyond zero."""
        n = len(self.below)
        fresh = which & (self.high > self.low)
        self.low[which] = self.high[which] = found[which]
        rises = fresh[:n] & (found[:n] > 0)
        self.high[2 * n :] += rises
        self.high[n : 2 * n] += fresh[:n] & (found[:n] == 0) & np.isfinite(self.high[n : 2 * n])

    def _relaxed(self) -> Vector:
        """The cheapest x, whole or not."""
        free = self.high > self.low
        found = self.low.copy()
        if free.any():
            solution = linprog(
                self.cost[free],
                A_eq=self.matrix[:, free],
                b_eq=self.right - self.matrix[:, ~free] @ self.low[~free],
                bounds=np.column_stack([self.low[free], self.high[free]]),
                method="highs-ds",
            )
            found[free] = _of(solution)
        return found

    def _whole(self) -> Vector:
        """Whole numbers for what is further away, once every cell is settled: a small search."""
        solution = milp(
            self.cost,
            constraints=LinearConstraint(self.matrix, self.right, self.right),
            bounds=(self.low, self.high),
            integrality=np.ones(len(self.cost)),
            options={"mip_rel_gap": 1.0},
        )
        return _of(solution)


def _of(solution: OptimizeResult) -> Vector:
    """All counts zero would always fit, so that there is a solution; a solver that finds none is a fault."""
    if solution.x is None:
        raise RuntimeError(f"no rounding that keeps the sums was found: {solution.message}")
    return np.asarray(solution.x, dtype=np.float64)
