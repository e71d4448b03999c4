# ruff: noqa: S608 (names of columns and codes of our own lists)
"""What reading, checking and writing the tables of an office takes at the least: python-calamine, DuckDB, nothing else.

    .venv/bin/python bench/floor.py FOLDER

Each workbook of an office that bench/generated.py made is read, its labels become codes, codes and keys are checked by
one query, and the figures are written as the formats of a release that DuckDB can write or join: two CSV, Parquet,
elements of XML twice, and JSON. There is no workbook, protection, metadata, description, page or report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from generated import AREA, TABLES, Table, labels
from python_calamine import CalamineWorkbook

from pipeline import library as library_
from pipeline.model import Library

_ELEMENT = "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"


def main(folder: Path) -> None:
    """Every table, one after the other."""
    library = library_.load(folder)
    target = folder / "floor"
    target.mkdir()
    for table in TABLES:
        _write(folder / "data" / AREA / table.file, table, library, target)


def _write(path: Path, table: Table, library: Library, target: Path) -> None:
    head, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    wide = pa.table(dict(zip(map(str, head), map(list, zip(*rows, strict=True)), strict=True)))
    del rows
    base = duckdb.connect()
    base.register("wide", wide)
    known = [(c, label, code) for c, own in labels(table, library).items() for label, code in own.items()]
    base.register("said", pa.table(dict(zip(("component", "label", "code"), zip(*known, strict=True), strict=True))))
    constants = {name: code for name, code in table.constants.items() if name not in table.columns}
    joins = " ".join(
        f"LEFT JOIN said AS s{c} ON s{c}.component = '{c}' AND s{c}.label = \"{c}\"" for c in table.columns
    )
    codes = ", ".join([*(f"s{c}.code AS {c}" for c in table.columns), *(f"'{v}' AS {k}" for k, v in constants.items())])
    periods = ", ".join(f'"{period}"' for period in table.periods)
    base.execute(
        f"""CREATE TABLE long AS SELECT {codes}, TIME_PERIOD, OBS_VALUE
        FROM (UNPIVOT wide ON {periods} INTO NAME TIME_PERIOD VALUE OBS_VALUE) {joins}"""
    )
    key = [*table.columns, *constants, "TIME_PERIOD"]
    lacking = " OR ".join(f"{name} IS NULL" for name in key)
    (faults,) = base.execute(f"SELECT count(*) FROM long WHERE {lacking} OR OBS_VALUE < 0").fetchone() or (1,)
    (repeated,) = base.execute(f"SELECT count(*) - count(DISTINCT ({', '.join(key)})) FROM long").fetchone() or (1,)
    assert not faults
    assert not repeated
    name = target / table.flow
    attributes = " || ".join(f"' {c}=\"' || {c} || '\"'" for c in (*key, "OBS_VALUE"))
    for form, options in (("1.csv", "(HEADER)"), ("2.csv", "(HEADER)"), ("parquet", ""), ("json", "")):
        base.execute(f"COPY long TO '{name}.{form}' {options}")
    for version in ("2.1", "3.0"):
        base.execute(f"COPY (SELECT '<Obs' || {attributes} || '/>' FROM long) TO '{name}-{version}.xml' {_ELEMENT}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
