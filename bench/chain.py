"""What an office would join by itself to publish its tables: pandas, Great Expectations, pysdmx, frictionless, Jinja2.

    .venv/bin/python bench/chain.py FOLDER

Each workbook of an office that bench/generated.py made is read and melted by pandas and recoded by dictionaries, judged by
Great Expectations (codes, blanks, keys), written as SDMX-CSV 2.0 and SDMX-ML 2.1 by pysdmx, as CSV, Parquet and workbook
by pandas, described and read back by frictionless, and shown as one page in each of three languages by Jinja2. There is no
protection, no SDMX 3.0 or JSON, no check of sums or of years, no static tree, no catalogue and no search.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

import frictionless
import msgspec
import pandas as pd
import pysdmx.io
from generated import AREA, TABLES, Table, labels
from jinja2 import Environment
from pysdmx.io.csv.sdmx20.writer import write as write_csv
from pysdmx.io.pd import PandasDataset
from pysdmx.io.xml.sdmx21.writer.structure_specific import write as write_ml

from pipeline import library as library_
from pipeline.framework import LANGUAGES
from pipeline.model import Library
from pipeline.structures import ml30
from pipeline.structures.artefacts import artefacts

_PAGE = """<!doctype html><html lang="{{ language }}"><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></body></html>"""
_SHOWN = 1000  # rows of a page


def main(folder: Path) -> None:
    """Every table, one after the other."""
    library = library_.load(folder)
    target = folder / "chain"
    target.mkdir()
    structures = target / "structures.xml"
    document = ml30.write(artefacts(library).all, message_id="S", prepared=dt.datetime.now(dt.UTC), sender="MIGLAC")
    structures.write_bytes(document)
    read = pysdmx.io.read_sdmx(structures, validate=False)
    engine = _engine()
    template = Environment(autoescape=True).from_string(_PAGE)
    for table in TABLES:
        frame = _received(folder / "data" / AREA / table.file, table, library)
        _judge(engine, frame, table, library)
        place = target / table.flow
        place.mkdir()
        _write(frame, read, library.dataflows[table.flow].structure.id, place)
        frame.to_csv(place / "data.csv", index=False)
        frame.to_parquet(place / "data.parquet")
        frame.to_excel(place / "data.xlsx", index=False, engine="xlsxwriter")
        _describe(place)
        for language in LANGUAGES:
            rows = frame.head(_SHOWN).to_numpy().tolist()
            page = template.render(language=language, title=table.flow, rows=rows)
            (place / f"{language}.html").write_text(page, encoding="utf-8")


def _received(path: Path, table: Table, library: Library) -> pd.DataFrame:
    wide = pd.read_excel(path, engine="calamine", dtype=dict.fromkeys(table.columns, str))
    frame = wide.melt(id_vars=list(table.columns), var_name="TIME_PERIOD", value_name="OBS_VALUE")
    for column, known in labels(table, library).items():
        frame[column] = frame[column].map(known)
    for name, code in table.constants.items():
        if name not in table.columns:
            frame[name] = code
    return frame


def _engine() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return (
        context.data_sources.add_pandas("tables")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
    )


def _judge(engine: Any, frame: pd.DataFrame, table: Table, library: Library) -> None:
    import great_expectations as gx
    from great_expectations import expectations as gxe

    structure = library.dataflows[table.flow].structure
    rules = [gxe.ExpectColumnValuesToBeBetween(column="OBS_VALUE", min_value=0)]
    for name in structure.key:
        listed = structure.components[name].codelist
        rules.append(gxe.ExpectColumnValuesToNotBeNull(column=name))
        if listed is not None:
            rules.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(listed.codes)))
    rules.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=list(structure.key)))
    batch = engine.get_batch(batch_parameters={"dataframe": frame})
    found = batch.validate(gx.ExpectationSuite(name=table.flow, expectations=rules), result_format="SUMMARY")
    assert found.success, found


def _write(frame: pd.DataFrame, read: Any, structure: str, place: Path) -> None:
    """SDMX by pysdmx. Its writer of series asks pandas for a list where it has a tuple of a group's dimensions."""
    definition = read.get_data_structure_definition(f"DataStructure=MIGLAC:{structure}(1.0.0)")
    for group in definition.groups:
        msgspec.structs.force_setattr(group, "dimensions", list(group.dimensions))
    data = PandasDataset(structure=definition.to_schema(), data=frame.astype(str))
    write_csv([data], output_path=str(place / "sdmx.csv"))
    write_ml([data], output_path=str(place / "sdmx.xml"), dimension_at_observation={data.short_urn: "TIME_PERIOD"})


def _describe(place: Path) -> None:
    with frictionless.system.use_context(trusted=True):
        package = frictionless.Package(resources=[frictionless.describe(str(place / "data.csv"))])
        package.to_json(str(place / "datapackage.json"))
        report = package.validate()
    assert report.valid, report.flatten(["type", "note"])[:3]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
