"""Calibration: the weights nearest to those of the design that meet the margins (Deville and Särndal, 1992).

The weights are w = d F(x'λ); F tells which distance is kept small. λ is found by Newton's method on the dual, which
is convex, with steps that are halved until it falls, so that it also ends where plain Newton runs away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse, special

Figures = npt.NDArray[np.float64]
Matrix: TypeAlias = Any  # a sparse array of scipy, which comes without types

METHODS = ("linear", "raking", "logit", "linear_trunc")
BOUNDED = ("logit", "linear_trunc")
MET = 1e-8  # largest relative difference from a margin
_AIM = 1e-13
_MOST_STEPS = 200
_REDUNDANT = 1e-11  # share of the largest eigenvalue under which margins say the same thing
_SHARE = 1e-4  # of the decrease that the slope promises
_MOST_EXACT = 200_000  # patterns for which the worst margin is found exactly


@dataclass(frozen=True)
class Distance:
    """F, its derivative and its integral, and the bounds of g."""

    ratio: Callable[[Figures], Figures]
    slope: Callable[[Figures], Figures]
    cost: Callable[[Figures], Figures]
    lower: float
    upper: float


@dataclass(frozen=True)
class Solved:
    """Ratios of weights by pattern, and how they were come by; `worst` is the place of the margin that is worst met."""

    g: Figures
    multipliers: Figures
    steps: int
    difference: float
    worst: int

    @property
    def is_met(self) -> bool:
        return self.difference <= MET


def distance(method: str, lower: float, upper: float) -> Distance:
    """The distance of a method; bounds are those of bounded ones."""
    if method == "raking":
        return Distance(np.exp, np.exp, np.exp, 0, np.inf)
    if method == "logit":
        return _logit(lower, upper)
    if method == "linear":
        return Distance(lambda u: 1 + u, np.ones_like, lambda u: u + u * u / 2, -np.inf, np.inf)

    def cost(u: Figures) -> Figures:
        inside = np.clip(u, lower - 1, upper - 1)
        made: Figures = inside + inside * inside / 2 + (1 + inside) * (u - inside)
        return made

    def slope(u: Figures) -> Figures:
        return ((u >= lower - 1) & (u <= upper - 1)).astype(np.float64)

    return Distance(lambda u: np.clip(1 + u, lower, upper), slope, cost, lower, upper)


def _logit(lower: float, upper: float) -> Distance:
    """Deville and Särndal's case 6."""
    rate = (upper - lower) / ((1 - lower) * (upper - 1))
    shift = np.log((1 - lower) / (upper - 1))

    def share(u: Figures) -> Figures:
        made: Figures = special.expit(rate * u + shift)
        return made

    def slope(u: Figures) -> Figures:
        s = share(u)
        return rate * (upper - lower) * s * (1 - s)

    def cost(u: Figures) -> Figures:
        above: Figures = np.logaddexp(np.log(upper - 1), np.log(1 - lower) + rate * u)
        return lower * u + (upper - lower) / rate * above

    return Distance(lambda u: lower + (upper - lower) * share(u), slope, cost, lower, upper)


