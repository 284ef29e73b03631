"""What a bank refuses, before anything is written: clients, names, keys, amounts."""

from __future__ import annotations

import warnings
from typing import Any

from .errors import InvalidAmount, SeveralCopies

NO_AUTOCOMMIT = "sql must not be in AUTOCOMMIT: leave isolation_level to the database"
LARGEST = 2**53 - 1  # cents in one entry: the largest whole number that JavaScript counts exactly


def check_couch(couch: Any) -> None:
    """Raise unless this is one database of couchdb-python."""
    if not hasattr(couch, "view") or not hasattr(couch, "resource"):
        raise TypeError(f"couch must be one database, couchdb.Server(…)[name], not {type(couch)}")


def check_copies(couch: Any, *, require_one: bool = False) -> None:
    """Warn where a cluster keeps several copies of a database; raise if one is required.

    Each copy may accept a document of its own under one _id. A cluster and a single CouchDB tell
    how many there are (`GET /database`: cluster.n), PouchDB does not.
    """
    copies = (couch.info().get("cluster") or {}).get("n", 1)
    if copies > 1:
        if require_one:
            raise SeveralCopies(copies)
        warnings.warn(SeveralCopies(copies), stacklevel=3)


def check_sql(sql: Any) -> None:
    """Raise unless this is a blocking engine on SQLite or PostgreSQL, with transactions."""
    dialect = getattr(sql, "dialect", None)
    if dialect is None or hasattr(sql, "sync_engine") or not hasattr(sql, "connect"):
        raise TypeError(f"sql must be what sqlalchemy.create_engine(…) makes, not {type(sql)}")
    if dialect.name not in ("sqlite", "postgresql"):
        raise ValueError(f"sql must be on SQLite or PostgreSQL, not {dialect.name}")
    options: Any = getattr(sql, "get_execution_options", dict)()
    level = options.get("isolation_level") or getattr(dialect, "_on_connect_isolation_level", None)
    if str(level).upper() == "AUTOCOMMIT":
        raise ValueError(NO_AUTOCOMMIT)


def check_transaction(tx: Any) -> None:
    """Raise if the driver commits each statement by itself, whoever told it to."""
    driver: Any = tx.connection.dbapi_connection
    alone = tx.dialect.name == "postgresql" and driver.autocommit
    if tx.dialect.name == "sqlite":  # autocommit came with Python 3.12; BEGIN may be sent by hand
        alone = hasattr(type(driver), "autocommit") and driver.autocommit is True
        alone = alone or (driver.isolation_level is None and not driver.in_transaction)
    if alone:
        raise ValueError(NO_AUTOCOMMIT)


def check_amount(amount: int) -> None:
    """Raise InvalidAmount unless this is a number of cents that can be moved."""
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= LARGEST:
        raise InvalidAmount(f"an amount is a whole number of cents, 1 to 2**53 - 1: {amount!r}")


def check_text(text: str, error: type[ValueError], what: str) -> None:
    """Raise the error unless this is text that names something."""
    if not isinstance(text, str) or str(text) != text or not 1 <= len(text) <= 100:
        raise error(f"{what} is a string of 1 to 100 characters, not {text!r:.30}")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise error(f"{what} is text that can be sent as UTF-8, not {text!r}")
