"""uvicorn's HTTP with a limit to its patience, for an app that strangers can reach."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0  # seconds a client may take to send a request
LINGER = 1.0  # seconds in which a refused client may finish sending, so that it reads its 400
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"


class Impatient(H11Protocol):
    """uvicorn's HTTP, but who does not finish a request in `patience` seconds gets a 408.

    uvicorn itself waits for ever: a client that sends a byte now and then holds a connection.
    And who sends too much reads why: a connection closed upon unread data takes the reply along.
    """

    patience = PATIENCE
    _clock: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on, and begin to wait anew once a request is complete."""
        if not self._refused:
            super().data_received(data)
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, and let the client finish sending, so that it reads that."""
        if self._answering():
            self.transport.close()
            return
        self._refused = True
        text = msg.encode("ascii")
        self.transport.write(_TOO_BAD % (len(text), text))
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        if self._clock is not None:
            self._clock.cancel()

    def _watch(self) -> None:
        if self._answering():
            if self._clock is not None:
                self._clock.cancel()
            self._clock = None
        elif self._clock is None:
            self._clock = self.loop.call_later(self.patience, self._late)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _late(self) -> None:
        self._clock = None
        if not self._answering() and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
            self.transport.close()
