"""`make serve` described by an OpenAPI document, and asked at random: from the document, and past it."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from schemathesis import GenerationMode

from pipeline.service import ask, faults, lookup, media, openapi

ROOT = Path(__file__).parents[1]
SECONDS = 2  # that this service waits for a client
SERVE = """
import sys
from pathlib import Path
import uvicorn
from pipeline.service.app import app, configured
from pipeline.service.patience import Connection
office, port, Connection.seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
uvicorn.Server(configured(app(office, office / "build/public"), port=port)).run()
"""
FORMS = sorted({each.type for each in (*media.DATA.values(), *media.STRUCTURES.values())})
ACCEPT = st.sampled_from(["", "*/*"]) | st.sampled_from(
    [*FORMS, "text/csv", "application/json", "application/xml;q=0.1", "image/png", ";,;q="]
)
STOCK = {"flow": "DF_STOCK", "context": "dataflow", "agency": "MIGLAC", "id": "DF_STOCK", "version": "1.0.0"}
EVERY = {"agency": "all", "id": "all", "version": "all"}


class Served:
    """A service in a process of its own: where it is, what it wrote to its log, what it holds."""

    def __init__(self, office: Path, log: Path, seconds: float) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.public, self.log = f"http://127.0.0.1:{self.port}", office / "build/public", log
        self.statuses: Counter[int] = Counter()
        self.session = requests.Session()
        command = [sys.executable, "-c", SERVE, str(office), str(self.port), str(seconds)]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
        for _ in range(600):
            try:
                self.session.get(f"{self.address}{openapi.ADDRESS}", timeout=60).raise_for_status()
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    def held(self, what: str) -> int:
        """`VmRSS` in KiB, or the number of open `files`."""
        if what == "files":
            return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(f"{self.address}{path}", headers=headers, timeout=60)

    def raw(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what answers a request as it stands; 0 where nothing that is HTTP does."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(request)
            answer = HTTPResponse(client, method=request.split(b" ")[0].decode("latin-1"))
            try:
                answer.begin()
                said = (answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            except (HTTPException, ConnectionError):
                said = (0, {}, b"")
        self.statuses[said[0]] += 1
        return said

    def is_quiet(self) -> bool:
        """Whether it runs and its log tells of no fault of ours."""
        return self.process.poll() is None and not re.search("Traceback|ERROR|Exception", self.log.read_text())


@pytest.fixture(scope="module")
def service(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(published, tmp_path_factory.mktemp("service") / "log.txt", SECONDS)
    yield made
    made.session.close()
    made.process.terminate()
    assert made.process.wait(timeout=30) is not None


@pytest.fixture(scope="module")
def described(service: Served) -> dict[str, Any]:
    found: dict[str, Any] = service.get(openapi.ADDRESS).json()
    return found


# ---------------------------------------------------------------- the document


def test_the_document_is_openapi_and_says_all_that_may_be_asked(described: dict[str, Any], service: Served) -> None:
    schemathesis.openapi.from_dict(described).validate()
    parameters = described["components"]["parameters"]
    assert {*ask.KNOWN, "c", *(f"structure-{name}" for name in lookup.CHOICES)} <= parameters.keys()
    assert {fault for fault in openapi.FAULTS if fault < 500} >= set(faults.STATUSES.values())
    assert set(openapi.FAULTS) >= {faults.NOT_ACCEPTABLE, faults.NOT_IMPLEMENTED, faults.NOT_READY}
    link = service.get("/sdmx/v1/dataflow").headers["link"]
    assert link == f'<{service.address}{openapi.ADDRESS}>; rel="service-desc"'
    assert described["servers"] == [{"url": service.address}]


def test_every_address_of_the_static_tree_is_described(described: dict[str, Any], service: Served) -> None:
    known = re.compile(
        "|".join(
            re.sub(r"\{[a-z]+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
            for path in described["paths"]
        )
    )
    found = [
        f"/{path.parent.relative_to(service.public).as_posix()}" for path in service.public.glob("sdmx/**/index.*")
    ]
    strange = [
        path
        for path in found
        if not known.fullmatch(path) and not re.match("/sdmx/v[0-9a-z]+/(metadata|schema)/", path)
    ]
    assert found
    assert not strange


# ---------------------------------------------------------------- asked at random, from the document

_CODES = ["", "*", "F", "M", "F+M", "A", "XX", "AR", "_T", "Y", "'", "\x00"]
KEYS = st.sampled_from(
    ["all", "*", "....F......", "*.*.*.*.F.*.*.*.*.*.*", "....F+M......,....M......", "...........", "A.........."]
)
_PERIODS = [
    "2020",
    "2010-Q1",
    "2019-01",
    "2015-W01",
    "2024-02-29",
    "2026-11-24",
    "2026-11-25T00:00:00Z",
    "0000",
    "9999-W53",
]
_CONDITIONS = [
    "F",
    "ne:F",
    "F,M",
    "sw:A",
    "co:_",
    "nc:X",
    "ew:T",
    "ge:10",
    "gt:1+lt:1000",
    "ge:2011+le:2030",
    "eq:nan",
    "1e999",
]
schemathesis.openapi.format(
    "sdmx-key",
    KEYS | st.lists(st.sampled_from(_CODES), min_size=1, max_size=14).map(".".join).filter(bool) | st.text(min_size=1),
)
schemathesis.openapi.format(
    "sdmx-period",
    st.sampled_from(_PERIODS) | st.from_regex(r"[0-9]{4}-[ASQTWM]?[0-9]{1,2}", fullmatch=True) | st.text(min_size=1),
)
schemathesis.openapi.format("sdmx-condition", st.sampled_from(_CONDITIONS) | st.text(min_size=1))


def parsed(kind: str, body: bytes) -> None:
    """Read a body as what it is said to be."""
    name = kind.partition(";")[0]
    if name.endswith("json"):
        json.loads(body)
    elif name.endswith("xml"):
        etree.fromstring(body, etree.XMLParser(huge_tree=True))
    elif name.endswith("csv"):
        rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
    else:
        assert name in ("text/html", "text/plain"), kind
        body.decode()


def fuzz(service: Served, described: dict[str, Any], *, examples: int, choose: Callable[[str], bool]) -> None:
    """Ask each of the chosen addresses at random: free, of what there is, and against the document."""
    for result in schemathesis.openapi.from_dict(described).get_all_operations():
        operation = result.ok()
        if choose(operation.path):
            modes = [({}, GenerationMode.POSITIVE), (STOCK, GenerationMode.POSITIVE)]
            modes += [({}, GenerationMode.NEGATIVE)] if len(operation.query) else []  # any text is a part of a path
            for fixed, mode in modes:
                known = EVERY if fixed and "{kind}" in operation.path else fixed
                places = {name: known[name] for name in re.findall(r"\{([a-z]+)\}", operation.path) if name in known}
                cases = operation.as_strategy(generation_mode=mode, path_parameters=places or None)
                ask_for(service, operation, cases, examples)


def ask_for(service: Served, operation: Any, cases: st.SearchStrategy[Any], examples: int) -> None:
    responses = {status: found.definition.get("content", {}) for status, found in operation.responses.items()}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, accept=ACCEPT)
    def one(case: Any, accept: str) -> None:
        answer = case.call(base_url=service.address, session=service.session, headers={"Accept": accept}, timeout=60)
        service.statuses[answer.status_code] += 1
        assert str(answer.status_code) in responses, (case.as_curl_command(), answer.content[:500])
        kind = answer.headers.get("content-type", [""])[0]
        if answer.status_code != 304:
            assert kind in responses[str(answer.status_code)], (case.as_curl_command(), kind)
            parsed(kind, answer.content)

    one()
    assert service.is_quiet(), service.log.read_text()[-3000:]


def test_what_is_asked_from_the_document_is_answered_as_it_says(service: Served, described: dict[str, Any]) -> None:
    longest = (
        "/{flow}/{key}",
        "v2/data/{context}/{agency}/{id}/{version}/{key}",
        "{version}/{key}/{component}",
        "{kind}/{agency}/{id}/{version}",
    )
    fuzz(service, described, examples=6, choose=lambda path: path.endswith(longest))
    assert {200, 400, 404, 406} <= service.statuses.keys(), "the examples must reach into the service"


@pytest.mark.thorough
def test_thousands_of_questions_leave_no_trace(service: Served, described: dict[str, Any]) -> None:
    fuzz(service, described, examples=40, choose=bool)
    assert service.statuses[200] > sum(service.statuses.values()) / 20, service.statuses
    assert sum(service.statuses.values()) > 4000


# ---------------------------------------------------------------- asked at random, past the document

_PIECES = [
    *"/.%?&=+,:;*~#[]",
    "..",
    "%2e%2e",
    "%2E%2e%2F",
    "%5c..",
    "%00",
    "%0a",
    "%ff",
    "%ed%a0%80",
    "%c0%ae",
    "%",
    "%zz",
    "//",
    "a" * 300,
]
_WORDS = [
    "sdmx",
    "v1",
    "v2",
    "v2xml",
    "data",
    "structure",
    "codelist",
    "availability",
    "DF_STOCK",
    "files",
    "es",
    "openapi.json",
    "publish.toml",
    "etc/passwd",
    "c[SEX]=F",
    "startPeriod=2020",
]
_STARTS = [
    "/",
    "/sdmx/v1/",
    "/sdmx/v1/data/DF_STOCK",
    "/sdmx/v2/structure/codelist",
    "/sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0?",
    "/files/DF_STOCK/XX/",
    "/../",
    "//",
    "http://x/",
    "*",
]
TARGETS = st.builds(
    lambda start, rest: start + "".join(rest),
    st.sampled_from(_STARTS),
    st.lists(
        st.sampled_from([*_PIECES, *_WORDS]) | st.binary(max_size=4).map(lambda each: quote(each, safe="")), max_size=12
    ),
)
_DATES = ["Mon, 01 Jan 2090 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +" + "9" * 30, "1 Jan 99999999999 0:0:0", "x"]
_SAID = {
    "Accept": [*FORMS, "*/*;q=x", ";" * 50, "text/csv;version=" + "9" * 99, "\xff", "," * 5000],
    "Accept-Encoding": ["gzip", "gzip;q=0", "br", "\xff"],
    "Accept-Language": ["es", "\xff"],
    "If-None-Match": ["*", '"x"', 'W/"', "," * 5000, "\xff"],
    "If-Modified-Since": _DATES,
    "If-Range": ['"x"', *_DATES],
    "Range": ["bytes=0-9", "bytes=5-2", "bytes=-1", "bytes=0-0,-1", "bytes=" + "0-0," * 3000, "bytes=" + "9" * 99 + "-", "x=1", "bytes=\xb2-"],
    "Host": ["[", "a b", "", "x:99999999", "\xe9", "x/../y"],
    "Origin": ["null", "\xff"],
    "Upgrade": ["websocket"],
    "Expect": ["100-continue"],
    "X-Forwarded-For": ["'; DROP TABLE"],
}  # fmt: skip
HEADERS = st.lists(st.sampled_from([(name, value) for name, values in _SAID.items() for value in values]), max_size=4)
METHODS = st.sampled_from(
    [*["GET"] * 8, "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "X" * 40]
)
KNOWN_STATUSES = {200, 206, 304, 307, 400, 404, 405, 406, 413, 416, 501}


def past_the_document(service: Served, examples: int) -> None:
    files = {hashlib.sha256(path.read_bytes()).digest() for path in service.public.rglob("*") if path.is_file()}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(method=METHODS, target=TARGETS, headers=HEADERS)
    def one(method: str, target: str, headers: list[tuple[str, str]]) -> None:
        said = "".join(f"{name}: {value}\r\n" for name, value in headers)
        host = "" if any(name == "Host" for name, _ in headers) else "Host: x\r\n"
        request = f"{method} {target} HTTP/1.1\r\n{host}{said}Connection: close\r\n\r\n".encode("latin-1")
        status, answered, body = service.raw(request)
        assert status in KNOWN_STATUSES, (status, request, body[:300])
        if status == 200 and method == "GET" and not answered.get("link") and openapi.ADDRESS not in target:
            body = gzip.decompress(body) if answered.get("content-encoding") == "gzip" else body
            assert hashlib.sha256(body).digest() in files, f"no file of the release: {request!r}"
        elif status != 206 and body and answered.get("content-encoding") != "gzip":
            parsed(answered["content-type"], body)

    one()
    assert service.is_quiet(), service.log.read_text()[-3000:]


def test_no_request_whatever_is_a_fault_of_ours_or_leads_out_of_the_release(service: Served) -> None:
    past_the_document(service, 150)


@pytest.mark.thorough
def test_nor_is_any_of_thousands(service: Served) -> None:
    past_the_document(service, 5000)


def test_bytes_that_are_no_http_are_refused(service: Served) -> None:
    chance = random.Random(1)
    for size in (1, 10, 1000, 100_000):
        status, _, _ = service.raw(chance.randbytes(size) + b"\r\n\r\n")
        assert status in (0, 400)
    for request in (
        b"GET / HTTP/x\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    ):
        assert service.raw(request)[0] in (0, 400)
    assert service.is_quiet()
    assert service.get("/es/").status_code == 200


@pytest.mark.thorough
def test_memory_and_files_stay_over_thousands_of_requests(service: Served) -> None:
    chance = random.Random(1)
    stock, old = "/sdmx/v2/data/dataflow/MIGLAC/DF_STOCK/1.0.0", "/sdmx/v1/data/DF_STOCK"
    held = []
    for _ in range(4):
        for turn in range(1000):
            year, number = chance.randint(1900, 2100), chance.randint(1, 10**6)
            path = chance.choice(
                [
                    f"{stock}?startPeriod={year}&c[OBS_VALUE]=ge:{number}",
                    f"{old}?endPeriod={year}",
                    f"{old}/{number}",
                    f"/sdmx/v1/codelist/all/CL_SEX?x={number}",
                    f"/files/{number}",
                    "/es/",
                    f"{stock}?asOf={year}",
                    f"{old}?includeHistory=true&startPeriod={year}",
                ]
            )
            service.get(path, Accept=chance.choice(FORMS[:4]) if turn % 2 else "*/*")
        held.append((service.held("VmRSS"), service.held("files")))
    (first, opened), (last, still) = held[1], held[-1]
    assert last < first * 1.05 + 8 * 1024, f"memory grows: {held}"
    assert still <= opened + 4, f"files stay open: {held}"
    assert service.is_quiet()


# ---------------------------------------------------------------- clients that are slow

HEAD = b"GET /es/ HTTP/1.1\r\nHost: x\r\n"


SLOW = {
    "silent": (b"", b""),
    "one byte": (b"G", b""),
    "headers without end": (HEAD, b"X-A: b\r\n"),
    "a header without end": (HEAD + b"X-A: ", b"b"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b"b"),
    "chunks without end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nb\r\n"),
    "the next request": (HEAD + b"\r\n", b"G"),
}


def dripped(service: Served, first: bytes, drop: bytes) -> float:
    """Seconds until the service lets go of a client that sends a drop again and again."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=0.2) as client:
        client.sendall(first)
        started = time.monotonic()
        while time.monotonic() - started < SECONDS * 10:
            try:
                if client.recv(2**16):
                    continue
                break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            with contextlib.suppress(ConnectionError):
                client.sendall(drop)
        return time.monotonic() - started


def test_clients_that_send_slowly_are_left_and_hold_nobody_up(service: Served) -> None:
    opened = service.held("files")
    with ThreadPoolExecutor(len(SLOW)) as pool:
        waiting = {name: pool.submit(dripped, service, *sent) for name, sent in SLOW.items()}
        assert service.get("/es/").elapsed.total_seconds() < SECONDS
        lasted = {name: each.result() for name, each in waiting.items()}
    late = {name: seconds for name, seconds in lasted.items() if not SECONDS * 0.8 < seconds < SECONDS * 3}
    assert not late
    time.sleep(0.5)
    assert service.held("files") <= opened + 1, "their connections are still held"
    assert service.is_quiet()


def test_a_client_that_is_slow_but_within_the_time_is_answered(service: Served) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
        for _ in range(3):  # on one connection, which lasts longer than a request may
            for piece in (HEAD[:9], HEAD[9:], b"\r\n"):
                client.sendall(piece)
                time.sleep(SECONDS / 4)
            answer = HTTPResponse(client)
            answer.begin()
            assert answer.status == 200
            assert answer.read() == (service.public / "es/index.html").read_bytes()
