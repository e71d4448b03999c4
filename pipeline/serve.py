"""The files of a release on 127.0.0.1, with the headers that the files of site/hosts ask of a host."""

from __future__ import annotations

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline.errors import PublishError

_STRUCTURE = "application/vnd.sdmx.structure+json; version=2.0.0; charset=utf-8"
_METADATA = "application/vnd.sdmx.metadata+json; version=2.0.0; charset=utf-8"
_PAGES = ("index.html", "index.xml", "index.json", "index.csv")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".ttl": "text/turtle; charset=utf-8",
    ".jsonld": "application/ld+json; charset=utf-8",
    ".rdf": "application/rdf+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}


def document(folder: Path, *, is_page: bool) -> Path | None:
    """The index document of a folder, so that no client has to follow a redirect.

    A folder of pages is asked for with a slash at the end, for the links of the page count on it.
    """
    if (folder / _PAGES[0]).exists() and not is_page:
        return None
    return next((folder / page for page in _PAGES if (folder / page).exists()), None)


def media_type(path: Path) -> str | None:
    """The media type that SDMX clients expect; None where it is any other file."""
    if path.suffix == ".json" and "/sdmx/" in path.as_posix():
        return _METADATA if "/sdmx/v2/metadata/" in path.as_posix() else _STRUCTURE
    return _TYPES.get(path.suffix)


class Handler(SimpleHTTPRequestHandler):
    """Folders answer with their index document, whatever its form, with or without a slash at the end."""

    def translate_path(self, path: str) -> str:
        """The file that answers."""
        found = Path(super().translate_path(path))
        is_page = self.path.partition("?")[0].endswith("/")
        return str((document(found, is_page=is_page) if found.is_dir() else None) or found)

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """The media type that SDMX clients expect."""
        return media_type(Path(path)) or super().guess_type(path)

    def end_headers(self) -> None:
        """Let pages of other sites read the data."""
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> None:  # noqa: ARG002  # the base class sets the signature
        """Folders are not listed."""
        self.send_error(404)


class QuietHandler(Handler):
    """The same, without a line a request."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def server(public: Path, *, port: int, handler: type[Handler] = Handler) -> ThreadingHTTPServer:
    """A server of `public` on the loopback address; port 0 takes a free one.

    Raises:
        PublishError: there is no release yet, or the port is taken.
    """
    if not (public / "index.html").exists():
        raise PublishError("there is no release in build/public. Run `make publish` first.")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(public)))
    except OSError as error:
        raise PublishError(
            "port {port} cannot be used ({error}). Choose another: make serve PORT=8001",
            port=port,
            error=error.strerror,
        ) from None
