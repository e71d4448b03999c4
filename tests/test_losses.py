"""What is lost by protection, worked out from published figures alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tables

from pipeline.catalogue.protection import Loss, _rules, losses
from pipeline.dominance import Dominance
from pipeline.model import Library
from pipeline.protect import protect
from pipeline.protection import Magnitude
from pipeline.texts import texts


def lost(library: Library, counts: dict[str, int]) -> tuple[Loss, ...]:
    """By country of birth; Peru lends cover to Venezuela, and Colombia stays."""
    rows = [{"COUNTRY_BIRTH": code, "OBS_VALUE": str(count)} for code, count in counts.items()]
    return losses(protect(tables.observations(rows, library.dataflows["DF_STOCK"]), library, day=tables.DAY), library)


def test_the_share_that_published_parts_leave_of_a_published_total(library: Library) -> None:
    (loss,) = lost(library, {"FOR": 1_000, "VE": 3, "PE": 47, "CO": 950})
    assert loss.dimension == "COUNTRY_BIRTH"
    assert {code: counts for code, *counts in loss.codes} == {"VE": [1, 1], "PE": [1, 1]}
    assert loss.value == pytest.approx(0.05)


def test_it_tells_nothing_of_what_is_withheld(library: Library) -> None:
    assert lost(library, {"FOR": 1_000, "VE": 2, "PE": 48, "CO": 950}) == lost(
        library, {"FOR": 1_000, "VE": 4, "PE": 46, "CO": 950}
    )


def test_without_a_total_no_share_is_told(library: Library) -> None:
    (loss,) = lost(library, {"VE": 3, "PE": 47, "CO": 950})
    assert loss.value is None
    assert [code for code, *_ in loss.codes] == ["VE"]


def test_nothing_withheld_is_nothing_lost(library: Library) -> None:
    assert lost(library, {"FOR": 1_000, "VE": 50, "PE": 950}) == ()


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_parameters_of_dominance_are_not_told(library: Library, language: str) -> None:
    protection = library.dataflows["DF_RIGHTS"].protection
    rules = (Magnitude(Dominance(p=13.57), ""), Magnitude(Dominance(n=2, k=86.42), ""))
    said = _rules(replace(protection, magnitudes=rules), texts("protection", language))
    assert said == _rules(protection, texts("protection", language))
    assert any("10" in each for each in said), "the threshold is told"
    assert any("RIGHTS_EVENT _T" in each for each in said)
