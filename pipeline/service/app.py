"""The service as an ASGI application: files of the release, and the queries that a static host cannot answer."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import hashlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import duckdb
import uvicorn
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pipeline import serve as files
from pipeline.errors import PublishError
from pipeline.service import answers, figures, lookup, media, openapi
from pipeline.service.ask import Pairs
from pipeline.service.faults import NO_RESULTS, NOT_READY, RequestError, media_type, message
from pipeline.service.patience import SECONDS, Connection, Patience
from pipeline.service.standing import Standing, standing

OBSERVATIONS = 1_000_000  # the most that one answer holds
_PIECE = 2**18  # bytes; an answer that is longer waits for its client in a file
_AT_ONCE = 4  # queries that are worked on; the others wait

Writer = Callable[[IO[bytes]], None]


class Service:
    """The release that stands, read again whenever another is put in its place."""

    def __init__(self, root: Path, public: Path, *, limit: int = OBSERVATIONS) -> None:
        self.root, self.public, self.limit = root, public, limit
        self.database: duckdb.DuckDBPyConnection = figures.connect(public)
        # Always the same threads: DuckDB and Arrow keep memory for each that ever asked them.
        self.workers = ThreadPoolExecutor(_AT_ONCE)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._standing: Standing | None = None

    def now(self) -> Standing:
        """The standing release.

        Raises:
            RequestError: its structures are not those of the framework any more.
        """
        found = (self.public / "manifest.json").stat()
        with self._lock:
            if self._seen != (found.st_ino, found.st_mtime_ns):
                self._standing = standing(self.root, self.public)
                self._seen = (found.st_ino, found.st_mtime_ns)
            if self._standing is None:
                raise RequestError(
                    NOT_READY, "The framework has changed since this release was made: only its files are served."
                )
            return self._standing


class Files(StaticFiles):
    """The files of the release, with the headers and index documents of a well-set host."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file that answers; a folder answers with its index document."""
        full, found = super().lookup_path(path)
        if found is not None and Path(full).is_dir():
            is_page = not path or path.endswith("/") or path == "."
            page = files.document(Path(full), is_page=is_page)
            return (str(page), page.stat()) if page else (full, found)
        return full, found

    def get_path(self, scope: Scope) -> str:
        """The path with the slash at its end, which says that a page is asked for."""
        path = super().get_path(scope)
        return f"{path}/" if str(scope["path"]).endswith("/") and path != "." else path

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, with the media type that SDMX clients expect."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        kind = files.media_type(Path(full_path))
        if kind:
            response.headers["content-type"] = kind
        return response


def app(root: Path, public: Path, *, limit: int = OBSERVATIONS) -> Starlette:
    """The application over the release in `public`, which was made from the framework in `root`."""
    service = Service(root, public, limit=limit)
    static = Files(directory=public, html=True)

    async def answer(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(service.workers, _answered, service, request)

    def description(request: Request) -> Response:
        return _described(service, request)

    async def filed(request: Request) -> Response:
        """What of the services only files answer."""
        with contextlib.suppress(HTTPException):
            found = await static.get_response(static.get_path(request.scope), request.scope)
            if found.status_code != 404:
                return found
        return _refused(
            RequestError(NO_RESULTS, f"There is no such address: {openapi.ADDRESS} tells those there are."),
            request.path_params["base"],
        )

    routes = [
        Route(openapi.ADDRESS, description),
        *(
            Route(f"/sdmx/{base}/{kind}{rest}", answer)
            for base, kinds in _SERVED.items()
            for kind in kinds
            for rest in ("", "/{rest:whole}")
        ),
        Route("/sdmx/{base}/{rest:whole}", filed),
        Mount("/", static),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(Patience),
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "HEAD", "OPTIONS"],
                allow_headers=["*"],
                expose_headers=["ETag", "Last-Modified", "Link"],
            ),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
    )


class _Whole(PathConvertor):
    """The rest of an address, whatever it holds: line feeds too."""

    regex = "(?s:.*)"


