"""TSO: one quantity over time, and the last digits of many.

A series is every component but the period being equal. Months and quarters are held against the
same month or quarter of other years, so that a season is no jump.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.checks.finding import Finding, Mask, Numbers, Table, key_numbers
from pipeline.framework import Rule

PER_YEAR = {"A": 1, "Q": 4, "M": 12}
_TO_SIGMA = 1.4826  # a MAD of normal figures, times this, is their standard deviation
_AT_ONCE = 1_000_000  # windows held in memory
_LINKS = ("SOURCE_TYPE",)  # what may change in a series that is spliced


@dataclass(frozen=True)
class InTime:
    """Figures sorted by series and time: position in the table, number of the series, time, value."""

    row: Numbers
    series: Numbers
    time: Numbers
    value: npt.NDArray[np.float64]

    def after(self, step: int = 1) -> Mask:
        """Whether the figure follows the one `step` places before it in the same series."""
        follows = np.zeros(len(self.row), dtype=bool)
        follows[step:] = self.series[step:] == self.series[:-step]
        return follows


def ordinals(frame: pd.DataFrame) -> Numbers:
    """The number of each period in its frequency, so that the period before has the number before."""
    codes, periods = pd.factorize(frame["TIME_PERIOD"])
    frequencies, distinct = pd.factorize(frame["FREQ"])
    per_year = np.array([*(PER_YEAR.get(str(each), 1) for each in distinct), 1], dtype=np.int64)[frequencies]
    words = [str(period) for period in periods]
    year = np.array([*(int(word[:4]) if word[:4].isdigit() else 0 for word in words), 0], dtype=np.int64)
    part = np.array([*(int(word[5:].lstrip("Q")) - 1 if word[5:].lstrip("Q").isdigit() else 0 for word in words), 0])
    number: Numbers = year[codes] * per_year + part[codes]
    return number


def in_time(table: Table, rows: Mask, *, by_season: bool = True, without: tuple[str, ...] = ()) -> InTime:
    """The figures of `rows` that have a value, series by series; by season, time is the year."""
    used = np.flatnonzero(rows & table.frame["OBS_VALUE"].notna().to_numpy())
    frame = table.frame.iloc[used]
    components = tuple(each for each in table.flow.structure.dimensions if each not in without)
    time = ordinals(frame)
    labelled = frame[list(components)]
    if by_season:
        per_year = frame["FREQ"].astype("str").map(PER_YEAR).fillna(1).to_numpy(dtype=np.int64)
        labelled, components = labelled.assign(season=time % per_year), (*components, "season")
        time = time // per_year
    series = key_numbers(labelled, components)
    order = np.lexsort((time, series))
    return InTime(used[order], series[order], time[order], frame["OBS_VALUE"].to_numpy(dtype=np.float64)[order])


def jump(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`2 100`: a figure of 100 or more, over twice or under half of that of the year before (TSO-01)."""
    factor, least = map(float, rule.argument.split())
    sorted_ = in_time(table, rows)
    before, value, is_next = _before(sorted_)
    is_large = is_next & (before > 0) & (value >= least)
    for found, wrong in ((f"× {factor:g}", value > factor * before), (f"÷ {factor:g}", value < before / factor)):
        yield Finding(_mask(table, sorted_.row[is_large & wrong]), found, "")


def outlier(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`5 5`: further than 5 robust deviations from the median of its 5 nearest figures in time (TSO-02).

    Where most of the five are equal there is no deviation to measure by, and nothing is found.
    """
    size, factor = rule.argument.split()
    sorted_ = in_time(table, rows)
    wrong = _far_off(sorted_, int(size), float(factor))
    yield Finding(_mask(table, sorted_.row[wrong]), "", "")


def splice(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`0.25 METHOD`: a larger step than a quarter where one of the attributes changes without a break (TSO-03).

    A series may go on from another source: where every period has one figure whatever its source.
    """
    share, *attributes = rule.argument.split()
    sorted_ = in_time(table, rows, without=_LINKS)
    before, value, is_next = _before(sorted_)
    is_single = np.ones(len(sorted_.row), dtype=bool)
    is_twice = sorted_.after() & (sorted_.time == np.roll(sorted_.time, 1))
    is_single[np.isin(sorted_.series, sorted_.series[is_twice])] = False
    is_step = is_single & is_next & (before > 0) & (np.abs(value - before) > float(share) * before)
    for attribute in (each for each in attributes if each in table.frame):
        said = pd.factorize(table.frame[attribute].iloc[sorted_.row])[0]
        changed = is_step & (said != np.roll(said, 1))
        is_step &= ~changed
        yield Finding(_mask(table, sorted_.row[changed]), "", attribute, attribute)


def flat(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`3`: the same figure, not zero, in as many periods one after the other (TSO-04)."""
    count = int(rule.argument)
    sorted_ = in_time(table, rows, by_season=False)
    same = (sorted_.value != 0) & sorted_.after(count - 1)
    for step in range(1, count):
        same &= sorted_.value == np.roll(sorted_.value, step)
    yield Finding(_mask(table, sorted_.row[same]), "", rule.argument)


def heaping(table: Table, rule: Rule, rows: Mask) -> Iterator[Finding]:
    """`0.4 200`: the share of whole figures that end in 0 or 5, of 200 or more in one table (TSO-05).

    Zero is no rounded figure, and where the table says what it is rounded to, nothing is found.
    """
    share, least = map(float, rule.argument.split())
    value = table.frame["OBS_VALUE"].to_numpy(dtype=np.float64)
    counted = rows & (np.nan_to_num(value) != 0) & (np.nan_to_num(value) % 1 == 0)
    if table.rounding_base:
        return
    for number in range(len(table.origins)):
        here = counted & (table.frame["table"] == number).to_numpy()
        heaped = here & (value % 5 == 0)
        if here.sum() >= least and heaped.sum() > share * here.sum():
            yield Finding(heaped, f"{heaped.sum() / here.sum():.1%}", f"≤ {share:.0%}")


def _before(sorted_: InTime) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], Mask]:
    """The value one place before, the value, and whether exactly one year lies between."""
    is_next = sorted_.after() & (sorted_.time == np.roll(sorted_.time, 1) + 1)
    return np.roll(sorted_.value, 1), sorted_.value, is_next


def _far_off(sorted_: InTime, size: int, factor: float) -> Mask:
    """Whether each figure stands apart from the `size` nearest ones of its series; shorter series never do."""
    first = np.flatnonzero(~sorted_.after())
    length = np.diff([*first, len(sorted_.row)])
    begin, count = np.repeat(first, length), np.repeat(length, length)
    place = np.arange(len(sorted_.row))
    start = np.clip(place - size // 2, begin, np.maximum(begin, begin + count - size))
    wrong = np.zeros(len(place), dtype=bool)
    judged = np.flatnonzero(count >= size)
    for part in np.array_split(judged, len(judged) // _AT_ONCE + 1):
        window = sorted_.value[start[part][:, None] + np.arange(size)]
        median = np.median(window, axis=1)
        spread = np.median(np.abs(window - median[:, None]), axis=1)
        wrong[part] = (spread > 0) & (np.abs(sorted_.value[part] - median) > factor * _TO_SIGMA * spread)
    return wrong


def _mask(table: Table, positions: Numbers) -> Mask:
    mask = np.zeros(len(table.frame), dtype=bool)
    mask[positions] = True
    return mask
