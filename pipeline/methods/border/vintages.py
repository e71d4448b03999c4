"""Figures of each month as a run gives them, and what it changes of those of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.methods.border.provisional import estimates

KEYS = ["month", "direction"]


def monthly(data: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """By month and direction: decided migrations, undecided crossings, the estimate and its status."""
    cells = estimates(data["flows"], data["pending"], data["outcomes"])
    cells["direction"] = cells["is_arrival"].astype(bool).map({True: "A", False: "D"})
    found = cells.groupby(KEYS, as_index=False).agg(
        migrants=("migrants", "sum"),
        pending=("pending", "sum"),
        estimate=("persons", lambda of: of.sum(skipna=False)),
        is_provisional=("is_provisional", "max"),
    )
    found["status"] = found.pop("is_provisional").astype(bool).map({True: "P", False: "A"})
    whole = found[["migrants", "pending"]].astype("int64")
    return found.assign(**whole, month=_months(found["month"]), estimate=found["estimate"].astype("Int64"))


def revisions(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What became of the figures of an earlier run: one row a month and direction that both give."""
    shown = [*KEYS, "estimate", "status"]
    both = before[shown].merge(now[shown], on=KEYS, suffixes=("_before", ""))
    both = both.dropna(subset=["estimate_before", "estimate"])
    change = both["estimate"].astype("int64") - both["estimate_before"].astype("int64")
    percent = (100 * change / both["estimate"].astype("float64")).where(both["estimate"] > 0).round(2)
    told = both[[*KEYS, "status_before", "estimate_before", "status", "estimate"]]
    return told.assign(change=change, change_percent=percent)


def mean_revision(revised: pd.DataFrame) -> float:
    """Sum of absolute changes as a percentage of the revised figures (framework §5, RMAR)."""
    total = float(revised["estimate"].astype("float64").abs().sum())
    return 100 * float(revised["change"].abs().sum()) / total if total else 0.0


def _months(numbers: pd.Series[int]) -> pd.Series[str]:
    text = numbers.astype(int).astype(str)
    return text.str.slice(0, 4) + "-" + text.str.slice(4, 6)
