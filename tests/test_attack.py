"""The attack and the choice of cells, against brute force: every table of whole numbers is tried."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline import audit, protect, suppress
from pipeline.attack import SAFE, TOLD, Published, attack
from pipeline.model import Library
from pipeline.protection import SameAs
from tests.test_protect import DAY, full, observations, summed

ROOT = Path(__file__).parents[1]
ROWS, COLUMNS = 3, 3


def square(inner: list[int]) -> tuple[np.ndarray, csr_array]:
    """A table of 3 × 3 cells with its margins as a vector, and its sums as rows."""
    table = np.array(inner, dtype=float).reshape(ROWS, COLUMNS)
    table = np.vstack([table, table.sum(axis=0)])
    table = np.column_stack([table, table.sum(axis=1)])
    place = np.arange(table.size).reshape(table.shape)
    lines = []
    for line in (*place, *place.T):
        row = np.zeros(table.size)
        row[line[:-1]], row[line[-1]] = -1, 1
        lines.append(row)
    return table.ravel(), csr_array(np.array(lines))


def possible(values: np.ndarray, sums: csr_array, low: float) -> Iterator[np.ndarray]:
    """Every table of whole numbers from `low` on that agrees with what is published."""
    unknown = np.flatnonzero(np.isnan(values))
    inner = [cell for cell in unknown if cell % 4 < 3 and cell < 12]
    for guess in product(range(int(low), 13), repeat=len(inner)):
        table = values.copy()
        table[inner] = guess
        grid = table.reshape(4, 4)
        for row in range(3):
            grid[row, 3] = grid[row, :3].sum() if np.isnan(grid[row, 3]) else grid[row, 3]
        for column in range(4):
            grid[3, column] = grid[:3, column].sum() if np.isnan(grid[3, column]) else grid[3, column]
        if (np.abs(sums @ table) < 1e-9).all():
            yield table


def seen(values: np.ndarray, sums: csr_array, targets: np.ndarray, low: float = 0) -> Published:
    n = len(values)
    return Published(sums, values, np.full(n, low), np.full(n, 1e9), targets, np.ones(n), np.zeros(n, dtype=bool))


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(
    inner=st.lists(st.integers(0, 4), min_size=9, max_size=9),
    hide=st.lists(st.integers(0, 8), min_size=2, max_size=4, unique=True),
    low=st.integers(0, 1),
)
def test_the_attack_tells_what_every_possible_table_agrees_on(inner: list[int], hide: list[int], low: int) -> None:
    values, sums = square([max(low, value) for value in inner])
    cells = [4 * (place // 3) + place % 3 for place in hide]
    values[cells] = np.nan
    verdict = attack(seen(values, sums, np.isnan(values), low))
    tables = np.array(list(possible(values, sums, low)))
    assert verdict.is_possible
    for cell in cells:
        is_one = len(set(tables[:, cell])) == 1
        assert (verdict.state[cell] == TOLD) == is_one
        assert verdict.low[cell] >= tables[:, cell].min() - 1e-6
        assert verdict.high[cell] <= tables[:, cell].max() + 1e-6


@settings(max_examples=60, deadline=None)
@given(inner=st.lists(st.one_of(st.integers(0, 5), st.integers(0, 90)), min_size=9, max_size=9))
def test_what_is_chosen_withstands_the_attack(inner: list[int]) -> None:
    values, sums = square(inner)
    small = (values > 0) & (values < 3)
    withheld = small | suppress.suppress(system(values, sums, small))
    shown = np.where(withheld, np.nan, values)
    verdict = attack(replace(seen(shown, sums, small), low=np.minimum(values, 1)))
    assert set(verdict.state[small]) <= {SAFE}
    if not small.any():
        assert not withheld.any()


def system(values: np.ndarray, sums: csr_array, small: np.ndarray) -> suppress.System:
    n = len(values)
    return suppress.System(
        sums=sums,
        values=values,
        low=np.minimum(values, 1),
        confidential=small,
        open_cells=np.ones(n, dtype=bool),
        weights=suppress.costs(values),
        need=np.ones(n),
        singles=np.zeros(n, dtype=bool),
    )


def test_a_contributor_of_one_does_not_learn_the_count_beside_theirs() -> None:
    values, sums = square([1, 2, 40, 50, 60, 70, 80, 90, 99])
    small = (values > 0) & (values < 3)
    singles = values == 1
    chosen = suppress.suppress(replace(system(values, sums, small), singles=singles))
    shown = np.where(small | chosen, np.nan, values)
    told = attack(replace(seen(shown, sums, small), singles=singles)).told_to_single
    assert not told.any()
    pair = values.copy()
    pair[[0, 1]] = np.nan
    assert attack(replace(seen(pair, sums, small), singles=singles)).told_to_single[1], "the attack can find it"


def test_the_attack_says_how_far_up_an_interval_must_go() -> None:
    """A total of 1040 with parts of 1000, 20 and 20: beside one 20 the 1000 could be no more than 1020."""
    sums = csr_array(np.array([[1.0, -1, -1, -1]]))
    target, nobody = np.array([False, True, False, False]), np.zeros(4, dtype=bool)
    reach = np.where(target, 1030.0, -np.inf)
    for shown, state in (([1040, np.nan, np.nan, 20], TOLD), ([1040, np.nan, np.nan, np.nan], SAFE)):
        given = Published(sums, np.array(shown), np.zeros(4), np.full(4, 1e9), target, np.full(4, 30.0), nobody)
        assert attack(given).state[1] == SAFE
        assert attack(replace(given, reach=reach)).state[1] == state


def test_a_small_count_that_is_marked_for_the_sake_of_others_is_attacked_too(library: Library) -> None:
    """What it is marked as says nothing of whether it may be told."""
    cells = full({("CL", "_T", origin): v for origin, v in {"VE": 2, "PE": 40, "CO": 70, "FOR_O": 900}.items()})
    made = protect.protect_all([observations(library, cells)], library, day=DAY)
    frame = made.tables[0].frame
    alone = protect.blanked(
        frame.assign(OBS_VALUE=[float(cells["CL", "_T", str(each)]) for each in frame["COUNTRY_BIRTH"]]),
        np.zeros(len(frame), dtype=bool),
        (frame["COUNTRY_BIRTH"] == "VE").to_numpy(),
    )
    given = [replace(made.tables[0], frame=alone)]
    assert not audit.audit(given, (), made.linked, library)
    assert audit.audit(given, (), made.linked, library, needs=made.needs)["CL", "DF_STOCK"][0].count == 1


# ---------------------------------------------------------------- linked tables, and the release before


def stock(library: Library, area: str, birth: str, value: int, rest: int) -> protect.Observations:
    """People of two origins in one country, by an international provider."""
    made = observations(library, {(area, "_T", birth): value, (area, "_T", "CO"): rest}, "ORG")
    frame = pd.concat([made.frame, made.frame.iloc[:1].assign(COUNTRY_BIRTH="FOR", OBS_VALUE=value + rest)])
    return replace(made, area=area, frame=frame.reset_index(drop=True).astype({"COUNTRY_BIRTH": "category"}))


def emigrants(library: Library, area: str, living: str, value: int) -> protect.Observations:
    made = observations(library, {(area, "_T", "NAT"): value}, "ORG")
    flow = library.dataflows["DF_EMIG"]
    frame = made.frame.assign(MIG_MEASURE="STK_EMIG", COUNTERPART_AREA=living)
    coded = [c.id for c in flow.structure.components.values() if c.codelist is not None and c.id in frame]
    return replace(made, area=area, flow=flow, frame=frame.astype(dict.fromkeys(coded, "category")))


def test_what_a_partner_country_publishes_of_the_same_people_is_withheld_too(library: Library) -> None:
    both = [stock(library, "CL", "PE", 2, 800), emigrants(library, "PE", "CL", 2)]
    made = protect.protect_all(both, library, day=DAY)
    assert made.tables[1].frame["OBS_VALUE"].isna().all()
    # The partner's figure is large enough by itself, but gives the small one of the sum back.
    both = [stock(library, "CL", "PE", 800, 2), emigrants(library, "PE", "CL", 800)]
    made = protect.protect_all(both, library, day=DAY)
    here = made.tables[0].frame.set_index("COUNTRY_BIRTH")["OBS_VALUE"]
    assert np.isnan(here["CO"])
    assert np.isnan(here["PE"]) == made.tables[1].frame["OBS_VALUE"].isna().all()
    assert not audit.audit(made.tables, made.standing, made.linked, library)


def test_without_the_link_the_audit_of_both_tables_fails(library: Library) -> None:
    """Protected one by one, the two tables give the small count away, and the audit of both says so."""
    both = [stock(library, "CL", "PE", 800, 2), emigrants(library, "PE", "CL", 800)]
    linked = protect.protect_all(both, library, day=DAY).linked
    alone = [protect.protect(each, library, day=DAY) for each in both]
    assert alone[0].frame.set_index("COUNTRY_BIRTH")["OBS_VALUE"].isna()[["PE", "CO"]].all()
    assert alone[1].frame["OBS_VALUE"].notna().all()
    told = audit.audit(alone, (), linked, library)
    assert told["CL", "DF_STOCK"][0].count == 1
    flow = replace(both[1].flow, protection=replace(both[1].flow.protection, same_as=()))
    apart = protect.protect_all([both[0], replace(both[1], flow=flow)], library, day=DAY)
    assert apart.tables[1].frame["OBS_VALUE"].notna().all(), "it is the link that withholds it"


def test_a_link_names_components(library: Library) -> None:
    same_as = library.dataflows["DF_EMIG"].protection.same_as
    assert same_as
    assert all(isinstance(same, SameAs) for same in same_as)


def test_what_was_published_before_protects_nothing_now(library: Library) -> None:
    """A figure of the last release is known: withholding it now would protect the small count in name alone."""
    cells = full({("CL", "_T", origin): v for origin, v in {"VE": 30, "PE": 40, "CO": 70, "FOR_O": 900}.items()})
    before = protect.protect(observations(library, cells), library, day=DAY)
    now = dict(cells) | {("CL", "_T", "VE"): 2, ("CL", "_T", "CO"): 98}
    made = protect.protect_all([observations(library, now)], library, day=DAY, standing=[before])
    status = made.tables[0].frame.set_index("COUNTRY_BIRTH")["CONF_STATUS"]
    assert status["PE"] == "F", "40 stands in the last release"
    assert status["CO"] == "D", "98 is new"
    alone = protect.protect(observations(library, now), library, day=DAY)
    assert alone.frame.set_index("COUNTRY_BIRTH")["CONF_STATUS"]["PE"] == "D", "it would be the cheapest"


def test_what_was_withheld_before_stays_withheld(library: Library) -> None:
    table = observations(library, summed([3, 200, 150, 90] + [120] * 20))
    first = protect.protect(table, library, day=DAY)
    again = protect.protect_all([table], library, day=DAY, standing=[first]).tables[0]
    pd.testing.assert_frame_equal(first.frame, again.frame)


# ---------------------------------------------------------------- the commands


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Two linked tables and their hierarchy, in a folder."""
    dims = {
        "geo": {"total": "T", "equations": [{"parent": "T", "children": ["R1", "R2", "R3"]}]},
        "sex": {"total": "S", "equations": [{"parent": "S", "children": ["F", "M"]}]},
    }
    policy = {"kind": "count", "threshold": 3, "min_width": 1, "need": "width", "lower_bound": 0}
    (tmp_path / "h.json").write_text(json.dumps({"dims": dims, "policy": policy}), encoding="utf-8")
    inner = {("R1", "F"): 2, ("R1", "M"): 30, ("R2", "F"): 41, ("R2", "M"): 52, ("R3", "F"): 63, ("R3", "M"): 74}
    rows = [{"geo": g, "sex": s, "OBS_VALUE": v} for (g, s), v in inner.items()]
    frame = pd.DataFrame(rows)
    geo = frame.groupby("geo", as_index=False)["OBS_VALUE"].sum()
    sex = frame.groupby("sex", as_index=False)["OBS_VALUE"].sum().assign(geo="T")
    total = pd.DataFrame([{"geo": "T", "OBS_VALUE": int(frame["OBS_VALUE"].sum())}])
    pd.concat([frame, sex])[["geo", "sex", "OBS_VALUE"]].to_csv(tmp_path / "a.csv", index=False)
    pd.concat([geo, total]).to_csv(tmp_path / "b.csv", index=False)
    return tmp_path


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def commands(folder: Path, tables: str = "ab") -> tuple[list[str], list[str]]:
    hierarchy, out = ["--hierarchy", str(folder / "h.json")], folder / "out"
    protect_ = [word for name in tables for word in ("--table", str(folder / f"{name}.csv"))]
    audit_ = [word for name in tables for word in ("--published", str(out / f"{name}.csv"))]
    return ["protect", *protect_, *hierarchy, "--out", str(out)], ["audit", *audit_, *hierarchy]


