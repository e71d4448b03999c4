"""A new country in an afternoon: the folder, the draft of a layout, and how often the guess is right."""

from __future__ import annotations

import shutil
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import commands, run, scaffold
from pipeline import library as library_
from pipeline.draft import _signs, draft, letters, words
from pipeline.errors import InputError, SetupError
from pipeline.grid import grid
from pipeline.model import Library
from pipeline.read import read

ROOT = Path(__file__).parents[1]
# The floor; the guess is right for all 53 tables of the repository, on whose headings its words were chosen.
FLOOR = {
    "sheet": 0.95,
    "header": 0.95,
    "values": 0.95,
    "encoding": 1,
    "delimiter": 1,
    "stop": 0.95,
    "component": 0.9,
    "no other component": 0.9,
}
UNSEEN = "Região de residência;Género;Faixa etária;Nacionalidade;2021;2022\nNorte;Homem;Total;Venezuela;1.250,5;n.d.\nSul;Mulher;Total;Cuba;17,25;31\n"


@pytest.mark.thorough
def test_the_guess_against_the_layouts_of_the_repository(library: Library) -> None:
    known, right, asked = words(ROOT / "metadata/headings.csv"), Counter[str](), Counter[str]()
    for country in library.countries.values():
        bare = replace(country, codes=(), series={})
        for series in country.series.values():
            for file in dict.fromkeys(layout.file for layout in series.layouts):
                path = ROOT / "data" / country.area / file
                found = draft(path, bare, library.dataflows[series.flow], known)
                mine = [layout for layout in series.layouts if layout.file == file]
                layout = next((each for each in mine if each.sheet == found.sheet), mine[0])
                want = {c: v for c, v in (layout.labels | layout.headings).items() if c != "REF_DATE"}
                got = found.labels | {c: str(row) for c, row in found.headings.items()}
                content, is_text = path.read_bytes(), path.suffix == ".csv"
                facts = {
                    "sheet": found.sheet == layout.sheet,
                    "header": found.header == layout.header,
                    "values": found.values == grid(read(path.parent, layout), layout).values,
                    "encoding": not is_text or content.decode(found.encoding) == content.decode(layout.encoding),
                    "delimiter": found.delimiter == layout.delimiter,
                    "stop": found.stop == layout.stop,
                    "no other component": got.keys() <= want.keys(),
                }
                right.update({name: int(fact) for name, fact in facts.items()})
                asked.update(facts.keys())
                right["component"] += sum(got.get(c) == v for c, v in want.items())
                asked["component"] += len(want)
    assert asked["sheet"] > 50
    assert {name: right[name] / asked[name] for name in FLOOR if right[name] / asked[name] < FLOOR[name]} == {}


def test_a_table_it_has_not_seen(office: Path) -> None:
    loaded = library_.load(office)
    country = replace(loaded.countries["XX"], language="pt", codes=())
    path = office / "nova.csv"
    path.write_text(UNSEEN, encoding="cp1252")
    found = draft(path, country, loaded.dataflows["DF_STOCK"], words(ROOT / "metadata/headings.csv"))
    assert (found.encoding, found.delimiter, found.decimal, found.thousands) == ("cp1252", ";", ",", ".")
    assert (found.header, found.values, found.marks) == ((1,), (5, 6), ("n.d.",))
    assert found.headings == {"TIME_PERIOD": 1}
    assert found.labels["SEX"] == "Género"
    assert found.labels["CITIZENSHIP"] == "Nacionalidade"
    assert found.labels["REF_AREA"] == "Região de residência"


