"""What SQL raises, in place of errors.py: only who uses SQL waits for SQLAlchemy."""

from __future__ import annotations

import sqlalchemy.exc

from .errors import ServiceGone


class SQLGone(ServiceGone, sqlalchemy.exc.OperationalError):
    """PostgreSQL went away."""

    def __init__(self, message: str, orig: BaseException) -> None:
        sqlalchemy.exc.OperationalError.__init__(self, None, None, orig)
        self.message = message

    def __str__(self) -> str:
        return self.message
