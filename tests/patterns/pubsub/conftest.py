"""Which tests run on which database.

A room on a stream has no table, so one database is enough for it. What two open transactions
do to each other can be seen on PostgreSQL only: SQLite has one writer at a time. The longest
searches run in full on a real Redis with SQLite, and with one crash on the other backends.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests that would repeat themselves, or show nothing."""
    without = {item for item in items if not _is_wanted(item)}
    config.hook.pytest_deselected(items=list(without))
    items[:] = [item for item in items if item not in without]


def _is_wanted(item: pytest.Item) -> bool:
    if not item.nodeid.startswith("tests/patterns/pubsub/"):
        return True  # a hook of this file is asked about every test of a run
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if item.name.startswith("test_a_room_holds["):
        others = [params["redis_client"] == "fakeredis", params["sql_engine"] == "PostgreSQL"]
        return not any(others) or (not all(others) and "one-crash" in item.name)
    if "on_a_real_server" in item.name:
        return (params["redis_client"], params["sql_engine"]) == ("redis-server", "SQLite")
    if "on_postgresql" in item.name:
        return params.get("sql_engine") != "SQLite"
    return (params.get("make"), params.get("sql_engine")) != ("stream", "PostgreSQL")
