"""A worked example: a survey of a fictional country becomes published, protected tables that say how precise they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lxml import html
from office import build_office, figures, take_in

from pipeline import library as authored
from pipeline.commands import publish
from pipeline.methods.survey import Asked, survey

pytestmark = pytest.mark.thorough  # a whole publication

CONTROLS = """variable,level,control_total,collapse_to
origin:sex,1:1,2000000,
origin:sex,1:2,2050000,
origin:sex,2:1,160000,
origin:sex,2:2,170000,
origin:sex,3:1,41000,
origin:sex,3:2,39000,
origin:sex,4:1,600,3:1
origin:sex,4:2,400,3:2
area,1,2500000,
area,2,1961000,
"""
DESIGN = """
id = "folio"
weights = "factor"
strata = "stratum"
clusters = "psu"
household = "dwelling"
collapse_below = 30
replicates = "bootstrap"
replicate_count = 30
known_domains = true
controls_source = { en = "Register estimate", es = "Estimación de registros", pt = "Estimativa de registros" }
controls_date = "2024-06-30"

[codes.sex]
1 = "M"
2 = "F"

[codes.origin]
1 = "XX"
2 = "VE"
3 = "PE"
4 = "CO"

[codes.status]
1 = "EMP"
2 = "UNE"
3 = "OLF"

[[table]]
flow = "DF_LABOUR"
period = "2024"
dimensions = { SEX = "sex", COUNTRY_BIRTH = "origin", LABOUR_STATUS = "status" }

[table.constants]
SOURCE_TYPE = "SUR_LFS"
RES_CRITERION = "M12"
AGE = "Y_GE15"
REASON = "_T"
COUNTERPART_AREA = "_Z"

[[table]]
flow = "DF_SOCIO"
period = "2024"
measure = "SHR"
share_of = "EDUCATION_LEV"
dimensions = { EDUCATION_LEV = "level", COUNTRY_BIRTH = "origin" }

[table.constants]
RES_CRITERION = "M12"
AGE = "Y_GE15"
REASON = "_Z"
"""


def people(path: Path) -> None:
    """A sample in which few of the foreign-born answered: a third of their share of the population."""
    chance = np.random.default_rng(20)
    count = 6000
    home = np.arange(count) // 3
    psu = home // 20
    origin = np.where(chance.random(count) < 0.035, chance.choice([2, 3, 4], count, p=[0.74, 0.25, 0.01]), 1)
    frame = pd.DataFrame(
        {
            "folio": np.arange(1, count + 1),
            "factor": chance.uniform(500, 900, psu.max() + 1)[psu].round(3),
            "stratum": psu // 20,
            "psu": psu,
            "dwelling": home,
            "area": np.where(psu < 55, 1, 2),
            "sex": chance.integers(1, 3, count),
            "origin": origin,
            "status": np.where(
                origin > 1, chance.choice([1, 1, 1, 2, 3], count), chance.choice([1, 1, 2, 3, 3], count)
            ),
            "level": chance.choice(["AGG_0T2", "AGG_3T4", "ISCED11_5T8"], count),
        }
    )
    frame.to_parquet(path)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office whose survey went through the method and was published with its other tables."""
    folder = tmp_path_factory.mktemp("survey")
    office = build_office(folder / "office")
    people(folder / "people.parquet")
    (folder / "design.toml").write_text(DESIGN, encoding="utf-8")
    (folder / "controls.csv").write_text(CONTROLS, encoding="utf-8")
    loaded = authored.load(office)
    asked = Asked(
        folder / "people.parquet",
        folder / "design.toml",
        folder / "controls.csv",
        folder / "run",
        area="XX",
        provider="INF",
        phrases=loaded.phrases,
        standards=loaded.standards,
        dimensions={flow.id: flow.structure.dimensions for flow in loaded.dataflows.values()},
    )
    assert survey(asked).is_fit
    take_in(office, folder / "run", "DF_LABOUR", "DF_SOCIO")
    assert publish(office, areas=[], flows=[], is_dry=False) == 0
    return office


def cell(rows: list[dict[str, str]], **codes: str) -> dict[str, str]:
    wanted = {"SEX": "_T", "COUNTRY_BIRTH": "_T", "LABOUR_STATUS": "_T", "EDUCATION_LEV": "_T", **codes}
    (found,) = [row for row in rows if all(row[name] == code for name, code in wanted.items())]
    return found


