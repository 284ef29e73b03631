"""A value that is one text to an f-string and another to redis-py is refused before it is sent."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import couchdb
import pytest
import redis as redis_py
import sqlalchemy as sa
from tests.patterns.test_clients import SQL, good

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.notice_boards import NoticeBoard
from patterns.pubsub import Room, StreamRoom
from patterns.queues import ReliableQueue, StreamQueue, WorkQueue
from patterns.transfers import Bank, Branch, InvalidAccount, InvalidKey, SqlBank


class Page(str, enum.Enum):  # noqa: UP042  (as many programs have it, from before StrEnum)
    FRONT = "front"


class Plain(enum.StrEnum):
    FRONT = "front"


class Weight(enum.IntEnum):
    HEAVY = 3


NOBODY = couchdb.Database("http://localhost:1/bank")
Call = Callable[[Any], object]
WITH_A_TEXT: dict[str, Call] = {
    "Room": lambda text: Room(good(), SQL, text),
    "Room.send, author": lambda text: Room(good(), SQL, "a").send(text, "hello"),
    "Room.send, text": lambda text: Room(good(), SQL, "a").send("ann", text),
    "Room.send, key": lambda text: Room(good(), SQL, "a").send("ann", "hello", text),
    "StreamRoom": lambda text: StreamRoom(good(), text),
    "StreamRoom.send, text": lambda text: StreamRoom(good(), "a").send("ann", text),
    "WorkQueue": lambda text: WorkQueue(good(), text),
    "WorkQueue.put": lambda text: WorkQueue(good(), "a").put(text),
    "ReliableQueue": lambda text: ReliableQueue(good(), text),
    "ReliableQueue.put, payload": lambda text: ReliableQueue(good(), "a").put(text),
    "ReliableQueue.put, key": lambda text: ReliableQueue(good(), "a").put("x", key=text),
    "ReliableQueue.take": lambda text: ReliableQueue(good(), "a").take(text),
    "StreamQueue": lambda text: StreamQueue(good(), text),
    "StreamQueue.put, key": lambda text: StreamQueue(good(), "a").put("x", key=text),
    "NoticeBoard": lambda text: NoticeBoard(good(), text),
    "NoticeBoard.post, key": lambda text: NoticeBoard(good(), "a").post(1, key=text),
    "CounterBuffer": lambda text: CounterBuffer(good(), SQL, text, HOUR),
    "CounterBuffer.hit": lambda text: CounterBuffer(good(), SQL, "a", HOUR).hit(text),
    "StreamCounter.hit": lambda text: StreamCounter(good(), SQL, "a", HOUR).hit(text),
    "Branch": lambda text: Branch(NOBODY, text),
    "Bank.open": lambda text: Bank(NOBODY).open(text),
    "Bank.deposit, key": lambda text: Bank(NOBODY).deposit("alice", 1, text),
    "SqlBank.open": lambda text: SqlBank(SQL).open(text),
    "SqlBank.deposit, key": lambda text: SqlBank(SQL).deposit("alice", 1, text),
}
WITH_A_NUMBER: dict[str, Call] = {
    "CounterBuffer, period": lambda number: CounterBuffer(good(), SQL, "a", number),
    "CounterBuffer.hit, by": lambda by: CounterBuffer(good(), SQL, "a", HOUR).hit("front", by),
    "StreamCounter.hit, by": lambda by: StreamCounter(good(), SQL, "a", HOUR).hit("front", by),
}


@pytest.mark.parametrize("call", WITH_A_TEXT)
def test_a_text_that_an_f_string_shows_in_another_way_is_refused(call: str) -> None:
    refusals = (TypeError, InvalidAccount, InvalidKey)
    with pytest.raises(refusals, match=r"a str(ing .*FRONT|, not Page)"):
        WITH_A_TEXT[call](Page.FRONT)


@pytest.mark.parametrize("call", WITH_A_TEXT)
def test_a_text_that_is_the_same_everywhere_is_taken(call: str) -> None:
    """There is nobody to send it to."""
    with suppress(redis_py.ConnectionError, sa.exc.OperationalError, ConnectionError):
        WITH_A_TEXT[call](Plain.FRONT)


@pytest.mark.parametrize("call", WITH_A_NUMBER)
def test_a_number_that_redis_py_sends_as_its_repr_is_refused(call: str) -> None:
    with pytest.raises(TypeError, match="must be an int, not Weight"):
        WITH_A_NUMBER[call](Weight.HEAVY)
