"""How good calibrated weights are: margins met, the spread of the ratios g, and what weighting costs (Kish)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.methods.survey.calibration import Margins, Solved
from pipeline.methods.survey.controls import Variable
from pipeline.methods.survey.received import issue
from pipeline.methods.survey.records import Figures
from pipeline.methods.survey.variance import Weighted
from pipeline.model import Issue

_ORDINARY = (0.5, 2.0)  # ratios g (framework §10.1)
_MANY = 5.0  # percent of records beyond them
_POINTS = (0, 1, 5, 25, 50, 75, 95, 99, 100)


def kish(weights: Figures) -> float:
    """What unequal weights cost in sample size: 1 + CV² (Kish)."""
    return float(len(weights) * (weights @ weights) / weights.sum() ** 2)


def beyond_percent(g: Figures) -> float:
    """Share of records whose weight changed by more than the ordinary."""
    return float(100 * ((g < _ORDINARY[0]) | (g > _ORDINARY[1])).mean())


def margins(variables: Sequence[Variable], weighted: Weighted, names: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Each margin before and after: sample persons, total by base weights, the control, and the calibrated total."""
    assert weighted.margins is not None
    x, totals = weighted.margins.x, weighted.margins.totals
    base, after = (
        np.bincount(weighted.pattern, weights, minlength=x.shape[0]) for weights in (weighted.base, weighted.weights)
    )
    persons = [np.bincount(each.merged, each.persons, minlength=len(each.merged))[each.kept] for each in variables]
    return pd.DataFrame(
        {
            "variable": [variable for variable, _ in names],
            "level": [level for _, level in names],
            "persons": np.concatenate(persons),
            "base_total": x.T @ base,
            "control_total": totals,
            "calibrated_total": x.T @ after,
            "relative_difference": (x.T @ after) / totals - 1,
        }
    )


def measures(weighted: Weighted, solved: Solved, of: Margins) -> dict[str, float]:
    """Counts and diagnostics of a run by their names."""
    g = weighted.g[weighted.pattern]
    spread = dict(zip((f"g_p{point}" for point in _POINTS), np.percentile(g, _POINTS), strict=True))
    return {
        "records": len(g),
        "margins": len(of.totals),
        "steps": solved.steps,
        "largest_relative_difference": solved.difference,
        "base_total": float(weighted.base.sum()),
        "calibrated_total": float(weighted.weights.sum()),
        **{name: float(value) for name, value in spread.items()},
        "g_beyond_half_and_double_percent": beyond_percent(g),
        "negative_weights": int((g < 0).sum()),
        "kish_base": kish(weighted.base),
        "kish": kish(weighted.weights),
    }


def issues(found: dict[str, float], file: str) -> Iterator[Issue]:
    """What the office must know of its weights before it publishes."""
    if negative := int(found["negative_weights"]):
        yield issue("CAL-14", "W", file, str(negative), count=negative)
    if (share := found["g_beyond_half_and_double_percent"]) > _MANY:
        yield issue("CAL-15", "W", file, f"{share:.1f} %", f"≤ {_MANY:.0f} %")
