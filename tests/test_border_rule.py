"""The rule of residence against the published vectors, and against plain Python on persons of every kind."""

from __future__ import annotations

from collections.abc import Sequence

import border_oracle as oracle
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.errors import SetupError
from pipeline.methods.border.days import day_number
from pipeline.methods.border.resolution import UNDECIDED, decided_on, resolution
from pipeline.methods.border.rule import CATEGORIES, NOT_GIVEN, OUTCOMES, STATUSES, Crossings, Events, Rule, decide

DAY_0 = day_number("2017-01-01")
FAR = DAY_0 + 10_000
R12_16 = Rule(365, 487, FAR)
Person = Sequence[tuple[int, int]]  # (day, direction)


def crossings(persons: Sequence[Person], initial: Sequence[str] | None = None) -> Crossings:
    rows = [(number == 0, day, direction) for person in persons for number, (day, direction) in enumerate(person)]
    given_ = [
        {"": NOT_GIVEN, "N": 0, "R": 1}[status]
        for person, status in zip(persons, initial or [""] * len(persons), strict=True)
        for _ in person
    ]
    return Crossings(
        np.array([row[0] for row in rows], bool),
        np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], bool),
        np.array(given_, np.int8),
    )


def alternating(days: Sequence[int], *, first: int) -> Person:
    return [(DAY_0 + day, (first + number) % 2) for number, day in enumerate(days)]


# ---------------------------------------------------------------- published vectors (framework §9.6)

NO, YES = 0, 1
VECTORS: dict[str, tuple[Sequence[int], Sequence[tuple[int, int, int]]]] = {
    # days of the crossings, the first an arrival → flag, day of the status, day of the flag
    "2": ([0], [(YES, 365, 365)]),
    "3": ([0, 10], [(NO, 132, 132), (NO, 132, 10)]),
    "4": ([0, 10, 70, 90], [(NO, 152, 152), (NO, 152, 10), (NO, 212, 212), (NO, 212, 90)]),
    "5": ([0, 250], [(NO, 372, 372), (NO, 372, 372)]),
    "6": ([0, 0], [(NO, 122, 122), (NO, 122, 0)]),
    "7": ([0, 10, 70], [(YES, 425, 425), (NO, 425, 10), (NO, 425, 425)]),
    "8": ([0, 370], [(YES, 365, 365), (YES, 735, 735)]),
    "9": (
        [0, 350, 370, 390, 391],
        [(YES, 385, 385), (NO, 493, 493), (NO, 493, 385), (NO, 513, 513), (NO, 513, 391)],
    ),
    "10": ([0, 10, 370, 380], [(NO, 132, 132), (NO, 132, 10), (NO, 502, 502), (NO, 502, 380)]),
    "11": (
        [0, 370, 380, 670, 680],
        [(YES, 365, 365), (NO, 502, 502), (NO, 502, 380), (NO, 802, 802), (NO, 802, 680)],
    ),
}


def told(events: Events, known_since: int | None = None) -> list[tuple[int, int, int]]:
    since = None if known_since is None else np.full(len(events.day), DAY_0 + known_since, np.int32)
    found = resolution(events, R12_16, known_since=since)
    return [
        (int(m), int(s) - DAY_0, int(f) - DAY_0)
        for m, s, f in zip(events.migrant, found.status, found.flag, strict=True)
    ]


@pytest.mark.parametrize("first", [1, 0], ids=["arrival first", "swapped"])
@pytest.mark.parametrize("vector", VECTORS)
def test_published_vectors(vector: str, first: int) -> None:
    days, expected = VECTORS[vector]
    assert told(decide(crossings([alternating(days, first=first)]), R12_16)) == expected


@pytest.mark.parametrize(("first", "status"), [(0, "N"), (1, "R")])
def test_vector_1_a_crossing_to_where_one_lives_is_no_migration(first: int, status: str) -> None:
    events = decide(crossings([alternating([0], first=first)], [status]), R12_16)
    assert told(events) == [(NO, 0, 0)]
    assert STATUSES[events.status_after[0]] == status


@pytest.mark.parametrize(("first", "status"), [(1, "N"), (0, "R")])
def test_vector_12_a_status_confirmed_late_keeps_what_rests_on_it_open(first: int, status: str) -> None:
    events = decide(crossings([alternating([380, 670, 680], first=first)], [status]), R12_16)
    assert told(events, known_since=502) == [(YES, 755, 755), (NO, 802, 670), (NO, 802, 755)]


