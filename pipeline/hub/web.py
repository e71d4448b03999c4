"""One host asked politely: one request at a time, a pause between two, robots.txt, patience that ends, sizes that end.

Nothing that a host sends is trusted: an answer is read piece by piece and no further than it may be long, unpacked or
not, and a redirect is followed within the same host alone (RFC 9110, 9309).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout, connection_from_url
from urllib3.exceptions import HTTPError, MaxRetryError

from pipeline.errors import InputError
from pipeline.hub.sites import Limits, Site

AGENT = "Trayecto"
_PIECE = 2**16
_ROBOTS_BYTES = 500 * 1024  # RFC 9309 §2.5
_ROBOTS_SECONDS = 24 * 3600  # RFC 9309 §2.4
_REDIRECTS = 3
_AGAIN = (429, 500, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Answer:
    """What a host answered; no content where nothing has changed (304) or nothing is there (404)."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def validators(self) -> dict[str, str]:
        """What to send when the same is asked again, so that only what is new comes (RFC 9110 §13.1)."""
        asked = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {name: self.headers[said] for name, said in asked.items() if said in self.headers}


@dataclass
class Web:
    """The host of a site. `robots` is what its robots.txt said and when that was, kept from run to run."""

    site: Site
    limits: Limits
    contact: str  # an address where the operator of a host can read who asks
    now: float  # seconds since 1970
    robots: dict[str, Any] = field(default_factory=dict)
    requests: int = 0
    bytes: int = 0  # of contents, as they came over the wire
    _pool: HTTPConnectionPool = field(init=False)
    _rules: RobotFileParser | None = None
    _last: float = 0.0
    _until: float = 0.0

    def __post_init__(self) -> None:
        timeout = Timeout(connect=self.limits.connect_seconds, read=self.limits.read_seconds)
        self._pool = connection_from_url(self.site.host, maxsize=1, timeout=timeout)
        self._until = time.monotonic() + self.limits.site_seconds

    def get(self, path: str, *, cap: int, validators: Mapping[str, str] | None = None, accept: str = "") -> Answer:
        """Ask for a path below the site, and only for what is new where `validators` say what is known.

        `accept` says in which formats, the best first (RFC 9110 §12.5.1).

        Raises:
            InputError: the host cannot be reached, forbids it, answers otherwise, or sends more than `cap` bytes.
        """
        address = urljoin(self.site.address, path)
        if not self._allowed(address):
            raise InputError("{address}: robots.txt of the site does not allow it.", address=address)
        return self._asked(address, cap=cap, headers={**(validators or {}), **({"Accept": accept} if accept else {})})

    def close(self) -> None:
        self._pool.close()

    # ------------------------------------------------------------ robots.txt

    def _allowed(self, address: str) -> bool:
        if self._rules is None:
            age = self.now - self.robots.get("at", 0)
            if not 0 <= age < _ROBOTS_SECONDS:
                self.robots = {"at": self.now, "text": self._robots()}
            self._rules = RobotFileParser()
            self._rules.parse(str(self.robots["text"]).splitlines())
        return self._rules.can_fetch(AGENT, address)

    def _robots(self) -> str:
        """What the host asks of robots; nothing where it has no such file (RFC 9309 §2.3.1)."""
        answer = self._asked(urljoin(self.site.host, "/robots.txt"), cap=_ROBOTS_BYTES, is_robots=True)
        return answer.content.decode("utf-8", errors="replace")

    @property
    def _interval(self) -> float:
        asked = self._rules.crawl_delay(AGENT) if self._rules is not None else None
        return max(self.limits.interval_seconds, min(float(asked or 0), self.limits.wait_seconds))

    # ------------------------------------------------------------ one request

    def _asked(
        self, address: str, *, cap: int, headers: Mapping[str, str] | None = None, is_robots: bool = False
    ) -> Answer:
        for _ in range(_REDIRECTS + 1):
            response = self._answered(address, headers or {})
            if response.status not in _MOVED:
                return self._read(address, response, cap=cap, is_robots=is_robots)
            _drop(response)
            target = urljoin(address, response.headers.get("Location", ""))
            if f"{urlsplit(target).scheme}://{urlsplit(target).netloc}".lower() != self.site.host:
                raise InputError("{address}: it leads to another host, {target}.", address=address, target=target[:200])
            address = target
        raise InputError("{address}: it leads from one place to another without end.", address=address)

    def _answered(self, address: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """The answer, after as many attempts as it takes and the limits allow."""
        retries = Retry(
            self.limits.attempts - 1,
            status_forcelist=_AGAIN,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            backoff_max=self.limits.wait_seconds,
            retry_after_max=int(self.limits.wait_seconds),
        )
        while True:
            response, fault = self._once(address, headers)
            if response is not None and response.status not in _AGAIN:
                return response
            try:
                retries = retries.increment("GET", address, response=response, error=fault)
            except MaxRetryError:
                if response is not None:
                    _drop(response)
                    raise self._odd(address, response.status) from None
                raise InputError(
                    "{address}: the site does not answer ({error}).", address=address, error=_short(fault)
                ) from None
            if response is not None:
                _drop(response)  # unread: what it says may have no end
            self.on_time(address)
            retries.sleep(response)

    def _once(self, address: str, headers: Mapping[str, str]) -> tuple[BaseHTTPResponse | None, HTTPError | None]:
        time.sleep(max(0.0, self._last + self._interval - time.monotonic()))
        self.on_time(address)
        parts = urlsplit(address)
        said = {"User-Agent": f"{AGENT} (+{self.contact})", "Accept-Encoding": "gzip", **headers}
        self.requests += 1
        try:
            return (
                self._pool.urlopen(
                    "GET",
                    parts.path + (f"?{parts.query}" if parts.query else ""),
                    headers=said,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                ),
                None,
            )
        except HTTPError as error:
            return None, error
        finally:
            self._last = time.monotonic()

    def _read(self, address: str, response: BaseHTTPResponse, *, cap: int, is_robots: bool) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status in (304, 404, 410) or (is_robots and 400 <= response.status < 500):
            _drop(response)
            return Answer(404 if response.status != 304 else 304, headers=headers)
        if response.status != 200:
            _drop(response)
            raise self._odd(address, response.status)
        pieces, total = list[bytes](), 0
        try:
            while piece := response.read1(_PIECE, decode_content=True):
                pieces.append(piece)
                total += len(piece)
                if total > cap:
                    raise InputError("{address}: it is longer than {bytes} bytes.", address=address, bytes=cap)
                self.on_time(address)
        except HTTPError as error:
            raise InputError(
                "{address}: the answer breaks off ({error}).", address=address, error=_short(error)
            ) from None
        finally:
            self.bytes += response.tell()
            _drop(response) if total > cap else response.release_conn()
        return Answer(200, b"".join(pieces), headers)

    def on_time(self, address: str) -> None:
        """Stop when everything asked of the site takes too long."""
        if time.monotonic() > self._until:
            raise InputError(
                "{address}: the site takes longer than {seconds} seconds.",
                address=address,
                seconds=self.limits.site_seconds,
            )

    def _odd(self, address: str, status: int) -> InputError:
        return InputError("{address}: the site answers {status}.", address=address, status=status)


def _drop(response: BaseHTTPResponse) -> None:
    """Let go of an answer that is not read to its end, and of the connection that it came by."""
    response.close()
    response.release_conn()


def _short(error: BaseException | None) -> str:
    """The kind of a fault of the network, in a few words."""
    return type(error).__name__.removesuffix("Error")
