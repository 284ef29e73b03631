"""Broadcast with history: every reader sees every message once, in one order.

A table for the past and PUBLISH for the present: the idea is David Wolever's, "Common messaging
patterns implemented with Redis" (2016). Here a message's number in the table is the reader's
place in the room, and PUBLISH carries no message. It only says "look again".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress

import sqlalchemy as sa
from redis import Redis, RedisCluster
from redis.client import PubSub

from ._checks import check_message, check_place, check_redis, check_room, check_sql
from .messages import UNREACHABLE, Hook, KeyAlreadyUsed, MalformedMessage, Message, log_error


class Room:
    """A chat room: messages in a SQL table, PUBLISH to wake those who listen.

    Guarantee: a reader sees each message exactly once, in the order of the numbers, which is the
    same for everybody; from history into live there is no gap and no repeat. It holds when a
    writer, a reader or a connection dies at any point. A wake-up that is lost costs time, at most
    `poll` seconds. Do not delete a room's newest row: its number would be given out again.

    Takes a blocking client of Redis (any settings: it only wakes) and an engine on SQLite or
    PostgreSQL; raises TypeError or ValueError for others. `install()` first, once.
    """

    _TABLE = sa.text("""
        CREATE TABLE IF NOT EXISTS room_messages (room TEXT, number BIGINT, key TEXT NOT NULL,
        author TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (room, number), UNIQUE (room, key))
        """)
    _ADD = sa.text("""
        INSERT INTO room_messages (room, number, key, author, text)
        SELECT :room, COALESCE(MAX(number), 0) + 1, :key, :author, :text
        FROM room_messages WHERE room = :room
        ON CONFLICT DO NOTHING""")
    _FIND = sa.text("""
        SELECT number, author, text FROM room_messages WHERE room = :room AND key = :key""")
    _READ = sa.text("""
        SELECT number, author, text FROM room_messages
        WHERE room = :room AND number > :after ORDER BY number""")

    def __init__(self, redis: Redis, sql: sa.Engine, name: str, *, poll: float = 1.0) -> None:
        check_redis(redis, alone=False)
        check_sql(sql)
        check_room(name, poll)
        self.redis, self.sql, self.name, self.poll = redis, sql, name, poll
        self.channel = f"room:{name}"

    def install(self) -> Room:
        """Make the table that all rooms share, unless it is there; any number may do so at once."""
        try:
            with self.sql.begin() as tx:
                tx.execute(self._TABLE)
        except sa.exc.DBAPIError:  # PostgreSQL refuses one of two that come at once
            if not sa.inspect(self.sql).has_table("room_messages"):
                raise
        return self

    def send(self, author: str, text: str, key: str | None = None) -> Message:
        """Store one message, wake the readers, return it with its number.

        Atomic: stored as a whole or not at all. If send raises, you cannot know which: send
        again with the same `key`, as often as you like, and it is stored once. Raises
        KeyAlreadyUsed if the key names a different message.
        """
        key = uuid.uuid4().hex if key is None else key
        check_message(author, text, key)
        row = {"room": self.name, "key": key, "author": author, "text": text}
        found = None
        while found is None:  # another writer took our number: take the next one
            with self.sql.begin() as tx:
                tx.execute(self._ADD, row)
                found = tx.execute(self._FIND, {"room": self.name, "key": key}).one_or_none()
        message = Message(*found)
        if (message.author, message.text) != (author, text):
            raise KeyAlreadyUsed(key, message)
        with suppress(*UNREACHABLE):  # the message is stored: readers find it when they poll
            self.redis.publish(self.channel, message.number)
        return message

    def history(self, after: int = 0) -> list[Message]:
        """Return all messages with a number greater than `after`, in order."""
        check_place(after)
        with self.sql.begin() as tx:
            rows = tx.execute(self._READ, {"room": self.name, "after": after})
            return [Message(*row) for row in rows]

    def listen(
        self, timeout: float, after: int = 0, on_error: Hook = log_error
    ) -> Iterator[Message]:
        """Yield every message with a number greater than `after`: history, then live.

        Ends after `timeout` seconds without a new message (0: with what is there now,
        math.inf: never). To resume, pass the number of the last message you have seen.
        `on_error` gets a MalformedMessage for each payload on the channel that is not ours,
        and redis-py's error each time Redis cannot be reached; the listening goes on.
        """
        check_place(after, timeout)
        return self._follow(timeout, after, on_error)

    def _follow(self, timeout: float, after: int, on_error: Hook) -> Iterator[Message]:
        ears: PubSub | None = None
        deadline = time.monotonic() + timeout
        try:
            while True:
                wait = min(self.poll, max(0.0, deadline - time.monotonic()))
                ears = self._wait(ears, wait, on_error)  # first it hears: "you are subscribed"
                for message in self.history(after):
                    yield message
                    after = message.number
                    deadline = time.monotonic() + timeout
                if time.monotonic() >= deadline:
                    return
        finally:
            if ears:
                ears.close()

    def _wait(self, ears: PubSub | None, seconds: float, on_error: Hook) -> PubSub | None:
        """Return when something is heard or the time is up: either is a reason to look."""
        try:
            if ears is None:
                ears = self.redis.pubsub()  # type: ignore[no-untyped-call]
                ears.subscribe(self.channel)
            heard = ears.get_message(timeout=seconds)
            payload = heard["data"] if heard and heard["type"] == "message" else "0"
            if not (payload.isascii() and payload.isdigit()):  # ours are numbers
                on_error(MalformedMessage(self.channel, payload))
            return ears
        except UnicodeDecodeError as error:  # redis-py cannot get past it on this connection
            on_error(MalformedMessage(self.channel, error.object))
        except UNREACHABLE as error:
            on_error(error)
            time.sleep(seconds)
            if isinstance(self.redis, RedisCluster):  # to subscribe, it does not look again itself
                with suppress(*UNREACHABLE):
                    self.redis.nodes_manager.initialize()
        if ears:
            ears.close()
        return None
