"""uvicorn in a thread, for a notebook, a test or a command; and a notice board's page on it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette

from patterns.notice_boards.web import make_app
from workshop.impatient_http import Impatient


class AppServer:
    """Serves an ASGI application in a thread: `with AppServer(app) as running`.

    `port` 0 takes a free one. More than `most` connections at a time get a 503. `close` is
    called in the application's loop when it is to stop: whoever waits must then be answered.
    """

    def __init__(
        self,
        app: Starlette,
        close: Callable[[], None],
        address: socket.socket,
        *,
        most: int = 5000,
        protocol: type[Impatient] = Impatient,
        **more: Any,
    ) -> None:
        self.app, self._close, self._socket = app, close, address
        options: dict[str, Any] = {"log_level": "error", "access_log": False, "lifespan": "on"}
        options |= {"limit_concurrency": most, "timeout_graceful_shutdown": 1, "ws": "none"}
        options |= {"http": protocol, "backlog": 4096, "server_header": False, **more}
        self._server = uvicorn.Server(uvicorn.Config(self.app, **options))
        self.host, self.port = self._socket.getsockname()[:2]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._ended = threading.Event()  # not join(): Ctrl-C in a join marks the thread as ended

    def start(self) -> Self:
        """Begin to answer; raise RuntimeError if that does not happen within a minute."""
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            if self._ended.is_set() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start; see what it has logged")
            time.sleep(0.005)
        return self

    def stop(self, *, hold: bool = False) -> None:
        """Stop answering: those who wait are told “nothing new”, and everything is closed.

        With `hold` the address stays open: a request that comes now waits for the next server.
        """
        self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self._close)
            self._ended.wait(10)
        if not hold:
            self._socket.close()

    def wait(self) -> None:
        """Return when the server has stopped."""
        while not self._ended.wait(1):
            pass

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            # uvicorn closes what it is given; the address itself may be held for the next server
            await self._server.serve(sockets=[self._socket.dup()])

        try:
            asyncio.run(serve())
        finally:
            self._ended.set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


class PageServer(AppServer):
    """Serves the boards of a Redis on loopback, in a thread: `with PageServer(make_redis)`.

    `instead_of` a server that was stopped with `hold=True` takes over its address.
    """

    def __init__(
        self,
        make_redis: Callable[[], Redis],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        instead_of: PageServer | None = None,
        poll: float = 5.0,
        most: int = 5000,
        protocol: type[Impatient] = Impatient,
    ) -> None:
        app = make_app(make_redis, poll=poll)
        there = socket.create_server((host, port), backlog=4096) if instead_of is None else None
        address = there or instead_of._socket  # type: ignore[union-attr]
        close = lambda: app.state.boards.close()  # noqa: E731  made when the server starts
        super().__init__(app, close, address, most=most, protocol=protocol)

    def url(self, board: str, of: str = "page") -> str:
        """The address of a board's page, of its `events`, or with of='' of the board itself."""
        return f"http://{self.host}:{self.port}/boards/{board}" + (f"/{of}" if of else "")

    def waiting(self) -> int:
        """How many watchers there are now."""
        waiting: int = self.app.state.boards.waiting()
        return waiting
