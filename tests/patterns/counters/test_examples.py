"""What counters promise: examples, late and negative hits, bad input, other people's data."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis as redis_py
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from patterns.counters import (
    HOUR,
    MINUTE,
    CounterBuffer,
    Flush,
    MalformedCount,
    StreamCounter,
    run_flusher,
)
from patterns.counters._checks import LARGEST_HIT, LATEST, LONGEST_KEY
from workshop import services
from workshop.services import environment

NOON = 43_200
Make = Callable[..., CounterBuffer | StreamCounter]


# --- what they are ----------------------------------------------------------------------------


def test_hits_reach_sql_by_key_and_hour(make: Make, sql: sa.Engine) -> None:
    views = make()
    views.hit("front", at=NOON)
    views.hit("front", at=NOON + 3599.9)
    views.hit("front", at=NOON + 3600)
    views.hit("news", by=5, at=NOON)
    views.flush()
    assert views.counts() == {
        (NOON, "front"): 2,
        (NOON + HOUR, "front"): 1,
        (NOON, "news"): 5,
    }


def test_a_flush_says_what_it_brought(make: Make, sql: sa.Engine) -> None:
    views = make()
    assert views.flush() == Flush()
    views.hit("front", at=NOON)
    views.hit("news", by=-4, at=NOON)
    flushed = views.flush()
    assert (flushed.batches, flushed.keys, flushed.hits) == (1, 2, -3)
    assert views.flush().batches == 0


def test_two_flushes_add_up_and_are_as_stale_as_the_staler() -> None:
    one, other, unknown = Flush(1, 2, 3, 0.5), Flush(1, 1, -1, 2.0), Flush(1, 1, 1, None)
    assert one + other == other + one == Flush(2, 3, 2, 2.0)
    assert one + unknown == unknown + one == Flush(2, 3, 4, None)


def test_sums_grow_with_each_flush(make: Make, sql: sa.Engine) -> None:
    views = make()
    for _ in range(3):
        views.hit("front", at=NOON)
        views.flush()
    assert views.counts() == {(NOON, "front"): 3}


def test_a_hit_may_come_days_late(make: Make, sql: sa.Engine) -> None:
    views = make()
    views.hit("front", at=100 * HOUR)
    views.flush()
    views.hit("front", at=2 * HOUR)
    views.flush()
    assert views.counts() == {(100 * HOUR, "front"): 1, (2 * HOUR, "front"): 1}


def test_times_before_1970_and_fractions_fall_into_their_period(make: Make, sql: sa.Engine) -> None:
    views = make(period=MINUTE)
    views.hit("front", at=-0.5)
    views.hit("front", at=59.999)
    views.flush()
    assert views.counts() == {(-60, "front"): 1, (0, "front"): 1}


def test_without_a_time_a_hit_counts_now(make: Make, sql: sa.Engine) -> None:
    views = make(period=1)
    before = math.floor(time.time())
    views.hit("front")
    views.flush()
    [(start, _)] = views.counts()
    assert before <= start <= time.time()


def test_names_and_periods_do_not_mix(make: Make, sql: sa.Engine) -> None:
    kinds = [make("views", HOUR), make("views", MINUTE), make("clicks", HOUR)]
    for number, counter in enumerate(kinds, 1):
        counter.hit("front", by=number, at=0)
    for number, counter in enumerate(kinds, 1):
        counter.flush()
        assert counter.counts() == {(0, "front"): number}


def test_a_pipeline_can_hit(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    if isinstance(redis_client, redis_py.RedisCluster):
        pytest.skip("a cluster's pipeline is refused: it sends again what got no reply")
    with redis_client.pipeline(transaction=False) as pipe:
        views = CounterBuffer(pipe, sql, "views", HOUR)
        for _ in range(100):
            views.hit("front", at=0)
        pipe.execute()
    assert buffer.flush().hits == 100


def without_tables(buffer: CounterBuffer, folder: Any) -> CounterBuffer:
    """The same counter, on a database without its tables."""
    sql = sa.create_engine(f"sqlite:///{folder}/no-tables")
    return CounterBuffer(buffer.redis, sql, buffer.name, buffer.period)


def test_pending_is_what_sql_does_not_have(buffer: CounterBuffer, sql: sa.Engine) -> None:
    assert buffer.pending() == {}
    buffer.hit("front", at=0)
    buffer.hit("a:b", by=2, at=0)
    assert buffer.pending() == {(0, "front"): 1, (0, "a:b"): 2}
    buffer.flush()
    assert buffer.pending() == {}


def test_pending_counts_a_batch_on_its_way_too(buffer: CounterBuffer, tmp_path: Any) -> None:
    buffer.hit("front", at=0)
    with pytest.raises(sa.exc.OperationalError):
        CounterBuffer(
            buffer.redis, sa.create_engine(f"sqlite:///{tmp_path}/no-tables"), "views", HOUR
        ).flush()
    buffer.hit("front", by=2, at=0)
    assert buffer.pending() == {(0, "front"): 3}


def test_one_flush_takes_a_left_batch_and_what_came_after_it(
    buffer: CounterBuffer, sql: sa.Engine, tmp_path: Any
) -> None:
    buffer.hit("front", at=0)
    with pytest.raises(sa.exc.OperationalError):
        CounterBuffer(
            buffer.redis, sa.create_engine(f"sqlite:///{tmp_path}/no-tables"), "views", HOUR
        ).flush()
    buffer.hit("front", by=2, at=0)
    flushed = buffer.flush()
    assert (flushed.batches, flushed.hits) == (2, 3)
    assert buffer.pending() == {}


def test_staleness_is_the_time_since_somebody_looked_last(
    buffer: CounterBuffer, sql: sa.Engine
) -> None:
    buffer.hit("front", at=0)
    assert buffer.flush().stale is None, "nobody had looked before"
    time.sleep(0.05)
    assert buffer.flush() == Flush(), "nothing there, but somebody looked"
    looked = time.monotonic()
    buffer.hit("front", at=0)
    time.sleep(0.02)
    stale = buffer.flush().stale
    assert stale is not None
    assert 0.02 <= stale <= time.monotonic() - looked + 0.04


def test_redis_holds_one_field_for_each_key_and_period(
    redis_client: redis_py.Redis, buffer: CounterBuffer
) -> None:
    for number in range(1000):
        buffer.hit(f"zone {number % 5}", at=NOON + number)
    assert redis_client.hlen(buffer.open) == 5
    assert list(redis_client.scan_iter()) == [buffer.open]


def test_the_keys_of_a_counter_keep_their_names(
    buffer: CounterBuffer, redis_client: redis_py.Redis
) -> None:
    """Or what waits in Redis would be left behind by the next version."""
    buffer.hit("front", at=0)
    [key] = redis_client.scan_iter("*")
    assert key == buffer.open == "counter:{views/3600}:open"
    assert buffer.sealed == "counter:{views/3600}:sealed"


def test_all_keys_of_a_counter_are_in_one_slot_of_a_cluster(buffer: CounterBuffer) -> None:
    keys = (buffer.open, buffer.sealed, buffer.looked)
    tags = {key[key.index("{") : key.index("}")] for key in keys}
    assert tags == {"{views/3600"}


def test_the_script_survives_a_redis_that_forgot_it(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    if environment.redis_url():
        pytest.skip("the scripts of this server are not ours to forget")
    buffer.hit("front", at=0)
    redis_client.script_flush()
    assert buffer.flush().hits == 1


def test_a_stream_keeps_every_hit_until_it_is_trimmed(
    redis_client: redis_py.Redis, sql: sa.Engine
) -> None:
    views = StreamCounter(redis_client, sql, "views", HOUR, at_once=4)
    for _ in range(10):
        views.hit("front", at=0)
    flushed = views.flush()
    assert (flushed.batches, flushed.hits) == (3, 10)
    assert redis_client.xlen(views.stream) == 10
    assert views.trim() == 9
    views.hit("front", at=0)
    views.flush()
    assert views.counts() == {(0, "front"): 11}


def test_trimming_before_any_flush_forgets_nothing(
    redis_client: redis_py.Redis, sql: sa.Engine
) -> None:
    views = StreamCounter(redis_client, sql, "views", HOUR)
    views.hit("front", at=0)
    assert views.trim() == 0
    assert redis_client.xlen(views.stream) == 1


# --- what may be counted ----------------------------------------------------------------------

KEYS = ["", ":", "a:b:c", "1:2", "{x}", "batch", "since", "a\nb", " ", "é", "e\u0301", "日本", "🐕"]


def test_keys_are_stored_exactly(make: Make, sql: sa.Engine) -> None:
    views = make()
    keys = [*KEYS, "k" * LONGEST_KEY, "🐕" * (LONGEST_KEY // 4)]
    for number, key in enumerate(keys, 1):
        views.hit(key, by=number, at=0)
    views.flush()
    assert views.counts() == {(0, key): number for number, key in enumerate(keys, 1)}


def test_a_key_that_does_not_compress_fits_every_index(make: Make, sql: sa.Engine) -> None:
    key = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(LONGEST_KEY // 3))
    views = make("名" * 66)
    views.hit(key, at=0)
    views.flush()
    assert views.counts() == {(0, key): 1}


text_key = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
some_hits = st.lists(
    st.tuples(text_key, st.integers(-LARGEST_HIT, LARGEST_HIT), st.floats(-1e10, 1e10)), max_size=8
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=st.lists(some_hits, max_size=3))
def test_any_hits_in_any_batches_add_up(
    buffer: CounterBuffer,
    sql: sa.Engine,
    batches: list[list[tuple[str, int, float]]],
) -> None:
    expected = buffer.counts()
    for batch in batches:
        for key, by, at in batch:
            buffer.hit(key, by, at)
            slot = (math.floor(at) // HOUR * HOUR, key)
            expected[slot] = expected.get(slot, 0) + by
        buffer.flush()
    assert buffer.counts() == expected


@pytest.mark.parametrize("by", [1.0, 1.5, math.nan, math.inf, True, False, "1", None])
def test_by_must_be_an_int(make: Make, redis_client: redis_py.Redis, by: Any) -> None:
    with pytest.raises(TypeError, match="by must be an int"):
        make().hit("front", by=by)
    assert list(redis_client.scan_iter()) == []


@pytest.mark.parametrize("by", [2**63, -(2**63), LARGEST_HIT + 1])
def test_by_must_not_be_huge(make: Make, redis_client: redis_py.Redis, by: int) -> None:
    with pytest.raises(ValueError, match="by must be within"):
        make().hit("front", by=by)
    assert list(redis_client.scan_iter()) == []


@pytest.mark.parametrize("by", [0, -1, LARGEST_HIT, -LARGEST_HIT])
def test_other_ints_are_added_exactly(make: Make, sql: sa.Engine, by: int) -> None:
    views = make()
    for _ in range(2):
        views.hit("front", by=by, at=0)
    views.flush()
    assert views.counts() == {(0, "front"): 2 * by}


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (None, TypeError, "key must be a str, not NoneType"),
        (b"front", TypeError, "key must be a str, not bytes"),
        (7, TypeError, "key must be a str, not int"),
        ("a\0b", ValueError, "key must not hold NUL"),
        ("\ud800", ValueError, "key must not hold lone surrogates"),
        ("k" * 10_000, ValueError, "at most 2,000 bytes of UTF-8, not 10,000"),
        ("k" * 1_000_000, ValueError, "at most 2,000 bytes of UTF-8, not 1,000,000"),
        ("🐕" * 501, ValueError, "at most 2,000 bytes of UTF-8, not 2,004"),
    ],
)
def test_keys_that_cannot_be_stored_are_refused(
    make: Make, redis_client: redis_py.Redis, key: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make().hit(key)
    assert list(redis_client.scan_iter()) == []


@pytest.mark.parametrize(
    ("at", "error"),
    [
        ("now", TypeError),
        (True, TypeError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (1_700_000_000_000, ValueError),
        (-LATEST, ValueError),
    ],
)
def test_times_that_are_no_seconds_are_refused(
    make: Make, redis_client: redis_py.Redis, at: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="at must be seconds since 1970"):
        make().hit("front", at=at)
    assert list(redis_client.scan_iter()) == []


@pytest.mark.parametrize(
    ("name", "period", "error"),
    [
        ("", HOUR, ValueError),
        ("a{b", HOUR, ValueError),
        ("a}b", HOUR, ValueError),
        ("a\0b", HOUR, ValueError),
        ("n" * 201, HOUR, ValueError),
        (None, HOUR, TypeError),
        ("views", 0, ValueError),
        ("views", -60, ValueError),
        ("views", 60.0, TypeError),
        ("views", True, TypeError),
        ("views", "hour", TypeError),
    ],
)
def test_counters_that_cannot_be(
    make: Make, name: Any, period: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"name|period"):
        make(name, period)


@pytest.mark.parametrize("at_once", [0, -1, 10**6 + 1, 1.0, True, None])
def test_how_many_hits_a_stream_carries_at_once(
    redis_client: redis_py.Redis, sql: sa.Engine, at_once: Any
) -> None:
    StreamCounter(redis_client, sql, "views", HOUR, at_once=10**6)
    with pytest.raises((TypeError, ValueError), match="at_once must be"):
        StreamCounter(redis_client, sql, "views", HOUR, at_once=at_once)


# --- an engine whose driver commits by itself ---------------------------------------------------


def plain(**settings: Any) -> sa.Engine:
    """An engine on the database of `sql`, whose driver's connections have these attributes."""
    engine = sa.create_engine(services.sql_url("test"))

    @sa.event.listens_for(engine, "checkout")
    def _(driver: Any, *_: Any) -> None:
        for name, value in settings.items():
            setattr(driver, name, value)

    return engine


