"""`python -m pipeline survey`: published examples, R's package `survey`, properties of weights, and bad deliveries."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipeline.__main__ import main
from pipeline.errors import InputError, SetupError
from pipeline.methods.survey import Asked, Made, survey
from pipeline.methods.survey.calibration import Margins, distance
from pipeline.methods.survey.diagnostics import kish
from pipeline.methods.survey.estimates import STATUS
from pipeline.model import Library

ORACLE = Path(__file__).parent / "survey"
TYPES = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
CLUSTERS = 'id = "id"\nweights = "pw"\nclusters = "dnum"\nfpc = "fpc"\n'
STRATA = 'id = "id"\nweights = "pw"\nstrata = "stype"\nfpc = "fpc"\n'
STATISTICS = """
[[estimate]]
stat = "total"
variable = "enroll"

[[estimate]]
stat = "mean"
variable = "enroll"

[[estimate]]
stat = "mean"
variable = "api00"

[[estimate]]
stat = "total"
variable = "enroll"
by = ["stype"]

[[estimate]]
stat = "mean"
variable = "api00"
by = ["stype"]

[[estimate]]
stat = "share"
variable = "sch.wide=Yes"
by = ["stype"]
"""
PERSON = 'id = "id"\nweights = "weight"\n'


def controls(**variables: dict[str, float] | float) -> str:
    """Controls as a file; of a variable that is a number the total alone. `sch_wide` is `sch.wide`."""
    rows = ["variable,level,control_total"]
    for name, levels in variables.items():
        given = levels if isinstance(levels, dict) else {"": levels}
        rows += [f"{name.replace('sch_wide', 'sch.wide')},{level},{total}" for level, total in given.items()]
    return "\n".join(rows) + "\n"


def run(folder: Path, source: Path, design: str, margins: str, **options: Any) -> Made:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.toml").write_text(design, encoding="utf-8")
    (folder / "controls.csv").write_text(margins, encoding="utf-8")
    return survey(Asked(source, folder / "design.toml", folder / "controls.csv", folder / "out", **options))


def made(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "out" / f"{name}.csv", keep_default_na=False, na_values=[""], dtype={"domain": str})


def people(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "people.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def codes(made: Made) -> dict[str, int]:
    return {issue.code: issue.count for issue in made.issues}


# ---------------------------------------------------------------- published and reference values


def test_the_published_raking_example(tmp_path: Path) -> None:
    """Framework §10.2: 183 units, two margins; values published with the R package `survey` (rakecheck)."""
    source = ORACLE / "apiclus1.csv"
    design = CLUSTERS + 'replicates = "jackknife"\n' + STATISTICS
    assert run(tmp_path, source, design, controls(stype=TYPES, sch_wide=WIDE)).is_fit
    found = made(tmp_path, "estimates").fillna({"domain": ""}).set_index(["stat", "domain"])
    mean, total = found.loc[("mean(api00)", "")], found.loc[("total(enroll)", "")]
    assert round(mean["estimate"], 4) == 641.2303
    assert round(total["estimate"], 2) == 3_647_280.15
    assert (round(mean["se"], 3), round(total["se"])) == (23.704, 400_603)
    assert (round(mean["se_replicate"], 3), round(total["se_replicate"])) == (26.874, 463_582)
    assert (round(mean["estimate_base"], 2), round(total["estimate_base"])) == (644.17, 3_404_940)
    weights = made(tmp_path, "weights").merge(pd.read_csv(source), on="id")
    factors = weights.groupby(weights["stype"] + "/" + weights["sch.wide"])["g"].agg(["min", "max"]).round(6)
    published = {"E/No": 1.177039, "E/Yes": 0.882521, "H/No": 1.983205, "H/Yes": 1.486968}
    published |= {"M/No": 1.449732, "M/Yes": 1.086980}
    assert factors["min"].to_dict() == factors["max"].to_dict() == published
    quality = made(tmp_path, "diagnostics").set_index("measure")["value"].astype(float)
    assert round(quality["kish"], 4) == 1.0517
    assert quality["kish_base"] == pytest.approx(1)
    assert quality["largest_relative_difference"] < 1e-12


def test_margins_on_which_raking_by_turns_did_not_end_are_met(tmp_path: Path) -> None:
    """Framework §10.2: a joint margin and a third, published as not ending in 30 rounds of raking by turns.

    The totals are those of all 6,194 schools (`apipop` of the R package); published are mean and error of calibration.
    """
    joint = {"E:No": 472, "E:Yes": 3949, "H:No": 334, "H:Yes": 421, "M:No": 266, "M:Yes": 752}
    text = controls(**{"stype:sch.wide": joint, "comp.imp": {"No": 1712, "Yes": 4482}})
    assert run(tmp_path, ORACLE / "apiclus1.csv", CLUSTERS + STATISTICS, text).is_fit
    assert made(tmp_path, "margins")["relative_difference"].abs().max() < 1e-12
    found = made(tmp_path, "estimates").fillna({"domain": ""}).set_index(["stat", "domain"])
    assert round(found.loc[("mean(api00)", ""), "estimate"], 2) == 642.61
    assert round(found.loc[("mean(api00)", ""), "se"], 3) == 22.731


NUMBERS = {"stype": {"E": 4421, "H": 755, "M": 1018}, "api99": 3914069}
BOTH = {"stype": TYPES, "sch_wide": WIDE}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "strat_linear": (STRATA, NUMBERS, {"method": "linear"}),
    "strat_raking": (STRATA, NUMBERS, {"method": "raking"}),
    "strat_logit": (STRATA, NUMBERS, {"method": "logit", "lower": 0.9, "upper": 1.2}),
    "strat_linear_trunc": (STRATA, NUMBERS, {"method": "linear_trunc", "lower": 0.97, "upper": 1.035}),
    "strat_mixed": (STRATA, BOTH, {"method": "linear"}),
    "strat_poststratified": (STRATA, {"sch_wide": WIDE}, {"method": "raking"}),
    "clus1_linear": (CLUSTERS, BOTH, {"method": "linear"}),
    "clus1_raking": (CLUSTERS, BOTH, {"method": "raking"}),
    "clus1_rake": (CLUSTERS, BOTH, {"method": "raking"}),
    "clus1_logit": (CLUSTERS, BOTH, {"method": "logit", "lower": 0.5, "upper": 2.5}),
    "clus1_integrated": (CLUSTERS + 'household = "dnum"\n', {"stype": TYPES}, {"method": "linear"}),
    "clus1_poststratified": (CLUSTERS, {"stype": TYPES}, {"method": "linear"}),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_and_errors_are_those_of_r(case: str, tmp_path: Path) -> None:
    """`calibrate`, `rake` and `postStratify`, of strata and of clusters, in oracle.R; each to one in a million."""
    design, margins, options = CASES[case]
    source = ORACLE / f"api{case.split('_', maxsplit=1)[0]}.csv"
    has_jackknife = case in ("strat_linear", "strat_raking", "clus1_linear", "clus1_raking")
    design += 'replicates = "jackknife"\n' if has_jackknife else ""
    assert run(tmp_path, source, design + STATISTICS, controls(**margins), **options).is_fit
    g = pd.read_csv(ORACLE / "g_weights.csv").query("case == @case").set_index("id")["g"]
    ours = made(tmp_path, "weights").set_index("id")["g"]
    tolerance = 1e-8 if case != "clus1_rake" else 1e-6  # R's raking by turns ends at 1e-9 of a school
    assert np.abs(ours - g).max() < tolerance
    compare(tmp_path, case, "linearised", "estimate", "se")
    if has_jackknife:
        compare(tmp_path, case, "jackknife", "estimate", "se_replicate")


@pytest.mark.parametrize("case", ["strat", "clus1"])
def test_estimates_before_calibration_are_those_of_r(case: str, tmp_path: Path) -> None:
    design = (STRATA if case == "strat" else CLUSTERS) + STATISTICS
    run(tmp_path, ORACLE / f"api{case}.csv", design, controls(stype=TYPES))
    compare(tmp_path, f"{case}_none", "linearised", "estimate_base", "se_base")


def compare(folder: Path, case: str, variance: str, estimate: str, se: str) -> None:
    reference = pd.read_csv(ORACLE / "estimates.csv", keep_default_na=False, na_values=["NA"])
    reference = reference.query("case == @case and variance == @variance")
    reference = reference.assign(stat=reference["stat"].str.replace("sch_wide", "sch.wide"))
    found = made(folder, "estimates").fillna({"domain": ""})
    both = found.merge(reference, on=["stat", "domain"], suffixes=("", "_r"), validate="one_to_one")
    assert len(both) == len(reference) == 12
    assert np.abs(both[estimate] / both["estimate_r"] - 1).max() < 1e-8
    # A standard error that is zero in principle is what numbers leave over, here and there.
    assert (np.abs(both[se] - both["se_r"]) < 1e-6 * both["se_r"] + 1e-9 * both["estimate_r"].abs()).all()
    if estimate == "estimate":
        effects = both.dropna(subset=["deff_r"])
        assert (np.abs(effects["deff"] / effects["deff_r"] - 1) < 1e-6).all()
        assert len(effects) == (2 if variance == "linearised" else 0)


@pytest.mark.thorough
def test_r_says_today_what_the_fixture_says(tmp_path: Path) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed: its recorded values are used alone")
    done = subprocess.run(["Rscript", ORACLE / "oracle.R", tmp_path], capture_output=True, text=True, check=False)
    if done.returncode and "no package called" in done.stderr:
        pytest.skip("R is installed without its package `survey`: its recorded values are used alone")
    assert done.returncode == 0, done.stderr
    for name, keys in (("estimates", ["case", "variance", "stat", "domain"]), ("g_weights", ["case", "id"])):
        now, then = (pd.read_csv(where / f"{name}.csv").set_index(keys) for where in (tmp_path, ORACLE))
        assert now.index.equals(then.index)
        np.testing.assert_allclose(now.to_numpy(), then.to_numpy(), rtol=1e-6, atol=1e-6)


def test_a_bootstrap_is_near_the_linearised_error(tmp_path: Path) -> None:
    design = STRATA.replace('fpc = "fpc"\n', "") + 'replicates = "bootstrap"\nreplicate_count = 400\nseed = 7\n'
    run(tmp_path, ORACLE / "apistrat.csv", design + STATISTICS, controls(**NUMBERS), method="linear")
    found = made(tmp_path, "estimates").query("stat == 'mean(api00)' and domain.isna()").iloc[0]
    assert found["se_replicate"] == pytest.approx(found["se"], rel=0.15)
    before = made(tmp_path, "estimates")
    run(tmp_path, ORACLE / "apistrat.csv", design + STATISTICS, controls(**NUMBERS), method="linear")
    pd.testing.assert_frame_equal(before, made(tmp_path, "estimates"))


def test_a_stratum_with_one_cluster_may_be_adjusted_as_r_does(tmp_path: Path) -> None:
    """`options(survey.lonely.psu = "adjust")` in R 4.2 with survey 4.1-1 gives 209.05, and 63.5303951752 after calibration."""
    rows = [("a", 1, 10), ("a", 2, 14), ("a", 3, 9), ("b", 4, 20), ("c", 5, 30), ("c", 6, 26)]
    path = people(tmp_path, [{"id": i, "weight": 10, "s": s, "y": y, "x": "all"} for s, i, y in rows])
    design = PERSON + 'strata = "s"\n[[estimate]]\nstat = "total"\nvariable = "y"\n'
    refused = run(tmp_path, path, design, controls(x={"all": 60}))
    assert codes(refused) == {"CAL-07": 1, "CAL-10": 1}
    assert not refused.files
    text = design.replace("[[", 'lonely_clusters = "adjust"\n[[', 1)
    assert run(tmp_path, path, text, controls(x={"all": 60})).is_fit
    found = made(tmp_path, "estimates").iloc[0]
    assert round(found["se_base"], 2) == 209.05
    assert found["se"] == pytest.approx(63.5303951752, rel=1e-9)


# ---------------------------------------------------------------- labels


def test_labels_follow_the_standard_of_the_design(library: Library, tmp_path: Path) -> None:
    """Few clusters: not publishable by ECLAC 2023, unless the office answers for the degrees of freedom."""
    rows = [
        {"id": i, "weight": 100, "psu": i % 8, "sex": "FM"[i // 7 % 2], "x": "all", "y": 50 + i % 3} for i in range(400)
    ]
    path, extra = people(tmp_path, rows), '[[estimate]]\nstat = "mean"\nvariable = "y"\n'
    design = PERSON + 'clusters = "psu"\nknown_domains = true\n'
    for more, label in (("", "N"), ("df_justified = true\n", "R"), ('standard = "INE_CL_2020"\n', "N")):
        run(tmp_path, path, design + more + extra, controls(x={"all": 40_000}), standards=library.standards)
        (told,) = made(tmp_path, "estimates").to_dict("records")
        assert (told["reliability"], told["obs_status"], told["df"]) == (label, STATUS[label], 7)
    with pytest.raises(SetupError, match=r'standard "NONE" must be one of'):
        run(tmp_path, path, design + 'standard = "NONE"\n' + extra, controls(x={"all": 1}), standards=library.standards)


def test_a_known_total_has_no_error_and_is_reliable(library: Library, tmp_path: Path) -> None:
    rows = [{"id": i, "weight": 9, "sex": "FM"[i % 2]} for i in range(200)]
    path = people(tmp_path, rows)
    run(tmp_path, path, PERSON, controls(sex={"F": 1000, "M": 1000}), standards=library.standards)
    found = made(tmp_path, "estimates")
    assert found["se"].eq(0).all()
    assert found["reliability"].eq("R").all()
    assert found["estimate"].round(6).to_list() == [2000, 1000, 1000]


# ---------------------------------------------------------------- properties


@st.composite
def samples(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """A sample in which every combination of two variables is there, and margins of a population like it."""
    seed = draw(st.integers(0, 2**32 - 1))
    chance = np.random.default_rng(seed)
    levels = draw(st.tuples(st.integers(2, 4), st.integers(2, 5)))
    cells = [(f"a{one}", f"b{other}") for one in range(levels[0]) for other in range(levels[1])]
    count = len(cells) * draw(st.integers(2, 6))
    pick = chance.permutation(np.arange(count) % len(cells))
    frame = pd.DataFrame([cells[at] for at in pick], columns=["a", "b"])
    frame = frame.assign(id=np.arange(count), home=np.arange(count) // 3)
    frame["weight"] = chance.uniform(5, 50, count // 3 + 1)[frame["home"]]
    truth = frame["weight"] * chance.uniform(0.8, 1.25, frame["home"].max() + 1)[frame["home"]]
    return frame, {name: truth.groupby(frame[name]).sum().to_dict() for name in ("a", "b")}


@given(
    drawn=samples(),
    method=st.sampled_from(["linear", "raking", "logit", "linear_trunc"]),
    homes=st.sampled_from(["", 'household = "home"\n']),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_weights_meet_margins_within_bounds_and_are_one_in_a_household(
    drawn: tuple[pd.DataFrame, dict[str, dict[str, float]]],
    method: str,
    homes: str,
    tmp_path: Path,
) -> None:
    frame, margins = drawn
    frame.to_csv(tmp_path / "people.csv", index=False)
    bounds = {"lower": 0.7, "upper": 1.4} if method in ("logit", "linear_trunc") else {}
    result = run(tmp_path, tmp_path / "people.csv", PERSON + homes, controls(**margins), method=method, **bounds)
    assert result.is_fit
    weights = made(tmp_path, "weights").merge(frame, on="id", suffixes=("", "_base"))
    for name, levels in margins.items():
        for level, total in levels.items():
            assert weights.loc[weights[name] == level, "weight"].sum() == pytest.approx(total, rel=1e-7)
    if bounds:
        assert weights["g"].between(0.7 - 1e-12, 1.4 + 1e-12).all()
    if method == "raking":
        assert (weights["g"] > 0).all()
    if homes:
        assert weights.groupby("home")["weight"].nunique().eq(1).all()
    np.testing.assert_allclose(weights["g"] * weights["weight_base"], weights["weight"])


@pytest.mark.parametrize("slope", [0.3, 1.0, 3.0])
def test_bounds_are_met_where_plain_newton_runs_away(slope: float) -> None:
    """Bounds 0.9 and 6: undamped steps leave for good, halved ones arrive at the weights that made the totals."""
    x = np.column_stack([np.ones(300), np.random.default_rng(3).lognormal(0, 1, 300)])
    base, kept = np.full(300, 10.0), distance("logit", 0.9, 6)
    truth = kept.ratio(x @ np.array([-slope * np.median(x[:, 1]), slope]))
    totals = x.T @ (base * truth)
    solved = Margins(sparse.csr_array(x), totals).solve(base, kept)
    assert solved.is_met
    np.testing.assert_allclose(solved.g, truth, rtol=1e-9)
    scaled, multipliers = x / totals, np.zeros(2)
    with np.errstate(all="ignore"):
        for _ in range(50):
            u = scaled @ multipliers
            information = scaled.T @ ((base * kept.slope(u))[:, None] * scaled)
            if np.linalg.cond(information) > 1e15:
                break
            multipliers = multipliers + np.linalg.solve(information, 1 - scaled.T @ (base * kept.ratio(u)))
        missed = np.abs(1 - scaled.T @ (base * kept.ratio(scaled @ multipliers))).max()
    assert missed > 0.1


def test_kish_is_that_of_its_formula() -> None:
    weights = np.array([1.0, 2, 3, 4])
    assert kish(weights) == pytest.approx(1 + weights.var() / weights.mean() ** 2)


# ---------------------------------------------------------------- cells


ORIGINS = {"NAT": 60, "CO": 2, "VE": 40, "PE": 3}


def of_origins() -> list[dict[str, object]]:
    return [
        {"id": f"{origin}{i}", "weight": 10, "origin": origin}
        for origin, count in ORIGINS.items()
        for i in range(count)
    ]


def test_small_cells_go_to_the_level_that_they_name_or_to_their_neighbour(tmp_path: Path) -> None:
    path = people(tmp_path, of_origins())
    text = "variable,level,control_total,collapse_to\norigin,NAT,500,\norigin,CO,40,VE\norigin,VE,420,\norigin,PE,50,\n"
    result = run(tmp_path, path, PERSON + "collapse_below = 30\n", text)
    assert codes(result) == {"CAL-11": 1}
    found = made(tmp_path, "margins")
    assert found["level"].to_list() == ["NAT", "VE + CO + PE"]
    assert found["control_total"].to_list() == [500, 510]
    assert found["persons"].to_list() == [60, 45]


def test_cells_are_left_as_they_are_unless_it_is_asked(tmp_path: Path) -> None:
    result = run(
        tmp_path, people(tmp_path, of_origins()), PERSON, controls(origin={k: 10.0 * v for k, v in ORIGINS.items()})
    )
    assert codes(result) == {"CAL-10": 2}
    assert "origin=CO (2), origin=PE (3)" in {issue.found for issue in result.issues}


def test_a_joint_margin_is_of_its_combinations(tmp_path: Path) -> None:
    rows = [{"id": i, "weight": 1, "sex": "FM"[i % 2], "age": i // 2 % 3} for i in range(240)]
    joint = {f"{sex}:{age}": 100 + age for sex in "FM" for age in range(3)}
    assert run(tmp_path, people(tmp_path, rows), PERSON, controls(**{"sex:age": joint})).is_fit
    assert made(tmp_path, "margins").set_index("level")["calibrated_total"].round(9).to_dict() == joint


# ---------------------------------------------------------------- files


def test_csv_parquet_spss_and_stata_say_the_same(tmp_path: Path) -> None:
    frame = pd.read_csv(ORACLE / "apiclus1.csv").rename(columns={"sch.wide": "wide", "comp.imp": "met"})
    frame.to_csv(tmp_path / "a.csv", index=False, sep=";")
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet")
    pyreadstat.write_sav(frame, tmp_path / "a.sav")
    pyreadstat.write_dta(frame, tmp_path / "a.dta")
    text = controls(stype=TYPES, wide=WIDE)
    found = []
    for kind in ("csv", "parquet", "sav", "dta"):
        before = (tmp_path / f"a.{kind}").read_bytes()
        assert run(tmp_path / kind, tmp_path / f"a.{kind}", CLUSTERS, text).is_fit
        assert (tmp_path / f"a.{kind}").read_bytes() == before
        found.append(made(tmp_path / kind, "weights"))
        assert (tmp_path / kind / "out/weights.csv").read_text().splitlines()[1].startswith('"1",')
    for other in found[1:]:
        np.testing.assert_allclose(other["weight"], found[0]["weight"], rtol=1e-10)
    assert (tmp_path / "csv/out/estimates.csv").read_text().startswith("method,stat,domain,estimate,se,cv_percent,")


def test_categories_stay_as_they_are_written(tmp_path: Path) -> None:
    """Namibia, Norway and a zero in front are categories like any other."""
    rows = [{"id": i, "weight": 2, "origin": ("NA", "NO", "004")[i % 3]} for i in range(120)]
    result = run(tmp_path, people(tmp_path, rows), PERSON, controls(origin={"NA": 90, "NO": 80, "004": 70}))
    assert result.is_fit
    assert pd.read_csv(tmp_path / "out/margins.csv", dtype=str, keep_default_na=False)["level"].to_list() == [
        "NA",
        "NO",
        "004",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.xlsx", b"PK"),
        ("people.parquet", b"not parquet"),
        ("people.sav", b"Ana Perez, 12345678"),
        ("people.dta", b""),
        ("people.csv", b"\xff\xfe\x00"),
        ("people.csv", b""),
        ("people.csv", b'id,weight,sex\n1,1,F\n2,"Ana Perez'),
        ("people.csv", b"id,weight,sex\n1,1,F\n2,Ana Perez\n"),
    ],
)
def test_a_file_that_is_no_microdata_is_told_in_words(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{re.escape(name)}: .*Expected Parquet") as caught:
        run(tmp_path, path, PERSON, controls(sex={"F": 1}))
    assert "Ana" not in str(caught.value)
    with pytest.raises(InputError, match="there is no such file"):
        run(tmp_path, tmp_path / "none.csv", PERSON, controls(sex={"F": 1}))


@pytest.mark.parametrize(
    ("design", "text", "told"),
    [
        ('weight = "w"\n', "", "weight"),
        (PERSON + 'clusters = ["a"]\n', "", "clusters must be a word"),
        (PERSON + 'replicates = "many"\n', "", 'replicates "many" must be one of none, jackknife, bootstrap'),
        (PERSON + '[[estimate]]\nstat = "median"\nvariable = "y"\n', "", 'stat "median" must be one of'),
        (PERSON + '[[estimate]]\nstat = "share"\nvariable = "y"\n', "", "written column=category"),
        (PERSON + '[[estimate]]\nstat = "mean"\n', "", "a mean needs its variable"),
        (PERSON, "variable,level\nsex,F\n", "columns must be variable, level, control_total"),
        (PERSON, "variable,level,control_total\nsex,F,many\n", 'row 2: control_total "many" must be a number above 0'),
        (PERSON, "variable,level,control_total\nsex,F,-4\n", "must be a number above 0"),
        (PERSON, "variable,level,control_total\nsex,F,4\nsex,F,4\n", 'row 3: the control "sex=F" stands there twice'),
        (PERSON, "variable,level,control_total\n", "there is no control"),
    ],
)
def test_a_design_or_controls_that_are_wrong_are_refused(design: str, text: str, told: str, tmp_path: Path) -> None:
    path = people(tmp_path, [{"id": 1, "weight": 1, "sex": "F", "y": 1}])
    with pytest.raises(SetupError, match=re.escape(told)):
        run(tmp_path, path, design, text or controls(sex={"F": 1}))


@pytest.mark.parametrize(
    "options",
    [
        {"method": "magic"},
        {"method": "raking", "lower": 0.5},
        {"method": "logit", "lower": 1.2, "upper": 3},
        {"method": "logit", "lower": 0.5, "upper": 0.9},
        {"method": "linear_trunc", "lower": -1},
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    path = people(tmp_path, [{"id": 1, "weight": 1, "sex": "F"}])
    with pytest.raises(SetupError, match="--"):
        run(tmp_path, path, PERSON, controls(sex={"F": 1}), **options)


# ---------------------------------------------------------------- what cannot be met


def test_bounds_without_a_solution_name_the_worst_control(tmp_path: Path) -> None:
    rows = [{"id": i, "weight": 10, "sex": "FM"[i % 2], "origin": "NAT" if i % 10 else "VE"} for i in range(400)]
    margins = {"sex": {"F": 2000, "M": 2000}, "origin": {"NAT": 2000, "VE": 2000}}
    for method in ("logit", "linear_trunc"):
        result = run(tmp_path, people(tmp_path, rows), PERSON, controls(**margins), method=method)
        (issue,) = [issue for issue in result.issues if issue.severity == "E"]
        assert (issue.code, issue.found) == ("CAL-13", "origin=VE")
        assert issue.expected.startswith("0.33 … 3")
        assert not result.files
        assert not (tmp_path / "out").exists()


def test_raking_that_cannot_end_names_its_control(tmp_path: Path) -> None:
    rows = [("F", "NAT")] * 40 + [("M", "NAT")] * 40 + [("M", "VE")] * 40
    path = people(tmp_path, [{"id": i, "weight": 1, "sex": s, "origin": o} for i, (s, o) in enumerate(rows)])
    result = run(tmp_path, path, PERSON, controls(sex={"F": 80, "M": 40}, origin={"NAT": 50, "VE": 70}))
    assert codes(result) == {"CAL-13": 1}
    assert result.issues[0].found in ("sex=F", "sex=M", "origin=NAT", "origin=VE")


def test_margins_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    rows = [{"id": i, "weight": 1, "sex": "FM"[i % 2], "half": i % 2} for i in range(100)]
    path = people(tmp_path, rows)
    result = run(tmp_path, path, PERSON, controls(sex={"F": 50, "M": 50}, half={"0": 60, "1": 41}))
    assert [issue.found for issue in result.issues] == ["sex 100, half 101"]
    result = run(tmp_path, path, PERSON, controls(sex={"F": 50, "M": 50}, half={"0": 60, "1": 40}))
    assert codes(result) == {"CAL-12": 1}
    assert "half=0" in result.issues[0].found


def test_linear_weights_below_zero_are_told(tmp_path: Path) -> None:
    rows = [{"id": i, "weight": 10, "y": i % 10} for i in range(100)]
    path = people(tmp_path, [{**row, "x": "all"} for row in rows])
    result = run(tmp_path, path, PERSON, controls(x={"all": 1000}, y=8500), method="linear")
    assert result.is_fit
    assert codes(result)["CAL-14"] == (made(tmp_path, "weights")["g"] < 0).sum() > 0
    assert run(tmp_path, path, PERSON, controls(x={"all": 1000}, y=8500), method="raking").is_fit
    assert (made(tmp_path, "weights")["g"] > 0).all()


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = people(tmp_path, of_origins())
    text = controls(origin={k: 10.0 * v for k, v in ORIGINS.items()})
    run(tmp_path, path, PERSON, text)
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipeline.methods.survey.results.estimates", fail)
    with pytest.raises(MemoryError):
        run(tmp_path, path, PERSON, text.replace("600", "700"))
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before


# ---------------------------------------------------------------- persons


@pytest.mark.parametrize("column", ["nombre", "apellido_paterno", "rut", "cpf", "full_name", "email"])
def test_what_names_people_is_refused_and_not_read(column: str, tmp_path: Path) -> None:
    path = people(tmp_path, [{"id": 1, "weight": 1, "sex": "F", column: "Ana"}])
    result = run(tmp_path, path, PERSON, controls(sex={"F": 1}))
    assert codes(result) == {"CAL-02": 1}
    assert not result.files


def test_no_answer_of_a_person_is_in_an_output_or_a_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What persons answered reaches no file, and what a column of words holds reaches no message."""
    answer = "told in confidence by one person"
    rows = [
        {"id": i, "weight": 1, "sex": "FM"[i % 2], "said": answer if i == 7 else "", "y": 123456.789 if i == 7 else 1}
        for i in range(100)
    ]
    path = people(tmp_path, rows)
    (tmp_path / "design.toml").write_text(PERSON + '[[estimate]]\nstat = "mean"\nvariable = "y"\n')
    command = ["pipeline", "survey", "--input", str(path), "--design", str(tmp_path / "design.toml")]
    command += ["--controls", str(tmp_path / "controls.csv"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", command)
    for text, code in ((controls(sex={"F": 60, "M": 60}), 0), (controls(said={"nothing": 100}), 1)):
        (tmp_path / "controls.csv").write_text(text)
        assert main() == code
    told = capsys.readouterr()
    everything = told.out + told.err + caplog.text
    everything += "".join(each.read_text() for each in (tmp_path / "out").rglob("*") if each.is_file())
    assert "CAL-08" in told.out
    assert answer not in everything
    assert "123456.789" not in everything
    assert set(made(tmp_path, "weights").columns) == {"id", "g", "weight"}
