"""When each crossing's outcome became known: the days after which figures of a month no longer change.

Stats NZ publishes, for each crossing, the day on which its status and its flag were resolved; the rules below give
the same days as its published tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.methods.border.rule import OPEN, RESIDENT, Days, Events, Mask, Places, Rule, to_next

UNDECIDED = -1


@dataclass(frozen=True)
class Resolution:
    """Day numbers on which what follows a crossing was known; UNDECIDED where it is not yet."""

    status: Days  # the status after it
    flag: Days  # whether it is a migration


def decided_on(events: Events, rule: Rule, where: Mask | None = None) -> Days:
    """The day on which the nights after each event decided it, whatever the person's status; UNDECIDED else.

    It is told of the events `where` alone, if that is given.

    The night that completes the threshold decides for; the last one that absence may take decides against.
    """
    outside = np.cumsum(nights := to_next(events.is_first, events.day) * ~events.is_arrival) - nights
    found = np.full(len(events.day), UNDECIDED, dtype=np.int32)
    asked = np.ones(len(found), dtype=bool) if where is None else where
    last, leads_in, is_yes = events.last, events.is_arrival, events.outcome == RESIDENT
    for is_inside, spent in ((True, events.inside), (False, outside)):
        for_it = np.flatnonzero(asked & is_yes & (leads_in == is_inside))
        found[for_it] = _day_at(events, spent, for_it, rule.threshold_days, last, side="left")
        against = np.flatnonzero(asked & (events.outcome == 0) & (leads_in != is_inside))
        found[against] = _day_at(events, spent, against, rule.absence_days, last, side="right")
    return found


def _day_at(events: Events, spent: Places, which: Places, nights: int, last: Places, *, side: str) -> Days:
    """The day on which `nights` more have been spent than at each event: the first such day, or the last."""
    target = spent[which] + nights
    place = np.searchsorted(spent, target, side="left" if side == "left" else "right") - 1
    place = np.maximum(np.minimum(place, last[which]), which)
    day: Days = (events.day[place] + target - spent[place]).astype(np.int32)
    return day


def resolution(events: Events, rule: Rule, *, known_since: Days | None = None) -> Resolution:
    """When the status after each event and its flag were known.

    `known_since` is the day on which the initial status of each event's person was known; the person's first day else.

    1. A crossing that is no migration by its direction is known when the status before it is.
    2. Another is known when its nights decide it, and not before the status before it is.
    3. One that undoes a crossing of kind 2 within twice the absence that a migrant may take is none at once.
    """
    begun = events.day[events.start] if known_since is None else known_since
    decided = decided_on(events, rule)
    own = np.where(events.is_migrating, decided, events.day)
    is_unknown = _running(events, (own == UNDECIDED) | (events.status_after == OPEN))
    status = _running_day(events, np.maximum(own, begun))
    before = _before(events, status, begun)
    known = _since_change(events, status, begun)
    flag = np.where(events.is_migrating, status, np.maximum(events.day, before)).astype(np.int32)
    returns = ~events.is_first & np.concatenate([[False], events.is_migrating[:-1]])
    previous_day, previous_known = _shifted(events.day), _shifted(np.maximum(before, events.day))
    is_early = returns & (events.day < np.maximum(previous_day, previous_known) + 2 * rule.absence_days)
    flag = np.where(is_early, np.maximum(events.day, _shifted(known)), flag).astype(np.int32)
    return Resolution(
        status=np.where(is_unknown, UNDECIDED, status).astype(np.int32),
        flag=np.where((events.migrant == OPEN) | (is_unknown & ~is_early), UNDECIDED, flag).astype(np.int32),
    )


def _running_day(events: Events, day: Days) -> Days:
    """The latest day of each person so far."""
    person = np.cumsum(events.is_first).astype(np.int64)
    highest = np.maximum.accumulate((person << 32) + day)
    day_: Days = (highest - (person << 32)).astype(np.int32)
    return day_


def _running(events: Events, where: Mask) -> Mask:
    """Whether it held for any event of the person so far."""
    latest = np.maximum.accumulate(np.where(where, np.arange(len(where)), -1))
    return np.asarray(latest >= events.start)


def _before(events: Events, day: Days, begun: Days) -> Days:
    return np.where(events.is_first, begun, _shifted(day)).astype(np.int32)


def _since_change(events: Events, status: Days, begun: Days) -> Days:
    """When the status before each event was first known: at its last change, or from the beginning."""
    place = np.arange(len(status))
    changed = np.maximum.accumulate(np.where(events.status_after != events.status_before, place, -1))
    changed = np.concatenate([[-1], changed[:-1]])
    return np.where(changed >= events.start, status[changed], begun).astype(np.int32)


def _shifted(day: Days) -> Days:
    return np.concatenate([day[:1], day[:-1]]).astype(np.int32)
