"""Calibration at size: one million persons and 60 margin cells, beside a floor and beside peers.

    python bench/survey.py [PERSONS]     in millions; 1 else

The floor reads the same file and adds the weights up by the same 60 cells. Peers are measured where they are installed
(`pip install samplics ipfn`); they get the table in memory, and only weights are asked of them. Each task runs in a
process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build/bench"
CELLS = {"area": 20, "group": 20, "origin": 10, "education": 10}
DESIGN = """
id = "id"
weights = "weight"
strata = "area"
clusters = "psu"
household = "{household}"

[[estimate]]
stat = "total"
by = ["origin"]

[[estimate]]
stat = "share"
variable = "status=1"
by = ["origin"]
"""
MEASURE = """
import json, resource, sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
import numpy as np, pandas as pd
folder = Path({folder!r})
cells = {cells!r}
{prepare}
before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
{task}
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    wall=time.perf_counter() - started, peak=after.ru_maxrss / 2**20, missed=float(missed))))
"""
MAKE = """
chance, count = np.random.default_rng(7), {count}
home = np.arange(count) // 3
frame = pd.DataFrame(dict(id=np.arange(count), home=home, psu=home // 40))
frame["area"] = frame["psu"] % cells["area"]
for name, levels in list(cells.items())[1:]:
    frame[name] = chance.choice(levels, count, p=np.arange(1, levels + 1) / (levels * (levels + 1) / 2))
frame["status"] = chance.integers(0, 3, count)
frame["weight"] = chance.uniform(10, 30, home.max() + 1)[home]
truth = frame["weight"] * np.exp(sum(0.03 * (frame[name] % 7) for name in cells))
frame.to_parquet(folder / "people.parquet")
rows = [f"{{name}},{{level}},{{total!r}}" for name in cells for level, total in truth.groupby(frame[name]).sum().items()]
(folder / "controls.csv").write_text("\\n".join(["variable,level,control_total", *rows]) + "\\n")
missed = 0
"""
TABLE = """
frame = pd.read_parquet(folder / "people.parquet")
controls = pd.read_csv(folder / "controls.csv")
wanted = {name: own.set_index("level")["control_total"] for name, own in controls.groupby("variable", sort=False)}
def far(weights):
    return max(abs(weights.groupby(frame[name]).sum() / own - 1).max() for name, own in wanted.items())
"""
OURS = "from pipeline.methods.survey import Asked, survey"
RUN = """
made = survey(Asked(folder / "people.parquet", folder / "{design}", folder / "controls.csv", folder / "out", method="{method}"))
assert made.is_fit, made.issues
missed = pd.read_csv(folder / "out/margins.csv")["relative_difference"].abs().max()
"""
TASKS = {
    "floor: read and add up by the 60 cells": (
        "",
        """
frame = pd.read_parquet(folder / "people.parquet", columns=["weight", *cells])
sums = [np.bincount(frame[name], frame["weight"]) for name in cells]
missed = 0
""",
    ),
    "raking: weights, variance, tables, all files": (OURS, RUN.format(method="raking", design="design.toml")),
    "logit: the same": (OURS, RUN.format(method="logit", design="design.toml")),
    "linear: the same": (OURS, RUN.format(method="linear", design="design.toml")),
    "raking by household: the same": (OURS, RUN.format(method="raking", design="homes.toml")),
    "peer: samplics, raking, weights alone": (
        TABLE + "from samplics.weighting import SampleWeight",
        """
made = SampleWeight().rake(
    frame["weight"].to_numpy(), margins={name: frame[name].to_numpy() for name in wanted},
    control={name: own.to_dict() for name, own in wanted.items()}, tol=1e-9, ctrl_tol=1e-9, max_iter=500)
missed = far(pd.Series(made))
""",
    ),
    "peer: ipfn, raking, weights alone": (
        TABLE + "from ipfn.ipfn import ipfn",
        """
table = frame[list(wanted)].assign(total=frame["weight"])
made = ipfn(table, [own.rename("total").rename_axis(name) for name, own in wanted.items()], [[name] for name in wanted],
    weight_col="total", convergence_rate=1e-9, max_iteration=500).iteration()
missed = far(made["total"])
""",
    ),
}


def main() -> None:
    """Make the persons, measure, and write the table."""
    count = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 1_000_000
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [f"{'task':48}{'CPU s':>9}{'wall s':>9}{'peak GiB':>10}{'× floor':>9}{'margins missed by':>20}"]
    print(lines[0], flush=True)
    floor = 0.0
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        (Path(work) / "design.toml").write_text(DESIGN.replace('household = "{household}"\n', ""), encoding="utf-8")
        (Path(work) / "homes.toml").write_text(DESIGN.format(household="home"), encoding="utf-8")
        measured(work, "", MAKE.format(count=count))
        for name, (prepare, task) in TASKS.items():
            found = measured(work, prepare, task)
            if found is None:
                lines.append(f"{name:48}  not installed, or it did not end")
            else:
                floor = floor or found["cpu"]
                figures = f"{found['cpu']:9.1f}{found['wall']:9.1f}{found['peak']:10.2f}{found['cpu'] / floor:9.1f}"
                lines.append(f"{name:48}{figures}{found['missed']:20.1e}")
            print(lines[-1], flush=True)
    (FOLDER / f"survey-{count}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(work: str, prepare: str, task: str) -> dict[str, float] | None:
    """Run a task in a process of its own; none where it cannot run."""
    code = MEASURE.format(root=str(ROOT), folder=work, cells=CELLS, prepare=prepare, task=task)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
