"""What it costs the hub to gather 200 national sites of which 0, 1, 10 or all have something new.

The sites are simulated: each has the tables of the fictional office of tests/golden under a country code that nobody
has, a manifest as long as that of a real national site, and an address of its own on loopback, served by another
process. Counted are the requests and bytes of the hub and the CPU seconds of its process; seconds on the clock count
the pauses that it keeps. The regional release is not part of it. The table is written to `build/bench/hub.txt`.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import multiprocessing.connection
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from string import ascii_uppercase

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from nations import FLOWS, know, list_files, nation, serving  # noqa: E402
from office import build_office  # noqa: E402

from pipeline import library as library_  # noqa: E402
from pipeline.hub import many  # noqa: E402
from pipeline.hub.gather import Bench  # noqa: E402
from pipeline.hub.sites import Hub, Limits, Site  # noqa: E402

SITES = 200
OTHER_FILES = 1_800  # of a country in the release of the standing example, which lists 18,011 of ten countries
CHANGED = (0, 1, 10, SITES)


def codes(number: int) -> list[str]:
    """Codes of two letters that no list has."""
    known = set()
    for name in ("CL_AREA", "CL_ORIGIN"):
        with (ROOT / f"codelists/MIGLAC/{name}-1.0.0.csv").open(encoding="utf-8", newline="") as file:
            known |= {row["code"] for row in csv.DictReader(file)}
    return [code for code in map("".join, product(ascii_uppercase, repeat=2)) if code not in known | {"XX"}][:number]


def publish(folder: Path, release: int) -> None:
    """Write the manifest of a site, as long as a real one."""
    list_files(folder, f"2026-11-24.{release}")
    path = folder / "manifest.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    others = {
        f"en/page/{number}/index.html": {"bytes": 9999, "sha256": f"{number:064x}"} for number in range(OTHER_FILES)
    }
    path.write_text(json.dumps({**found, "files": {**found["files"], **others}}, indent=1), encoding="utf-8")


def change(folder: Path, area: str, release: int) -> None:
    """Change one of the tables of a site, which publishes it."""
    path = folder / f"packages/DF_STOCK/{area}/data.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1:] = [f"{line.rpartition(',')[0]},Residents {release}" for line in lines[1:]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    publish(folder, release)


def serve(folders: Sequence[Path], pipe: multiprocessing.connection.Connection) -> None:
    """The sites, until the other end of the pipe says so."""
    with serving(*folders) as sites:
        pipe.send([site.address for site in sites])
        pipe.recv()


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, areas = Path(temporary), codes(SITES)
        office = know(build_office(folder / "hub"), *areas)
        library = library_.load(office)
        sites = [nation(folder / "sites" / area, ROOT / "tests/golden/XX/public", area, FLOWS) for area in areas]
        for site in sites:
            publish(site, 1)
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("fork").Process(target=serve, args=(sites, theirs), daemon=True)
        server.start()
        hub = Hub(tuple(map(Site, ours.recv())), limits=Limits())
        lines = [f"{'sites with news':>16} {'tables taken':>13} {'requests':>9} {'MB':>7} {'CPU s':>7} {'s':>7}"]
        for release, changed in enumerate((None, *CHANGED), 1):
            for site, area in list(zip(sites, areas, strict=True))[: changed or 0]:
                change(site, area, release)
            bench = Bench(library, "framework", datetime(2026, 11, 30, tzinfo=UTC), "en")
            cpu, clock = time.process_time(), time.perf_counter()
            visits = many.gather_all(hub, folder / "kept", bench, contact="https://region.example", said="")
            cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
            assert not any(visit.fault or visit.state.held for visit in visits)
            taken = sum(len(visit.taken) for visit in visits)
            assert taken == (len(FLOWS) * SITES if changed is None else changed)
            requests, size = many.totals(visits)
            name = "all, first visit" if changed is None else str(changed)
            lines.append(f"{name:>16} {taken:>13} {requests:>9} {size / 1e6:>7.1f} {cpu:>7.1f} {clock:>7.1f}")
            print(lines[-1], flush=True)
        ours.send("end")
    target = ROOT / "build/bench/hub.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