def test_the_draft_becomes_a_layout_that_reads(office: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sent" / "cuadro.csv"
    sample.parent.mkdir()
    sample.write_text(
        "País de nacimiento;Sexo;Año;Personas\nVenezuela;Mujer;2023;1.200\nCuba;Hombre;2023;15\n", encoding="cp1252"
    )
    before = sample.read_bytes()
    said = scaffold.new_country(office, "UY", library_.load(office), sample=sample, flow="DF_STOCK")
    assert "made  a row of metadata/agencies.csv: MIGLAC.UY" in said
    assert sample.read_bytes() == before
    assert library_.load(office).countries["UY"].series == {}, "a draft holds nothing up"
    folder = office / "metadata/national/UY"
    text = (folder / "DF_STOCK.toml.draft").read_text(encoding="utf-8")
    table = tomllib.loads(text)["table"][0]
    assert table["labels"] == {"COUNTRY_BIRTH": "País de nacimiento", "SEX": "Sexo", "TIME_PERIOD": "Año"}
    assert table["values"] == ["Personas"]
    assert f"the {text.count('TODO')} places" in " ".join(said)
    (folder / "DF_STOCK.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=r"UY/DF_STOCK\.toml: provider \"TODO\" does not exist"):
        library_.load(office)
    for was, now in {
        'provider = "TODO"': 'provider = "NSO_UY"',
        'licence = "TODO"': 'licence = "CC-BY-4.0"',
        'SOURCE_TYPE = "TODO"': 'SOURCE_TYPE = "CEN"',
        'MIG_MEASURE = "TODO"': 'MIG_MEASURE = "STK_POP"',
        'en = "TODO"': 'en = "Census"',
    }.items():
        assert was in text
        text = text.replace(was, now)
    (folder / "DF_STOCK.toml").write_text(text, encoding="utf-8")
    loaded = library_.load(office)
    frame = run.receive(office, loaded.countries["UY"].series["DF_STOCK"], loaded).frame
    assert frame[["COUNTRY_BIRTH", "SEX", "TIME_PERIOD"]].astype(str).to_numpy().tolist() == [
        ["VE", "F", "2023"],
        ["CU", "M", "2023"],
    ]
    assert frame["OBS_VALUE"].to_list() == [1200, 15]


@pytest.mark.parametrize(("area", "language"), [("UY", "es"), ("BR", "pt"), ("JM", "en"), ("HT", "en")])
def test_the_language_is_guessed_and_the_folder_loads(office: Path, area: str, language: str) -> None:
    assert commands.new_country(office, area=area, sample=None, flow="") == 0
    assert library_.load(office).countries[area].language == language
    assert (office / "metadata/national" / area / "codes.csv").read_text() == "component,column,label,code,note\n"
    assert (office / "data" / area).is_dir()


def test_nothing_is_written_over(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        path
        for path in sorted((office / "metadata").rglob("*")) + sorted((office / "data").rglob("*"))
        if path.is_file()
    ]
    before = {path: path.read_bytes() for path in files}
    sample = office / "data/XX/entradas.csv"
    assert commands.new_country(office, area="XX", sample=sample, flow="DF_BORDER") == 0
    assert {path: path.read_bytes() for path in files} == before
    assert "kept  metadata/national/XX/country.toml" in capsys.readouterr().out
    other = office / "entradas.csv"
    shutil.copy(office / "data/XX/cuadro_1.xlsx", other)
    with pytest.raises(SetupError, match=r"data/XX/entradas\.csv: another file of this name is there"):
        commands.new_country(office, area="XX", sample=other, flow="DF_BORDER")


def test_what_cannot_be_done_says_so(office: Path) -> None:
    text, broken = office / "text.csv", office / "broken.xlsx"
    text.write_text("a,b\nc,d\n")
    broken.write_bytes(b"PK")
    cases: list[tuple[type[Exception], str, dict[str, object]]] = [
        (SetupError, "is not a country of CL_AREA", {"area": "Q9", "sample": None, "flow": ""}),
        (SetupError, "is not a dataflow", {"area": "UY", "sample": text, "flow": "DF_NONE"}),
        (SetupError, "needs its dataflow", {"area": "UY", "sample": text, "flow": ""}),
        (SetupError, "there is no such file", {"area": "UY", "sample": office / "none.csv", "flow": "DF_STOCK"}),
        (InputError, "no row with figures", {"area": "UY", "sample": text, "flow": "DF_STOCK"}),
        (InputError, "not a workbook that can be opened", {"area": "UY", "sample": broken, "flow": "DF_STOCK"}),
    ]
    for kind, told, arguments in cases:
        with pytest.raises(kind, match=told):
            commands.new_country(office, **arguments)  # type: ignore[arg-type]
    assert not (office / "metadata/national/UY").exists(), "nothing is made before the sample is read"


def test_signs_and_letters() -> None:
    assert _signs(["1.234,5"]) == (",", ".")
    assert _signs(["2,533.910907"]) == (".", ",")
    assert _signs(["62,3", "1"]) == (",", ".")
    assert letters([2, 3, 4, 6]) == "B:D,F:F"


def test_a_dataflow_begins_from_another(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = library_.load(office).dataflows
    assert commands.new_dataflow(office, identifier="DF_HOUSING", like="DF_LABOUR") == 0
    folder = office / "dsd/DF_HOUSING"
    text = (folder / "structure.toml.draft").read_text(encoding="utf-8")
    assert f"the {text.count('TODO')} texts" in capsys.readouterr().out
    assert text.count("TODO") == 9
    assert library_.load(office).dataflows.keys() == before.keys(), "a draft holds nothing up"
    (folder / "structure.toml").write_text(text, encoding="utf-8")
    made, like = library_.load(office).dataflows["DF_HOUSING"], before["DF_LABOUR"]
    assert (made.structure.id, made.regions, made.protection) == (like.structure.id, like.regions, like.protection)
    mine = (folder / "protect.toml").read_text(encoding="utf-8") + "# mine\n"
    (folder / "protect.toml").write_text(mine, encoding="utf-8")
    commands.new_dataflow(office, identifier="DF_HOUSING", like="DF_STOCK")
    assert (folder / "protect.toml").read_text(encoding="utf-8") == mine


@pytest.mark.parametrize(
    ("identifier", "like", "told"),
    [("../x", "DF_STOCK", "cannot name a dataflow"), ("DF_HOUSING", "DF_NONE", "is not a dataflow")],
)
def test_a_dataflow_that_cannot_be(office: Path, identifier: str, like: str, told: str) -> None:
    with pytest.raises(SetupError, match=told):
        commands.new_dataflow(office, identifier=identifier, like=like)
