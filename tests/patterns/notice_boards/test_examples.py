"""Both boards, blocking and asyncio, on every Redis: what they do, keep and refuse."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis as redis_py
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.cluster import RedisCluster

from patterns.notice_boards import (
    AsyncNoticeBoard,
    KeyAlreadyUsed,
    MalformedNotice,
    Notice,
    NoticeBoard,
    ValueTooLong,
    async_notice_board,
    notice_board,
)
from patterns.notice_boards._checks import LONGEST_NAME, to_milliseconds
from workshop import services
from workshop.services import redis_service

BAD_NAMES: list[Any] = ["", "a{b", "a}b", "a\0b", "a\nb", "\ud800", "x" * (LONGEST_NAME + 1)]
BAD_VALUES: list[Any] = [math.nan, math.inf, (1, 2), {1: 2}, b"x", ..., {"a": [math.nan]}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=10,
)  # fmt: skip
NAMES = st.text(st.characters(exclude_characters="{}", min_codepoint=32), min_size=1, max_size=50)
many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OUT_OF_RANGE = [
    {"poll": 0},
    {"poll": 0.0},
    {"poll": -1},
    {"poll": 0.0009},
    {"poll": math.inf},
    {"expire": 0},
    {"expire": 0.0009},
    {"expire": 1e9},
]
Do = Callable[..., Any]


class Twin:
    """An AsyncNoticeBoard behind the verbs of a NoticeBoard, in a loop of its own."""

    def __init__(self, on_cluster: bool, name: str, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        client = services.redis_cluster_async if on_cluster else services.redis_async
        self.redis: Any = client() if on_cluster else client("test")
        self.board = AsyncNoticeBoard(self.redis, name, **options)

    def __getattr__(self, verb: str) -> Do:
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self.board, verb)
        return lambda *args, **options: self.loop.run_until_complete(method(*args, **options))

    def close(self) -> None:
        self.loop.run_until_complete(self.redis.aclose())
        self.loop.close()


@pytest.fixture(params=["blocking", "asyncio"])
def make(request: pytest.FixtureRequest, redis_client: redis_py.Redis) -> Iterator[Do]:
    """A maker of boards of either kind; `redis_client` is the Redis they are on."""
    twins: list[Twin] = []

    def a_board(name: str = "task", **options: Any) -> Any:
        if request.param == "blocking":
            return NoticeBoard(redis_client, name, **options)
        twins.append(Twin(isinstance(redis_client, RedisCluster), name, **options))
        return twins[-1]

    yield a_board
    for twin in twins:
        twin.close()


def subscribers(redis: Any) -> int:
    """How many hear of the board; redis-py's own answer for a cluster is that of one node."""
    nodes = redis.get_nodes() if isinstance(redis, RedisCluster) else []
    servers = [redis.get_redis_connection(node) for node in nodes] or [redis]
    return sum(server.pubsub_numsub("board:{task}")[0][1] for server in servers)


def test_post_read_watch(make: Do) -> None:
    board = make()
    assert board.read() is None
    assert board.watch(timeout=0) is None
    version = board.post({"done": 1, "total": 4})
    assert board.read() == Notice(version, {"done": 1, "total": 4})
    assert board.watch() == board.read()
    assert board.watch(version, timeout=0.01) is None
    assert (board.read().number, version[:2]) == (1, "1-")
    board.post("two")
    found = board.watch(version)
    assert (found.value, found.number) == ("two", 2)


def test_a_watcher_is_woken_by_a_post(make: Do, redis_client: redis_py.Redis) -> None:
    board = make(poll=60)
    version = board.post(1)
    other = NoticeBoard(redis_client, "task")

    def post_when_heard() -> None:
        while not subscribers(redis_client):
            time.sleep(0.005)
        other.post(2)

    thread = threading.Thread(target=post_when_heard)
    thread.start()
    began = time.monotonic()
    assert board.watch(version, timeout=30).value == 2
    assert time.monotonic() - began < 20  # at the latest it would look at the end
    thread.join()


def test_a_lost_announcement_costs_one_poll(make: Do, redis_client: redis_py.Redis) -> None:
    board = make(poll=0.05)
    version = board.post(1)
    fields = {"version": "2-0123456789abcdef", "value": "2"}
    threading.Timer(0.1, redis_client.hset, ["board:{task}"], {"mapping": fields}).start()
    began = time.monotonic()
    assert board.watch(version, timeout=30).value == 2
    assert time.monotonic() - began < 20