class Margins:
    """Patterns of the margins, and the totals that they have to meet.

    `x` has a row for each pattern of values that records share, and a column for each margin.
    """

    def __init__(self, x: Matrix, totals: Figures) -> None:
        self.x, self.totals = x, totals
        self._scaled = sparse.csr_array(x @ sparse.diags_array(1 / totals))

    def basis(self, base: Figures) -> tuple[Figures, Figures]:
        """Directions in which margins differ, and those in which they say the same thing twice, as columns."""
        information = self._information(base)
        spread = np.sqrt(np.maximum(information.diagonal(), np.finfo(float).tiny))
        values, vectors = np.linalg.eigh(information / np.outer(spread, spread))
        is_free = values > _REDUNDANT * values[-1]
        vectors = vectors / spread[:, None]
        return vectors[:, is_free], vectors[:, ~is_free]

    def contradicted(self, base: Figures) -> npt.NDArray[np.intp]:
        """Margins that say the same thing of the sample and other things of the population; none where all agree."""
        _, redundant = self.basis(base)
        if not redundant.size:
            return np.array([], dtype=np.intp)
        direction = redundant / np.abs(redundant).max(axis=0)
        gap = np.abs(direction.sum(axis=0))  # totals are 1 in this scale
        worst = int(gap.argmax())
        is_wrong = gap[worst] > 1e-6
        return np.flatnonzero(np.abs(direction[:, worst]) > 0.01) if is_wrong else np.array([], dtype=np.intp)

    @np.errstate(over="ignore", invalid="ignore")
    def solve(self, base: Figures, kept: Distance, start: Figures | None = None) -> Solved:
        """The ratios g of weights that meet the totals from base weights summed by pattern."""
        free, _ = self.basis(base)
        multipliers = np.zeros(len(self.totals)) if start is None else start
        u = self._scaled @ multipliers
        gap = self._gap(base * kept.ratio(u))
        steps, best = 0, np.abs(gap).max()
        while best > _AIM and steps < _MOST_STEPS and np.isfinite(best):
            direction = _direction(free, self._information(base * kept.slope(u)), gap)
            length = self._length(base, kept, u, multipliers, direction)
            if length == 0:
                break
            multipliers = multipliers + length * direction
            u = self._scaled @ multipliers
            gap = self._gap(base * kept.ratio(u))
            before, best, steps = best, np.abs(gap).max(), steps + 1
            if best >= before and before < 1e-11:
                break  # as near as numbers get
        return Solved(kept.ratio(u), multipliers, steps, float(best), int(np.abs(gap).argmax()))

    def worst(self, base: Figures, kept: Distance, solved: Solved) -> int | None:
        """The margin that no weights within the bounds meet; none where there are such weights."""
        beyond = self._beyond(base, kept)
        if beyond.max() > MET:
            return int(beyond.argmax())
        if len(base) > _MOST_EXACT:
            return solved.worst
        count, margins = self._scaled.shape
        every = sparse.vstack(
            [sparse.diags_array(base) @ self._scaled, sparse.eye_array(margins), -sparse.eye_array(margins)]
        )
        price = np.concatenate([np.zeros(count), np.ones(2 * margins)])
        bounds = [(kept.lower, kept.upper)] * count + [(0, np.inf)] * (2 * margins)
        found = optimize.linprog(price, A_eq=every.T.tocsr(), b_eq=np.ones(margins), bounds=bounds, method="highs")
        if found.status != 0:
            return solved.worst
        missed = found.x[count : count + margins] + found.x[count + margins :]
        return int(missed.argmax()) if missed.max() > MET else None

    def _beyond(self, base: Figures, kept: Distance) -> Figures:
        """By how much each margin, taken alone, lies beyond what weights within the bounds can add up to."""
        added = sparse.diags_array(base) @ self._scaled
        up, down = (np.asarray(part.sum(axis=0)).ravel() for part in (added.maximum(0), added.minimum(0)))
        with np.errstate(invalid="ignore"):
            most = np.nan_to_num(kept.upper * up, posinf=np.inf) + np.nan_to_num(kept.lower * down, neginf=-np.inf)
            least = np.nan_to_num(kept.lower * up, neginf=-np.inf) + np.nan_to_num(kept.upper * down, neginf=-np.inf)
        made: Figures = np.maximum(np.maximum(least - 1, 1 - most), 0)
        return made

    def _information(self, weights: Figures) -> Figures:
        made: Figures = (self._scaled.T @ (sparse.diags_array(weights) @ self._scaled)).toarray()
        return made

    def _gap(self, weights: Figures) -> Figures:
        made: Figures = 1 - self._scaled.T @ weights
        return made

    def _length(self, base: Figures, kept: Distance, u: Figures, at: Figures, direction: Figures) -> float:
        """The longest of 1, 1/2, 1/4 … of a step by which the dual falls, or the gap narrows."""

        def dual(v: Figures, of: Figures) -> float:
            return float(base @ kept.cost(v) - of.sum())

        before, gap = dual(u, at), self._gap(base * kept.ratio(u))
        slope, ahead = float(gap @ direction), self._scaled @ direction
        length = 1.0
        while length > 1e-12:  # a step too far is not a number, and so no fall
            v = u + length * ahead
            if dual(v, at + length * direction) <= before - _SHARE * length * slope:
                return length
            if np.abs(self._gap(base * kept.ratio(v))).max() < np.abs(gap).max() / 2:
                return length
            length /= 2
        return 0.0


def _direction(free: Figures, information: Figures, gap: Figures) -> Figures:
    """Newton's step in the directions that are free; where nearly nothing bends, a ridge keeps it finite."""
    bend = free.T @ information @ free
    ridge = 1e-14 * max(float(np.trace(bend)), 1e-300)
    identity = np.eye(len(bend))
    right = free.T @ gap
    while True:
        try:
            factor = np.linalg.cholesky(bend + ridge * identity)
        except np.linalg.LinAlgError:
            ridge *= 100
            continue
        step: Figures = free @ np.linalg.solve(factor.T, np.linalg.solve(factor, right))
        return step