@pytest.mark.parametrize("first", [1, 0], ids=["arrival first", "swapped"])
@pytest.mark.parametrize(
    ("days", "rule", "expected"),
    [
        pytest.param([0, 180, 211], R12_16, {0: (YES, 396)}, id="E1 12/16"),
        pytest.param([0, 180, 211], Rule(365, 365, FAR), {0: (NO, 180), 2: (YES, 576)}, id="E1 12/12"),
        pytest.param([0, 100, 222], R12_16, {0: (YES, 487)}, id="E2"),
        pytest.param([0, 100, 223], R12_16, {0: (NO, 222), 2: (YES, 588)}, id="E2b"),
        pytest.param([0, 364], R12_16, {0: (NO, 486)}, id="E3 364"),
        pytest.param([0, 365], R12_16, {0: (YES, 365)}, id="E3 365"),
        pytest.param([0, 365], R12_16, {1: (YES, 730)}, id="E4 365"),
        pytest.param(
            [day for leg in range(6) for day in (60 * leg, 60 * leg + 30)],
            R12_16,
            dict.fromkeys(range(12), (NO, None)),
            id="E5",
        ),
    ],
)
def test_own_vectors(days: Sequence[int], rule: Rule, expected: dict[int, tuple[int, int | None]], first: int) -> None:
    events = decide(crossings([alternating(days, first=first)]), rule)
    resolved = resolution(events, rule).flag - DAY_0
    for place, (flag, day) in expected.items():
        assert events.migrant[place] == flag
        if day is not None:
            assert resolved[place] == day


# ---------------------------------------------------------------- the oracle

PARAMETERS = st.sampled_from([(365, 487), (365, 365), (274, 365), (183, 365), (20, 30), (5, 8), (1, 1)])
GAPS = st.one_of(st.just(0), st.integers(0, 40), st.sampled_from([121, 122, 123, 243, 364, 365, 366, 487, 488, 900]))


@st.composite
def persons(draw: st.DrawFn) -> tuple[list[Person], list[str]]:
    made, initial = [], []
    for _ in range(draw(st.integers(1, 6))):
        day, person = DAY_0 + draw(st.integers(0, 400)), []
        for _ in range(draw(st.integers(1, 9))):
            person.append((day, draw(st.integers(0, 1))))
            day += draw(GAPS)
        made.append(person)
        initial.append(draw(st.sampled_from(["", "", "N", "R"])))
    return made, initial


def rows_of(events: Events) -> list[tuple[object, ...]]:
    columns: list[list[object]] = [
        events.seq.tolist(),
        events.day.tolist(),
        events.is_arrival.astype(int).tolist(),
        events.is_imputed.tolist(),
        events.obs_days.tolist(),
        events.side_days.tolist(),
        [OUTCOMES[code] for code in events.outcome],
        [STATUSES[code] for code in events.status_before],
        [STATUSES[code] for code in events.status_after],
        [("0", "1", "")[code] for code in events.migrant],
        [CATEGORIES[code] for code in events.category],
    ]
    return list(zip(*columns, strict=True))


