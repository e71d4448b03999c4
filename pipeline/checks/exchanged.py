"""TSO-06: two columns whose headings were exchanged.

No sum tells that men stand under "women": every total still holds. The periods before and after do:
the shares of the two, line by line, are then the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Table, key_numbers
from pipeline.checks.series import ordinals
from pipeline.errors import SetupError
from pipeline.framework import Rule

_RULE = re.compile(r"(?P<component>[A-Z_]+): (?P<one>\S+) (?P<other>\S+) in (?P<lines>\d+) from (?P<least>\d+)")
_NEIGHBOURS = 3  # periods on either side that a period is held against
_TIMES = 2  # as much nearer the exchanged shares are than the shares as they stand
_APART = 0.02  # and by how much of a share, on average

Shares = npt.NDArray[np.float64]


def exchanged(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`SEX: M F in 4 from 20`: in 4 or more lines of 20 or more, M and F look exchanged in some periods.

    A table with several periods is held against itself; tables of one period each are held against each other.
    """
    match = _RULE.fullmatch(rule.argument)
    if match is None:
        raise SetupError(
            'the argument "{argument}" is not understood: write {pattern}',
            argument=rule.argument,
            pattern=_RULE.pattern,
        )
    component, ends = match["component"], (match["one"], match["other"])
    frame = table.frame
    used = np.flatnonzero(rows & frame[component].isin(ends).to_numpy() & frame["OBS_VALUE"].notna().to_numpy())
    if not len(used):
        return
    chosen = frame.iloc[used]
    rest = tuple(each for each in table.flow.structure.key if each not in (component, "TIME_PERIOD"))
    figures = pd.DataFrame(
        {
            "line": key_numbers(chosen, rest),
            "time": ordinals(chosen),
            "is_one": (chosen[component] == ends[0]).to_numpy(),
            "value": chosen["OBS_VALUE"].to_numpy(dtype=np.float64),
        }
    )
    for group in _groups(chosen):
        wrong = _exchanged_times(figures[group], lines=int(match["lines"]), least=float(match["least"]))
        if len(wrong):
            hit = np.zeros(len(frame), dtype=bool)
            hit[used[group & figures["time"].isin(wrong).to_numpy()]] = True
            periods = dict.fromkeys(sorted(frame.loc[hit, "TIME_PERIOD"].astype("str")))
            yield Finding(hit, ", ".join(periods), f"{ends[0]} ↔ {ends[1]}", component)


def _groups(chosen: pd.DataFrame) -> Iterator[Mask]:
    """Rows of each table that has several periods, then those of all others; frequencies apart."""
    frequency, number = chosen["FREQ"].astype("str"), chosen["table"].astype("int64")
    for _, same in chosen.groupby(frequency, sort=False):
        here = chosen.index.isin(same.index)
        periods = same.groupby(number.loc[same.index], sort=False)["TIME_PERIOD"].nunique()
        alone = periods.index[periods == 1]
        yield from (here & (number == each).to_numpy() for each in periods.index[periods > 1])
        if len(alone) > 1:
            yield here & number.isin(list(alone)).to_numpy()


def _exchanged_times(figures: pd.DataFrame, *, lines: int, least: float) -> npt.NDArray[np.int64]:
    """The periods whose shares are the other way round in most of the periods near them."""
    sums = figures.pivot_table(index=["line", "time"], columns="is_one", values="value", aggfunc="sum")
    if sums.shape[1] < 2:  # one of the two is not there
        return np.zeros(0, dtype=np.int64)
    group = sums.sum(axis=1, skipna=False)
    shares = (sums[True] / group).where(group >= least).rename("share").reset_index()
    by_time = shares.pivot_table(index="line", columns="time", values="share")
    share = by_time.to_numpy()
    against, compared = np.zeros(share.shape[1]), np.zeros(share.shape[1])
    for step in range(1, min(_NEIGHBOURS, share.shape[1] - 1) + 1):
        count, is_turned = _turned(share[:, step:], share[:, :-step])
        is_judged = count >= lines
        for places in (slice(step, None), slice(None, -step)):
            compared[places] += is_judged
            against[places] += is_judged & is_turned
    return by_time.columns.to_numpy(dtype=np.int64)[(2 * against > compared) & (compared > 0)]


def _turned(now: Shares, then: Shares) -> tuple[npt.NDArray[np.int64], Mask]:
    """For pairs of periods: in how many lines both have shares, and whether these are the other way round."""
    count = (~np.isnan(now + then)).sum(axis=0)
    as_it_is, turned = np.nansum(np.abs(now - then), axis=0), np.nansum(np.abs(now + then - 1), axis=0)
    return count, (as_it_is > _TIMES * turned) & (as_it_is - turned > _APART * count)
