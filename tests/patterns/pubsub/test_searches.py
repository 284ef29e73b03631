"""The guarantee, searched: two writers and a reader in every schedule; with a fault, fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from patterns.pubsub import Room, StreamRoom
from raceproof import Journal, Report, Violation, explore
from workshop import services

LOST = (redis.ConnectionError, sa.exc.OperationalError)


@dataclass
class Chat:
    redis: redis.Redis
    sql: sa.Engine
    journal: Journal


def table(chat: Chat) -> Room:
    return Room(chat.redis, chat.sql, "dogfacts")


def stream(chat: Chat) -> StreamRoom:
    return StreamRoom(chat.redis, "dogfacts")


@cache
def installed(engine: sa.Engine) -> str:
    """Make the table, once for all worlds; return the statement that empties it."""
    services.sql("search", fresh=True)
    Room(services.redis("search"), engine, "dogfacts").install()
    empty = "DELETE FROM" if engine.dialect.name == "sqlite" else "TRUNCATE"  # no row's old place
    return f"{empty} room_messages"


def fresh_chat() -> Chat:
    engine = services.sql("search")
    empty = sa.text(installed(engine))
    with engine.begin() as tx:
        tx.execute(empty)
    return Chat(services.redis("search", fresh=True), engine, Journal())


def send_with_key(chat: Chat, text: str) -> None:
    table(chat).send("ann", text, key=text)


def send_without_key(chat: Chat, text: str) -> None:
    table(chat).send("ann", text)


def send_to_stream(chat: Chat, text: str) -> None:
    stream(chat).send("ann", text)


def writer(send: Callable[[Chat, str], None], *texts: str) -> Callable[[Chat], None]:
    def client(chat: Chat) -> None:
        for text in texts:
            for _ in range(2):
                with suppress(*LOST):
                    send(chat, text)
                    break

    return client


def reader(room: Callable[[Chat], Any], resume: bool = True) -> Callable[[Chat], None]:
    def messages(chat: Chat) -> Iterator[Any]:
        last = 0
        for _ in range(2):
            with suppress(*LOST):
                for message in room(chat).listen(2, last, on_error=lambda error: None):
                    last = message.number if resume else 0
                    yield message
                return

    def client(chat: Chat) -> None:
        for message in messages(chat):
            chat.journal.note([message.number, message.text])
        chat.journal.note("leaves")

    return client


def search(
    room: Callable[[Chat], Any],
    send: Callable[[Chat, str], None],
    *,
    resume: bool = True,
    reads: bool = True,
    writers: tuple[tuple[str, ...], ...] = (("hello",), ("hi",)),
    **bounds: int,
) -> Report:
    def check(chat: Chat) -> None:
        stored = [[message.number, message.text] for message in room(chat).history()]
        texts = [text for _, text in stored]
        if len(set(texts)) < len(texts):
            raise Violation(f"stored twice: {texts}")
        seen = chat.journal["reader"]
        wanted = [*stored, "leaves"] if seen[-1:] == ["leaves"] else stored[: len(seen)]
        if seen != wanted:
            raise Violation(f"the reader saw {seen}; stored: {stored}")

    names = ("ann", "bob")
    clients = {name: writer(send, *texts) for name, texts in zip(names, writers, strict=False)}
    if reads:
        clients["reader"] = reader(room, resume)
    return explore(world=fresh_chat, clients=clients, check=check, **{"timeouts": 0, **bounds})


ONE_WRITER = (("hello", "hi"),)
ONE_MESSAGE = (("hello",),)
FAULTS = [
    pytest.param({}, id="no-fault"),
    pytest.param({"timeouts": 1}, id="a-reader-that-looks-early"),
    pytest.param({"crashes": 1}, id="one-crash"),
    pytest.param({"lost_replies": 1}, id="one-lost-reply"),
]


@pytest.mark.every_pair  # of which conftest.py chooses three
@pytest.mark.parametrize("bounds", FAULTS)
def test_a_room_holds(
    redis_client: redis.Redis, sql_engine: sa.Engine, bounds: dict[str, int]
) -> None:
    if sql_engine.dialect.name != "sqlite":  # a world there takes many times as long to make
        report = search(table, send_with_key, **bounds, writers=ONE_MESSAGE, preemptions=1)
    elif "lost_replies" in bounds:  # two writers: the next test
        report = search(table, send_with_key, **bounds, writers=ONE_WRITER)
    else:
        report = search(table, send_with_key, **bounds)
    assert report.holds, str(report)
    assert report.schedules > (500 if sql_engine.dialect.name == "sqlite" else 5)


def test_two_writers_of_whom_one_sends_again() -> None:
    report = search(table, send_with_key, reads=False, lost_replies=1)
    assert report.holds, str(report)


@pytest.mark.parametrize("bounds", FAULTS[:3])
def test_a_room_on_a_stream_holds(redis_client: redis.Redis, bounds: dict[str, int]) -> None:
    report = search(stream, send_to_stream, **bounds)
    assert report.holds, str(report)


def test_a_repeated_send_doubles_the_message_on_a_stream(redis_client: redis.Redis) -> None:
    report = search(stream, send_to_stream, lost_replies=1)
    assert report.violation is not None
    assert report.violation.startswith("stored twice")


def test_a_repeated_send_without_its_key_doubles_the_message() -> None:
    report = search(table, send_without_key, lost_replies=1, reads=False, writers=ONE_MESSAGE)
    assert report.violation is not None
    assert report.violation.startswith("stored twice")


def test_a_reader_that_forgets_where_it_was_sees_messages_twice() -> None:
    report = search(
        table, send_with_key, resume=False, lost_replies=1, preemptions=0, writers=ONE_MESSAGE
    )
    assert report.violation is not None
    assert report.violation.startswith("the reader saw")