def test_who_cannot_hear_looks_ten_times_a_second(
    make: Do, redis_client: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = make(poll=60)
    version = board.post(1)
    other = NoticeBoard(redis_client, "task")
    pauses: list[float] = []

    def gone() -> None:
        raise redis_py.ConnectionError("no subscriptions today")

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            other.post(2)

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(notice_board, "time", clock)
    monkeypatch.setattr(async_notice_board, "asyncio", SimpleNamespace(sleep=sleep_async))
    monkeypatch.setattr(board.redis, "pubsub", gone)
    assert board.watch(version, timeout=3000).value == 2
    assert pauses == [0.1, 0.1, 0.1]


def test_nothing_is_left_of_a_watcher(make: Do, redis_client: redis_py.Redis) -> None:
    if redis_service.kind() == "fake":
        pytest.skip("fakeredis keeps the subscriptions of closed asyncio connections")
    make().watch(timeout=0.05)
    deadline = time.monotonic() + 300
    while subscribers(redis_client) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert subscribers(redis_client) == 0


def test_a_post_that_is_repeated_counts_once(make: Do) -> None:
    board = make()
    first = board.post(1, key="a.b-C_1")
    second = board.post(2)
    assert board.post(1, key="a.b-C_1") == first
    assert board.read() == Notice(second, 2)
    for number in range(98):
        board.post(number)
    assert board.post(1, key="a.b-C_1") == first
    board.post("one more")
    assert board.post(1, key="a.b-C_1") != first


def test_no_more_keys_are_kept(make: Do, redis_client: redis_py.Redis) -> None:
    board = make()
    for number in range(230):
        board.post(number, key=f"post-{number}")
    kept = [name for name in redis_client.hkeys("board:{task}:keys") if name.startswith("key ")]
    assert sorted(kept) == sorted(f"key post-{number}" for number in range(130, 230))
    assert redis_client.hlen("board:{task}:keys") == 200


def test_a_board_whose_keys_outlive_it_begins_anew(make: Do, redis_client: redis_py.Redis) -> None:
    board = make()
    old = [board.post(value, key=f"k{value}") for value in range(3)]
    redis_client.delete("board:{task}")
    new = board.post(0, key="k0")
    assert new not in old
    assert board.post(1, key="k1") not in old
    assert board.post(0, key="k0") == new
    assert redis_client.hlen("board:{task}:keys") == 4


def test_two_kinds_on_one_board(make: Do, redis_client: redis_py.Redis) -> None:
    version = make().post(1, key="k")
    assert NoticeBoard(redis_client, "task").read() == Notice(version, 1)
    assert NoticeBoard(redis_client, "task").post(1, key="k") == version


def test_a_key_with_another_value(make: Do) -> None:
    board = make()
    version = board.post({"a": 1, "b": 2}, key="k")
    assert board.post({"b": 2, "a": 1}, key="k") == version
    with pytest.raises(KeyAlreadyUsed, match=f"'k' names post {version}"):
        board.post({"a": 1, "b": 3}, key="k")
    assert board.read().value == {"a": 1, "b": 2}


def test_boards_do_not_meet(make: Do) -> None:
    one, other = make("a"), make("a:keys")
    one.post(1)
    other.post(2)
    assert (one.read().value, other.read().value) == (1, 2)


def test_an_expired_board(make: Do, redis_client: redis_py.Redis) -> None:
    board = make(expire=30)
    version = board.post(1, key="k")
    left = [redis_client.pttl(key) for key in redis_client.scan_iter()]
    assert [29_000 < ms <= 30_000 for ms in left] == [True, True]
    for key in redis_client.scan_iter():
        redis_client.pexpire(key, 1)
    while list(redis_client.scan_iter()):
        time.sleep(0.002)
    assert board.read() is None
    assert board.watch(version, timeout=0) is None
    again = board.post(1, key="k")
    assert again != version
    assert board.watch(version, timeout=0) == Notice(again, 1)
    make().post(2)
    assert [redis_client.pttl(key) for key in redis_client.scan_iter()] == [-1, -1]


@pytest.mark.parametrize(("expire", "sent"), [(None, ""), (30, "30000"), (0.0015, "2")])
def test_an_expiry_is_sent_in_whole_milliseconds(expire: float | None, sent: str) -> None:
    assert to_milliseconds(expire) == sent


def test_a_removed_board(make: Do, redis_client: redis_py.Redis) -> None:
    board = make()
    version = board.post(1, key="k")
    board.remove()
    assert redis_client.keys() == []
    assert board.post(1, key="k") != version
    assert board.watch(version, timeout=0).number == 1


def test_a_board_whose_first_key_was_evicted(make: Do, redis_client: redis_py.Redis) -> None:
    board = make()
    board.post(1, key="k")
    redis_client.delete("board:{task}")
    board.post(1, key="k")
    assert board.read().value == 1


def test_a_redis_that_comes_back_with_older_data(make: Do, redis_client: redis_py.Redis) -> None:
    board = make()
    board.post(1)
    older = redis_client.hgetall("board:{task}")
    seen = board.post(2)
    redis_client.hset("board:{task}", mapping=older)
    board.post("another second")
    assert board.watch(seen, timeout=0).value == "another second"


@pytest.mark.parametrize("value", [None, "", 0, False, [], {}, "x" * 65_534, "\ud800"])
def test_values_come_back(make: Do, value: object) -> None:
    board = make()
    board.post(value)
    found = board.read().value
    assert (found, type(found)) == (value, type(value))


@given(value=JSON)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_json_comes_back(redis_client: redis_py.Redis, value: object) -> None:
    board = NoticeBoard(redis_client, "task")
    board.post(value)
    found = board.read()
    assert found is not None
    assert repr(found.value) == repr(value)


@given(
    name=st.text(st.characters(exclude_characters="{}", min_codepoint=32), min_size=1, max_size=50)
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_name_is_a_board_or_refused(redis_client: redis_py.Redis, name: str) -> None:
    try:
        board = NoticeBoard(redis_client, name)
    except ValueError:
        return
    version = board.post(name)
    assert board.watch() == Notice(version, name)


@pytest.mark.parametrize("name", [*BAD_NAMES, 7, None, b"x"], ids=repr)
def test_bad_names(redis_client: redis_py.Redis, name: Any) -> None:
    with pytest.raises(ValueError if isinstance(name, str) else TypeError, match="name must"):
        NoticeBoard(redis_client, name)
    with pytest.raises(ValueError if isinstance(name, str) else TypeError, match="name must"):
        AsyncNoticeBoard(services.redis_async("test"), name)


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
def test_bad_values_change_nothing(make: Do, redis_client: redis_py.Redis, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        make().post(value)
    assert redis_client.keys() == []


def test_a_value_of_a_megabyte(make: Do, redis_client: redis_py.Redis) -> None:
    with pytest.raises(ValueTooLong, match="1,000,002 characters"):
        make().post("x" * 1_000_000)
    assert redis_client.keys() == []


def test_a_value_that_is_too_long_by_one(make: Do) -> None:
    with pytest.raises(ValueTooLong, match="65,537 characters"):
        make().post("x" * 65_535)


def test_a_value_that_holds_itself(make: Do) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match=r"nested|Circular"):
        make().post(value)


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 65, "a\n", 7, b"k"], ids=repr)
def test_bad_keys(make: Do, redis_client: redis_py.Redis, key: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="key must"):
        make().post(1, key=key)
    assert redis_client.keys() == []


