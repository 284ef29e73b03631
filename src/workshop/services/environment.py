"""The environment variables that choose the services. Nothing else in the package reads any.

REDIS_URL        use this Redis (7 or newer), e.g. redis://:password@localhost:6379/0
COUCHDB_URL      use this Apache CouchDB 3, e.g. http://user:password@localhost:5984
DATABASE_URL     use this PostgreSQL, e.g. postgresql://user:password@localhost/database
PATTERNS_REDIS   "fake": use fakeredis even where a real redis-server is at hand;
                 /a/path: start this redis-server, whatever is on PATH
PATTERNS_JOIN    what services.invitation() returned in the process whose services to share
CLASSROOM_URL    the class to join, e.g. https://192.0.2.7:8017
"""

from __future__ import annotations

import os


def redis_url() -> str | None:
    """The Redis to use instead of one of our own, if any."""
    return os.environ.get("REDIS_URL") or None


def couchdb_url() -> str | None:
    """The CouchDB to use instead of one of our own, if any."""
    return os.environ.get("COUCHDB_URL") or None


def database_url() -> str | None:
    """The PostgreSQL to use instead of SQLite, if any."""
    return os.environ.get("DATABASE_URL") or None


def only_fakeredis() -> bool:
    """Whether PATTERNS_REDIS asks for fakeredis."""
    return _patterns_redis() == "fake"


def redis_server() -> str | None:
    """The redis-server to start instead of the one on PATH, if any."""
    value = _patterns_redis()
    return None if value == "fake" else value or None


def _patterns_redis() -> str:
    value = os.environ.get("PATTERNS_REDIS", "")
    if value not in ("", "fake") and not os.path.isabs(value):
        raise ValueError(
            f'PATTERNS_REDIS is {value!r}; it knows "fake", and the path of a redis-server'
        )
    return value


def invitation() -> str | None:
    """The services of another process to share, if any."""
    return os.environ.get("PATTERNS_JOIN") or None


def jupyter_prefix() -> str:
    """The path at which this kernel's Jupyter server is reached: "/", or a hub's for its user."""
    return os.environ.get("JUPYTERHUB_SERVICE_PREFIX") or "/"


def classroom_url() -> str:
    """The address of the class that a notebook joins, where `join` is given none."""
    return os.environ.get("CLASSROOM_URL") or "http://127.0.0.1:8017"
