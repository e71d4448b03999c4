"""Sums of amounts in which one contributor can be told from the others (framework §11).

By the p % rule a sum is unsafe where the second largest contributor, who takes their own part away, knows the
largest within p %. By the (n,k) rule it is unsafe where the n largest have more than k % of it. The parameters
are the office's secret: they stand in no output, message or log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

CONTRIBUTORS = ("contributors", "largest", "second", "weight")  # columns of what is received, never of what goes out
_FEW = 3  # of two contributors each knows the other


@dataclass(frozen=True)
class Dominance:
    """The p % rule, or the rule of the `n` (1 or 2) largest with `k` % of the sum. The other one is zero."""

    p: float = 0.0
    n: int = 0
    k: float = 0.0

    @property
    def is_one(self) -> bool:
        """It is one of the two rules, and not both."""
        if self.p:
            return self.p > 0 and not self.n and not self.k
        return self.n in {1, 2} and 0 < self.k <= 100


def rule(said: Mapping[str, Any]) -> Dominance:
    """The rule of `{"p": …}` or `{"n": 1 or 2, "k": …}`.

    Raises:
        ValueError: it is neither.
    """
    found = Dominance(float(said.get("p", 0)), int(said.get("n", 0)), float(said.get("k", 0)))
    if not said.keys() <= {"p", "n", "k"} or not found.is_one:
        raise ValueError("a rule has either p, or n of 1 or 2 with k up to 100")
    return found


@dataclass(frozen=True)
class Contributors:
    """For each sum: how many have a part in it, the two largest parts, and of how many the largest is one.

    NaN is what was not delivered. In a sample a part with weight 4 stands for four contributors of its size.
    """

    contributors: Vector
    largest: Vector
    second: Vector
    weight: Vector

    def two_largest(self) -> tuple[Vector, Vector]:
        """The two largest parts, taken as often as the weight says."""
        several = np.rint(np.nan_to_num(self.weight, nan=1.0)) >= 2
        first = np.nan_to_num(self.largest)
        return first, np.where(several, first, np.minimum(np.nan_to_num(self.second), first))


def lacking(totals: Vector, of: Contributors, rules: Sequence[Dominance]) -> Vector:
    """By how much each sum would have to be larger to be safe by every rule; 0 where it is safe, or nothing is known.

    An attacker must be left with at least that much doubt about the sum.
    """
    first, second = of.two_largest()
    found = np.zeros(len(totals))
    size = np.abs(np.nan_to_num(totals))
    for rule in rules:
        if rule.n:
            short = (first + (second if rule.n > 1 else 0.0)) * 100 / rule.k - size
        else:
            short = rule.p / 100 * first - (size - first - second)
        found = np.maximum(found, np.where(np.isnan(of.largest), 0.0, short))
    few = (of.contributors > 0) & (of.contributors < _FEW) & (size > 0)
    least = np.maximum(1.0, max((each.p for each in rules), default=0.0) / 100 * size)
    found = np.where(few, np.maximum(found, least), found)
    return np.where(size > 0, np.maximum(found, 0.0), 0.0)


def same_k(p: float) -> float:
    """The k of a (2,k) rule that finds at least what a p % rule finds: 100 · 100 / (100 + p)."""
    return 100 * 100 / (100 + p)
