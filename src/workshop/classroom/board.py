"""The board of one server process: what CouchDB and Redis say, and who waits for it to change.

A post on the board CHANGES only says "look again". Then one reading, of what is new since the last
one, serves everybody who waits. What we do now and a learner's own row wake a learner at once. The
others' solves wake the staff only: a thousand learners who heard of each other's every tick would
keep the server busy with nothing else. A learner hears of them with the next answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import couchdb
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from patterns.notice_boards import AsyncNoticeBoard, MalformedNotice, Notice
from patterns.notice_boards.web import SharedSubscription
from workshop.classroom import own_calls
from workshop.classroom.attempts import TRIED
from workshop.classroom.rooms import CHANGES, Rooms

PAUSE = 0.03  # seconds between two readings at least
AT_ONCE = 20  # of those who wait that look in one turn of the loop
POLL = 5.0  # seconds after which a lost wake-up does not matter
GONE = (RedisError, SQLAlchemyError, OSError, couchdb.http.HTTPError)
EVERYBODY, STAFF, MESSAGES = "everybody", "staff", "messages"


@dataclass
class Row:
    """One learner: a name, when each exercise was first solved, how often others were tried."""

    name: str = ""
    solved: dict[str, float] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    text: str = ""  # as JSON, once somebody has asked for it since the last change


@dataclass
class News:
    """What one reading found that was new."""

    notice: Notice | None
    documents: list[dict[str, Any]]
    tried: list[tuple[str, dict[str, str]]]
    calls: dict[str, int]
    open_calls: dict[str, dict[str, Any]]
    last: str | int


class Board:
    """What is on the board now. `refresh` reads on; `listening` tells when something is new."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.notice: Notice | None = None
        self.rows: dict[str, Row] = {}
        self.named = 0  # of the rows: what a learner did may be read before who they are
        self.calls = {"waiting": 0, "held": 0}
        self.open_calls, self.helpers = dict[str, dict[str, Any]](), dict[str, str]()
        self.solves, self.solved_by = 0, dict[str, int]()
        self.shared = (0, 0, dict[str, int](), dict[str, int](self.calls))
        self.is_closing = False
        self._since: str | int = 0
        self.tried = "0-0"
        self._own = ""  # the version of our last post; a reading follows each
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._changed = asyncio.Event()
        self._reading = asyncio.Lock()

    def nudge(self) -> None:
        """Say that something was written: this server and all others will look."""
        self._changed.set()

    @contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set when one of the topics has news, from now on."""
        woken = asyncio.Event()
        for topic in topics:
            self._waiters.setdefault(topic, set()).add(woken)
        try:
            yield woken
        finally:
            for topic in topics:
                self._waiters[topic].discard(woken)
                if not self._waiters[topic]:
                    del self._waiters[topic]

    def wake(self, topics: set[str]) -> None:
        """Have those look who wait for one of the topics."""
        self._let_go([woken for topic in topics for woken in self._waiters.get(topic, ())])

    def _let_go(self, waiting: list[asyncio.Event]) -> None:
        """A few at a time: ten thousand at once would keep everybody else waiting."""
        for woken in waiting[:AT_ONCE]:
            woken.set()
        if rest := waiting[AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._let_go, rest)

    def close(self) -> None:
        """Let everybody go who waits, and all who come."""
        self.is_closing = True
        self.wake(set(self._waiters))

    async def refresh(self) -> None:
        """Read what is new, and wake whom it concerns."""
        async with self._reading:
            self.wake(self._take_in(await run_in_threadpool(self._read)))

    async def run(self, boards: SharedSubscription) -> None:
        """Refresh whenever a server posts a change; announce our own. Ends when cancelled."""
        await asyncio.gather(self._announce(boards), self._follow(boards), self._calm())

    async def _announce(self, boards: SharedSubscription) -> None:
        while await self._changed.wait():
            self._changed.clear()
            try:
                self._own = await AsyncNoticeBoard(boards.redis, CHANGES).post(time.time())
                await self.refresh()
            except GONE:
                await asyncio.sleep(0.2)
                self._changed.set()
            await asyncio.sleep(PAUSE)

    async def _follow(self, boards: SharedSubscription) -> None:
        seen: str | None = None
        while True:
            try:
                notice = await boards.watch(CHANGES, seen, POLL)
                seen = notice.version if notice else seen
                if notice is None or notice.version != self._own:  # our own was looked at
                    await self.refresh()
            except (*GONE, MalformedNotice):
                await asyncio.sleep(0.2)
            await asyncio.sleep(PAUSE)

    async def _calm(self) -> None:
        while True:
            self.shared = (len(self.rows), self.solves, dict(self.solved_by), self.calls)
            await asyncio.sleep(self.rooms.calm)

    def _read(self) -> News:
        feed = self.rooms.couch.changes(since=self._since, include_docs=True)
        documents = [row["doc"] for row in feed["results"] if row.get("doc")]
        tried: Any = self.rooms.redis.xrange(TRIED, min=f"({self.tried}")
        if self.calls["held"]:  # a helper may be gone; nobody else looks until a call is taken
            self.rooms.calls.recover()
        notice, calls = self.rooms.now.read(), self.rooms.calls.counts()
        open_calls = own_calls.standing(self.rooms.redis)
        return News(notice, documents, tried, calls, open_calls, feed["last_seq"])

    def _take_in(self, found: News) -> set[str]:
        topics = {EVERYBODY, STAFF} if found.notice != self.notice else set[str]()
        for document in found.documents:
            kind, _, learner = document["_id"].partition(":")
            if kind == "learner":
                row = self._row(learner)
                self.named += not row.name
                row.name = document["name"]
                topics |= {STAFF, learner}
            elif kind == "helper":
                self.helpers[document["_id"]] = document["name"]
            elif kind == "solved":
                self._solved(document["learner"], document["exercise"], document["at"])
                topics |= {STAFF, document["learner"]}
        for entry, fields in found.tried:
            row, exercise = self._row(fields["learner"]), fields["exercise"]
            row.tried[exercise] = row.tried.get(exercise, 0) + 1
            row.said[exercise] = fields["said"]
            self.tried = entry
            topics |= {STAFF, fields["learner"]}
        calls = {name: found.calls[name] for name in ("waiting", "held")}
        topics |= {STAFF} if calls != self.calls else set()
        both = found.open_calls.keys() | self.open_calls.keys()
        topics |= {who for who in both if found.open_calls.get(who) != self.open_calls.get(who)}
        self.notice, self.calls, self._since = found.notice, calls, found.last
        self.open_calls = found.open_calls
        self.rooms.people = len(self.rows)
        return topics

    def _row(self, learner: str) -> Row:
        """A learner's row, which is about to change."""
        row = self.rows.setdefault(learner, Row())
        row.text = ""
        return row

    def _solved(self, learner: str, exercise: str, at: float) -> None:
        row = self._row(learner)
        if exercise not in row.solved:
            self.solves += 1
            self.solved_by[exercise] = self.solved_by.get(exercise, 0) + 1
        row.solved[exercise] = at
