"""How much hangs on the rule: migrations of each year by the three rules, and by the bounds of what was imputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from pipeline.methods.border.rule import OPEN, RULES, Crossings, Rule, decide

KEYS = ("method", "imputed_at", "year", "is_arrival")
COUNTS = ("migrants", "pending")
PLACES = ("midpoint", "earliest", "latest")


def variants(rule: Rule) -> Mapping[tuple[str, str], Rule]:
    """The rules to compare: each of the three, and the one that is used with missing crossings at each bound."""
    named = {code: replace(rule, threshold_days=days, window_days=window) for code, (days, window) in RULES.items()}
    days = (rule.threshold_days, rule.window_days)
    used = next((code for code, of in RULES.items() if of == days), f"{days[0]}/{days[1]}")
    found = {(code, rule.imputed_at): each for code, each in named.items()} | {(used, rule.imputed_at): rule}
    return found | {(used, place): replace(rule, imputed_at=place) for place in PLACES}


def compared(crossings: Crossings, rules: Mapping[tuple[str, str], Rule]) -> pa.Table:
    """Migrations and undecided ones by year and direction, by each of the rules."""
    parts = []
    for (method, imputed_at), rule in rules.items():
        events = decide(crossings, rule)
        migrant = events.migrant
        shown = np.flatnonzero(migrant != 0)
        year = events.day[shown].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        key, place = np.unique(year * 2 + events.is_arrival[shown], return_inverse=True)
        parts.append(
            pa.table(
                {
                    "method": pa.array([method] * len(key), pa.string()),
                    "imputed_at": pa.array([imputed_at] * len(key), pa.string()),
                    "year": key // 2,
                    "is_arrival": key % 2 == 1,
                    "migrants": np.bincount(place, weights=migrant[shown] == 1, minlength=len(key)).astype(np.int64),
                    "pending": np.bincount(place, weights=migrant[shown] == OPEN, minlength=len(key)).astype(np.int64),
                }
            )
        )
    return pa.concat_tables(parts)
