"""The class on a folder: its servers, its application, uvicorn in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import couchdb
import uvicorn
from redis import Redis

from workshop.classroom.app import make_app
from workshop.classroom.opening import ENDED, open_class, opening_of
from workshop.classroom.rooms import LEASE, Rooms
from workshop.classroom.token_store import Lifetimes
from workshop.impatient_http import Impatient
from workshop.services.lasting_erase import erase_redis, erase_sql
from workshop.services.lasting_servers import LastingServers

MOST = 5000  # connections at a time; more get a 503


class ClassServer:
    """The class of a folder, served in a thread: `with ClassServer(folder) as running`.

    Killed at any point, and started again with the folder, the class goes on where it was.
    `port` 0 takes a free one. Raises ServiceError if another process has the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certfile: str | None = None,
        keyfile: str | None = None,
        lifetimes: Lifetimes | None = None,
        lease: float = LEASE,
        protocol: type[Impatient] = Impatient,
    ) -> None:
        self._socket = socket.create_server((host, port), backlog=4096)
        self.host, self.port = self._socket.getsockname()[:2]
        self.scheme = "https" if certfile else "http"
        self.servers = LastingServers(folder)
        redis = self.servers.redis()
        sql = self.servers.sql()
        self.rooms = Rooms(redis, sql, self._couch(redis), lease).install()
        if by := redis.get(ENDED):  # it may have been killed before all was erased
            self.erase(str(by))
            redis.delete(ENDED)
            self.rooms.couch = self._couch(redis)
        self.opening = open_class(redis)
        self.app = make_app(self.rooms, self.servers.redis_async, self.erase, lifetimes)
        options: dict[str, Any] = {"log_level": "error", "access_log": False, "lifespan": "on"}
        options |= {"limit_concurrency": MOST, "timeout_graceful_shutdown": 2, "ws": "none"}
        options |= {"http": protocol, "backlog": 4096, "server_header": False}
        options |= {"proxy_headers": False, "ssl_certfile": certfile, "ssl_keyfile": keyfile}
        self._server = uvicorn.Server(uvicorn.Config(self.app, **options))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="class", daemon=True)
        self._ended = threading.Event()

    def _couch(self, redis: Redis) -> couchdb.Database:
        return self.servers.couch(f"class-{open_class(redis).id}")

    @property
    def url(self) -> str:
        """Where the class is; on this machine, if it is served to others, too."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def instructor_link(self) -> str:
        """The instructor's page with the secret, in the part of a link that is never sent."""
        return f"{self.url}/teach#secret={self.opening.secret}"

    def erase(self, by: str) -> None:
        """Forget everything but that the class has ended, and `by` which request."""
        redis = self.servers.redis()
        redis.set(ENDED, by)
        if opening := opening_of(redis):
            self.servers.drop(f"class-{opening.id}")
        erase_sql(self.rooms.sql)
        erase_redis(redis, but=ENDED)

    def start(self) -> ClassServer:
        """Begin to answer; raise RuntimeError if that does not happen within a minute."""
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            if self._ended.is_set() or time.monotonic() > deadline:
                raise RuntimeError("the class did not start; see what it has logged")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop answering, let go who waits, and end the servers; what they have stays."""
        self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self.app.state.board.close)
            self._ended.wait(10)
        self._socket.close()
        self.rooms.sql.dispose()
        self.servers.stop()

    def wait(self) -> None:
        """Return when the server has stopped."""
        while not self._ended.wait(1):
            pass

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve(sockets=[self._socket.dup()])

        try:
            asyncio.run(serve())
        finally:
            self._ended.set()

    def __enter__(self) -> ClassServer:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