def rows_expected(people: Sequence[Person], initial: Sequence[str], **parameters: object) -> list[tuple[object, ...]]:
    return [
        (
            e.seq,
            e.day,
            e.direction,
            e.is_imputed,
            e.obs_days,
            e.side_days,
            e.outcome,
            e.before,
            e.after,
            e.migrant,
            e.category,
        )
        for person, status in zip(people, initial, strict=True)
        for e in oracle.events(person, initial=status, **parameters)
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(persons(), PARAMETERS, st.integers(0, 600), st.sampled_from(["midpoint", "earliest", "latest"]))
def test_the_rule_is_that_of_the_oracle(
    people: tuple[list[Person], list[str]], parameters: tuple[int, int], after: int, imputed_at: str
) -> None:
    (threshold, window), (made, initial) = parameters, people
    end = max(day for person in made for day, _ in person) + after
    rule = Rule(threshold, window, end, imputed_at)
    expected = rows_expected(made, initial, threshold=threshold, window=window, end=end, imputed_at=imputed_at)
    assert rows_of(decide(crossings(made, initial), rule)) == expected


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(persons(), PARAMETERS, st.integers(0, 600))
def test_the_oracle_counts_stays_as_it_counts_nights(
    people: tuple[list[Person], list[str]], parameters: tuple[int, int], after: int
) -> None:
    end = max(day for person in people[0] for day, _ in person) + after
    for person in people[0]:
        found = oracle.events(person, threshold=parameters[0], window=parameters[1], end=end)
        assert [oracle.stays(found, each) for each in found] == [oracle.nights(found, each) for each in found]


@pytest.mark.thorough
@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate])
@given(PARAMETERS, st.integers(0, 600), st.integers(0, 2**31))
def test_a_hundred_thousand_persons(parameters: tuple[int, int], after: int, seed: int) -> None:
    (threshold, window), chance = parameters, np.random.default_rng(seed)
    legs = chance.integers(1, 8, 100_000)
    gaps = np.where(chance.random(legs.sum()) < 0.1, 0, chance.gamma(0.8, 150, legs.sum())).astype(int)
    turns = chance.integers(0, 2, len(legs)).repeat(legs) ^ (np.arange(legs.sum()) % 2)
    turns ^= chance.random(len(turns)) < 0.03  # some crossing is missing
    made = [
        list(zip((DAY_0 + np.cumsum(gap)).tolist(), turn.tolist(), strict=True))
        for gap, turn in zip(np.split(gaps, np.cumsum(legs)[:-1]), np.split(turns, np.cumsum(legs)[:-1]), strict=True)
    ]
    end = max(person[-1][0] for person in made) + after
    initial = [("", "", "N", "R")[pick] for pick in chance.integers(0, 4, len(made))]
    expected = rows_expected(made, initial, threshold=threshold, window=window, end=end)
    assert rows_of(decide(crossings(made, initial), Rule(threshold, window, end))) == expected


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(persons(), PARAMETERS, st.integers(0, 600))
def test_the_day_of_decision_is_that_of_the_walk(
    people: tuple[list[Person], list[str]], parameters: tuple[int, int], after: int
) -> None:
    (threshold, window), (made, initial) = parameters, people
    end = max(day for person in made for day, _ in person) + after
    rule = Rule(threshold, window, end)
    days = iter(decided_on(decide(crossings(made, initial), rule), rule).tolist())
    for person, status in zip(made, initial, strict=True):
        found = oracle.events(person, threshold=threshold, window=window, end=end, initial=status)
        for place in range(len(found)):
            walked = oracle.walk(found, place, threshold=threshold, window=window, end=end)
            assert next(days) == (UNDECIDED if walked is None else walked[1])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(persons(), PARAMETERS, st.integers(0, 600))
def test_with_directions_swapped_all_is_mirrored(
    people: tuple[list[Person], list[str]], parameters: tuple[int, int], after: int
) -> None:
    (threshold, window), (made, initial) = parameters, people
    end = max(day for person in made for day, _ in person) + after
    rule = Rule(threshold, window, end)
    swapped = [[(day, 1 - direction) for day, direction in person] for person in made]
    other = [{"N": "R", "R": "N", "": ""}[status] for status in initial]
    one, two = decide(crossings(made, initial), rule), decide(crossings(swapped, other), rule)
    assert one.outcome.tolist() == two.outcome.tolist()
    assert one.migrant.tolist() == two.migrant.tolist()
    mirrored = np.array([1, 0, 2])
    assert one.status_after.tolist() == mirrored[two.status_after].tolist()
    assert one.is_arrival.tolist() == (~two.is_arrival).tolist()
    assert decided_on(one, rule).tolist() == decided_on(two, rule).tolist()


def test_leap_days_are_days() -> None:
    """From 1 March 2019 to 29 February 2020 is 365 days, to 28 February 364."""
    for last, flag in (("2020-02-29", YES), ("2020-02-28", NO)):
        person = [(day_number("2019-03-01"), 1), (day_number(last), 0)]
        assert decide(crossings([person]), R12_16).migrant[0] == flag


@pytest.mark.parametrize(("threshold", "window"), [(183, 366), (100, 365), (0, 0), (366, 365), (-1, 5)])
def test_an_ambiguous_rule_is_refused(threshold: int, window: int) -> None:
    with pytest.raises(SetupError, match="threshold"):
        Rule(threshold, window, FAR)
