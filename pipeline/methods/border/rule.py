"""Residence status from crossings, by nights on each side of the border: the 12/16-month rule and its variants.

The rule looks at one person at a time, so any engine may hand over any whole persons in any grouping; all
arithmetic is on whole columns of whole numbers and gives the same result everywhere.

A crossing is a migration when, of the `window_days` that follow it, the person spends at least `threshold_days` on
the side it leads to, and was not a resident of that side before (Stats NZ, outcomes-based migration measure; ABS
12/16 rule). A night belongs to the side held at the end of the calendar day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import SetupError

Days = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]

NON_RESIDENT, RESIDENT, OPEN = 0, 1, 2  # status; OPEN also: an undecided outcome
STATUSES = ("N", "R", "?")
OUTCOMES = ("N", "Y", "U")
NOT_GIVEN = -1
CATEGORIES = (
    "visitor_arrival",
    "migrant_arrival",
    "pending_arrival",
    "resident_return",
    "short_arrival_open",
    "resident_departure",
    "migrant_departure",
    "pending_departure",
    "visitor_departure",
    "short_departure_open",
)
_BIT = 21  # a day number, and a window beyond it, is less than 2 to this power


@dataclass(frozen=True)
class Rule:
    """Days on the new side that make a migration, out of how many, and the last day of observation."""

    threshold_days: int
    window_days: int
    obs_end: int  # day number
    imputed_at: str = "midpoint"  # of the gap, or its `earliest` or `latest` day: bounds of what is not known
    permitted_days: int = 0  # where > 0, a missing exit in a gap longer than the window is imputed after these days

    def __post_init__(self) -> None:
        """Refuse parameters that leave the rule ambiguous."""
        if not 0 < self.threshold_days <= self.window_days < 2 * self.threshold_days:
            raise SetupError(
                "threshold {threshold} and window {window} days: the threshold must be at most the window and more "
                "than half of it, or a person could migrate both ways at once. The 12/16-month rule is "
                "--threshold-days 365 --window-days 487.",
                threshold=self.threshold_days,
                window=self.window_days,
            )

    @property
    def absence_days(self) -> int:
        """Days on the old side that a migrant may spend within the window."""
        return self.window_days - self.threshold_days


RULES = {"R12_16": (365, 487), "R12_12": (365, 365), "R9_12": (274, 365)}


@dataclass(frozen=True)
class Crossings:
    """Records of whole persons, each person's together and in the order in which they happened.

    `initial` is each record's initial status of its person, or NOT_GIVEN; `last_day` ends the observation of the
    person, where that is before the end of observation: a death.
    """

    is_first: Mask  # a record that begins a person
    day: Days
    is_arrival: Mask
    initial: Codes
    last_day: Days | None = None


@dataclass(frozen=True)
class Events:
    """Crossings, recorded and imputed, with what became of each. `record` is the one that its attributes are of."""

    record: Places
    seq: npt.NDArray[np.int32]
    is_imputed: Mask
    is_first: Mask
    start: Places  # the first event of the same person
    day: Days
    is_arrival: Mask
    obs_days: Days
    side_days: Days
    inside: Places  # nights inside up to each event, of all events before it
    outcome: Codes
    status_before: Codes
    status_after: Codes

    @property
    def last(self) -> Places:
        """The last event of the same person."""
        ends = np.append(np.flatnonzero(self.is_first)[1:], len(self.day)) - 1
        last: Places = ends[np.cumsum(self.is_first) - 1]
        return last

    @property
    def leads_to(self) -> Codes:
        """The status of those who live on the side that an event leads to."""
        return self.is_arrival.astype(np.int8)

    @property
    def is_migrating(self) -> Mask:
        """Whether a person who was known to live on the other side crosses."""
        return np.asarray(self.status_before == 1 - self.leads_to)

    @property
    def migrant(self) -> Codes:
        """1 a migration, 0 none, OPEN not decided."""
        none = (self.status_before == self.leads_to) | (self.outcome == NON_RESIDENT)
        return np.where(none, np.int8(0), self.outcome)

    @property
    def category(self) -> Codes:
        """Places in CATEGORIES."""
        kind = self.outcome.copy()
        kind[(self.outcome == 0) & (self.status_before == OPEN)] = 4
        kind[self.status_before == self.leads_to] = 3
        return np.where(self.is_arrival, kind, kind + 5).astype(np.int8)


def decide(crossings: Crossings, rule: Rule) -> Events:
    """Apply the rule: impute what is missing, count nights, decide each crossing, carry the status along."""
    record, is_imputed = _with_missing(crossings)
    is_first = crossings.is_first[record] & ~is_imputed
    is_arrival = crossings.is_arrival[record] ^ is_imputed
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(record)), 0))
    day = crossings.day[record]
    if is_imputed.any():
        _date_missing(day, is_imputed, is_arrival, rule)
    end = np.minimum(day + np.int32(rule.window_days), np.int32(rule.obs_end))
    if crossings.last_day is not None:
        end = np.maximum(np.minimum(end, crossings.last_day[record]), day)
    inside, side_days = _nights(is_first, day, is_arrival, end)
    obs_days = end - day
    outcome = np.full(len(day), OPEN, dtype=np.int8)
    outcome[side_days >= rule.threshold_days] = RESIDENT
    outcome[obs_days - side_days > rule.absence_days] = NON_RESIDENT
    if crossings.last_day is not None:
        outcome[(outcome == OPEN) & (end == crossings.last_day[record]) & (end < rule.obs_end)] = NON_RESIDENT
    before, after = _statuses(start, is_first, is_arrival, outcome, _initial(crossings, record, start, is_arrival))
    seq = _sequence(crossings, record, is_imputed)
    return Events(
        record=record,
        seq=seq,
        is_imputed=is_imputed,
        is_first=is_first,
        start=start,
        day=day,
        is_arrival=is_arrival,
        obs_days=obs_days,
        side_days=side_days,
        inside=inside,
        outcome=outcome,
        status_before=before,
        status_after=after,
    )


def _with_missing(crossings: Crossings) -> tuple[Places, Mask]:
    """Each record, and before a record in the direction of the one before it another event of its attributes."""
    count = len(crossings.day)
    is_again = np.zeros(count, dtype=bool)
    np.equal(crossings.is_arrival[1:], crossings.is_arrival[:-1], out=is_again[1:])
    is_again &= ~crossings.is_first
    missing = np.flatnonzero(is_again)
    if not len(missing):
        return np.arange(count), np.zeros(count, dtype=bool)
    record = np.repeat(np.arange(count), 1 + is_again)
    is_imputed = np.zeros(len(record), dtype=bool)
    is_imputed[missing + np.arange(len(missing))] = True
    return record, is_imputed


def _date_missing(day: Days, is_imputed: Mask, is_arrival: Mask, rule: Rule) -> None:
    """Give imputed events their day: half of the gap after the record before, rounded down."""
    missing = np.flatnonzero(is_imputed)
    before, gap = day[missing - 1], day[missing] - day[missing - 1]
    day[missing] = before + {"midpoint": gap // 2, "earliest": 0 * gap, "latest": gap}[rule.imputed_at]
    if rule.permitted_days:
        is_long = (gap > rule.window_days) & ~is_arrival[missing]
        day[missing[is_long]] = before[is_long] + np.minimum(np.int32(rule.permitted_days), gap[is_long])


def to_next(is_first: Mask, day: Days) -> Places:
    """Nights from each event to the next of the same person; none after the last."""
    nights = np.zeros(len(day), dtype=np.int64)
    np.subtract(day[1:], day[:-1], out=nights[:-1])
    nights[:-1][is_first[1:]] = 0
    return nights


def _nights(is_first: Mask, day: Days, is_arrival: Mask, end: Days) -> tuple[Places, Days]:
    """Nights inside up to each event; and from it to its `end`, those spent on the side it leads to."""
    spent = to_next(is_first, day) * is_arrival
    inside = np.cumsum(spent) - spent
    at_end = _last_until(is_first, day, end)
    rest = (end - day[at_end]).astype(np.int64)
    nights = inside[at_end] - inside + rest * is_arrival[at_end]
    return inside, np.where(is_arrival, nights, end - day - nights).astype(np.int32)


def _last_until(is_first: Mask, day: Days, end: Days) -> Places:
    """The last event of the same person on or before `end`."""
    count = len(day)
    last = np.append(np.flatnonzero(is_first)[1:], count) - 1
    person = np.cumsum(is_first) - 1
    found: Places = last[person]  # of most, nothing happens after the end
    is_inner = day[found] > end
    inner = np.flatnonzero(is_inner)
    if len(inner):
        key = (person << _BIT) + day
        found[inner] = np.searchsorted(key, (person[inner] << _BIT) + end[inner], side="right") - 1
    return found


def _initial(crossings: Crossings, record: Places, start: Places, is_arrival: Mask) -> Codes:
    """The status before the first event of each event's person: given, or else that of who crosses this way."""
    given = crossings.initial[record]
    return np.where(given == NOT_GIVEN, ~is_arrival[start], given).astype(np.int8)


