"""Standard records of whole persons → their events, as one table: what both engines do with each part of the data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.methods.border.days import month_number
from pipeline.methods.border.records import (
    ATTRIBUTES,
    DIRECTION,
    IN_RULE,
    MANY,
    MOMENT,
    PERSON,
    TWICE,
)
from pipeline.methods.border.resolution import decided_on
from pipeline.methods.border.rule import Codes, Crossings, Days, Events, Mask, Rule, decide
from pipeline.methods.border.tables import LEARNT_DAYS

MOST_CROSSINGS = 10_000  # of one person in one delivery; more are the marks of a key that many share


@dataclass(frozen=True)
class Part:
    """Whole persons: what became of their records, and the crossings that are in the rule, for variants of it.

    `told` has one row an event, in order, then one for each record set aside, with the `reason`. `until` is the day
    of the person's next event, or the day after the end of observation.
    """

    told: pa.Table
    crossings: Crossings = field(repr=False)


def part(records: pa.Table, rule: Rule, *, most_crossings: int = MOST_CROSSINGS) -> Part:
    """Decide the records of whole persons, sorted by person, moment and crossing."""
    is_first = _begins(records["person_id"])
    reason = _aside(records, is_first, most_crossings)
    is_in = reason == IN_RULE
    places = np.flatnonzero(is_in)
    last_day = records["last_day"]
    crossings = Crossings(
        is_first=np.diff(np.cumsum(is_first)[places], prepend=0) > 0,
        day=_ints(records["day"].fill_null(0))[places],
        is_arrival=records["is_arrival"].to_numpy()[places],
        initial=records["initial"].to_numpy()[places],
        last_day=_ints(last_day.fill_null(rule.obs_end))[places] if last_day.null_count < len(last_day) else None,
    )
    events = decide(crossings, rule)
    is_same = len(places) == len(reason) == len(events.day)
    own = records if is_same else records.take(pa.array(places[events.record]))
    told = _told(events, own, rule, crossings.last_day)
    if len(places) < len(reason):
        aside = records.take(pa.array(np.flatnonzero(~is_in))).append_column("reason", pa.array(reason[~is_in]))
        told = pa.concat_tables([told, _blank(aside, told.schema)])
    return Part(told, crossings)


def _begins(person: pa.ChunkedArray) -> Mask:
    """Where another person begins; a record without a key is one by itself."""
    found = np.ones(len(person), dtype=bool)
    if len(person) > 1:
        keys = person.combine_chunks() if isinstance(person, pa.ChunkedArray) else person
        found[1:] = pc.fill_null(pc.not_equal(keys[1:], keys[:-1]), fill_value=True).to_numpy(zero_copy_only=False)
    return found


def _aside(records: pa.Table, is_first: Mask, most_crossings: int) -> Codes:
    """Why each record has no part in the rule, or IN_RULE.

    Of a person with a record that cannot be placed, none is used (Stats NZ: a person in error adds no flow).
    """
    reason: Codes = records["aside"].to_numpy().copy()
    person = np.cumsum(is_first) - 1
    wrong = np.bincount(person, weights=(reason == DIRECTION) | (reason == MOMENT)) > 0
    many = np.bincount(person, weights=reason == IN_RULE) > most_crossings
    reason[wrong[person] & (reason == IN_RULE)] = PERSON
    reason[many[person] & (reason == IN_RULE)] = MANY
    reason[_is_twice(records, is_first) & (reason == IN_RULE)] = TWICE
    return reason


def _is_twice(records: pa.Table, is_first: Mask) -> Mask:
    """Whether the record before is the same crossing of the same person."""
    found = np.zeros(len(is_first), dtype=bool)
    crossing = records["crossing_id"]
    number, day = _whole(crossing), _ints(records["day"].fill_null(0))
    is_arrival, has_id = records["is_arrival"].to_numpy(), crossing.is_valid().to_numpy()
    found[1:] = (number[1:] == number[:-1]) & (day[1:] == day[:-1]) & (is_arrival[1:] == is_arrival[:-1]) & has_id[1:]
    return found & ~is_first


def _told(events: Events, records: pa.Table, rule: Rule, last_day: Days | None) -> pa.Table:
    """The events with the attributes of the record that each is of."""
    until = np.empty(len(events.day), dtype=np.int32)
    until[:-1] = events.day[1:]
    ends = np.append(np.flatnonzero(events.is_first)[1:] - 1, len(until) - 1) if len(until) else np.zeros(0, int)
    end = np.full(len(until), rule.obs_end + 1, dtype=np.int32)
    if last_day is not None:
        end = np.minimum(end, np.where(last_day < rule.obs_end, last_day, rule.obs_end + 1)[events.record])
    until[ends] = np.maximum(end[ends], events.day[ends])
    return pa.table(
        {
            "person_id": records["person_id"],
            "seq": events.seq,
            "crossing_id": _unless(records["crossing_id"], events.is_imputed),
            "day": events.day,
            "is_arrival": events.is_arrival,
            "is_imputed": events.is_imputed,
            "obs_days": events.obs_days,
            "side_days": events.side_days,
            "outcome": events.outcome,
            "status_before": events.status_before,
            "status_after": events.status_after,
            "migrant": events.migrant,
            "category": events.category,
            "until": until,
            "month": month_number(events.day),
            "until_month": month_number(until),
            "decided_on": decided_on(events, rule, _teaches(events, rule)),
            "is_mended": _is_first_imputed(events),
            "birth": records["birth"],
            **{name: records[name] for name in ATTRIBUTES},
            "reason": np.zeros(len(until), dtype=np.int8),
        }
    )


def _teaches(events: Events, rule: Rule) -> Mask:
    """Crossings that could have been migrations, in the days whose outcomes provisional figures learn from."""
    ready = rule.obs_end - rule.window_days
    return events.is_migrating & (events.day <= ready) & (events.day > ready - LEARNT_DAYS)


def _is_first_imputed(events: Events) -> Mask:
    """The first imputed event of each person that has any."""
    total = np.cumsum(events.is_imputed)
    before = (total - events.is_imputed)[events.start] if len(total) else total
    return events.is_imputed & (total - before == 1)


def _blank(aside: pa.Table, schema: pa.Schema) -> pa.Table:
    """Records set aside in the columns of events, which are empty where only an event has something to say."""
    aside = aside.append_column("month", pa.array(month_number(_ints(aside["day"].fill_null(0)))))
    return pa.table(
        [aside[each.name] if each.name in aside.column_names else pa.nulls(len(aside), each.type) for each in schema],
        schema=schema,
    )


def _unless(column: pa.ChunkedArray, blank: Mask) -> pa.ChunkedArray:
    """A column without a value in the rows that are `blank`."""
    return pc.if_else(pa.array(blank), pa.scalar(None, column.type), column) if blank.any() else column


def _ints(column: pa.ChunkedArray) -> Days:
    found: Days = column.cast(pa.int32()).to_numpy()
    return found


def _whole(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = column.fill_null(-1).to_numpy()
    return found
