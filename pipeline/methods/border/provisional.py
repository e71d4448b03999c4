"""Provisional figures: what share of the crossings that are not decided yet will turn out to be migrations.

The share is that of past crossings alike (citizenship, sex, age, direction) which, as many days after they happened,
were not decided either (Stats NZ, outcomes-based measure: provisional estimates). Where too few are alike, age, then
sex, then citizenship no longer need to be.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

ENOUGH = 50  # past crossings, for a share to be used
_ALIKE = (("citizenship", "sex", "age_band"), ("citizenship", "sex"), ("citizenship",), ())
CELL = ["month", "is_arrival", "citizenship", "sex", "age", "counterpart"]


def shares(pending: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series[float]:
    """For each row of `pending` the share that will migrate; NaN where no past crossing can tell."""
    asked = pending.assign(age_band=np.floor(pending["age"].astype("float64") / 20))
    found = pd.Series(np.nan, index=asked.index)
    for alike in _ALIKE:
        past = _still_open(outcomes, list(alike))
        keys = ["is_arrival", *alike, "band"]
        told = asked[keys].merge(past, on=keys, how="left").set_axis(asked.index)
        is_enough = told["persons"].ge(ENOUGH if alike else 1) & found.isna()
        found = found.where(~is_enough, told["migrants"] / told["persons"])
    return found


def _still_open(outcomes: pd.DataFrame, alike: list[str]) -> pd.DataFrame:
    """Past crossings that were not decided at the beginning of each band of days: how many, and how many migrated."""
    keys = ["is_arrival", *alike]
    last = 0 if outcomes.empty else int(outcomes["band"].max())
    bands = pd.DataFrame({"band": range(last + 1)})
    grid = outcomes[keys].drop_duplicates().merge(bands, how="cross")
    sums = outcomes.groupby([*keys, "band"], dropna=False)[["persons", "migrants"]].sum().reset_index()
    full = grid.merge(sums, on=[*keys, "band"], how="left").fillna({"persons": 0, "migrants": 0})
    full = full.sort_values([*keys, "band"], ascending=[*(True for _ in keys), False])
    full[["persons", "migrants"]] = full.groupby(keys, dropna=False)[["persons", "migrants"]].cumsum()
    return full


def estimates(flows: pd.DataFrame, pending: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Migrations by month, direction, citizenship, sex, age and counterpart: decided, pending and estimated.

    `persons` are whole: within a month and direction fractions are carried from cell to cell, so that cells add up to
    the estimate of the month, rounded. It is NaN in months that have undecided crossings no past one can speak of.
    """
    decided = flows.groupby(CELL, dropna=False)[["migrants"]].sum()
    expected = pending.assign(expected=pending["persons"] * shares(pending, outcomes))
    blind = expected.loc[expected["expected"].isna(), ["month", "is_arrival"]].drop_duplicates()
    waiting = expected.groupby(CELL, dropna=False).agg(pending=("persons", "sum"), expected=("expected", "sum"))
    cells = decided.join(waiting, how="outer").fillna(0.0).reset_index().sort_values(CELL)
    within = cells.groupby(["month", "is_arrival"], dropna=False)
    total = np.floor(within["expected"].cumsum() + 0.5)
    added = total - total.groupby([cells["month"], cells["is_arrival"]]).shift(fill_value=0.0)
    is_blind = cells.merge(blind.assign(blind=True), how="left", on=["month", "is_arrival"])["blind"].notna().to_numpy()
    persons = (cells["migrants"] + added).where(~is_blind)
    is_provisional = within["pending"].transform("sum") > 0
    return cells.assign(persons=persons, is_provisional=is_provisional)