register_url_convertor("whole", _Whole())
_V2 = ("data", "availability", *(f"structure/{kind}" for kind in (*lookup.KINDS, "*")))
_SERVED = {"v1": ("data", "availableconstraint", *lookup.KINDS, "structure"), "v2": _V2, "v2xml": _V2}


def _answered(service: Service, request: Request) -> Response:
    _, _, base, *parts = request.scope["path"].split("/")
    try:
        return _fresh(service, service.now(), request, base, [part for part in parts if part])
    except RequestError as fault:
        return _refused(fault, base)


def _refused(fault: RequestError, base: str) -> Response:
    # The form is told as it is: Starlette would add a charset to some.
    headers = {"Content-Type": media_type(base), "Vary": "Accept"}
    return Response(message(fault, base), status_code=fault.status, headers=headers)


def _described(service: Service, request: Request) -> Response:
    """What the service answers, for programs."""
    try:
        at = service.now()
        content = openapi.document(at.library, at.release)
    except RequestError as fault:
        return _refused(fault, "v2")
    return JSONResponse(content | {"servers": [{"url": str(request.base_url).rstrip("/")}]})


def _fresh(service: Service, at: Standing, request: Request, base: str, parts: list[str]) -> Response:
    """The answer, or that it has not changed since the client had it."""
    query: Pairs = request.query_params.multi_items()
    is_data = parts[0] == "data"
    accept = request.headers.get("accept", "")
    form = media.data(accept, base) if is_data else media.structures(accept, base)
    parts = parts[1:] if base != "v1" and parts[0] == "structure" else parts
    site = str(request.base_url).rstrip("/")
    asked = f"{at.mark} {base} {'/'.join(parts)} {sorted(query)} {form.id}"
    headers = {
        "ETag": f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"',
        "Last-Modified": email.utils.format_datetime(at.day, usegmt=True),
        "Vary": "Accept",
        "Cache-Control": "no-cache",
        "Link": f'<{site}{openapi.ADDRESS}>; rel="service-desc"',  # RFC 8631
    }
    unchanged = Response(status_code=304, headers=headers)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return unchanged
    address = f"{site}/sdmx/{base}"
    write = answers.answer(address, parts, query, at, form, database=service.database, limit=service.limit)
    # Only what there is can be unchanged (RFC 9110 §13.2.1).
    return unchanged if _is_known(request, at) else _streamed(write, form.type, headers)


def _is_known(request: Request, at: Standing) -> bool:
    """Whether the client has any answer, or one of this day (RFC 9110 §13.1): tags go before days."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*"
    try:
        since = email.utils.parsedate_to_datetime(request.headers.get("if-modified-since", ""))
        return since >= at.day
    except (TypeError, ValueError, OverflowError):
        return False


def _streamed(write: Writer, kind: str, headers: dict[str, str]) -> Response:
    """The answer, written to its end before the first byte goes out, so that a fault can still be told."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_PIECE)  # noqa: SIM115  # closed when it has been sent
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    length = file.tell()
    file.seek(0)

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return StreamingResponse(pieces(), media_type=kind, headers={**headers, "Content-Length": str(length)})


def serve(root: Path, public: Path, *, port: int) -> int:
    """Serve until interrupted.

    Raises:
        PublishError: there is no release yet.
    """
    if not (public / "index.html").exists():
        raise PublishError("there is no release in build/public. Run `make publish` first.")
    if standing(root, public) is None:
        print("The framework has changed since this release was made: only its files are served until `make publish`.")
    print(f"http://127.0.0.1:{port}/   (Ctrl+C ends)")
    config = configured(app(root, public), port=port)
    listening = config.bind_socket()
    with contextlib.suppress(AttributeError, OSError):  # where the system can, it lets go of what nobody reads too
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SECONDS * 1000)
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def configured(application: Starlette, *, port: int) -> uvicorn.Config:
    """How the application is served: on this machine alone, HTTP alone, to clients that send and read in time."""
    return uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        http=Connection,
        ws="none",
        log_level="warning",
        server_header=False,
    )