def _statuses(start: Places, is_first: Mask, is_arrival: Mask, outcome: Codes, initial: Codes) -> tuple[Codes, Codes]:
    """The status before and after each event.

    A decided stay sets it; an undecided one that leads away from it opens it until the next decided one.
    """
    place = np.arange(len(start))

    def latest(where: Mask) -> Places:
        found: Places = np.maximum.accumulate(np.where(where, place, -1))
        return found

    settled = latest(outcome == RESIDENT)
    is_settled = settled >= start
    status = np.where(is_settled, is_arrival[settled], initial).astype(np.int8)
    since = np.where(is_settled, settled, start - 1)
    is_undecided = outcome == OPEN
    if is_undecided.any():
        away = np.where(status == RESIDENT, latest(is_undecided & ~is_arrival), latest(is_undecided & is_arrival))
        status[away > since] = OPEN
    before = np.empty_like(status)
    before[1:] = status[:-1]
    before[is_first] = initial[is_first]
    return before, status


def _sequence(crossings: Crossings, record: Places, is_imputed: Mask) -> npt.NDArray[np.int32]:
    """2n for the n-th record of a person, 2n - 1 for what is imputed before it."""
    place = np.arange(len(crossings.day))
    first = np.maximum.accumulate(np.where(crossings.is_first, place, 0))
    number = (2 * (place - first + 1)).astype(np.int32)
    return number[record] - is_imputed
