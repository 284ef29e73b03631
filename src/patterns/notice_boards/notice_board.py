"""A board that shows the last thing posted, and wakes those who wait for the next.

The idea, to keep the last value under a key, announce each new one with PUBLISH, and feed a
long-polling page from it, is from David Wolever, "Common messaging patterns implemented with
Redis" (2016). What differs here: setting and announcing are one step, a version names each
post instead of a clock, and the announcement only says "look again".
"""

from __future__ import annotations

import time

from redis import Redis
from redis.client import PubSub

from . import notices as values
from ._checks import check_poll, check_redis, check_version, to_milliseconds


class NoticeBoard:
    """A board in Redis: the last value posted, for those who come late and those who wait.

    Guarantee: a watcher that calls `watch` with the last version it has seen, again and again,
    ends with the last value posted and never goes back, whatever poster, watcher or connection
    dies. Values in between may be skipped. A lost announcement costs at most `poll` seconds.

    The board goes `expire` seconds after its last post (None: it stays). Takes a blocking
    client of Redis with decode_responses=True; raises TypeError or ValueError for others. There
    is nothing to install.
    """

    def __init__(
        self, redis: Redis, name: str, *, expire: float | None = None, poll: float = 5.0
    ) -> None:
        check_redis(redis, is_async=False)
        check_poll(poll)
        self.redis, self.name, self.poll = redis, name, poll
        self.keys = values.keys_of(name)
        self.board = self.keys[0]
        self._expire = to_milliseconds(expire)
        self._post = redis.register_script(values.POST)

    def post(self, value: object, key: str | None = None) -> str:
        """Put a JSON value on the board, wake the watchers, return the post's version.

        Atomic: all of it or nothing. If post raises a connection error you cannot know which:
        post again with the same `key`, and it counts once, unless a hundred other posts, or the
        board's end, came in between. Raises KeyAlreadyUsed if that post had another value.
        """
        args = values.arguments(value, key, self._expire)
        return values.version_of(args, self._post(keys=self.keys, args=args))

    def read(self) -> values.Notice | None:
        """Return what is on the board now; None if nothing is."""
        return values.parse(self.board, self.redis.hmget(self.board, "version", "value"))

    def watch(self, after: str | None = None, timeout: float = 25.0) -> values.Notice | None:
        """Return the board's notice once it is another than `after`; None after `timeout` s.

        `after` is the version you have seen last (None: nothing yet). What is there already
        is returned at once. math.inf waits for ever. A lost subscription is made again; if
        the board cannot be read, redis-py's error is raised: watch again with the same `after`.
        """
        check_version(after, timeout)
        deadline = time.monotonic() + timeout
        ears: PubSub | None = None
        try:
            while True:
                notice = self.read()
                if notice is not None and notice.version != after:
                    return notice
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                ears = self._hear(ears, min(self.poll, left))
        finally:
            if ears is not None:
                ears.close()

    def remove(self) -> None:
        """Take the board away; a new one of the same name wakes those who watch."""
        self.redis.delete(*self.keys)

    def _hear(self, ears: PubSub | None, seconds: float) -> PubSub | None:
        """Return when something is heard or the time is up: either is a reason to look.

        The first thing that new ears hear is "you are subscribed": so `watch` reads after it.
        """
        try:
            if ears is None:
                ears = self.redis.pubsub()  # type: ignore[no-untyped-call]
                ears.subscribe(self.board)
            ears.get_message(timeout=seconds)
            return ears
        except UnicodeDecodeError:  # another program's announcement; redis-py cannot get past it
            pass
        except values.UNREACHABLE:
            time.sleep(min(seconds, 0.1))  # the next look tells whether Redis can be reached
        if ears is not None:
            ears.close()
        return None
