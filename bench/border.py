"""Border records at size: the method beside its floor, which is DuckDB reading and sorting the same rows.

    python bench/border.py [CROSSINGS]     in millions; 10 else

Each runs in a process of its own, on two threads, with memory capped at 4 GB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build/bench"
PER_PERSON = 4.37  # crossings of one person of the generator
END = "2024-12-31"
MEASURE = """
import json, resource, sys, time
sys.path.insert(0, {root!r})
{prepare}
before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
{task}
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    wall=time.perf_counter() - started, peak=after.ru_maxrss / 2**20)))
"""
FLOOR = """
import duckdb
engine = duckdb.connect(config=dict(memory_limit="4GB", threads=2, temp_directory={work!r}))
engine.execute("SET enable_progress_bar = false")
"""
TASKS = {
    "floor: read, sort by person and time, write": (
        FLOOR,
        "engine.execute(\"COPY (FROM '{path}' ORDER BY person_id, ts, crossing_id) TO '{work}/sorted.parquet'\")",
    ),
    "floor: read, sort by person and time, keep": (
        FLOOR,
        "engine.execute(\"CREATE TEMP TABLE kept AS FROM '{path}' ORDER BY person_id, ts, crossing_id\")",
    ),
    "events, flows, stocks and tables": (
        "from pathlib import Path; from pipeline.methods.border import Asked, border",
        "border(Asked(Path('{path}'), Path('{work}/out'), '{end}'))",
    ),
}


def main() -> None:
    """Make the crossings where they are not there yet, measure, and write the table."""
    millions = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"crossings-{millions}m.parquet"
    if not path.exists():
        make = f"from pathlib import Path; from pipeline.methods.border import synthetic; synthetic.write(Path({str(path)!r}), {int(millions * 1e6 / PER_PERSON)}, seed=1)"
        subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {make}"], check=True)
    lines = [f"{'task':46}{'CPU s':>9}{'wall s':>9}{'peak GiB':>10}{'× floor':>9}"]
    print(lines[0], flush=True)
    floor = 0.0
    for name, (prepare, task) in TASKS.items():
        with tempfile.TemporaryDirectory(dir=FOLDER) as work:
            words = {"path": path, "work": work, "end": END}
            code = MEASURE.format(root=str(ROOT), prepare=prepare.format(**words), task=task.format(**words))
            done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        floor = floor or found["cpu"]
        lines.append(
            f"{name:46}{found['cpu']:9.1f}{found['wall']:9.1f}{found['peak']:10.2f}{found['cpu'] / floor:9.2f}"
        )
        print(lines[-1], flush=True)
    (FOLDER / f"border-{millions}m.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
