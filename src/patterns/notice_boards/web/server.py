"""The app on uvicorn, in a thread: for a notebook, a test, or the module run as a command."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from redis.asyncio import Redis
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import make_app

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
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)
            self._watch()

    def send_400_response(self, msg: str) -> None:
        if self._answering():
            self.transport.close()
            return
        self._refused = True
        text = msg.encode("ascii")
        self.transport.write(_TOO_BAD % (len(text), text))
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
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


class PageServer:
    """Serves the boards of a Redis on loopback, in a thread: `with PageServer(make_redis)`.

    `port` 0 takes a free one. More than `most` connections at a time get a 503.
    """

    def __init__(
        self,
        make_redis: Callable[[], Redis],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        poll: float = 5.0,
        most: int = 5000,
        protocol: type[Impatient] = Impatient,
    ) -> None:
        self.app = make_app(make_redis, poll=poll)
        options: dict[str, Any] = {"log_level": "error", "access_log": False, "lifespan": "on"}
        options |= {"limit_concurrency": most, "timeout_graceful_shutdown": 1, "ws": "none"}
        options |= {"http": protocol, "backlog": 4096, "server_header": False}
        self._server = uvicorn.Server(uvicorn.Config(self.app, **options))
        self._socket = socket.create_server((host, port), backlog=4096)
        self.host, self.port = self._socket.getsockname()[:2]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="notice boards", daemon=True)

    def start(self) -> PageServer:
        """Begin to answer; raise RuntimeError if that does not happen within 10 s."""
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the page's server did not start; see what it has logged")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop answering: those who wait are told “nothing new”, and everything is closed."""
        self._server.should_exit = True
        if self._loop is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self.app.state.boards.close)
            self._thread.join(10)
        self._socket.close()

    def wait(self) -> None:
        """Return when the server has stopped."""
        while self._thread.is_alive():
            self._thread.join(1)

    def url(self, board: str, of: str = "page") -> str:
        """The address of a board's page, of its `events`, or with of='' of the board itself."""
        return f"http://{self.host}:{self.port}/boards/{board}" + (f"/{of}" if of else "")

    def waiting(self) -> int:
        """How many watchers there are now."""
        waiting: int = self.app.state.boards.waiting()
        return waiting

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve(sockets=[self._socket])

        asyncio.run(serve())

    def __enter__(self) -> PageServer:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
