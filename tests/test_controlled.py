"""Controlled rounding: multiples near the counts, as drawn where the sums allow it, and all sums hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from test_altered import COUNTS, SECRET, secret, table

from pipeline import altered
from pipeline.controlled import BASE, controlled
from pipeline.model import Library
from pipeline.protect import protect, protect_all
from pipeline.validate import validate_release

__all__ = ["secret"]  # a fixture
DAY = tables.DAY


def with_totals(counts: np.ndarray) -> tuple[np.ndarray, csr_array]:
    """A table with a total along each of its axes, and the sums between its cells."""
    for axis in range(counts.ndim):
        counts = np.concatenate([counts.sum(axis=axis, keepdims=True), counts], axis=axis)
    place, lines = np.arange(counts.size).reshape(counts.shape), []
    for axis in range(counts.ndim):
        for line in np.moveaxis(place, axis, -1).reshape(-1, counts.shape[axis]):
            row = np.zeros(counts.size)
            row[line] = -1
            row[line[0]] = 1
            lines.append(row)
    return counts.ravel().astype(float), csr_array(np.array(lines))


SHAPES = st.sampled_from([(2,), (5,), (2, 3), (4, 4), (2, 2, 2), (3, 4, 2), (3, 3, 3)])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, seed=st.integers(0, 10_000), mean=st.sampled_from([0.5, 3, 40]), sign=st.sampled_from([1, -1]))
def test_sums_hold_zeros_and_signs_stay_and_counts_are_near(
    shape: tuple[int, ...], seed: int, mean: float, sign: int
) -> None:
    draws = np.random.default_rng(seed)
    counts, sums = with_totals(sign * draws.poisson(mean, shape))
    made = controlled(sums, counts, draws.random(len(counts)), np.full(len(counts), np.nan))
    assert np.abs(sums @ made).max() == 0
    assert (made % BASE == 0).all()
    assert (made[counts == 0] == 0).all()
    assert (made * counts >= 0).all()
    furthest = np.abs(made - counts).max()
    assert furthest < (BASE if len(shape) < 3 else 2 * BASE), "two axes always have a rounding to the nearest multiples"


@pytest.mark.parametrize("rest", [1, 2])
def test_what_no_sum_binds_is_as_it_was_drawn(rest: int) -> None:
    draw = (np.arange(30_000) + 0.5) / 30_000
    counts = np.full(len(draw), 30.0 + rest)
    nowhere = csr_array((0, len(draw)))
    made = controlled(nowhere, counts, draw, np.full(len(draw), np.nan))
    assert (made == altered.rounded(counts, draw)).all()


def test_most_draws_hold_and_the_mean_over_them_is_the_count() -> None:
    draws, moved, kept = np.random.default_rng(1), [], []
    counts, sums = with_totals(draws.poisson(6, (6, 7)))
    for _ in range(60):
        draw = draws.random(len(counts))
        made = controlled(sums, counts, draw, np.full(len(counts), np.nan))
        moved.append(made - counts)
        kept.append((made == altered.rounded(counts, draw)).mean())
    assert np.mean(kept) > 0.75
    assert abs(np.mean(moved)) < 0.1
    assert np.abs(np.mean(moved, axis=0)).max() < 1.1, "no cell always goes one way"


def test_what_was_shown_before_stays() -> None:
    draws = np.random.default_rng(2)
    counts, sums = with_totals(draws.poisson(6, (5, 6)))
    first = controlled(sums, counts, draws.random(len(counts)), np.full(len(counts), np.nan))
    again = controlled(sums, counts, draws.random(len(counts)), first)
    assert (again == first).all()
    other = controlled(sums, counts, draws.random(len(counts)), np.full(len(counts), np.nan))
    assert (other != first).any(), "another draw alone would have changed some"


# ---------------------------------------------------------------- through the protection of a release

TOTAL = sum(COUNTS.values())


def test_a_release_adds_up_and_is_fit(library: Library) -> None:
    received = table(library, "controlled_rounding", {**COUNTS, "_T": TOTAL})
    made = protect(received, library, day=DAY)
    shown = made.frame.set_index("COUNTRY_BIRTH")["OBS_VALUE"]
    assert shown["_T"] == shown.drop("_T").sum()
    assert (shown % BASE == 0).all()
    assert all(abs(shown[code] - count) < BASE for code, count in {**COUNTS, "_T": TOTAL}.items())
    assert validate_release(made, library, day=DAY).is_fit
    true = made.frame.assign(OBS_VALUE=made.frame["COUNTRY_BIRTH"].astype(str).map({**COUNTS, "_T": TOTAL}) * 1.0)
    report = validate_release(replace(made, frame=true), library, day=DAY)
    assert [issue.code for issue in report.issues] == ["CNF-01"]


def test_another_secret_does_not_change_what_a_release_before_shows(library: Library, secret: Path) -> None:
    received = table(library, "controlled_rounding", {**COUNTS, "_T": TOTAL})
    before = protect(received, library, day=DAY)
    others = []
    for number in range(4):
        secret.write_bytes(SECRET + b" and number %d" % number)
        others.append(protect(received, library, day=DAY).frame["OBS_VALUE"])
        after = protect_all([received], library, day=DAY, standing=[before]).perturbed[0]
        pd.testing.assert_series_equal(after.frame["OBS_VALUE"], before.frame["OBS_VALUE"])
    assert any((each != before.frame["OBS_VALUE"]).any() for each in others)


def test_one_count_in_two_tables_of_a_release_is_rounded_once(library: Library) -> None:
    """Emigrants of a country are the residents that another one counts: linked keys are one cell."""
    counts = {code: 3 * number + 1 for number, code in enumerate(COUNTS, 5)}
    received = table(library, "controlled_rounding", counts)
    parts = replace(received, frame=received.frame.iloc[:6].reset_index(drop=True))
    whole = protect_all([received, parts], library, day=DAY).perturbed
    first, second = (each.frame.set_index("COUNTRY_BIRTH")["OBS_VALUE"] for each in whole)
    assert (second == first[second.index]).all()
    assert first.to_dict() != {code: float(count) for code, count in counts.items()}
