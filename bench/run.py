"""`make bench`: reading and the writers beside the floor and a peer, in one table (the whole run is bench/whole.py).

Every line is a process of its own: CPU seconds are what to compare, peak memory is of that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = 1_000_000
FRAME = f"""
import io, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from pathlib import Path
import numpy as np, pandas as pd
from pipeline import library as library_
from pipeline.formats import formats
from pipeline.framework import LANGUAGES
from pipeline.model import Description, Protected
LIBRARY = library_.load(Path({str(ROOT)!r}))
FLOW = LIBRARY.dataflows["DF_STOCK"]
def frame(rows):
    years, chance = 10, np.random.default_rng(42)
    series = rows // years
    columns = dict()
    for name in FLOW.structure.dimensions:
        # A delivery is of one country.
        codes = list(FLOW.structure.components[name].codelist.codes) if name != "REF_AREA" else ["CL"]
        columns[name] = pd.Categorical.from_codes(np.repeat(chance.integers(0, len(codes), series), years), codes)
    made = pd.DataFrame(columns).assign(
        TIME_PERIOD=pd.Categorical.from_codes(np.tile(np.arange(years), series), [str(2015 + y) for y in range(years)]),
        OBS_VALUE=chance.integers(5, 10**6, series * years).astype(float))
    said = dict(OBS_STATUS="A", CONF_STATUS="F", UNIT_MEASURE="PERS", UNIT_MULT="0", TIME_PER_COLLECT="E",
        RES_CRITERION="M12", SOURCE_OPERATION="Census", STAT_POP="Residents")
    for name, code in said.items():
        made[name] = pd.Categorical.from_codes(np.zeros(len(made), int), [code])
    return made
TEXT = dict.fromkeys(LANGUAGES, "text")
FIELDS = dict.fromkeys(("DATA_DESCR", "ONLINE_DB", "CONTACT_ORGANISATION"), TEXT)
SAID = Description("CL", "DF_STOCK", TEXT, FIELDS, (), (LIBRARY.licences["CC-BY-4.0"],), (), "2026-11-24.1", "2026-11-24")
"""


BOOK = """
from openpyxl import Workbook
from pipeline.model import Country, Layout, Series
from pipeline.read import read_all
from pipeline.recode import recode
WIDTH, PLACES = 20, [code.name["es"] for code in LIBRARY.list_of("COUNTRY_BIRTH").codes.values() if "es" in code.name]
HERE, TEXT_ = Path(__import__("tempfile").mkdtemp()), {"en": "a"}
BOOK = Workbook(write_only=True)
SHEET = BOOK.create_sheet("Datos")
SHEET.append(["País", "Sexo", *range(2000, 2000 + WIDTH)])
for row in range(ROWS // WIDTH):
    SHEET.append([PLACES[row % len(PLACES)], "HM"[row % 2], *(row * WIDTH + column for column in range(WIDTH))])
BOOK.save(HERE / "a.xlsx")
LAYOUT = Layout("a.xlsx", "INE", "CC-BY-4.0", "C:V", {"COUNTRY_BIRTH": "País", "SEX": "Sexo"}, {"TIME_PERIOD": "1"},
    sheet="Datos", source_operation=TEXT_, stat_pop=TEXT_)
CHILE = Country("CL", "es", "INE", {}, frozenset(), (), {}, {"DF_STOCK": Series("CL", "DF_STOCK", (LAYOUT,), (), 0, {})})
"""

FLOOR = "DATA = frame(ROWS)\nimport pyarrow as pa, pyarrow.csv"
# Codes become text in Arrow, not in pandas, which takes five times as long.
FLOOR_TASK = """
TABLE = pa.Table.from_pandas(DATA, preserve_index=False)
COLUMNS = [each.cast(pa.string()) if pa.types.is_dictionary(each.type) else each for each in TABLE.columns]
pa.csv.write_csv(pa.table(COLUMNS, names=TABLE.column_names), "/dev/null")
"""


def writer(name: str) -> str:
    """The call that writes DATA in one of our formats."""
    return f"formats()[{name!r}].write(Protected('CL', FLOW, DATA, (), {{}}), SAID, LIBRARY, open('/dev/null', 'wb'))"


TASKS = {
    "read and recode a workbook": (
        BOOK,
        "assert len(recode(read_all(HERE, (LAYOUT,)), CHILE, FLOW, LIBRARY).frame) == ROWS",
        ROWS,
    ),
    "floor: python-calamine": (
        BOOK + "from python_calamine import CalamineWorkbook",
        "CalamineWorkbook.from_path(HERE / 'a.xlsx').get_sheet_by_index(0).to_python()",
        ROWS,
    ),
    "write SDMX-CSV 2.0": ("DATA = frame(ROWS)", writer("csv"), ROWS),
    "write SDMX-ML 2.1 series": ("DATA = frame(ROWS)", writer("ml21"), ROWS),
    "write SDMX-ML 3.0 series": ("DATA = frame(ROWS)", writer("ml30"), ROWS),
    "floor: pyarrow, CSV": (FLOOR, FLOOR_TASK, ROWS),
    "peer: pandas.to_csv": ("DATA = frame(ROWS)", "DATA.to_csv('/dev/null', index=False)", ROWS),
}
MEASURE = """
import json, resource, time
before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
{task}
after, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + children.ru_utime + children.ru_stime
print(json.dumps(dict(cpu=cpu, wall=time.perf_counter() - started, peak=max(after.ru_maxrss, children.ru_maxrss) / 1024)))
"""


def measure(prepare: str, task: str, rows: int) -> dict[str, float]:
    """CPU and wall seconds of the task alone, and peak memory in MiB, in a fresh process."""
    return measured(FRAME + f"ROWS = {rows}\n{prepare}", task)


def measured(setting: str, task: str) -> dict[str, float]:
    """The same of a task after its setting; what goes wrong there is told."""
    code = f"{setting}\n{MEASURE.replace('{task}', task)}"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run every task and write the table."""
    lines = [f"{'task':32}{'rows':>12}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}"]
    print(lines[0], flush=True)
    for name, (prepare, task, rows) in TASKS.items():
        found = measure(prepare, task, rows)
        lines.append(f"{name:32}{rows:>12}{found['cpu']:9.2f}{found['wall']:9.2f}{found['peak']:10.0f}")
        print(lines[-1], flush=True)
    target = ROOT / "build/bench"
    target.mkdir(parents=True, exist_ok=True)
    (target / "table.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
