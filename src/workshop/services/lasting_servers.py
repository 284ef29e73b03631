"""A Redis and a CouchDB whose data outlast the process, in a folder; for what a class must keep.

    servers = LastingServers(Path("build/class"))
    servers.redis(), servers.redis_async(), servers.couch("class-1"), servers.sql()

Redis writes every command to the disk before it answers (appendfsync always), and so does our
PouchDB. Killed at any point, and started again on the folder, they have all that they have
acknowledged. With REDIS_URL or COUCHDB_URL those servers are used, under names of our own: there
it is for you to say what outlasts what.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import couchdb
import redis as redis_py
import sqlalchemy
from redis import asyncio as redis_asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import event

from . import (
    couch_service,
    environment,
    lasting_start,
    processes,
    redis_async_service,
    redis_private,
    redis_service,
    sql_service,
)
from .errors import ServiceError
from .redis_keyspace import PrefixedKeyspace

PREFIX = "btp-classroom:"  # of our keys, on a Redis that is not ours
PATIENCE = 20.0  # seconds in which the servers of an earlier run must have ended
LOOK = 0.25  # seconds between two looks whether the servers are alive


class LastingServers:
    """The servers of one folder, which belong to one process at a time; `stop()` ends them.

    A server that dies meanwhile is started again. Raises ServiceError if another process has the
    folder, or if there is no redis-server to start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._lock = self._alone()
        self._held: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        given = {"redis": environment.redis_url(), "couch": environment.couchdb_url()}
        self._mine = [name for name, address in given.items() if address is None]
        self._password = secrets.token_hex(16)
        self._redis_url = lasting_start.redis_place(self.folder, self._password)
        self._couch_port = processes.free_port()
        for name in self._mine:
            self._start(name)
        self._pool = self._await()
        threading.Thread(target=self._watch, name="lasting servers", daemon=True).start()

    def redis(self) -> redis_py.Redis:
        """A blocking client, with the manners of `services.redis()`."""
        return redis_py.Redis(connection_pool=self._pool)

    def redis_async(self) -> redis_asyncio.Redis:
        """An asyncio client with connections of its own, for one event loop."""
        manners = {**redis_service.MANNERS, "retry": Retry(NoBackoff(), 0)}
        kind = redis_async_service.KINDS[self._pool.connection_class]
        given = {**self._pool.connection_kwargs, **manners}
        made = redis_asyncio.ConnectionPool(connection_class=kind, **given)
        return redis_asyncio.Redis.from_pool(made)

    def couch(self, name: str) -> couch_service.Database:
        """The database of this name, made with one copy if it is not there."""
        server = self._couch()
        with contextlib.suppress(couchdb.http.PreconditionFailed):  # it is there
            server.resource.put_json(name, q=1, n=1)
        return couch_service.Database(server.resource(name), name)

    def drop(self, name: str) -> None:
        """Remove the database of this name, if it is there."""
        with contextlib.suppress(couchdb.http.ResourceNotFound):
            self._couch().delete(name)

    def sql(self) -> sqlalchemy.Engine:
        """An engine on an SQLite file of the folder, which is on the disk at each COMMIT."""
        made = sql_service.engine_on(f"sqlite:///{self.folder / 'class.sqlite'}")

        @event.listens_for(made, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA synchronous = FULL").close()

        return made

    def stop(self) -> None:
        """End the servers of ours; their data stay in the folder."""
        self._stopping.set()
        for process in self._held.values():
            processes.end(process)
        self._pool.disconnect()
        os.close(self._lock)

    def pids(self) -> dict[str, int]:
        """The process ids of the servers of ours: "redis" and "couch"."""
        found = {}
        if "redis" in self._mine:
            found["redis"] = int(self.redis().info("server")["process_id"])
        if "couch" in self._mine:
            found["couch"] = self._held["couch"].pid
        return found

    def _alone(self) -> int:
        """Hold the folder's lock, which the servers inherit: none of an earlier run is left."""
        import fcntl  # not on Windows, where there is no redis-server either

        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except OSError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise ServiceError(f"{self.folder} is in use by another process") from None
                time.sleep(0.02)

    def _start(self, name: str) -> None:
        if old := self._held.pop(name, None):
            processes.end(old)
        home = self.folder / name
        home.mkdir(exist_ok=True)
        self._held[name] = (
            lasting_start.start_redis(home, self._redis_url, self._lock)
            if name == "redis"
            else lasting_start.start_couch(home, self._couch_port, self._password, self._lock)
        )

    def _await(self) -> redis_py.ConnectionPool:
        given = environment.redis_url()
        pool = redis_service._pool(given or self._redis_url)
        if given is None:
            redis_private.wait_for(redis_py.Redis(connection_pool=pool), self.folder / "redis/log")
            return pool
        asked = pool.get_connection()
        asked.send_command("COMMAND")  # type: ignore[no-untyped-call]
        known = asked.read_response()
        pool.disconnect()
        db = int(pool.connection_kwargs.get("db", 0))
        return redis_service._pool(given, keyspace=PrefixedKeyspace(PREFIX, db, known))

    def _couch(self) -> couchdb.Server:
        own = f"http://class:{self._password}@127.0.0.1:{self._couch_port}/"
        address = environment.couchdb_url() or own
        return couchdb.Server(address, session=couch_service.OneTrySession())

    def _watch(self) -> None:
        """Start again what has died, until `stop`."""
        while not self._stopping.wait(LOOK):
            for name in self._mine:
                if not self._is_alive(name) and not self._stopping.is_set():
                    self._start(name)

    def _is_alive(self, name: str) -> bool:
        if name == "couch":
            return self._held[name].poll() is None
        try:
            self.redis().ping()
        except redis_py.exceptions.BusyLoadingError:
            return True
        except redis_py.ConnectionError:
            return not self._redis_is_gone()
        return True

    def _redis_is_gone(self) -> bool:
        """Whether nobody listens, also a moment later: a server that starts needs one."""
        time.sleep(LOOK)
        try:
            self.redis().ping()
        except redis_py.exceptions.BusyLoadingError:
            return False
        except redis_py.ConnectionError:
            return True
        return False
