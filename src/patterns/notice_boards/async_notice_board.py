"""The notice board for asyncio: the same verbs, keys, script and guarantee."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from . import notices as values
from ._checks import check_poll, check_redis, check_version, to_milliseconds


class AsyncNoticeBoard:
    """`NoticeBoard` with `await`: both may be used on one board at the same time.

    Takes an asyncio client of Redis with decode_responses=True.
    """

    def __init__(
        self, redis: Redis, name: str, *, expire: float | None = None, poll: float = 5.0
    ) -> None:
        check_redis(redis, is_async=True)
        check_poll(poll)
        self.redis, self.name, self.poll = redis, name, poll
        self.keys = values.keys_of(name)
        self.board = self.keys[0]
        self._expire = to_milliseconds(expire)
        self._post = redis.register_script(values.POST)

    async def post(self, value: object, key: str | None = None) -> str:
        """Put a JSON value on the board; all as in `NoticeBoard.post`."""
        args = values.arguments(value, key, self._expire)
        return values.version_of(args, await self._post(keys=self.keys, args=args))

    async def read(self) -> values.Notice | None:
        """Return what is on the board now; None if nothing is."""
        return values.parse(self.board, await self.redis.hmget(self.board, "version", "value"))

    async def watch(self, after: str | None = None, timeout: float = 25.0) -> values.Notice | None:
        """Return the board's notice once it is another than `after`; as in `NoticeBoard.watch`.

        May be cancelled at any point.
        """
        check_version(after, timeout)
        deadline = time.monotonic() + timeout
        ears: PubSub | None = None
        try:
            while True:
                notice = await self.read()
                if notice is not None and notice.version != after:
                    return notice
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                ears = await self._hear(ears, min(self.poll, left))
        finally:
            if ears is not None:
                await ears.aclose()  # type: ignore[no-untyped-call]

    async def remove(self) -> None:
        """Take the board away; a new one of the same name wakes those who watch."""
        await self.redis.delete(*self.keys)

    async def _hear(self, ears: PubSub | None, seconds: float) -> PubSub | None:
        """Return when something is heard or the time is up; see `NoticeBoard._hear`."""
        try:
            if ears is None:
                ears = self.redis.pubsub()
                await ears.subscribe(self.board)
            await ears.get_message(timeout=seconds)
            return ears
        except UnicodeDecodeError:
            seconds = 0.0
        except values.UNREACHABLE:
            await asyncio.sleep(min(seconds, 0.1))
        if ears is not None:
            await ears.aclose()  # type: ignore[no-untyped-call]
        return None
