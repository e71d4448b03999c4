"""Lighthouse on a page of middle size of each kind of the release in build/public, as a phone on a slow network sees it.

Run after `make publish`, with Node and Chromium on the machine; Lighthouse comes from the npm registry into build/bench.

    .venv/bin/python bench/lighthouse.py [LANGUAGE]
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from kinds import of_middle_size  # noqa: E402

PUBLIC, KEPT = ROOT / "build/public", ROOT / "build/bench/lighthouse"
VERSION = "12.8.2"  # the last that Node 20 runs
MEASURES = {
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "shift",
    "total-byte-weight": "bytes",
}


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The address of the release, as `make serve` serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipeline", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/"
        finally:
            running.terminate()


def seen(address: str, chromium: str) -> dict[str, Any]:
    """What Lighthouse says of a page."""
    command = [KEPT / "node_modules/.bin/lighthouse", address, "--quiet", "--output=json", "--output-path=stdout"]
    done = subprocess.run(
        [*map(str, command), "--chrome-flags=--headless=new --no-sandbox"],
        env={**os.environ, "CHROME_PATH": chromium},
        capture_output=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure and print."""
    npm, chromium = shutil.which("npm"), shutil.which("chromium") or shutil.which("google-chrome")
    if not (npm and chromium and PUBLIC.is_dir()):
        sys.exit("Lighthouse needs npm, Chromium and a release: apt-get install npm chromium; make publish")
    KEPT.mkdir(parents=True, exist_ok=True)
    if not (KEPT / "node_modules/.bin/lighthouse").exists():
        package = f"lighthouse@{VERSION}"
        subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", KEPT, package], check=True)
    kinds = {"start": "", **of_middle_size(PUBLIC, sys.argv[1] if len(sys.argv) > 1 else "es")}
    with served() as address:
        for kind, path in kinds.items():
            told = seen(address + path, chromium)
            (KEPT / f"{kind}.json").write_text(json.dumps(told), encoding="utf-8")
            scores = " ".join(f"{round(100 * each['score']):4}" for each in told["categories"].values())
            measured = ", ".join(f"{name} {told['audits'][key]['displayValue']}" for key, name in MEASURES.items())
            print(f"{kind:18} {scores}   {measured}   /{path}".replace("\xa0", " "), flush=True)
            for category in told["categories"].values():
                for each in category["auditRefs"]:
                    audit = told["audits"][each["id"]]
                    if each["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                        print(f"{'':18} {audit['title']}: {audit.get('displayValue', '')}")


if __name__ == "__main__":
    main()