def test_what_protect_writes_audit_finds_safe(office: Path) -> None:
    protect_, audit_ = commands(office)
    made = run(*protect_)
    assert made.returncode == 0, made.stdout + made.stderr
    written = pd.read_csv(office / "out/a.csv", dtype=str, keep_default_na=False)
    assert list(written.columns) == ["geo", "sex", "OBS_VALUE", "CONF_STATUS"]
    assert list(written.loc[written["CONF_STATUS"] == "A", "geo"]) == ["R1"]
    assert set(written.loc[written["CONF_STATUS"] != "F", "OBS_VALUE"]) == {""}
    found = run(*audit_)
    assert found.returncode == 0, found.stdout + found.stderr


def test_audit_of_linked_tables_finds_what_each_alone_hides(office: Path) -> None:
    """One table alone withholds a pair; the margin in the other table gives it back."""
    protect_, audit_ = commands(office, "a")
    assert run(*protect_).returncode == 0
    assert run(*audit_).returncode == 0
    pd.read_csv(office / "b.csv").assign(CONF_STATUS="F").to_csv(office / "out/b.csv", index=False)
    found = run(*commands(office)[1], "--out", str(office / "proof.csv"))
    assert found.returncode == 1, found.stdout + found.stderr
    proof = pd.read_csv(office / "proof.csv")
    assert list(proof[["LOW", "HIGH", "STATE"]].iloc[0]) == [2, 2, "told"]


@pytest.mark.parametrize(
    "damage",
    ["x,y,OBS_VALUE,CONF_STATUS\n", "geo,sex,OBS_VALUE,CONF_STATUS\nR1,F,2,A\n", "geo,sex,OBS_VALUE\nR1,F,2\n"],
)
def test_what_is_malformed_is_said(office: Path, damage: str) -> None:
    (office / "out").mkdir()
    (office / "out/a.csv").write_text(damage, encoding="utf-8")
    found = run(*commands(office, "a")[1])
    assert found.returncode == 3
    assert "a.csv" in found.stdout
    assert "Traceback" not in found.stderr


def test_the_order_of_rows_changes_nothing(office: Path) -> None:
    run(*commands(office)[0])
    first = pd.read_csv(office / "out/a.csv").set_index(["geo", "sex"])["CONF_STATUS"]
    pd.read_csv(office / "a.csv").iloc[::-1].to_csv(office / "a.csv", index=False)
    run(*commands(office)[0])
    second = pd.read_csv(office / "out/a.csv").set_index(["geo", "sex"])["CONF_STATUS"]
    pd.testing.assert_series_equal(first, second.loc[first.index])
