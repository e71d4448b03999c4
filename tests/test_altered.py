"""Counts changed at random: with the odds of framework §11, the same cell always in the same way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables

from pipeline import altered
from pipeline import library as library_
from pipeline.across.figures import _rounding
from pipeline.checks.finding import Table
from pipeline.errors import SetupError
from pipeline.model import Library, Observations
from pipeline.protect import protect, protect_all
from pipeline.validate import validate_release

DAY = tables.DAY
SECRET = b"sixteen letters and more"


@pytest.fixture(autouse=True)
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    monkeypatch.setenv(altered.VARIABLE, str(path))
    return path


def table(library: Library, method: str, counts: dict[str, int], **more: str) -> Observations:
    """Residents by country of birth, of a dataflow with this method."""
    flow = library.dataflows["DF_STOCK"]
    protection = replace(flow.protection, method=method, thresholds=(), floors=(), full_cells=(), minimum_cases=0)
    rows = [{"COUNTRY_BIRTH": code, "OBS_VALUE": str(count), **more} for code, count in counts.items()]
    return tables.observations(rows, replace(flow, protection=protection))


@pytest.mark.parametrize(("rest", "down"), [(1, 2 / 3), (2, 1 / 3)])
def test_the_odds_of_random_rounding(rest: int, down: float) -> None:
    draw = (np.arange(300_000) + 0.5) / 300_000
    made = altered.rounded(np.full(len(draw), 30.0 + rest), draw)
    assert set(made) == {30, 33}
    assert np.mean(made == 30) == pytest.approx(down, abs=1e-4)
    assert set(altered.rounded(np.full(len(draw), 30.0), draw)) == {30}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 1000])
def test_cell_keys_keep_the_mean_and_show_no_one_or_two(count: int) -> None:
    draw = (np.arange(300_000) + 0.5) / 300_000
    made = altered.perturbed(np.full(len(draw), float(count)), draw)
    assert np.mean(made) == pytest.approx(count, abs=1e-3)
    assert not {1, 2} & set(made)
    assert np.abs(made - count).max() <= 3
    assert (count == 0) == (len(set(made)) == 1)


COUNTS = {code: count for count, code in enumerate(("VE", "PE", "CO", "BO", "EC", "AR", "HT", "CU", "ES", "US"), 1)}


@pytest.mark.parametrize("method", ["random_rounding", "cell_key"])
def test_a_cell_is_changed_in_the_same_way_everywhere(library: Library, method: str) -> None:
    many = {f"Y{age}": age for age in range(1, 60)}
    rows = [{"AGE": age, "OBS_VALUE": str(count)} for age, count in many.items()]
    made = replace(table(library, method, COUNTS), frame=tables.frame(rows, library.dataflows["DF_STOCK"]))
    first = protect(made, library, day=DAY).frame.set_index("AGE")["OBS_VALUE"]
    shuffled = replace(made, frame=made.frame.iloc[::-1].reset_index(drop=True))
    again = protect_all([shuffled], library, day=DAY, standing=[protect(made, library, day=DAY)])
    assert again.perturbed[0].frame.set_index("AGE")["OBS_VALUE"].to_dict() == first.to_dict()
    alone = replace(made, frame=made.frame.iloc[10:11].reset_index(drop=True))
    assert protect(alone, library, day=DAY).frame["OBS_VALUE"][0] == first.loc[made.frame["AGE"].iloc[10]]
    true = first.index.map({age: float(count) for age, count in many.items()}).to_numpy()
    assert (first.to_numpy() != true).mean() > 0.3, "most counts are changed"
    assert (protect(made, library, day=DAY).frame["CONF_STATUS"] == "F").all()


def test_another_secret_changes_them_otherwise(library: Library, secret: Path) -> None:
    made = table(library, "random_rounding", COUNTS)
    first = protect(made, library, day=DAY).frame["OBS_VALUE"].to_numpy()
    others = []
    for number in range(4):
        secret.write_bytes(b"another secret, number %d" % number)
        others.append(protect(made, library, day=DAY).frame["OBS_VALUE"].to_numpy())
    assert any((each != first).any() for each in others)


def test_without_a_secret_nothing_is_made(library: Library, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (b"short", None):
        secret.write_bytes(text) if text else monkeypatch.delenv(altered.VARIABLE)
        with pytest.raises(SetupError, match=altered.VARIABLE):
            protect(table(library, "cell_key", COUNTS), library, day=DAY)
    assert protect(table(library, "none", COUNTS), library, day=DAY).frame["OBS_VALUE"].notna().all()


@pytest.mark.parametrize("method", ["random_rounding", "cell_key"])
def test_the_check_of_a_release_sees_a_count_that_was_left_as_it_is(library: Library, method: str) -> None:
    made = protect(table(library, method, COUNTS), library, day=DAY)
    assert validate_release(made, library, day=DAY).is_fit
    true = made.frame.assign(OBS_VALUE=made.frame["COUNTRY_BIRTH"].astype(str).map(COUNTS).astype(float))
    report = validate_release(replace(made, frame=true), library, day=DAY)
    assert [issue.code for issue in report.issues] == ["CNF-01"]


def test_totals_that_no_longer_add_up_are_within_the_tolerance(library: Library) -> None:
    """What is rounded cell by cell is not additive: the base is what later checks allow for."""
    flow = table(library, "random_rounding", COUNTS).flow
    there = replace(library, dataflows={**library.dataflows, flow.id: flow})
    assert _rounding("CL", flow.id, there) == flow.protection.rounding_base == 4
    assert _rounding("CL", flow.id, library) == 0
    assert table(library, "cell_key", COUNTS).flow.protection.rounding_base == 6


def test_what_is_confidential_by_its_mark_and_rates_stay_away(library: Library) -> None:
    counts = table(library, "random_rounding", {"VE": 40, "PE": 50}).frame
    marked = counts.assign(CONF_STATUS=pd.Categorical(["C", "F"]))
    made = protect(replace(table(library, "random_rounding", COUNTS), frame=marked), library, day=DAY).frame
    assert made.set_index("COUNTRY_BIRTH")["OBS_VALUE"].isna().to_dict() == {"PE": False, "VE": True}
    rate = tables.frame(
        [{"MIG_MEASURE": "STK_POP", "UNIT_MEASURE": "PT", "OBS_VALUE": "40"}], library.dataflows["DF_STOCK"]
    )
    made = protect(replace(table(library, "random_rounding", COUNTS), frame=rate), library, day=DAY).frame
    assert made["OBS_VALUE"].isna().all()


def test_the_draw_takes_linked_cells_for_one(library: Library) -> None:
    """A rewritten key (`same_as`) is the key that counts: the partner country's figure is changed in the same way."""
    emigrants = tables.observations(
        [
            {
                "REF_AREA": "PE",
                "COUNTRY_BIRTH": "NAT",
                "COUNTERPART_AREA": "CL",
                "SOURCE_TYPE": "CEN",
                "OBS_VALUE": "1000",
            }
        ],
        library.dataflows["DF_EMIG"],
    )
    residents = tables.observations([{"COUNTRY_BIRTH": "PE", "OBS_VALUE": "1000"}], library.dataflows["DF_STOCK"])
    draws = [
        altered._draws(Table(each.area, each.flow, each.frame, each.origins, library, DAY), SECRET)[0]
        for each in (emigrants, residents)
    ]
    assert draws[0] == draws[1]


@pytest.mark.parametrize(
    "more", ["[[threshold]]\npersons = 3\n", "minimum_cases = 30\n", '[[forbidden]]\nwhen = "SEX in F"\n']
)
def test_there_is_one_method_for_a_dataflow(office: Path, more: str) -> None:
    path = office / "dsd/DF_STOCK/protect.toml"
    reason = path.read_text(encoding="utf-8").partition("[reason]")[2]
    path.write_text(f'method = "cell_key"\n{more}\n[reason]{reason}', encoding="utf-8")
    with pytest.raises(SetupError, match="one method"):
        library_.load(office)
