"""limits, unmodified: its three strategies on a world's Redis, given the pool of its client."""

from __future__ import annotations

from dataclasses import dataclass

import limits
import pytest
from limits.storage import RedisStorage
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.libraries.worlds import endings, filled
from tests.raceproof.wire.redis.worlds import like

ONE = limits.parse("1/minute")
STRATEGIES = [FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter]


@dataclass
class Mail:
    """A client that sends a mail if it may, and notes when."""

    strategy: type
    asks_first: bool = False

    def __call__(self, world):
        pool = world.redis.connection_pool
        limiter = self.strategy(RedisStorage("redis://", connection_pool=pool))
        if self.asks_first:
            if limiter.test(ONE, "mail"):
                limiter.hit(ONE, "mail")
                world.redis.incr("sent")
        elif limiter.hit(ONE, "mail"):
            world.redis.incr("sent")


def sent(world):
    return int(world.redis.get("sent") or 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_of_three_gets_through_whoever_dies(redis_client, strategy):
    mail = Mail(strategy)
    found, _ = endings(
        filled(redis_client), {"a": mail, "b": mail, "c": mail}, sent, crashes=1, preemptions=2
    )
    assert found == {"0", "1"}
    assert endings(filled(redis_client), {"a": mail, "b": mail}, sent)[0] == {"1"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_asking_first_and_hitting_then_lets_two_through(redis_client, strategy):
    """`test` takes nothing, so both are told that there is room."""
    mail = Mail(strategy, asks_first=True)
    assert endings(filled(redis_client), {"a": mail, "b": mail}, sent)[0] == {"1", "2"}


def test_a_window_always_ends_though_somebody_dies(redis_client):
    """The script that counts also says when the key expires: no crash can come in between."""
    mail = Mail(FixedWindowRateLimiter)
    later = filled(redis_client, ticks=(61.0,))
    left = lambda w: w.redis.keys("LIMITS*") and w.redis.ttl(w.redis.keys("LIMITS*")[0])  # noqa: E731
    found, _ = endings(later, {"a": mail}, left, crashes=1)
    assert found == {"[]", "60"}


@pytest.mark.parametrize("strategy", [MovingWindowRateLimiter, FixedWindowRateLimiter])
def test_a_moving_window_takes_the_time_of_who_is_late(redis_client, strategy):
    """The time in its list is what the client read before its request: a hit that is held up in
    between counts as a minute ago, and the next one gets through at the same moment. In a fixed
    window only the server's time counts.
    """

    def client(world):
        storage = RedisStorage("redis://", connection_pool=world.redis.connection_pool)
        if strategy(storage).hit(ONE, "mail"):
            key = storage.prefixed_key(ONE.key_for("mail"))
            left, (now, _) = world.redis.pipeline().ttl(key).time().execute()
            hit_at = now + left - 60 if left > 0 else 1000  # it is gone: the minute has passed
            world.journal.note(hit_at)

    def within_a_minute(world):
        times = world.journal["a"] + world.journal["b"]
        return len(times) == 2 and times[1] - times[0] < 60

    found, _ = endings(
        filled(redis_client, ticks=(61.0,)),
        {"a": client},
        within_a_minute,
        afterwards={"b": client},
    )
    assert found == ({"True", "False"} if strategy is MovingWindowRateLimiter else {"False"})


def test_a_retry_of_redis_py_counts_a_hit_twice(redis_client):
    """A hit whose reply is lost is sent again: the only user is told that the limit is reached."""

    def client(world):
        storage = RedisStorage("redis://", connection_pool=world.redis.connection_pool)
        world.journal.note(FixedWindowRateLimiter(storage).hit(ONE, "mail"))

    said = lambda w: w.journal["a"]  # noqa: E731
    retries = like(redis_client, retry=Retry(NoBackoff(), 1))
    assert endings(filled(retries), {"a": client}, said)[0] == {"[True]"}
    assert endings(filled(retries), {"a": client}, said, lost_replies=1)[0] == {"[True]", "[False]"}
