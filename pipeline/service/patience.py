"""How long the service waits for a client: to send a request whole, and to take each piece of the answer."""

from __future__ import annotations

import asyncio

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 20


class Patience:
    """Leaves a client that does not take a piece of its answer in time, so that none holds files and memory."""

    def __init__(self, application: ASGIApp, seconds: float = SECONDS) -> None:
        self._app, self._seconds = application, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and each piece of the answer within the time."""

        async def patient(piece: Message) -> None:
            try:
                await asyncio.wait_for(send(piece), self._seconds)
            except TimeoutError:
                raise ConnectionAbortedError("the client does not read") from None

        try:
            await self._app(scope, receive, patient)
        except ConnectionAbortedError:
            return


class Connection(H11Protocol):
    """A connection that ends when a request is not there whole in time, however the client spreads its bytes.

    The time runs from the first moment at which a request may come, so a client that says nothing is left too.
    """

    seconds: float = SECONDS
    _ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on with a request, or be done with it."""
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._wait()

    def _wait(self) -> None:
        """Let the time run while a request is awaited, and only then."""
        is_awaited = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing()
        if is_awaited and self._ending is None:
            self._ending = self.loop.call_later(self.seconds, self.transport.abort)
        elif not is_awaited and self._ending is not None:
            self._ending.cancel()
            self._ending = None
