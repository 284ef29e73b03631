"""install() in every pattern that has tables or views: 40 processes call it at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import couchdb
import pytest
import sqlalchemy as sa
from tests import forking

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.pubsub import Room
from patterns.transfers import Bank, Branch, SqlBank
from patterns.transfers.ledger import DESIGN
from workshop import services

PROCESSES = 40
PREFIX = {"Room": "room_", "CounterBuffer": "counter_", "StreamCounter": "counter_"}


def made(kind: str, address: str) -> Any:
    """A pattern on the store at this address; Redis is never asked for an install."""
    import fakeredis

    if kind in ("Bank", "Branch"):
        couch = couchdb.Database(address)
        return Bank(couch) if kind == "Bank" else Branch(couch, "north")
    sql = sa.create_engine(address, connect_args={"timeout": 60} if "sqlite" in address else {})
    if kind == "SqlBank":
        return SqlBank(sql)
    redis = fakeredis.FakeRedis(decode_responses=True)
    if kind == "Room":
        return Room(redis, sql, "dogfacts")
    counter: Any = {"CounterBuffer": CounterBuffer, "StreamCounter": StreamCounter}[kind]
    return counter(redis, sql, "views", HOUR)


def install(kind: str, address: str, together: Any, said: Any) -> None:
    """What each process does."""
    try:
        pattern = made(kind, address)
        together.wait(120)
        assert pattern.install() is pattern
        said.put("installed")
    except BaseException as error:
        said.put(repr(error))


def all_at_once(kind: str, address: str) -> list[str]:
    """What 40 processes say that install at the same moment."""
    context = forking.context()
    together, said = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=install, args=(kind, address, together, said), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    answers = [said.get(timeout=180) for _ in processes]
    for process in processes:
        process.join()
    return answers


@pytest.mark.parametrize("kind", ["Room", "CounterBuffer", "StreamCounter", "SqlBank"])
def test_tables(kind: str, sql_engine: sa.Engine) -> None:
    assert all_at_once(kind, services.sql_url("test")) == ["installed"] * PROCESSES
    names = sa.inspect(sql_engine).get_table_names()
    assert names
    assert all(name.startswith(PREFIX.get(kind, "bank_")) for name in names), names
    again = made(kind, services.sql_url("test")).install()
    verb: dict[str, Callable[[], Any]] = {
        "Room": lambda: again.send("ann", "hello"),
        "SqlBank": lambda: again.open("alice"),
    }
    verb.get(kind, lambda: again.flush())()


@pytest.mark.parametrize("kind", ["Room", "CounterBuffer", "StreamCounter"])
def test_who_may_not_make_tables_installs_where_they_are(kind: str, sql_engine: sa.Engine) -> None:
    def refuse(_tx: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "CREATE TABLE" in statement:
            raise sa.exc.OperationalError(statement, None, Exception("permission denied"))

    pattern = made(kind, services.sql_url("test"))
    sa.event.listen(pattern.sql, "before_cursor_execute", refuse)
    with pytest.raises(sa.exc.OperationalError, match="permission denied"):
        pattern.install()
    made(kind, services.sql_url("test")).install()
    assert pattern.install() is pattern


@pytest.mark.parametrize("kind", ["Bank", "Branch"])
def test_views(kind: str, couch_db: couchdb.Database) -> None:
    assert all_at_once(kind, services.couch_url("test")) == ["installed"] * PROCESSES
    assert [row.id for row in couch_db.view("_all_docs")] == [DESIGN]
    assert couch_db[DESIGN].rev.startswith("1-"), "stored once"
