"""One subscription for all who wait in this process: two connections to Redis, however many.

An announcement is a reason to read the board once; what was read is then handed to everybody
who was waiting before the reading began. Who came later gets a reading of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time

from redis.asyncio import Redis, RedisCluster

from .._checks import check_redis, check_version
from ..async_notice_board import AsyncNoticeBoard
from ..notices import UNREACHABLE, Notice, keys_of
from .waiting import Watcher

LONGEST_PAUSE = 2.0  # seconds between two tries to reach Redis
_ALL, _PREFIX, _SUFFIX = keys_of("*")[0], *keys_of("*")[0].split("*")
_log = logging.getLogger(__package__)


class SharedSubscription:
    """Watches the boards of one Redis for any number of watchers, inside its `async with`.

    Guarantee: that of `NoticeBoard.watch`, for each watcher. While Redis cannot be reached,
    those who wait get redis-py's error, and it goes on trying.
    """

    def __init__(self, redis: Redis, *, poll: float = 5.0) -> None:
        check_redis(redis, is_async=True)
        self.redis, self.poll = redis, poll
        self._watchers: dict[str, set[Watcher]] = {}
        self._unread: dict[str, None] = {}  # boards to look at, in order
        self._wake = asyncio.Event()
        self._reading = asyncio.Lock()  # one at a time: one connection is enough
        self.is_closing = False

    async def __aenter__(self) -> SharedSubscription:
        self._tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._read())}
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        while self._tasks:  # what they await may take the first for an error of Redis
            for task in self._tasks:
                task.cancel()
            _, self._tasks = await asyncio.wait(self._tasks, timeout=1)

    async def watch(
        self, name: str, after: str | None, timeout: float, gone: asyncio.Future[None] | None = None
    ) -> Notice | None:
        """Return the board's notice once it is another than `after`.

        None after `timeout` s, or when `gone` is done. May be cancelled; nothing of it is left.
        """
        check_version(after, timeout)
        if self.is_closing:
            return None
        watcher = Watcher(after)
        self._watchers.setdefault(name, set()).add(watcher)
        self._look_at(name)
        clock = asyncio.get_running_loop().call_later(timeout, watcher.leave)
        if gone is not None:
            gone.add_done_callback(watcher.leave)
        try:
            return await watcher.found
        finally:
            clock.cancel()
            self._watchers[name].discard(watcher)
            if not self._watchers[name]:
                del self._watchers[name]

    async def read(self, name: str) -> Notice | None:
        """Return what is on the board now."""
        board = AsyncNoticeBoard(self.redis, name)
        async with self._reading:
            try:
                return await board.read()
            except UNREACHABLE:  # perhaps only our connection, kept since the last reading
                return await board.read()

    def close(self) -> None:
        """Tell all who wait, and all who come, that nothing new is there."""
        self.is_closing = True
        for watcher in [w for watchers in self._watchers.values() for w in watchers]:
            watcher.leave()

    def waiting(self) -> int:
        """How many watchers there are now."""
        return sum(map(len, list(self._watchers.values())))  # asked by other threads, too

    def _look_at(self, *names: str) -> None:
        self._unread.update(dict.fromkeys(names))
        self._wake.set()

    async def _read(self) -> None:
        """Read the boards that there is a reason to look at, one at a time."""
        while await self._wake.wait():
            self._wake.clear()
            while self._unread:
                name = next(iter(self._unread))
                del self._unread[name]
                # before reading, or a newcomer could be handed an older board
                if waiting := list(self._watchers.get(name, ())):
                    try:
                        seen: Notice | Exception | None = await self.read(name)
                    except Exception as error:  # the watchers hear of it, and this goes on
                        seen = error
                    for watcher in waiting:
                        watcher.look(seen)

    async def _listen(self) -> None:
        """Hear of every post; look at all boards when subscribed anew, and each `poll` seconds."""
        pause = 0.05
        while True:
            try:
                async with self.redis.pubsub() as ears:
                    await ears.psubscribe(_ALL)
                    due = time.monotonic() + self.poll
                    while True:
                        heard = await ears.get_message(timeout=max(0.0, due - time.monotonic()))
                        if heard and heard["type"] == "pmessage":
                            name = heard["channel"].removeprefix(_PREFIX).removesuffix(_SUFFIX)
                            if name in self._watchers:
                                self._look_at(name)
                        if (heard and heard["type"] == "psubscribe") or time.monotonic() >= due:
                            self._look_at(*self._watchers)
                            due, pause = time.monotonic() + self.poll, 0.05
            except Exception as error:  # Redis is gone, or a message is no text
                _log.warning("%s: %s", type(error).__name__, error)
                if isinstance(self.redis, RedisCluster):  # to subscribe, it does not look again
                    again = self.redis.nodes_manager.initialize()
                    await asyncio.gather(again, return_exceptions=True)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
