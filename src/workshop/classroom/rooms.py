"""The class's rooms: the patterns, each on the clients that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import couchdb
import sqlalchemy as sa
from redis import Redis

from patterns.counters import MINUTE, CounterBuffer
from patterns.notice_boards import NoticeBoard
from patterns.pubsub import Room
from patterns.queues import ReliableQueue

CALM = 10.0  # seconds between two counts of what the others have solved
LEASE = 120.0  # seconds a helper may be silent before their call goes to the next
MOST_TRIES = 999_999_999  # as many digits as a call's name has for them; a limit that none reaches
NOW, CHANGES = "class", "class-changes"  # boards: what we do now; and that something changed


@dataclass
class Rooms:
    """All that a request may need; each is a blocking client, for a thread of its own."""

    redis: Redis
    sql: sa.Engine
    couch: couchdb.Database
    lease: float = LEASE
    calm: float = CALM
    key: str = ""  # the class's, by which it knows the tokens that it has made
    people: int = 0  # how many have joined, as the board has it
    messages: Room = field(init=False)
    calls: ReliableQueue = field(init=False)
    now: NoticeBoard = field(init=False)
    attempts: CounterBuffer = field(init=False)

    def __post_init__(self) -> None:
        self.messages = Room(self.redis, self.sql, "class")
        self.calls = help_queue(self.redis, self.lease)
        self.now = NoticeBoard(self.redis, NOW)
        self.attempts = CounterBuffer(self.redis, self.sql, "attempts", MINUTE)

    def install(self) -> Rooms:
        """Make the tables that are missing."""
        self.messages.install()
        self.attempts.install()
        return self


def help_queue(redis: Redis, lease: float = LEASE) -> ReliableQueue:
    """The calls for help: one that was handed out and forgotten comes back, as often as needed."""
    return ReliableQueue(redis, "help", lease=lease, max_tries=MOST_TRIES)
