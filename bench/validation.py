"""`make bench`: the rules of structure and domain on generated, valid tables, beside the floor and peers.

Every line is a process of its own. DuckDB is asked for what no validator can do without: each code looked up in
its list, and keys that stand twice counted. The peers are given what they can say: Great Expectations the whole
declared suite, vtlengine the rules of our VTL script, frictionless a schema with the same lists and primary key, sdmxthon
our structures in SDMX-ML 2.1. pysdmx has no validation of figures by their structure: it reads the table as SDMX-ML
2.1 with the validation that it has.
"""

from __future__ import annotations

import sys
from pathlib import Path

from run import measured

ROOT = Path(__file__).parents[1]
FRAME = f"""
import sys, warnings
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
warnings.simplefilter("ignore")
from dataclasses import replace
from pathlib import Path
import numpy as np, pandas as pd
import tables
from pipeline import library as library_
LIBRARY = tables.with_chile(library_.load(Path({str(ROOT)!r})))
FLOW = LIBRARY.dataflows["DF_STOCK"]
FLOW = replace(FLOW, rules=tuple(rule for rule in FLOW.rules if rule.id[:3] in ("STR", "DOM")))
def codes(component, pattern=None):
    codelist = FLOW.structure.components[component].codelist
    return sorted(codelist.select(pattern)) if pattern else sorted(codelist.codes)
def frame(rows):
    CHOICES = dict(
        REF_AREA=codes("REF_AREA", "CL/"), SEX=["_T", "F", "M"], AGE=codes("AGE")[:20],
        CITIZENSHIP=sorted({{*codes("CITIZENSHIP", "kind=country")}} - {{"CL"}}),
        COUNTRY_BIRTH=sorted({{*codes("COUNTRY_BIRTH", "kind=country")}} - {{"CL"}}),
        TIME_PERIOD=[str(year) for year in range(2010, 2020)])
    CONSTANTS = dict(FREQ="A", SOURCE_TYPE="CEN", MIG_MEASURE="STK_POP", COUNTERPART_AREA="_Z", DURATION="_T",
        REASON="_T", OBS_STATUS="A", CONF_STATUS="F", UNIT_MEASURE="PERS", UNIT_MULT="0", TIME_PER_COLLECT="E",
        RES_CRITERION="M12", REF_DATE="", METHOD="", SOURCE_OPERATION="Census", STAT_POP="Residents")
    sizes = [len(each) for each in CHOICES.values()]
    keys = np.unravel_index((np.arange(rows) * 7919) % np.prod(sizes), sizes)  # a prime: no key stands twice
    made = {{name: pd.Categorical.from_codes(key, found) for (name, found), key in zip(CHOICES.items(), keys)}}
    made |= {{name: pd.Categorical.from_codes(np.zeros(rows, np.int8), [code]) for name, code in CONSTANTS.items()}}
    made = pd.DataFrame(made).assign(OBS_VALUE=np.arange(rows) % 90_000 + 10.0, table=0,
        row=np.arange(rows, dtype=np.int32) + 2, column=np.int32(5), text="")
    made["TIME_PERIOD"] = made["TIME_PERIOD"].astype(str)
    made["REF_DATE"] = (made["TIME_PERIOD"] + "-12-31").astype("category")
    return made.assign(TIME_PERIOD=made["TIME_PERIOD"].astype("category"))
DATA = frame(ROWS)
RECEIVED = replace(tables.observations([{{}}], FLOW), frame=DATA)
CODED = [c for c in FLOW.structure.key if FLOW.structure.components[c].codelist is not None]
"""
PREPARED = """
import tempfile
from datetime import UTC, datetime
from pipeline.formats import formats
from pipeline.model import Description, Protected
from pipeline.structures import ml21
from pipeline.structures.artefacts import artefacts
HERE = Path(tempfile.mkdtemp())
TEXT = dict.fromkeys(("en", "es", "pt"), "x")
SAID = Description("CL", FLOW.id, TEXT, {}, (), (LIBRARY.licences["CC-BY-4.0"],), (), "2026-11-24.1", "2026-11-24")
FRAMEWORK = library_.load(Path(library_.__file__).parents[2])
(HERE / "structures.xml").write_bytes(ml21.write(
    artefacts(FRAMEWORK).all, message_id="S", prepared=datetime.now(UTC), sender=FRAMEWORK.agency))
"""
TASKS = {
    "ours, every rule STR and DOM": (
        "from pipeline.validate import validate",
        """
found = validate(RECEIVED, LIBRARY, day="2026-11-24")
wrong = {(issue.code, issue.component, issue.found) for issue in found.issues if issue.severity == "E"}
assert not wrong, wrong
""",
    ),
    "floor: DuckDB, lists and keys": (
        "import duckdb, pyarrow as pa\nTABLE = pa.Table.from_pandas(DATA[[*FLOW.structure.key, 'OBS_VALUE']])",
        """
made = duckdb.connect()
made.execute("SET threads = 2")
made.register("t", TABLE)
for component in CODED:
    made.register("codes", pa.table({"code": codes(component)}))
    assert made.execute(f"SELECT count(*) FROM t ANTI JOIN codes ON t.{component} = codes.code").fetchone() == (0,)
key = ", ".join(FLOW.structure.key)
asked = f"SELECT count(*) FROM (SELECT 1 FROM t GROUP BY {key} HAVING count(*) > 1)"
assert made.execute(asked).fetchone() == (0,)
""",
    ),
    "peer: Great Expectations": (
        """
from pipeline import suite
from pipeline.validate import validate
suite._ROWS = 10**9
REPORTS = {("CL", "DF_STOCK"): validate(RECEIVED, LIBRARY, day="2026-11-24")}
""",
        "suite.begin([RECEIVED], LIBRARY)(REPORTS)",
    ),
    "peer: vtlengine": (
        """
import vtlengine
from pipeline import vtl
from pipeline.validate import _filled
SCRIPT, NUMBERS, POINTS, COLUMNS = vtl.script(FLOW, LIBRARY).decode(), ("OBS_VALUE", "CV", "SE", "N_OBS"), {}, []
WHOLE = _filled(DATA, FLOW.structure)
for name in FLOW.structure.components.keys() - set(FLOW.structure.attributes("dataset")):
    is_key, is_number = name in FLOW.structure.key, name in NUMBERS
    COLUMNS.append(dict(name=name, role="Identifier" if is_key else "Measure", nullable=not is_key,
        type="Number" if is_number else "String"))
    words = WHOLE[name].astype("object")
    POINTS[name] = pd.to_numeric(words, errors="coerce") if is_number else words.where(words != "", None)
POINTS = pd.DataFrame(POINTS)
STRUCTURES = dict(datasets=[dict(name=FLOW.id, DataStructure=COLUMNS)])
""",
        "vtlengine.run(SCRIPT, STRUCTURES, {FLOW.id: POINTS})",
    ),
    "peer: sdmxthon": (
        f"""
import sdmxthon
from sdmxthon.model.dataset import Dataset
{PREPARED}
READ = sdmxthon.read_sdmx(str(HERE / "structures.xml"), validate=False).content["DataStructures"]
COLUMNS = [c for c in DATA if c in {{"OBS_VALUE", *FLOW.structure.components}} and (DATA[c] != "").all()]
POINTS = Dataset(structure=READ[f"{{FRAMEWORK.agency}}:{{FLOW.structure.id}}(1.0.0)"], data=DATA[COLUMNS].astype(str))
""",
        "assert POINTS.structural_validation() == []",
    ),
    "peer: pysdmx, reading": (
        f"""
from pysdmx.io import read_sdmx
{PREPARED}
with (HERE / "data.xml").open("wb") as file:
    formats()["ml21"].write(Protected("CL", FLOW, DATA, (), {{}}), SAID, LIBRARY, file)
del DATA, RECEIVED
""",
        "assert read_sdmx(HERE / 'data.xml', validate=True).data",
    ),
    "peer: frictionless": (
        """
import tempfile
from frictionless import Resource, Schema
HERE = Path(tempfile.mkdtemp())
DATA[[*FLOW.structure.key, "OBS_VALUE"]].to_csv(HERE / "a.csv", index=False)
FIELDS = [{"name": c, "type": "string", "constraints": {"enum": codes(c)}} for c in CODED]
FIELDS += [{"name": "TIME_PERIOD", "type": "string"}, {"name": "OBS_VALUE", "type": "number"}]
SCHEMA = {"fields": sorted(FIELDS, key=lambda each: [*FLOW.structure.key, "OBS_VALUE"].index(each["name"])),
    "primaryKey": list(FLOW.structure.key)}
""",
        "assert Resource(path='a.csv', basepath=str(HERE), schema=Schema.from_descriptor(SCHEMA)).validate().valid",
    ),
}
SIZES = {"ours": (10**5, 10**6, 10**7), "floor": (10**5, 10**6, 10**7), "peer": (10**5, 10**6)}


def main(*sizes: str) -> None:
    """Run every task at its sizes, or at those given alone, and write the table."""
    asked = {int(float(each)) for each in sizes}
    lines = [f"{'task':34}{'rows':>12}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}"]
    print(lines[0], flush=True)
    for name, (prepare, task) in TASKS.items():
        for rows in SIZES[name.partition(":")[0].partition(",")[0]]:
            if asked and rows not in asked:
                continue
            found = measured(f"ROWS = {rows}\n{FRAME}\n{prepare}", task)
            lines.append(f"{name:34}{rows:>12,}{found['cpu']:9.2f}{found['wall']:9.2f}{found['peak']:10.0f}")
            print(lines[-1], flush=True)
    target = ROOT / "build/bench"
    target.mkdir(parents=True, exist_ok=True)
    (target / "validation.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
