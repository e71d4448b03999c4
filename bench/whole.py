"""A whole publication of an office of any size, beside the chain that an office would join and the floor, in one run.

    .venv/bin/python bench/whole.py [OBSERVATIONS …]

For each size, an office of four tables (bench/generated.py): ours from workbook to site, again with nothing changed,
again with one cell changed, the chain (bench/chain.py) and the floor (bench/floor.py); then the ten countries. Beyond a
million observations no cell is changed, and the chain, whose writers take hours, is left out. Each is a process of its own; CPU seconds are of it and all that it
begins, memory is the most that all of them hold at one moment, what they share counted once (PSS, Linux), bytes are
those of what was written, a file under several names counted once. The table is written to `build/bench/whole.txt`.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from generated import AREA, ROOT, TABLES, office

from pipeline.framework import LANGUAGES

SIZES = (170_000, 1_000_000, 10_000_000)
_MILLION = 1_000_000
_AUTHORED = ("codelists", "dsd", "metadata", "site", "data", "publish.toml")
_PUBLISH = """
import sys
from pathlib import Path
from pipeline.commands import publish
sys.exit(publish(Path(sys.argv[1]), areas=(), flows=(), is_dry=False))
"""
_DAY = "2026-11-24"  # of the release of the office
_EVERY = 1.0  # seconds between two looks at memory


@dataclass(frozen=True)
class Measured:
    """What a process and all that it began took."""

    cpu: float
    wall: float
    peak: float  # MiB

    def line(self, name: str, observations: int, written: int) -> str:
        """A line of the table."""
        return f"{name:34}{observations:>12,}{self.cpu:>9.1f}{self.wall:>9.1f}{self.peak:>9.0f}{written / 1e6:>9.0f}"


def measure(*command: str) -> Measured:
    """Run a command and measure it; what goes wrong is told."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command], stdout=said, stderr=said, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        peaks = [0.0]
        watch = threading.Thread(target=_watch, args=(process.pid, peaks), daemon=True)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        if process.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode()[-3000:])
    return Measured(used.ru_utime + used.ru_stime, wall, max(peaks))


def _watch(first: int, peaks: list[float]) -> None:
    while Path(f"/proc/{first}/smaps_rollup").exists():
        peaks.append(sum(map(_held, _family(first))) / 1024)
        time.sleep(_EVERY)


def _family(first: int) -> Iterator[int]:
    yield first
    for task in Path(f"/proc/{first}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:  # it has ended
            continue
        for child in children:
            yield from _family(int(child))


def _held(process: int) -> int:
    """KiB of a process, of what it shares its part."""
    try:
        found = re.search(
            r"^Pss: +(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii"), re.MULTILINE
        )
    except OSError:
        return 0
    return int(found[1]) if found else 0


def written(folder: Path) -> int:
    """Bytes below a folder, each file once."""
    return sum({each.stat().st_ino: each.stat().st_size for each in folder.rglob("*") if each.is_file()}.values())


def ten_countries(folder: Path) -> Path:
    """A copy of what the standing example is made of."""
    folder.mkdir()
    for name in _AUTHORED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return folder


def change(book: Path) -> None:
    """Count one man more in the first row of a generated workbook."""
    aside = book.with_suffix(".new")
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                content = _raised(content)
            made.writestr(entry, content)
    aside.replace(book)


def _raised(sheet: bytes) -> bytes:
    """The last figure of the first row below the headings, and of the third, its total."""
    rows = sheet.split(b"</row>", 4)
    for number in (1, 3):
        before, value = rows[number].rsplit(b"<v>", 1)
        rows[number] = b"%s<v>%d</v></c>" % (before, int(value.removesuffix(b"</v></c>")) + 1)
    return b"</row>".join(rows)


def ours(name: str, root: Path, observations: int, book: Path | None) -> Iterator[tuple[str, Measured]]:
    """A publication from nothing, again, and with a cell changed, each as a line of the table."""
    public = root / "build/public"
    first = measure("-c", _PUBLISH, str(root))
    yield first.line(name, observations, written(public)), first
    again = measure("-c", _PUBLISH, str(root))
    share = f"  {again.cpu / first.cpu:.1%} of it"
    yield again.line("  again, nothing changed", observations, 0) + share, again
    if book is None:
        return
    before = root / "before"
    shutil.copytree(root / "build", before, copy_function=os.link)
    change(book)
    note = f"{TABLES[0].flow},{_DAY},,One man was left out,Faltaba un hombre,Faltava um homem"
    heads = ("flow", "date", "scope", *(f"reason_{language}" for language in LANGUAGES))
    (root / "metadata/national" / AREA / "revisions.csv").write_text(f"{','.join(heads)}\n{note}\n", encoding="utf-8")
    changed = measure("-c", _PUBLISH, str(root))
    listed = (public / "manifest.json").read_bytes()
    shutil.rmtree(root / "build")
    before.rename(root / "build")
    (root / "build/.parts.json").unlink()  # nothing can be taken over
    measure("-c", _PUBLISH, str(root))
    is_same = listed == (public / "manifest.json").read_bytes()
    share = f"  {changed.cpu / first.cpu:.1%} of it, {'the same bytes' if is_same else 'OTHER BYTES'}"
    yield changed.line("  again, one cell changed", observations, 0) + share, changed


def main() -> None:
    """Measure every size, print and write the table."""
    sizes = [int(each) for each in sys.argv[1:]] or list(SIZES)
    lines = [f"{'':34}{'observations':>12}{'CPU s':>9}{'wall s':>9}{'MiB':>9}{'MB out':>9}"]
    print(lines[0], flush=True)
    cost: dict[int, float] = {}

    def tell(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    with tempfile.TemporaryDirectory(dir=ROOT / "build") as temporary:
        for size in sizes:
            root = office(Path(temporary) / str(size), size)
            book = root / "data" / AREA / TABLES[0].file if size <= _MILLION else None
            for line, found in ours(f"office of {size:,}", root, size, book):
                cost.setdefault(size, found.cpu)
                tell(line)
            shutil.rmtree(root / "build")
            for script, most in (("chain", _MILLION), ("floor", max(sizes))):
                if size <= most:
                    found = measure(str(ROOT / f"bench/{script}.py"), str(root))
                    tell(found.line(f"  {script}", size, written(root / script)))
            shutil.rmtree(root)
        for small, large in pairwise(sizes):
            tell(f"growth from {small:,} to {large:,}: n ^ {math.log(cost[large] / cost[small], large / small):.2f}")
        if len(sys.argv) == 1:
            root = ten_countries(Path(temporary) / "ten")
            for line, _ in ours("ten countries", root, 0, None):
                tell(line)
    target = ROOT / "build/bench/whole.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