@pytest.mark.parametrize("after", ["", "7", "0-3f9a0c4418d2e6b5", "7-zz", 7, 7.0, b"1-a"], ids=repr)
def test_bad_versions(make: Do, after: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="after must"):
        make().watch(after)


@pytest.mark.parametrize("seconds", [-1, math.nan, True, "5", None], ids=repr)
def test_bad_times(make: Do, seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout must"):
        make().watch(None, seconds)
    with pytest.raises((TypeError, ValueError), match="poll must"):
        make(poll=seconds)
    if seconds is not None:
        with pytest.raises((TypeError, ValueError), match="expire must"):
            make(expire=seconds)


@pytest.mark.parametrize("options", OUT_OF_RANGE)
def test_times_out_of_range(make: Do, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make(**options)


@pytest.mark.parametrize(
    "fields",
    [{"value": "1"}, {"version": "1-3f9a0c4418d2e6b5"}, {"version": "x", "value": "1"},
     {"version": "1-3f9a0c4418d2e6b5", "value": "{"}],
    ids=repr,
)  # fmt: skip
def test_what_no_board_wrote(make: Do, redis_client: redis_py.Redis, fields: Any) -> None:
    redis_client.hset("board:{task}", mapping=fields)
    with pytest.raises(MalformedNotice, match="no board posted"):
        make().read()


def test_announcements_of_others_are_a_reason_to_look(
    make: Do, redis_client: redis_py.Redis
) -> None:
    board = make()
    version = board.post(1)
    stop = threading.Event()

    def babble() -> None:
        while not stop.is_set():
            for payload in (b"\xff\xfe", "", "9" * 100):
                redis_client.publish("board:{task}", payload)
            time.sleep(0.01)

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        assert board.watch(version, timeout=0.3) is None
        threading.Timer(0.1, NoticeBoard(redis_client, "task").post, [2]).start()
        assert board.watch(version, timeout=30).value == 2
    finally:
        stop.set()
        thread.join()


def test_the_docstrings_promise_the_same() -> None:
    for verb in ("post", "read", "watch", "remove"):
        one, other = getattr(NoticeBoard, verb), getattr(AsyncNoticeBoard, verb)
        assert one.__annotations__ == other.__annotations__
        assert one.__defaults__ == other.__defaults__
