"""What the services raise: one class for each thing that can go wrong, one line each.

SQL's is in sql_errors.py: SQLAlchemy takes longer to import than all else here.
"""

from __future__ import annotations

import redis


class ServiceError(Exception):
    """A service is unavailable; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """One line in a notebook instead of a page from three libraries."""
        return [f"{type(self).__name__}: {self}"]


class NotOurs(ServiceError):
    """A command was refused, because it would reach what this run did not make."""


class ServiceGone(ConnectionError):
    """A service went away while it was in use.

    Whether the last request took effect is not known. Each service's own subclass is also
    what its client library raises, so `except redis.ConnectionError` catches it as well.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class RedisGone(ServiceGone, redis.ConnectionError):
    """Redis went away."""

    def __init__(self, message: str) -> None:
        redis.ConnectionError.__init__(self, message)


class CouchGone(ServiceGone):
    """CouchDB, or our PouchDB in its place, went away."""
