"""Small national sites for the tests of the hub: what the office XX published, told of other countries, on loopback."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline import signature
from pipeline.hub.listed import paths

FLOWS = ("DF_BORDER", "DF_STOCK")


class Served:
    """A site on a port of its own: its folder, what was asked of it, and answers that are not as they should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.odd: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}  # by path
        self.address = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.lstrip("/")
        self.asked.append(path)
        if path in self.odd:
            self.odd[path](handler)
            return
        file = self.folder / path
        if not file.is_file():
            handler.send_error(404)
            return
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        if handler.headers.get("If-None-Match") == tag:
            handler.send_response(304)
            handler.send_header("ETag", tag)
            handler.end_headers()
            return
        send(handler, content, ETag=tag)


def send(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def serving(*folders: Path) -> Iterator[list[Served]]:
    """Each folder on a port of the loopback address."""
    sites, servers = [Served(folder) for folder in folders], []
    for site in sites:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            of = site

            def do_GET(self) -> None:
                try:
                    self.of.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        site.address = f"http://127.0.0.1:{server.server_address[1]}/"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    try:
        yield sites
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def nation(
    folder: Path, published: Path, area: str, flows: Sequence[str] = FLOWS, release: str = "2026-11-24.1"
) -> Path:
    """The site of a country whose figures are those of XX, with the files that a hub asks for."""
    for flow in flows:
        for ours, path in zip(paths(("XX", flow)).values(), paths((area, flow)).values(), strict=True):
            if (published / ours).exists():
                content = (published / ours).read_bytes()
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content if ours.endswith(".parquet") else renamed(content, area))
    (folder / "sdmx/v1/dataflow").mkdir(parents=True, exist_ok=True)
    (folder / "sdmx/v1/dataflow/index.xml").write_text("<a/>", encoding="utf-8")
    list_files(folder, release)
    return folder


def emigrants(folder: Path, area: str, destination: str, figure: int) -> None:
    """Add to a site what its country says of those born there who live in another one."""
    here, there = (paths((area, flow)) for flow in ("DF_STOCK", "DF_EMIG"))
    stock = pd.read_csv(folder / here["table"], dtype=str, keep_default_na=False)
    said = {"MIG_MEASURE": "STK_EMIG", "SEX": "_T", "COUNTRY_BIRTH": "NAT", "COUNTERPART_AREA": destination}
    row = stock[stock["TIME_PERIOD"] == "2024"][:1].assign(
        **said, OBS_VALUE=str(figure), OBS_STATUS="A", CONF_STATUS="F"
    )
    record = (folder / here["record"]).read_text(encoding="utf-8").replace('"DF_STOCK"', '"DF_EMIG"')
    for name in ("table", "lineage"):
        (folder / there[name]).parent.mkdir(parents=True)
    (folder / there["record"]).write_text(record, encoding="utf-8")
    row.to_csv(folder / there["table"], index=False, lineterminator="\n")
    pd.read_parquet(folder / here["lineage"])[:1].to_parquet(folder / there["lineage"])


def renamed(content: bytes, area: str) -> bytes:
    return re.sub(rb"\bXX\b", area.encode(), content)


def list_files(folder: Path, release: str) -> None:
    """Write the manifest of what is there now."""
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("manifest.")
    }
    (folder / "manifest.json").write_text(json.dumps({"release": release, "files": files}), encoding="utf-8")


def change(folder: Path, path: str, old: str, new: str, *, release: str = "2026-11-25.1") -> None:
    """Change a file of a site, which publishes it as another release."""
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text, old
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    list_files(folder, release)


def sign(folder: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    signature.sign(folder, key)
    return key


def know(office: Path, *areas: str) -> Path:
    """Add fictional countries to the framework of an office, each after the example of XX."""
    for area in areas:
        for path, lines in {
            "codelists/MIGLAC/CL_AREA-1.0.0.csv": [
                f"{area},,Land {area},Tierra {area},Terra {area},country,{area}X,9{area}",
                f"{area}-N,{area},North,Norte,Norte,area,,",
                f"{area}-S,{area},South,Sur,Sul,area,,",
                f"{area}-_U,{area},Unknown,Ignorada,Ignorada,area_unknown,,",
            ],
            "codelists/MIGLAC/CL_ORIGIN-1.0.0.csv": [
                f"{area},R005,Land {area},Tierra {area},Terra {area},country,{area}X,9{area}"
            ],
            "metadata/agencies.csv": [f"MIGLAC.{area},agency,Land {area},Tierra {area},Terra {area},"],
        }.items():
            with (office / path).open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
        folder = office / "metadata/national" / area
        folder.mkdir(parents=True)
        source = office / "metadata/national/XX/country.toml"
        (folder / "country.toml").write_bytes(renamed(source.read_bytes(), area))
        (folder / "codes.csv").write_text("component,column,label,code,note\n", encoding="utf-8")
    return office
