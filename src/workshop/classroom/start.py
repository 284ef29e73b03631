"""The class on a folder: its servers, its application, uvicorn in a thread."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import couchdb
from redis import Redis

from workshop.classroom.app import make_app
from workshop.classroom.opening import ENDED, open_class, opening_of
from workshop.classroom.rooms import LEASE, Rooms
from workshop.classroom.token_store import Lifetimes
from workshop.page_server import AppServer
from workshop.services.lasting_erase import erase_redis, erase_sql
from workshop.services.lasting_servers import LastingServers

SPARE = 200  # files for the servers behind it
MOST = 100_000  # connections, where nothing else bounds them


class ClassServer(AppServer):
    """The class of a folder, served in a thread: `with ClassServer(folder) as running`.

    Killed at any point, and started again with the folder, the class goes on where it was.
    In place of a folder it takes servers that run. `port` 0 takes a free port. Raises
    ServiceError if another process has the folder.
    """

    def __init__(
        self,
        folder: Path | LastingServers,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certfile: str | None = None,
        keyfile: str | None = None,
        lifetimes: Lifetimes | None = None,
        lease: float = LEASE,
        **more: Any,
    ) -> None:
        address = socket.create_server((host, port), backlog=4096)
        self.scheme = "https" if certfile else "http"
        self.servers = LastingServers(folder) if isinstance(folder, Path) else folder
        redis = self.servers.redis()
        self.rooms = Rooms(redis, self.servers.sql(), self._couch(redis), lease).install()
        if by := redis.get(ENDED):  # it may have been killed before all was erased
            self.erase(str(by))
            redis.delete(ENDED)
            self.rooms.couch = self._couch(redis)
        self.opening = open_class(redis)
        self.rooms.key = self.opening.key
        app = make_app(self.rooms, self.servers.redis_async, self.erase, lifetimes)
        more |= {"proxy_headers": False, "ssl_certfile": certfile, "ssl_keyfile": keyfile}
        more.setdefault("most", most_connections())
        super().__init__(app, lambda: app.state.board.close(), address, **more)

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

    def stop(self, *, hold: bool = False) -> None:
        """Stop answering, let go who waits, and end the servers; what they have stays."""
        super().stop(hold=hold)
        self.rooms.sql.dispose()
        self.servers.stop()

    def _couch(self, redis: Redis) -> couchdb.Database:
        return self.servers.couch(f"class-{open_class(redis).id}")


def most_connections() -> int:
    """How many this process may hold, so that it has files left for its own servers."""
    import resource  # not on Windows

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if most == resource.RLIM_INFINITY else max(most - SPARE, most // 2)
