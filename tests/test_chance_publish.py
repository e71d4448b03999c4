"""Counts changed at random through whole releases: no true count stands in any byte, and all formats say the same."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from office import build_office
from test_leaks import FLOW, contents, deliver, figures, release, standing

from pipeline import altered

pytestmark = pytest.mark.thorough  # two releases for each method
_REASON = {"en": "Counts are changed at random.", "es": "Se alteran al azar.", "pt": "São alteradas ao acaso."}
_KEY = ["CITIZENSHIP", "SEX", "TIME_PERIOD"]


@dataclass(frozen=True)
class Published:
    """An office after its releases: true and published figures of each release, and what stands in the files."""

    office: Path
    method: str
    releases: tuple[pd.DataFrame, ...]
    found: dict[str, set[int]]


def by_chance(folder: Path, method: str) -> Path:
    """An office that changes its border crossings at random."""
    office = build_office(folder)
    shutil.rmtree(office / "metadata/national/XX/DF_STOCK.toml", ignore_errors=True)
    with (office / "metadata/national/XX/codes.csv").open("a", encoding="utf-8") as file:
        file.write("CITIZENSHIP,,Chilena,CL,\n")
    said = "\n".join(f'{lang} = "{text}"' for lang, text in _REASON.items())
    (office / f"dsd/{FLOW}/protect.toml").write_text(f'method = "{method}"\n\n[reason]\n{said}\n', encoding="utf-8")
    (office / "metadata/national/XX/revisions.csv").write_text(
        "flow,date,scope,reason_en,reason_es,reason_pt\n"
        f"{FLOW},2026-11-26,,Forms that came late,Formularios tardíos,Formulários tardios\n",
        encoding="utf-8",
    )
    return office


def revise(office: Path) -> None:
    """A million more of one nationality, and of the sum with it."""
    path = office / "data/XX/entradas.csv"
    *lines, chilean, foreign = path.read_text(encoding="latin-1").splitlines()
    for line in (chilean, foreign):
        start, _, count = line.rpartition(";")
        lines.append(f"{start};{int(count.replace('.', '')) + 1_000_001:,}".replace(",", "."))
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")


@pytest.fixture(scope="module", params=["random_rounding", "controlled_rounding", "cell_key"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two releases: the second has the figures of the first, but one and its sum."""
    office = by_chance(tmp_path_factory.mktemp("office"), request.param)
    secret = office / "secret"
    secret.write_bytes(b"a secret of the office of Fictionland\n")
    releases = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(altered.VARIABLE, str(secret))
        deliver(office, 1)
        for number in (1, 2):
            release(office, number)
            releases.append(figures(office).sort_values(_KEY, ignore_index=True))
            revise(office) if number == 1 else None
    every = pd.concat(releases)
    numbers = {*every["OBS_VALUE"].astype(float).astype(int), *every["OBS_VALUE received"].astype(int)}
    return Published(office, request.param, tuple(releases), standing(office, numbers))


def changed(table: pd.DataFrame) -> pd.Series:
    """By how much each figure was changed."""
    moved: pd.Series = table["OBS_VALUE"].astype(float) - table["OBS_VALUE received"]
    return moved


def test_every_figure_goes_out_and_some_are_changed(published: Published) -> None:
    for table in published.releases:
        assert len(table) == 16
        moved = changed(table)
        assert moved.abs().between(1, 2).sum() >= 6
        assert moved.abs().max() <= 2
        if published.method.endswith("rounding"):
            assert (table["OBS_VALUE"].astype(float) % altered.BASE == 0).all()
        assert set(table["CONF_STATUS"]) == {"F"}


def test_no_true_count_stands_in_any_byte(published: Published) -> None:
    every = pd.concat(published.releases)
    shown = set(every["OBS_VALUE"].astype(float).astype(int))
    true = set(every["OBS_VALUE received"].astype(int)) - shown
    assert len(true) >= 6, "of 16 and 2 more"
    assert {name: hits & true for name, hits in published.found.items() if hits & true} == {}


def test_what_would_check_a_guess_of_the_file_is_not_told(published: Published) -> None:
    checksum = hashlib.sha256((published.office / "data/XX/entradas.csv").read_bytes()).hexdigest().encode()
    public = published.office / "build/public"
    files = [path for path in public.rglob("*") if path.is_file()]
    assert not [path for path in files for _, data in contents(path.name, path.read_bytes()) if checksum in data]


def test_all_formats_have_the_same_changed_figures(published: Published) -> None:
    now = set(published.releases[-1]["OBS_VALUE"].astype(float).astype(int))
    names = ("csv", "xml", "json", "parquet", "jsonstat.json", "xlsx")
    folder = published.office / f"build/public/files/{FLOW}/XX"
    kinds = [path.name for path in folder.iterdir() if path.name.startswith("data") and path.name.endswith(names)]
    assert len(kinds) >= 6, sorted(path.name for path in folder.iterdir())
    for name in kinds:
        path = f"build/public/files/{FLOW}/XX/{name}"
        hits = set().union(*(each for file, each in published.found.items() if file.partition("!")[0] == path))
        assert hits >= now, name


def test_the_same_secret_gives_the_same_figures_in_the_next_release(published: Published) -> None:
    first, second = published.releases
    is_same = first["OBS_VALUE received"] == second["OBS_VALUE received"]
    assert is_same.sum() == 14
    assert (first["OBS_VALUE"] == second["OBS_VALUE"])[is_same].all()
    assert (first["OBS_VALUE"] != second["OBS_VALUE"])[~is_same].all()


def test_sums_hold_or_are_missed_without_holding_anything_back(published: Published) -> None:
    table = published.releases[-1].assign(value=lambda each: each["OBS_VALUE"].astype(float))
    by = table.pivot_table(index=["SEX", "TIME_PERIOD"], columns="CITIZENSHIP", values="value")
    holds = by["FOR"] == by.drop(columns="FOR").sum(axis=1)
    assert holds.all() if published.method == "controlled_rounding" else not holds.all()
    report = json.loads((published.office / f"build/public/reports/XX/{FLOW}.json").read_text(encoding="utf-8"))
    assert not [issue for issue in report["issues"] if issue["code"].startswith("ACC-")]


def test_metadata_pages_and_structures_say_the_method(published: Published) -> None:
    public = published.office / "build/public"
    said = json.loads((public / f"packages/{FLOW}/XX/metadata.json").read_text(encoding="utf-8"))
    assert said["method_of_protection"] == published.method
    told = said["description"]["fields"]["CONF_DATA_TR"]
    missed = {"en": "may not add up", "es": "pueden no sumar", "pt": "podem não somar"}
    held = {"en": "still add up", "es": "siguen sumando", "pt": "continuam somando"}
    for lang, text in (held if published.method == "controlled_rounding" else missed).items():
        assert told[lang].startswith(_REASON[lang])
        assert text in told[lang]
        page = (public / lang / f"data/{FLOW}/XX/index.html").read_text(encoding="utf-8")
        assert _REASON[lang] in page
        assert text in page
    noted = [
        path.name
        for path in (public / "sdmx").rglob("*")
        if path.is_file() and re.search(rb"METHOD_OF_PROTECTION", path.read_bytes())
    ]
    assert {Path(name).suffix for name in noted} >= {".xml", ".json"}