def test_a_flush_on_a_driver_that_commits_by_itself_writes_nothing(
    make: Make, sql: sa.Engine
) -> None:
    views = make()
    views.hit("front", by=5, at=0)
    is_sqlite = sql.dialect.name == "sqlite"
    views.sql = plain(isolation_level=None) if is_sqlite else plain(autocommit=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="must not be in AUTOCOMMIT"):
            views.flush()
    assert views.counts() == {}
    views.sql = plain()
    assert views.flush().hits == 5
    assert views.counts() == {(0, "front"): 5}


# --- what other programs leave ----------------------------------------------------------------


FIELDS = ["front", "", ":front", "1.5:front", "x:front", "9" * 13 + ":x", "٣:x"]
VALUES = ["", "x", "1.5", "1e3", " 1", "٣", "9" * 20, "9" * 19, str(2**63), str(-(2**63)), "[1]"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_foreign_field_stops_the_flush_and_loses_nothing(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, field: str
) -> None:
    buffer.hit("news", at=0)
    redis_client.hset(buffer.open, field, "1")
    for _ in range(2):
        with pytest.raises(MalformedCount, match="Nothing of it was flushed") as caught:
            buffer.flush()
    assert buffer.counts() == {}
    redis_client.hdel(caught.value.place, caught.value.field)
    assert buffer.flush().hits == 1


@pytest.mark.parametrize("value", VALUES)
def test_a_foreign_value_stops_the_flush(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, value: str
) -> None:
    redis_client.hset(buffer.open, "0:front", value)
    with pytest.raises(MalformedCount):
        buffer.flush()
    assert buffer.counts() == {}


@pytest.mark.parametrize("pair", [(b"0:caf\xe9", b"1"), (b"0:front", b"\xe9")])
def test_bytes_that_are_no_text_stop_the_flush_and_lose_nothing(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, pair: tuple[bytes, bytes]
) -> None:
    buffer.hit("news", at=0)
    redis_client.execute_command("HSET", buffer.open, *pair)
    with pytest.raises(MalformedCount, match=r"sealed.*\\xe9.* are not UTF-8") as caught:
        buffer.flush()
    assert buffer.counts() == {}
    assert caught.value.field in pair
    redis_client.execute_command("HDEL", caught.value.place, pair[0])
    assert buffer.flush().hits == 1


@pytest.mark.parametrize("hits", [2**63 - 1, 1 - 2**63])
def test_the_largest_sums_that_sql_stores_are_carried(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, hits: int
) -> None:
    redis_client.hset(buffer.open, "0:front", str(hits))
    assert buffer.pending() == {(0, "front"): hits}
    buffer.flush()
    assert buffer.counts() == {(0, "front"): hits}


def test_a_batch_without_a_name_is_not_flushed(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    redis_client.hset(buffer.sealed, "0:front", "1")
    with pytest.raises(MalformedCount):
        buffer.flush()
    assert buffer.counts() == {}


@pytest.mark.parametrize(
    "entry",
    [
        {"x": "y"},
        {"start": "0", "key": "a"},
        {"start": "z", "key": "a", "by": "1"},
        {"start": "0", "key": "a", "by": str(LARGEST_HIT + 1)},
        {"start": "0", "key": b"caf\xe9", "by": "1"},
        {b"\xe9": "1"},
    ],
    ids=repr,
)
def test_a_foreign_entry_stops_the_stream_until_it_is_removed(
    redis_client: redis_py.Redis, sql: sa.Engine, entry: dict[Any, Any]
) -> None:
    views = StreamCounter(redis_client, sql, "views", HOUR)
    views.hit("front", at=0)
    foreign = redis_client.xadd(views.stream, entry)
    with pytest.raises(MalformedCount):
        views.flush()
    assert views.counts() == {}
    redis_client.xdel(views.stream, foreign)
    assert views.flush().hits == 1


# --- two Redis states ago ---------------------------------------------------------------------


def snapshot(redis: redis_py.Redis) -> dict[str, Any]:
    return {key: redis.dump(key) for key in redis.keys("*")}


def come_back(redis: redis_py.Redis, older: dict[str, Any]) -> None:
    for key in redis.keys("*"):
        redis.delete(key)
    for key, value in older.items():
        redis.restore(key, 0, value)


@pytest.fixture
def raw(redis_client: redis_py.Redis) -> redis_py.Redis:
    """A client that leaves bytes alone, as DUMP needs; only where the server has DUMP."""
    if isinstance(redis_client, redis_py.RedisCluster):
        pytest.skip("what one server does with older data, it does in a cluster")
    kwargs = {**redis_client.connection_pool.connection_kwargs, "decode_responses": False}
    pool = type(redis_client.connection_pool)(
        connection_class=redis_client.connection_pool.connection_class, **kwargs
    )
    return type(redis_client)(connection_pool=pool)


def test_older_data_from_before_the_seal_counts_twice(
    raw: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    buffer.hit("front", at=0)
    older = snapshot(raw)
    buffer.hit("front", at=0)
    buffer.flush()
    come_back(raw, older)
    buffer.flush()
    assert buffer.counts() == {(0, "front"): 3}, "documented: Redis undid what SQL has"


def test_older_data_from_after_the_seal_does_not_count_twice(
    raw: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, tmp_path: Any
) -> None:
    buffer.hit("front", at=0)
    with pytest.raises(sa.exc.OperationalError):
        CounterBuffer(
            buffer.redis, sa.create_engine(f"sqlite:///{tmp_path}/no-tables"), "views", HOUR
        ).flush()
    older = snapshot(raw)
    buffer.flush()
    come_back(raw, older)
    buffer.flush()
    assert buffer.counts() == {(0, "front"): 1}


def test_new_batches_after_older_data_are_not_taken_for_old_ones(
    raw: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    older = snapshot(raw)
    for _ in range(3):
        buffer.hit("front", at=0)
        buffer.flush()
    come_back(raw, older)
    for _ in range(3):
        buffer.hit("front", at=0)
        buffer.flush()
    assert buffer.counts() == {(0, "front"): 6}


def test_a_stream_with_older_data_never_counts_twice(
    raw: redis_py.Redis, redis_client: redis_py.Redis, sql: sa.Engine
) -> None:
    views = StreamCounter(redis_client, sql, "views", HOUR)
    views.hit("front", at=0)
    older = snapshot(raw)
    views.hit("front", at=0)
    views.flush()
    come_back(raw, older)
    time.sleep(0.002)  # a restart takes longer than a tick of Redis's clock
    views.hit("front", at=0)
    views.flush()
    assert views.counts() == {(0, "front"): 3}


# --- the daemon -------------------------------------------------------------------------------


class Flusher(threading.Thread):
    def __init__(self, counter: CounterBuffer | StreamCounter, every: float) -> None:
        super().__init__(daemon=True)
        self.arguments = (counter, every)
        self.stop, self.errors = threading.Event(), list[Exception]()
        self.start()

    def run(self) -> None:
        run_flusher(*self.arguments, stop=self.stop, on_error=self.errors.append)

    def finish(self) -> None:
        self.stop.set()
        self.join(300)
        assert not self.is_alive()


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + 300
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_daemon_flushes_and_flushes_again(buffer: CounterBuffer, sql: sa.Engine) -> None:
    flusher = Flusher(buffer, every=0.01)
    for total in (1, 2):
        buffer.hit("front", at=0)
        wait_for(lambda total=total: buffer.counts() == {(0, "front"): total})
    flusher.finish()
    assert flusher.errors == []


def test_the_daemon_flushes_a_stream_too(redis_client: redis_py.Redis, sql: sa.Engine) -> None:
    stream = StreamCounter(redis_client, sql, "views", HOUR)
    stream.hit("front", at=0)
    Flusher(stream, every=60).finish()
    assert stream.counts() == {(0, "front"): 1}


def test_the_daemon_stops_at_once_and_leaves_nothing(buffer: CounterBuffer, sql: sa.Engine) -> None:
    flusher = Flusher(buffer, every=3600)
    wait_for(lambda: buffer.redis.exists(buffer.looked))
    buffer.hit("front", at=0)
    flusher.finish()
    assert buffer.counts() == {(0, "front"): 1}


def test_an_sql_that_is_down_loses_nothing_and_the_backlog_drains(
    redis_client: redis_py.Redis, tmp_path: Any
) -> None:
    """Down is real here: somebody holds the lock of the database file."""
    address = f"sqlite:///{tmp_path}/stats"
    sql = sa.create_engine(address, connect_args={"timeout": 0.01})
    buffer = CounterBuffer(redis_client, sql, "views", HOUR).install()
    lock = sa.create_engine(address, isolation_level="AUTOCOMMIT").connect()
    lock.exec_driver_sql("BEGIN EXCLUSIVE")
    flusher = Flusher(buffer, every=0.01)
    for number in range(2000):
        buffer.hit(f"zone {number % 50}", at=NOON)
        if number % 100 == 0:
            time.sleep(0.002)
    wait_for(lambda: len(flusher.errors) >= 3)
    assert {type(error) for error in flusher.errors} == {sa.exc.OperationalError}
    held = sum(redis_client.hlen(key) for key in (buffer.open, buffer.sealed))
    assert held <= 2 * 50 + 2, "one number for each zone in each hash, and two labels"
    assert sum(buffer.pending().values()) == 2000
    lock.exec_driver_sql("ROLLBACK")
    wait_for(lambda: not buffer.pending())
    flusher.finish()
    assert buffer.counts() == {(NOON, f"zone {zone}"): 40 for zone in range(50)}


def test_the_daemon_goes_on_after_foreign_data(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine
) -> None:
    redis_client.hset(buffer.open, "x", "y")
    flusher = Flusher(buffer, every=0.01)
    wait_for(lambda: flusher.errors)
    assert isinstance(flusher.errors[0], MalformedCount)
    redis_client.hdel(buffer.sealed, "x")
    buffer.hit("front", at=0)
    flusher.finish()
    assert buffer.counts() == {(0, "front"): 1}


def test_the_daemon_goes_on_while_redis_is_away(tmp_path: Any) -> None:
    once = Retry(NoBackoff(), 0)
    nobody = redis_py.Redis(unix_socket_path=f"{tmp_path}/s", decode_responses=True, retry=once)
    sql = sa.create_engine(f"sqlite:///{tmp_path}/stats")
    flusher = Flusher(CounterBuffer(nobody, sql, "views", HOUR), every=0.01)
    wait_for(lambda: len(flusher.errors) > 1)
    flusher.finish()
    assert {type(error) for error in flusher.errors} == {redis_py.ConnectionError}


@pytest.mark.parametrize("pair", [("0:front", "9" * 19), (b"0:caf\xe9", "1")])
def test_the_daemon_hears_of_foreign_data_of_any_kind(
    redis_client: redis_py.Redis, buffer: CounterBuffer, sql: sa.Engine, pair: tuple[Any, str]
) -> None:
    redis_client.execute_command("HSET", buffer.open, *pair)
    flusher = Flusher(buffer, every=0.01)
    wait_for(lambda: flusher.errors or not flusher.is_alive())
    redis_client.execute_command("HDEL", buffer.sealed, pair[0])
    flusher.finish()
    assert {type(error) for error in flusher.errors} == {MalformedCount}


@pytest.mark.parametrize("every", [0, -1, math.nan, math.inf, True, "1", None])
def test_the_daemon_needs_an_interval(buffer: CounterBuffer, sql: sa.Engine, every: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="every must be"):
        run_flusher(buffer, every)
