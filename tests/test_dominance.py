"""Amounts in which one contributor can be told: the worked examples of framework §11, and what is withheld for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline import audit, run, standalone
from pipeline import library as library_
from pipeline.dominance import CONTRIBUTORS, Contributors, Dominance, lacking, same_k
from pipeline.errors import InputError, SetupError
from pipeline.model import Library, Observations
from pipeline.protect import protect, protect_all
from pipeline.protection import Magnitude, Threshold
from pipeline.suppress import Mask, System, costs, suppress

P = 13.57  # of no figure below


def unsafe(total: float, first: float, second: float, rule: Dominance, weight: float = np.nan) -> bool:
    of = Contributors(*(np.array([each]) for each in (np.nan, first, second, weight)))
    return bool(lacking(np.array([total]), of, [rule])[0] > 0)


def test_one_dominates_by_no_share_and_is_known_all_the_same() -> None:
    assert not unsafe(100_000, 50_000, 49_000, Dominance(n=1, k=90))
    assert (100_000 - 49_000) / 50_000 == 1.02, "the second takes theirs away, and knows the first within 2 %"
    assert unsafe(100_000, 50_000, 49_000, Dominance(p=10))


def test_the_p_percent_rule_and_the_two_largest_differ() -> None:
    assert round((110_000 - 52_000 - 50_000) / 52_000 * 100, 1) == 15.4
    assert not unsafe(110_000, 52_000, 50_000, Dominance(p=10))
    assert unsafe(110_000, 52_000, 50_000, Dominance(n=2, k=90.9))


@pytest.mark.parametrize(("p", "k"), [(25, 80), (10, 90.9), (5.26, 95)])
def test_the_k_that_is_as_strict_as_p(p: float, k: float) -> None:
    assert same_k(p) == pytest.approx(k, abs=0.05)


@given(
    parts=st.lists(st.floats(1, 1e6), min_size=2, max_size=6).map(lambda each: sorted(each, reverse=True)),
    p=st.floats(1, 50),
)
def test_two_largest_with_that_k_find_all_that_p_finds(parts: list[float], p: float) -> None:
    if unsafe(sum(parts), parts[0], parts[1], Dominance(p=p)):
        assert unsafe(sum(parts), parts[0], parts[1], Dominance(n=2, k=same_k(p) - 1e-6))


def test_a_part_counts_as_often_as_its_weight_says() -> None:
    """100 with weight 4 and 10 with weight 7 are 470, of which the two largest are 100 and 100."""
    of = Contributors(*(np.array([each]) for each in (2.0, 100.0, 10.0, 4.0)))
    assert [float(each[0]) for each in of.two_largest()] == [100, 100]
    assert 100 * 4 + 10 * 7 == 470
    assert not unsafe(470, 100, 10, Dominance(n=2, k=45), weight=4)
    assert unsafe(470, 100, 10, Dominance(n=2, k=42), weight=4)
    assert not unsafe(470, 100, 10, Dominance(n=2, k=42)), "without the weight it would be 110"


def test_nothing_is_said_of_what_was_not_delivered() -> None:
    assert not unsafe(100, np.nan, np.nan, Dominance(p=10))
    assert unsafe(100, 100, np.nan, Dominance(p=10)), "one alone"
    assert not unsafe(0, 0, 0, Dominance(p=10))


# ---------------------------------------------------------------- a dataflow


def remittances(library: Library, parts: dict[str, tuple[float, float, float]]) -> Observations:
    """Amounts sent to countries, as (sum, largest, second), of a dataflow with the p % rule."""
    flow = library.dataflows["DF_REMIT"]
    rules = (Magnitude(Dominance(p=P), "UNIT_MEASURE in USD"),)
    protection = replace(flow.protection, method="suppression", thresholds=(Threshold(3, ""),), magnitudes=rules)
    rows = [
        {"COUNTERPART_AREA": code, "OBS_VALUE": str(total), "SOURCE_TYPE": "ADM_BOP", "UNIT_MEASURE": "USD"}
        for code, (total, *_) in parts.items()
    ]
    made = tables.observations(rows, replace(flow, protection=protection))
    columns = {name: [each[place] for each in parts.values()] for place, name in ((1, "largest"), (2, "second"))}
    return replace(made, frame=made.frame.assign(**columns))


PARTS = {
    "_T": (6970.0, 950.0, 400.0),
    "VE": (1000.0, 950.0, 30.0),
    "PE": (900.0, 300.0, 200.0),
    "CO": (5000.0, 400.0, 300.0),
    "BO": (70.0, 12.0, 11.0),
}


def test_an_amount_of_a_dataflow_is_withheld_and_the_audit_asks_for_its_doubt(library: Library) -> None:
    made = protect_all([remittances(library, PARTS)], library, day=tables.DAY)
    frame = made.tables[0].frame.set_index("COUNTERPART_AREA")
    assert np.isnan(frame["OBS_VALUE"]["VE"])
    assert frame["OBS_VALUE"][["PE", "CO"]].isna().any(), "Bolivia's 70 could not move by what is lacking"
    assert not {*CONTRIBUTORS} & {*frame.columns}
    assert made.needs.max() == pytest.approx(P / 100 * 950 - 20)
    assert not audit.audit(made.tables, (), made.linked, library, needs=made.needs, reach=made.reach)
    plain = made.tables[0].frame.assign(OBS_VALUE=[PARTS[str(c)][0] for c in made.tables[0].frame["COUNTERPART_AREA"]])
    told = audit.audit(
        [replace(made.tables[0], frame=plain)], (), made.linked, library, needs=made.needs, reach=made.reach
    )
    assert told["CL", "DF_REMIT"][0].count == 1, "a published one is told"
    # With Bolivia's 70 alone it has a wide interval, but nobody would doubt that it is not much larger.
    beside = plain.assign(OBS_VALUE=plain["OBS_VALUE"].mask(plain["COUNTERPART_AREA"].isin(["VE", "BO"])))
    low = [replace(made.tables[0], frame=beside)]
    assert not audit.audit(low, (), made.linked, library, needs=made.needs)
    told = audit.audit(low, (), made.linked, library, needs=made.needs, reach=made.reach)
    assert told["CL", "DF_REMIT"][0].count == 1


def test_each_amount_can_be_larger_by_what_it_lacks() -> None:
    """Lines apart, each with a dominated amount: a smaller other value would hide none of them."""
    count = 4
    values = np.tile([1040.0, 1000, 20, 20], count)
    sums = csr_array(np.kron(np.eye(count), [1.0, -1, -1, -1]))
    dominated = np.tile([False, True, False, False], count)
    need = np.where(dominated, 30.0, 0.0)
    nobody = np.zeros(4 * count, dtype=bool)
    system = System(sums, values, np.zeros(4 * count), dominated, ~nobody, costs(values), need, nobody, rises=dominated)

    def has_room(line: Mask) -> bool:
        return bool(line[0]) or 20 * line[2:].sum() >= 30

    assert all(map(has_room, suppress(system).reshape(count, 4)))
    assert not all(map(has_room, suppress(replace(system, rises=None)).reshape(count, 4)))


def test_without_their_parts_amounts_are_published(library: Library) -> None:
    bare = remittances(library, PARTS)
    bare = replace(bare, frame=bare.frame.drop(columns=["largest", "second"]))
    assert protect(bare, library, day=tables.DAY).frame["OBS_VALUE"].notna().all()


def test_a_layout_names_the_columns_of_the_largest_parts(office: Path) -> None:
    path, layout = office / "data/XX/entradas.csv", office / "metadata/national/XX/DF_BORDER.toml"
    lines = path.read_text(encoding="latin-1").splitlines()
    text = "\n".join(f"{line};{'Mayor' if not number else '1.234'}" for number, line in enumerate(lines))
    path.write_text(text + "\n", encoding="latin-1")
    said = layout.read_text(encoding="utf-8").replace('add = ["CITIZENSHIP"]', 'contributors = { largest = "Mayor" }')
    layout.write_text(said, encoding="utf-8")
    loaded = library_.load(office)
    received = run.receive(office, loaded.countries["XX"].series["DF_BORDER"], loaded)
    assert set(received.frame["largest"]) == {1234.0}
    assert received.ledger.rejected == {}, "it is no column that nobody speaks of"
    assert "largest" not in protect(received, loaded, day=tables.DAY).frame
    layout.write_text(said.replace("largest", "greatest"), encoding="utf-8")
    with pytest.raises(SetupError, match="contributors are"):
        library_.load(office)


# ---------------------------------------------------------------- the commands


def office(folder: Path, **policy: object) -> Path:
    dims = {"by": {"total": "T", "equations": [{"parent": "T", "children": ["a", "b", "c", "d"]}]}}
    said = {"kind": "magnitude", "threshold": 3, "lower_bound": 0, **policy}
    (folder / "h.json").write_text(json.dumps({"dims": dims, "policy": said}), encoding="utf-8")
    rows = [("a", 1000, 12, 950, 30), ("b", 900, 9, 300, 200), ("c", 5000, 40, 400, 300), ("d", 70, 8, 12, 11)]
    table = pd.DataFrame(rows, columns=["by", "OBS_VALUE", "N", "TOP1", "TOP2"])
    total = pd.DataFrame([("T", 6970, 69, 950, 400)], columns=table.columns)
    pd.concat([table, total]).to_csv(folder / "t.csv", index=False)
    return folder / "h.json"


def test_an_amount_that_one_dominates_is_withheld_and_kept_in_doubt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hierarchy = office(tmp_path, rules=[{"p": P}])
    assert standalone.protect([tmp_path / "t.csv"], hierarchy, tmp_path / "out") == 0
    made = pd.read_csv(tmp_path / "out/t.csv", index_col="by")
    assert list(made.columns) == ["OBS_VALUE", "CONF_STATUS"]
    assert made["CONF_STATUS"]["a"] == "A"
    # 20 beside the two largest, and 128.9 are asked for: d alone could not move so far.
    assert made["OBS_VALUE"][["b", "c"]].isna().any()
    said = capsys.readouterr().out + (tmp_path / "out/t.csv").read_text(encoding="utf-8")
    assert str(P) not in said
    assert "950" not in said
    proof = tmp_path / "proof.csv"
    assert standalone.audit([tmp_path / "out/t.csv"], hierarchy, width=128.9, out=proof) == 0
    assert pd.read_csv(proof)["STATE"].tolist() == ["safe"]


def test_without_a_rule_the_same_amount_is_published(tmp_path: Path) -> None:
    hierarchy = office(tmp_path)
    assert standalone.protect([tmp_path / "t.csv"], hierarchy, tmp_path / "out") == 0
    assert set(pd.read_csv(tmp_path / "out/t.csv")["CONF_STATUS"]) == {"F"}


@pytest.mark.parametrize(
    "rule",
    [
        {"p": 0},
        {"n": 3, "k": 80},
        {"p": 10, "n": 2, "k": 80},
        {"p": 10, "n": 3},
        {"p": 10, "k": 80},
        {"q": 1},
        {"n": 2},
    ],
)
def test_a_rule_that_is_none_is_refused(tmp_path: Path, rule: dict[str, float]) -> None:
    hierarchy = office(tmp_path, rules=[rule])
    with pytest.raises(InputError, match=r"h\.json"):
        standalone.protect([tmp_path / "t.csv"], hierarchy, tmp_path / "out")
