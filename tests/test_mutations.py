"""Every rule finds its own fault and no other: one violation injected into a valid table of each dataflow."""

from __future__ import annotations

import mutations
import pytest
import tables

from pipeline.model import Library

ELSEWHERE = {"STR-01"}  # no row is at fault: an agreement is missing
EVERY_DAY = {"DF_CAPACITY"}  # the others are asked by the continuous integration


@pytest.fixture(scope="module")
def chile(library: Library) -> Library:
    return mutations.chile(library)


@pytest.mark.parametrize("flow", sorted(tables.FLOWS))
def test_a_valid_table_raises_nothing(flow: str, chile: Library) -> None:
    dataflow = chile.dataflows[flow]
    good = mutations.example(dataflow, chile, has_many=True)
    assert len(good) > 8
    assert mutations.codes(good, dataflow, chile, is_release=False) == set()
    assert mutations.codes(good, dataflow, chile, is_release=True) == set()


@pytest.mark.parametrize(
    "flow",
    [pytest.param(flow, marks=[] if flow in EVERY_DAY else pytest.mark.thorough) for flow in sorted(tables.FLOWS)],
)
def test_each_violation_is_found_with_its_code_alone(flow: str, chile: Library) -> None:
    dataflow = chile.dataflows[flow]
    wrong = []
    for rule, _, rows in mutations.applicable(dataflow, chile):
        found = mutations.codes(rows, dataflow, chile, is_release=mutations.is_release(rule, dataflow))
        if found != {rule}:
            wrong.append((rule, found))
    assert wrong == []


def test_every_rule_is_broken_somewhere(chile: Library) -> None:
    stages = ("received", "figures", "release")  # of one table; those between tables have cases that pass and fail
    rules = {rule.id for flow in chile.dataflows.values() for rule in flow.rules if rule.stage in stages}
    injected = {rule for flow in chile.dataflows.values() for rule, _, _ in mutations.applicable(flow, chile)}
    assert rules - injected == ELSEWHERE
