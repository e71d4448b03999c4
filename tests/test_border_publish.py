"""A worked example: crossings of a fictional country become published, protected tables with provisional figures."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest
from lxml import html
from office import build_office, figures, take_in

from pipeline import library as authored
from pipeline.catalogue import border as page
from pipeline.commands import publish
from pipeline.framework import LANGUAGES
from pipeline.methods.border import Asked, border, synthetic
from pipeline.methods.border.rule import CATEGORIES
from pipeline.texts import texts

pytestmark = pytest.mark.thorough  # a whole publication

ROOT = Path(__file__).parents[1]
END = "2025-12-31"
BASE = """component,year,citizenship,sex,persons
STK_POP,2022,XX,F,400000
STK_POP,2022,XX,M,390000
STK_POP,2022,PE,F,9000
STK_POP,2022,PE,M,9500
CMP_BIRTH,2023,XX,F,4000
CMP_DEATH,2023,XX,F,3000
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office whose border records went through the method and were published with its other tables."""
    folder = tmp_path_factory.mktemp("border")
    office = build_office(folder / "office")
    synthetic.write(folder / "crossings.parquet", 25_000, seed=11, start="2021-01-01", end=END)
    (folder / "base.csv").write_text(BASE)
    asked = Asked(
        folder / "crossings.parquet",
        folder / "run",
        END,
        area="XX",
        provider="INF",
        base=folder / "base.csv",
        permitted_days=180,
        sensitivity=True,
        phrases=authored.load(office).phrases,
    )
    assert border(asked).is_fit
    take_in(office, folder / "run", "DF_FLOW")
    assert publish(office, areas=[], flows=[], is_dry=False) == 0
    return office


def total(row: dict[str, str], *shown: str) -> bool:
    rest = {"SEX", "AGE", "CITIZENSHIP", "COUNTERPART_AREA", "TRANSPORT_MODE", "TRAVELLER_TYPE"} - set(shown)
    return all(row[name] in ("_T", "_Z") for name in rest & row.keys())


def test_recent_months_are_provisional_and_older_ones_are_not(office: Path) -> None:
    rows = [row for row in figures(office, "DF_FLOW") if row["MIG_MEASURE"] in ("FLW_IN", "FLW_OUT")]
    monthly = {row["TIME_PERIOD"]: row["OBS_STATUS"] for row in rows if row["FREQ"] == "M" and total(row)}
    assert monthly["2023-06"] == "A"
    assert monthly["2025-12"] == "P"
    assert min(monthly) == "2022-06"  # a window of 487 days after the first record
    assert {row["METHOD"] for row in rows} == {"R12_16"}
    assert {row["RES_CRITERION"] for row in rows} == {"M12_16"}


def test_flows_are_those_of_the_run(office: Path) -> None:
    """Months without undecided crossings carry what flows.csv counts; the year is the sum of its months."""
    with (office.parent / "run/flows.csv").open(encoding="utf-8", newline="") as file:
        decided: dict[tuple[str, str], int] = defaultdict(int)
        for row in csv.DictReader(file):
            decided[row["month"], row["direction"]] += int(row["migrants"])
    rows = [row for row in figures(office, "DF_FLOW") if total(row)]
    monthly = {(row["TIME_PERIOD"], row["MIG_MEASURE"]): float(row["OBS_VALUE"]) for row in rows if row["OBS_VALUE"]}
    for month in ("2023-01", "2023-06", "2023-12"):
        assert monthly[month, "FLW_IN"] == decided[month, "A"]
        assert monthly[month, "FLW_OUT"] == decided[month, "D"]
    year = sum(
        value for (period, measure), value in monthly.items() if measure == "FLW_IN" and period.startswith("2023-")
    )
    assert monthly["2023", "FLW_IN"] == year
    assert monthly["2025-11", "FLW_IN"] > decided["2025-11", "A"]  # some that are not decided will stay


def test_the_stock_is_carried_forward_from_its_base(office: Path) -> None:
    stock = {row["TIME_PERIOD"]: row for row in figures(office, "DF_STOCK") if total(row)}
    shown = [row for row in figures(office, "DF_FLOW") if total(row) and row["OBS_VALUE"]]
    flows = {(row["TIME_PERIOD"], row["MIG_MEASURE"]): float(row["OBS_VALUE"]) for row in shown}
    before = float(stock["2022"]["OBS_VALUE"])
    assert before == 808_500
    change = flows["2023", "FLW_IN"] - flows["2023", "FLW_OUT"] + 4000 - 3000
    assert float(stock["2023"]["OBS_VALUE"]) == before + change
    assert (stock["2023"]["OBS_STATUS"], stock["2025"]["OBS_STATUS"]) == ("A", "P")


def test_small_counts_are_withheld_as_in_any_table(office: Path) -> None:
    for flow in ("DF_FLOW", "DF_BORDER"):
        rows = figures(office, flow)
        shown = [float(row["OBS_VALUE"]) for row in rows if row["OBS_VALUE"]]
        assert not [value for value in shown if 0 < value < 5]
        assert any(row["OBS_STATUS"] == "Q" for row in rows)


def test_crossings_add_up_and_overstays_are_told(office: Path) -> None:
    rows = [row for row in figures(office, "DF_BORDER") if row["OBS_VALUE"]]
    assert {row["MIG_MEASURE"] for row in rows} >= {"CRS_IN", "CRS_OUT", "CRS_UNM", "BRD_OVER"}
    month = [row for row in rows if row["TIME_PERIOD"] == "2024-03" and row["MIG_MEASURE"] == "CRS_IN"]
    whole = next(float(row["OBS_VALUE"]) for row in month if total(row))
    by_mode = sum(float(row["OBS_VALUE"]) for row in month if total(row, "TRANSPORT_MODE") and not total(row))
    assert by_mode == whole


def test_quality_stands_in_the_reference_metadata(office: Path) -> None:
    described = json.loads((office / "build/public/packages/DF_FLOW/XX/metadata.json").read_text(encoding="utf-8"))
    said = json.dumps(described, ensure_ascii=False)
    quality = dict(pd.read_csv(office.parent / "run/quality.csv", dtype=str).itertuples(index=False))
    assert f"{quality['matched_rate_percent']} per cent of recorded crossings have their match" in said
    assert f"{quality['persons_imputed_percent']} por ciento de las personas" in said


def test_the_method_has_a_page_with_a_drawing_in_every_language(office: Path) -> None:
    outcomes = {"en": "Immigration", "es": "Inmigración", "pt": "Imigração"}
    for lang, immigration in outcomes.items():
        drawn = html.document_fromstring((office / f"build/public/{lang}/border/index.html").read_bytes())
        assert len(drawn.xpath("//figure[contains(@class, 'timeline')]//svg[@role='img']")) == 3
        first, second, third = drawn.xpath("//figure//tbody")
        assert first.xpath("string(./tr[1]/td[last()])") == immigration
        assert immigration not in second.text_content() + third.text_content()
        assert len(drawn.xpath("//svg")[0].xpath(".//rect[@class='fill']")) >= 1
        about = html.document_fromstring((office / f"build/public/{lang}/about/index.html").read_bytes())
        assert [each for each in about.xpath("//main//a/@href") if each.endswith("border/index.html")]


def test_the_three_rules_are_side_by_side(office: Path) -> None:
    table = pd.read_csv(office.parent / "run/sensitivity.csv")
    arrivals = table[(table["direction"] == "A") & (table["year"] == 2023) & (table["imputed_at"] == "midpoint")]
    counts = arrivals.set_index("method")["migrants"]
    assert counts["R9_12"] > counts["R12_16"] > counts["R12_12"] > 0
    assert set(table["imputed_at"]) == {"midpoint", "earliest", "latest"}


def test_words_of_the_page_are_the_same_in_every_language() -> None:
    said = [texts("border", lang) for lang in LANGUAGES]
    assert said[0].keys() == said[1].keys() == said[2].keys()
    for part in ("people", "told", "directions", "categories"):
        assert said[0][part].keys() == said[1][part].keys() == said[2][part].keys()
    assert tuple(said[0]["categories"]) == CATEGORIES
    assert said[0]["people"].keys() == said[0]["told"].keys() == page._PEOPLE.keys()
    places = [{key: re.findall(r"{\w+}", str(value)) for key, value in each.items()} for each in said]
    assert places[0] == places[1] == places[2]
    template = (ROOT / "site/templates/border.html").read_text(encoding="utf-8")
    module = (ROOT / "pipeline/catalogue/border.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\bb\.(\w+)", template)) | set(re.findall(r'said\["(\w+)"\]', module))
    assert said[0].keys() == named
