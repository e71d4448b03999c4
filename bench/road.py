"""The road of a newcomer, recorded: what is typed, how long it takes, and the last lines that are said.

    python3 bench/road.py [COMMAND …]

The repository is cloned into a new folder in which nothing is installed, and the commands of the README are run there
one after the other: `make publish` and `make test`, or those given. It needs git, make and Python alone. The record is
written to `build/bench/road.txt`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = ("make publish", "make publish", "make test")
_SAID = 4  # last lines of each


def main() -> None:
    """Clone, run, record."""
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "trayecto"
        for command in (f"git clone -q {ROOT} {place}", *(sys.argv[1:] or COMMANDS)):
            started = time.perf_counter()
            done = subprocess.run(
                command.split(),
                cwd=place if place.exists() else temporary,
                check=False,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            minutes, seconds = divmod(round(time.perf_counter() - started), 60)
            shown = command.replace(f" {ROOT} {place}", " …")
            lines += [f"$ {shown}", *(f"    {line}" for line in done.stdout.splitlines()[-_SAID:])]
            lines += [f"    -- {minutes} min {seconds:02} s, exit code {done.returncode}"]
            print("\n".join(lines[-_SAID - 2 :]), flush=True)
        page = place / "build/public/index.html"
        lines += [f"The page {'stands' if page.exists() else 'DOES NOT STAND'} at build/public/index.html"]
    target = ROOT / "build/bench/road.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
