"""Many clients at once ask `make serve` over the release in build/public: run after `make publish`, `pytest -m release`."""

from __future__ import annotations

import hashlib
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from pipeline.service.patience import SECONDS as PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
PUBLIC = ROOT / "build/public"
CLIENTS, EACH = 200, 2
DATA = "sdmx/v2/data/dataflow/MIGLAC"
ASKED = [
    f"{DATA}/DF_STOCK/1.0.0?c[REF_AREA]=CL",
    f"{DATA}/DF_STOCK/1.0.0?c[SEX]=F&c[REF_AREA]=AR,CL",
    f"{DATA}/DF_REMIT/1.0.0/*",
    f"{DATA}/DF_PERMIT/1.0.0?c[TIME_PERIOD]=ge:2020",
    "sdmx/v1/data/DF_STOCK/.PE.........?firstNObservations=1",
    "sdmx/v1/dataflow/MIGLAC/DF_STOCK/latest?references=all",
    "sdmx/v2/structure/codelist/MIGLAC/CL_AGE/1.0.0",
    "sdmx/v2/availability/dataflow/MIGLAC/DF_STOCK/1.0.0",
    "es/index.html",
    "catalog.ttl",
]

pytestmark = [
    pytest.mark.release,
    pytest.mark.skipif(not PUBLIC.exists(), reason="there is no release in build/public: run `make publish`"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, int]]:
    """The address of `make serve`, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            requests.get(f"{address}/index.html", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    yield address, running.pid
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=PATIENCE_SECONDS + 20) in (0, 130, -signal.SIGINT)


def memory(process: int) -> float:
    """Mebibytes that a process holds."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def files(process: int) -> int:
    """Files and connections that a process has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def answered(session: requests.Session, address: str, path: str) -> tuple[int, str]:
    answer = session.get(f"{address}/{path}", timeout=300)
    return answer.status_code, hashlib.sha256(answer.content).hexdigest()


def test_two_hundred_harvesters_get_what_one_gets_and_memory_stays(service: tuple[str, int]) -> None:
    address, process = service
    with requests.Session() as alone:
        due = {path: answered(alone, address, path) for path in ASKED}
    assert {code for code, _ in due.values()} == {200}
    before = memory(process)

    def harvest(seed: int) -> list[tuple[str, tuple[int, str]]]:
        chosen = random.Random(seed).choices(ASKED, k=EACH)
        with requests.Session() as session:
            return [(path, answered(session, address, path)) for path in chosen]

    held = []
    for turn in range(3):
        with ThreadPoolExecutor(CLIENTS) as pool:
            for found in pool.map(harvest, range(turn * CLIENTS, (turn + 1) * CLIENTS)):
                assert all(due[path] == answer for path, answer in found)
        held.append(memory(process))
    assert held[2] < held[0] * 1.15 + 50, f"memory grows: {held}"
    assert max(held) < before + 250, f"a crowd takes memory: {before}, {held}"


def test_clients_that_do_not_read_are_left_and_hold_nobody_up(service: tuple[str, int]) -> None:
    address, process = service
    largest = max((PUBLIC / "files").rglob("*.xml"), key=lambda path: path.stat().st_size)
    path, port = largest.relative_to(PUBLIC).as_posix(), int(address.rpartition(":")[2])
    size, slow = largest.stat().st_size, []
    for _ in range(50):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        slow.append(client)
    started = time.monotonic()
    with requests.Session() as session:
        for asked in ASKED:
            assert answered(session, address, asked)[0] == 200
    assert time.monotonic() - started < PATIENCE_SECONDS
    opened = files(process)
    time.sleep(PATIENCE_SECONDS * 2 + 5)
    assert files(process) <= opened - 50, "the files and connections of those who do not read"
    for client in slow:
        client.settimeout(10)
        got = 0
        try:
            while piece := client.recv(2**16):
                got += len(piece)
        except ConnectionError:
            pass
        assert got < size
        client.close()