def test_migrants_are_as_many_as_the_margins_say(office: Path) -> None:
    rows = figures(office, "DF_LABOUR")
    assert cell(rows)["OBS_VALUE"] == "4461000"
    foreign = cell(rows, COUNTRY_BIRTH="FOR")
    assert (foreign["OBS_VALUE"], foreign["RELIABILITY"], foreign["OBS_STATUS"]) == ("411000", "R", "A")
    margins = pd.read_csv(office.parent / "run/margins.csv")
    before = margins.loc[margins["level"].str.contains("^[234]:", na=False), "base_total"].sum()
    assert before < 200_000  # what the survey said of them by itself


def test_every_figure_carries_its_precision(office: Path) -> None:
    for flow in ("DF_LABOUR", "DF_SOCIO"):
        rows = figures(office, flow)
        assert {row["METHOD"] for row in rows} == {"CAL_RAKE"}
        assert {row["RELIABILITY"] for row in rows if row["OBS_VALUE"]} <= {"R", "W"}
        for row in rows:
            if row["OBS_VALUE"]:
                assert int(float(row["N_OBS"])) >= 30
                assert row["OBS_STATUS"] == {"R": "A", "W": "U"}[row["RELIABILITY"]]
                assert float(row["SE"]) == pytest.approx(float(row["CV"]) * float(row["OBS_VALUE"]), rel=0.01, abs=0.05)
    employed = cell(figures(office, "DF_LABOUR"), COUNTRY_BIRTH="FOR", LABOUR_STATUS="EMP")
    assert 0 < float(employed["CV"]) < 0.2


def test_what_is_not_publishable_has_no_value_and_no_error(office: Path) -> None:
    """Delivered without value and status Q; the ordinary protection takes the rest of what speaks of it."""
    delivered = pd.read_csv(office / "data/XX/DF_LABOUR.csv", dtype=str, keep_default_na=False)
    out = delivered[delivered["RELIABILITY"] == "N"]
    assert len(out)
    assert out["OBS_VALUE"].eq("Q").all()
    assert out["SE"].eq("").all()
    published = [row for row in figures(office, "DF_LABOUR") if row["OBS_STATUS"] == "Q"]
    assert len(published) >= len(out)
    assert not [row for row in published if row["OBS_VALUE"] or row["SE"]]


def test_shares_of_a_whole_add_to_a_hundred(office: Path) -> None:
    rows = figures(office, "DF_SOCIO")
    assert {row["UNIT_MEASURE"] for row in rows} == {"PT"}
    shares = [float(cell(rows, EDUCATION_LEV=level)["OBS_VALUE"]) for level in ("AGG_0T2", "AGG_3T4", "ISCED11_5T8")]
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_how_weights_were_made_stands_in_the_reference_metadata(office: Path) -> None:
    described = json.loads((office / "build/public/packages/DF_LABOUR/XX/metadata.json").read_text(encoding="utf-8"))
    said = json.dumps(described, ensure_ascii=False)
    quality = dict(pd.read_csv(office.parent / "run/diagnostics.csv", dtype=str).itertuples(index=False))
    for words in ("Register estimate; date: 2024-06-30", "Estimación de registros", "Estimativa de registros"):
        assert words in said
    assert f"run from {float(quality['g_p0']):.3f} to {float(quality['g_p100']):.3f}" in said
    assert "origin × sex, area" in said
    assert "30 bootstrap replicates were calibrated again" in said
    assert "ECLAC 2023" in said


def test_the_page_of_the_dataset_says_how_in_every_language(office: Path) -> None:
    quality = dict(pd.read_csv(office.parent / "run/diagnostics.csv", dtype=str).itertuples(index=False))
    for lang, words, label in (
        ("en", "The weights were adjusted by raking to 7 margins", "Reliable"),
        ("es", "Los ponderadores se ajustaron por raking a 7 márgenes", "Fiable"),
        ("pt", "Os pesos foram ajustados por raking a 7 margens", "Confiável"),
    ):
        page = html.document_fromstring(
            (office / f"build/public/{lang}/data/DF_LABOUR/XX/index.html").read_bytes()
        ).text_content()
        assert words in page
        assert f"{float(quality['kish']):.3f}" in page
        assert label in page


def test_no_record_of_a_person_leaves_the_office(office: Path) -> None:
    weights = pd.read_csv(office.parent / "run/weights.csv", dtype=str)
    assert len(weights) == 6000
    rare = {weight for weight in weights["weight"] if len(weight) > 12}
    for path in (office / "build").rglob("*"):
        if path.suffix in (".csv", ".json", ".xml", ".html", ".txt", ".log"):
            text = path.read_text(encoding="utf-8")
            assert "folio" not in text
            assert not [each for each in list(rare)[:50] if each in text], path
