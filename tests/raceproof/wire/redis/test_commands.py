"""redis-py under the search: blocking, pub-sub, time, WATCH, pipelines, scripts, retries."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.toys import Shop, empty, nothing_to_check

from raceproof import Clock, Journal, Unsearchable, Violation, explore


@dataclass
class Timed:
    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


@pytest.fixture
def shop(redis_client):
    return lambda: Shop(empty(redis_client))


def test_a_blocking_pop_waits_until_there_is_something(shop):
    def worker(world):
        world.journal.note(world.redis.brpop("jobs")[1])

    def producer(world):
        world.redis.set("x", "1")
        world.redis.lpush("jobs", "job")

    def check(world):
        if world.journal["worker"] != ["job"]:
            raise Violation("no job")

    report = explore(world=shop, clients={"worker": worker, "producer": producer}, check=check)
    assert report.holds
    assert report.schedules == 1


def test_nobody_can_move_is_a_deadlock(shop):
    def worker(world):
        world.redis.blmove("jobs", "mine", 0)

    report = explore(world=shop, clients={"worker": worker}, check=nothing_to_check)
    assert report.violation == "deadlock: worker waits for ever for BLMOVE jobs mine LEFT RIGHT 0"
    assert report.run is not None
    assert report.run.waiting == (("worker", "BLMOVE jobs mine LEFT RIGHT 0"),)
    assert explore(
        world=shop, clients={"worker": worker}, check=nothing_to_check, daemons=("worker",)
    ).holds


def test_who_waits_for_ever_is_a_finding_also_where_it_might_die_instead(shop):
    def worker(world):
        world.redis.blmove("jobs", "mine", 0)

    report = explore(world=shop, clients={"worker": worker}, check=nothing_to_check, crashes=1)
    assert (report.schedules, report.broken) == (1, 1)
    assert report.violation.startswith("deadlock: worker waits for ever")


def test_giving_up_early_is_a_stated_bound(shop):
    def worker(world):
        for _ in range(2):
            world.redis.brpop("jobs", timeout=3)

    def other(world):
        world.redis.set("x", 1)

    clients = {"worker": worker, "other": other}
    once = explore(world=shop, clients=clients, check=nothing_to_check)
    assert "each giving up early at most 1 time" in once.sentence
    twice = explore(world=shop, clients=clients, check=nothing_to_check, timeouts=2)
    assert "giving up" not in twice.sentence
    never = explore(world=shop, clients=clients, check=nothing_to_check, timeouts=0)
    assert "no client giving up early" in never.sentence
    assert (never.schedules, once.schedules, twice.schedules) == (1, 2, 3)


def test_when_nobody_else_can_move_every_wait_with_a_timeout_ends(shop):
    def worker(world):
        for _ in range(4):
            assert world.redis.brpop("jobs", timeout=3) is None

    report = explore(world=shop, clients={"worker": worker}, check=nothing_to_check)
    assert report.holds
    assert report.schedules == 1


def test_a_wait_with_a_timeout_may_end_with_nothing(shop):
    def worker(world):
        before = time.monotonic()
        job = world.redis.brpop("jobs", timeout=3)
        waited = time.monotonic() - before
        world.journal.note("job" if job else f"nothing after {waited:g} s")

    def producer(world):
        world.redis.lpush("jobs", "job")

    def check(world):
        if world.journal["worker"] != ["job"]:
            raise Violation(world.journal["worker"][0])

    report = explore(world=shop, clients={"worker": worker, "producer": producer}, check=check)
    assert (report.schedules, report.broken) == (2, 1)
    assert report.violation == "nothing after 3 s"


def test_a_lock_held_by_a_dead_client_stays_held(shop):
    def locker(world):
        while not world.redis.set("lock", "mine", nx=True):
            pass
        world.redis.delete("lock")

    clients = {"ann": locker, "bob": locker}
    assert explore(world=shop, clients=clients, check=nothing_to_check).holds
    report = explore(world=shop, clients=clients, check=nothing_to_check, crashes=1)
    assert report.violation is not None
    assert "still going after" in report.violation


def test_asking_in_vain_is_a_stated_bound(shop):
    def poller(world):
        while not world.redis.exists("go"):
            pass

    def starter(world):
        world.redis.set("x", "1")
        world.redis.set("go", "1")

    report = explore(
        world=shop, clients={"poller": poller, "starter": starter}, check=nothing_to_check
    )
    assert report.holds
    assert "each asking in vain at most 3 times in a row" in report.sentence


def subscriber(acknowledged):
    def run(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe("news")
        if acknowledged:
            assert pubsub.get_message(timeout=None)["type"] == "subscribe"
        state = world.redis.get("last")
        if state is None:
            message = pubsub.get_message(timeout=None)
            while message["type"] != "message":
                message = pubsub.get_message(timeout=None)
            state = message["data"]
        world.journal.note(state)

    return run


def publisher(world):
    world.redis.set("last", "1")
    world.redis.publish("news", "1")


@pytest.mark.parametrize("acknowledged", [True, False], ids=["acknowledged", "not"])
def test_subscribing_takes_effect_later_than_it_is_sent(shop, acknowledged):
    report = explore(
        world=shop,
        clients={"reader": subscriber(acknowledged), "writer": publisher},
        check=nothing_to_check,
    )
    assert report.holds == acknowledged
    if not acknowledged:
        assert report.violation == "deadlock: reader waits for ever for next message of news"
        fates = [step.fate for step in report.run.steps]
        assert "subscribed" in fates


def test_publish_says_how_many_subscriptions_were_in_effect(shop):
    def listener(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe("news")
        for message in pubsub.listen():
            if message["type"] == "message":
                world.journal.note(message)
                break
        pubsub.close()

    def writer(world):
        while not world.redis.publish("news", "hello"):
            pass
        world.journal.note(world.redis.publish("news", "again"))

    def check(world):
        assert world.journal["reader"] == [
            {"type": "message", "pattern": None, "channel": "news", "data": "hello"}
        ]
        if world.journal["writer"] == [0]:
            raise Violation("the reader had gone")

    report = explore(world=shop, clients={"reader": listener, "writer": writer}, check=check)
    assert report.violation == "the reader had gone"
    assert 0 < report.broken < report.schedules


def acknowledged_then(then):
    def listener(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe("news")
        pubsub.get_message(timeout=None)
        then(pubsub)
        world.redis.set("ready", 1)

    return listener


def publishes_when_ready(world):
    while not world.redis.exists("ready"):
        pass
    world.journal.note(world.redis.publish("news", "hello"))


@pytest.mark.parametrize(
    ("then", "receivers"),
    [(lambda p: p.close(), [0]), (lambda p: p.unsubscribe("news"), [0]), (lambda p: None, [0])],
    ids=["closed", "unsubscribed", "ended"],
)
def test_a_subscription_ends_with_its_client(shop, then, receivers):
    def check(world):
        if world.journal["writer"] != receivers:
            raise Violation(f"received by {world.journal['writer']}")

    clients = {"reader": acknowledged_then(then), "writer": publishes_when_ready}
    assert explore(world=shop, clients=clients, check=check).holds


def test_a_closed_subscription_receives_nothing_while_its_client_goes_on(shop):
    def reader(world):
        acknowledged_then(lambda pubsub: pubsub.close())(world)
        world.redis.blpop("over", 0)

    def writer(world):
        publishes_when_ready(world)
        world.redis.lpush("over", 1)

    def check(world):
        assert world.journal["writer"] == [0]

    assert explore(world=shop, clients={"reader": reader, "writer": writer}, check=check).holds


def test_the_dead_receive_nothing(shop):
    def reader(world):
        kept = []  # redis-py closes a PubSub that nothing refers to any more
        acknowledged_then(kept.append)(world)
        world.redis.blpop("for ever", 0)

    def check(world):
        if world.journal["writer"] == [1]:
            raise Violation("heard by the living")

    case = dict(
        world=shop,
        clients={"reader": reader, "writer": publishes_when_ready},
        check=check,
        daemons=("reader",),
    )
    assert explore(**case).broken == explore(**case).schedules
    with_death = explore(**case, crashes=1)
    assert with_death.broken < with_death.schedules


def test_what_a_script_publishes_arrives(shop):
    def writer(world):
        script = world.redis.register_script(
            "-- set and announce\n"
            "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('PUBLISH', KEYS[2], ARGV[1])"
        )
        script(keys=["last", "news"], args=["1"])

    report = explore(
        world=shop,
        clients={"reader": subscriber(True), "writer": writer},
        check=nothing_to_check,
    )
    assert report.holds
    assert report.schedules > 1


def test_a_lost_connection_loses_its_messages_and_subscribes_again(shop):
    def reader(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe("news")
        while True:
            try:
                message = pubsub.get_message(timeout=None)
            except redis.ConnectionError:
                world.journal.note("lost")
                continue
            if message["type"] == "message":
                return world.journal.note(message["data"])

    def writer(world):
        while not world.redis.publish("news", "1"):
            pass

    clients = {"reader": reader, "writer": writer}
    assert explore(world=shop, clients=clients, check=nothing_to_check).holds
    report = explore(world=shop, clients=clients, check=nothing_to_check, lost_replies=1)
    assert "waits for ever for next message of news" in report.violation


def test_a_key_expires_when_the_clock_ticks_and_not_before(redis_client):
    def holder(world):
        world.redis.set("lease", "ann", ex=30)
        world.redis.set("x", "1")

    def check(world):
        world.journal.fill("seen", [world.redis.exists("lease"), world.clock.now])
        if not world.redis.exists("lease"):
            raise Violation(f"the lease is gone at {world.clock.now:g}")

    def timed(*ticks):
        return explore(
            world=lambda: Timed(empty(redis_client), Clock(1000, ticks=ticks)),
            clients={"holder": holder},
            check=check,
        )

    assert timed(29.0).holds
    report = timed(30.0)
    assert report.violation == "the lease is gone at 1030"
    # The tick comes before SET (harmless), between the two, or after both (nobody is left to see).
    assert (report.schedules, report.broken) == (3, 1) or report.broken >= 1


def test_ttl_and_time_follow_the_clock(redis_client):
    def reader(world):
        world.redis.set("lease", "ann", px=30_000)
        world.journal.note(world.redis.ttl("lease"))
        world.journal.note(world.redis.time()[0])
        world.journal.note(world.redis.eval("return redis.call('TIME')[1]", 0))

    def check(world):
        ttl, now, scripted = world.journal["reader"]
        assert now - 1000 in (0, 10)
        assert int(scripted) - 1000 in (0, 10)
        assert ttl in (30, 20)
        if ttl == 20:
            raise Violation("10 s passed after SET")

    report = explore(
        world=lambda: Timed(empty(redis_client), Clock(1000, ticks=(10.0,))),
        clients={"reader": reader},
        check=check,
    )
    assert report.violation == "10 s passed after SET"


def test_stream_ids_follow_the_clock(redis_client):
    def writer(world):
        world.journal.note(world.redis.xadd("s", {"a": "1"}))
        world.journal.note(world.redis.xadd("s", {"a": "2"}))

    def check(world):
        assert world.journal["writer"] == ["1000000-0", "1000000-1"]

    world = lambda: Timed(empty(redis_client), Clock(1000))  # noqa: E731
    assert explore(world=world, clients={"writer": writer}, check=check).holds


def test_watch_fails_the_transaction_when_the_key_was_touched(shop):
    def adder(world):
        with world.redis.pipeline() as pipe:
            while True:
                try:
                    pipe.watch("n")
                    number = int(pipe.get("n") or 0)
                    pipe.multi()
                    pipe.set("n", number + 1)
                    pipe.execute()
                    return
                except redis.WatchError:
                    continue

    def check(world):
        if world.redis.get("n") != "2":
            raise Violation(f"n is {world.redis.get('n')}")

    clients = {"ann": adder, "bob": adder}
    report = explore(world=shop, clients=clients, check=check)
    assert report.holds
    assert report.schedules > 6


def test_writing_the_same_value_back_touches_a_watched_key(shop):
    def watcher(world):
        with world.redis.pipeline() as pipe:
            pipe.watch("n")
            pipe.multi()
            pipe.set("m", 1)
            try:
                pipe.execute()
            except redis.WatchError:
                world.journal.note("touched")

    def writer(world):
        world.redis.set("n", "same")

    def world():
        fresh = shop()
        fresh.redis.set("n", "same")
        return fresh

    def check(world):
        if world.journal["watcher"]:
            raise Violation("touched")

    report = explore(world=world, clients={"watcher": watcher, "writer": writer}, check=check)
    assert (report.schedules, report.broken) == (3, 1)


def test_a_pipeline_with_a_transaction_is_one_step_and_without_it_is_many(shop):
    def pipeliner(transaction):
        def run(world):
            pipe = world.redis.pipeline(transaction=transaction)
            pipe.set("a", 1)
            pipe.set("b", 1)
            pipe.execute()

        return run

    def reader(world):
        world.journal.note(world.redis.mget("a", "b"))

    def check(world):
        if world.journal["reader"] == [["1", None]]:
            raise Violation("half of it was seen")

    whole = explore(world=shop, clients={"p": pipeliner(True), "reader": reader}, check=check)
    assert whole.holds
    assert whole.schedules == 2
    parts = explore(world=shop, clients={"p": pipeliner(False), "reader": reader}, check=check)
    assert parts.violation == "half of it was seen"
    assert parts.schedules == 3


def test_a_silent_retry_counts_twice(shop):
    def hit(world):
        world.redis.incr("n")

    def once(world):
        if int(world.redis.get("n") or 0) > 1:
            raise Violation("one hit counted twice")

    assert explore(world=shop, clients={"v": hit}, check=once, lost_replies=1).holds

    def retrying():
        fresh = shop()
        options = {**fresh.redis.get_connection_kwargs(), "retry": Retry(NoBackoff(), 3)}
        pool = type(fresh.redis.connection_pool)
        fresh.redis = type(fresh.redis)(
            connection_pool=pool(
                connection_class=fresh.redis.connection_pool.connection_class, **options
            )
        )
        return fresh

    report = explore(world=retrying, clients={"v": hit}, check=once, lost_replies=1)
    assert report.violation == "one hit counted twice"
    assert [s.fate for s in report.run.steps] == ["reply-lost", "answered"]


def test_a_dict_is_no_payload(shop):
    def writer(world):
        world.redis.publish("news", {"a": 1})

    report = explore(world=shop, clients={"writer": writer}, check=nothing_to_check)
    assert "DataError" in report.violation


@pytest.mark.parametrize("command", ["FLUSHDB", "FLUSHALL"])
def test_what_reaches_beyond_the_world_is_refused(shop, command):
    def wiper(world):
        world.redis.execute_command(command)

    with pytest.raises(NotImplementedError, match=command):
        explore(world=shop, clients={"wiper": wiper}, check=nothing_to_check)


def test_what_a_script_wrote_before_it_failed_expires_by_the_clock(redis_client):
    def holder(world):
        script = "redis.call('SET', KEYS[1], 'v', 'EX', 30) return redis.error_reply('ERR no')"
        with pytest.raises(redis.ResponseError):
            world.redis.eval(script, 1, "lease")
        world.redis.set("x", "1")

    def check(world):
        if not world.redis.exists("lease"):
            raise Violation("the lease is gone")

    report = explore(
        world=lambda: Timed(empty(redis_client), Clock(1000, ticks=(30.0,))),
        clients={"holder": holder},
        check=check,
    )
    assert (report.schedules, report.broken) == (3, 1)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("COPY", "a", "b", "DB", "1"), "COPY cannot be searched: DB reaches beyond the world"),
        (("COPY", "a", "b", "db", "1"), "COPY cannot be searched: DB reaches beyond the world"),
        (("XINFO", "STREAM", "s", "FULL"), "XINFO STREAM cannot be searched: FULL tells"),
        (("EVAL", "return redis.call('flushdb')", "0"), "FLUSHDB in a script cannot be searched"),
        (("EVAL", 'redis.call ( "dump" )', "0"), "DUMP in a script cannot be searched"),
        (
            ("XREADGROUP", "GROUP", "g", "b", "claim", "5", "STREAMS", "s", ">"),
            "XREADGROUP with CLAIM cannot be searched: use XAUTOCLAIM",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(shop, command, told):
    def client(world):
        world.redis.set("a", "DB")
        world.redis.execute_command(*command)

    with pytest.raises(Unsearchable) as refused:
        explore(world=shop, clients={"c": client}, check=nothing_to_check)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("order", ["abc", "cba", "bac"])
def test_the_order_that_a_server_shows_may_depend_on_what_was_there_before(
    redis_client, shop, order
):
    """A set that held a word once is no set of integers any more, which is shown in order."""
    if redis_client.connection_pool.connection_kwargs.get("server"):
        pytest.skip("in a script fakeredis shows members in the order of Python's own sets")

    def word(world):
        world.redis.sadd("s", "x")
        world.redis.srem("s", "x")

    def numbers(world):
        world.redis.sadd("s", "1")
        world.redis.sadd("s", "0")

    def looks(world):
        found = world.redis.eval("return redis.call('SMEMBERS', KEYS[1])", 1, "s")
        world.journal.note(found if len(found) == 2 else [])

    def check(world):
        raise Violation(str(world.journal["c"][0]))

    clients = dict(zip("abc", (word, numbers, looks), strict=True))
    given = dict(world=shop, clients={name: clients[name] for name in order}, check=check)
    merged, full = (
        {found.violation: found.schedules for found in explore(**given, merge=merge).findings}
        for merge in (True, False)
    )
    assert merged == full


def test_a_group_or_a_stream_may_be_called_claim(shop):
    def client(world):
        world.redis.xgroup_create("claim", "claim", mkstream=True)
        world.redis.xadd("claim", {"n": 1}, id="1-1")
        world.journal.note(len(world.redis.xreadgroup("claim", "claim", {"claim": ">"})))
        take = "return redis.call('XREADGROUP', 'GROUP', 'claim', 'claim', 'STREAMS', KEYS[1], '0')"
        world.journal.note(len(world.redis.eval(take, 1, "claim")))

    def check(world):
        assert world.journal["c"] == [1, 1]

    assert explore(world=shop, clients={"c": client}, check=check).holds


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("redis.pcall('FLUSHDB')", "FLUSHDB"),
        ("pcall(redis.call, 'FLUSHDB')", "FLUSHDB"),
        ("local f = 'FLUSHDB' pcall(function() redis.call(f) end)", "FLUSHDB"),
        ("xpcall(function() redis.call('FLUSHDB') end, function() end)", "FLUSHDB"),
        ("coroutine.resume(coroutine.create(redis.call), 'FLUSHDB')", "FLUSHDB"),
        ("pcall(coroutine.wrap(redis.call), 'FLUSHDB')", "FLUSHDB"),
        ("_G.redis.call('FLUSHDB')", "_G"),
        ("""loadstring("redis.call('FLUSHDB')")()""", "loadstring"),
        ("getfenv (1).redis.call('FLUSHDB')", "getfenv"),
        ("setfenv(1, {})", "setfenv"),
        ("redis.call('SET', 'x', os.clock())", "os"),
        (
            "redis.call('XREADGROUP', 'GROUP', 'g', 'b', 'CLAIM', 1, 'STREAMS', 's', '>')",
            "XREADGROUP",
        ),
        ("local l = load l(function() end)", "load"),
        ("local all = _G pcall(function() all.x = 1 end)", "_G"),
    ],
)
def test_a_script_cannot_swallow_a_refusal_nor_go_round_it(shop, script, name):
    with pytest.raises(Unsearchable, match=f"^{name} in a script cannot be searched"):
        explore(
            world=shop,
            clients={"c": lambda world: world.redis.eval(f"{script} return 1", 0)},
            check=nothing_to_check,
        )
    assert shop().redis.eval("return 1 + 1", 0) == 2  # nothing of it is left behind


def test_a_script_catches_all_other_errors(shop):
    script = """
    local a = {pcall(redis.call, 'LPUSH', KEYS[1], 'x')}
    local b = {pcall(error, 'no')}
    local c = {xpcall(function() error('no', 0) end, function(told) return told .. '!' end)}
    local d = {coroutine.resume(coroutine.create(function(n) return n end), 7)}
    redis.call('HSET', 'words', 'load', '_G', 'loadstring', 'getfenv(1)')
    return {tostring(a[1]), tostring(b[1]), tostring(c[1]), c[2], tostring(d[1]), d[2]}"""

    def client(world):
        world.redis.set("text", "x")
        world.journal.note(world.redis.eval(script, 1, "text"))

    def check(world):
        assert world.journal["c"] == [["false", "false", "false", "no!", "true", 7]]

    assert explore(world=shop, clients={"c": client}, check=check).holds


def test_an_error_of_a_script_names_the_script_as_its_sender_knows_it(shop):
    script = "return redis.call('LPUSH', KEYS[1])"
    told = []

    def client(world):
        with pytest.raises(redis.ResponseError) as error:
            world.redis.eval(script, 1, "list")
        told.append(str(error.value))

    explore(world=shop, clients={"c": client}, check=nothing_to_check)
    digest = hashlib.sha1(script.encode()).hexdigest()
    assert told
    assert all(re.findall("[0-9a-f]{40}", words) in ([], [digest]) for words in told)
    assert any(digest in words for words in told) or "fakeredis" in str(shop().redis)


def test_a_list_that_a_script_has_emptied_is_no_key_any_more(shop):
    def client(world):
        world.redis.rpush("jobs", "one")
        world.redis.eval("return redis.call('LMPOP', 1, KEYS[1], 'LEFT')", 1, "jobs")
        world.journal.note(world.redis.exists("jobs"))

    def check(world):
        assert world.journal["c"] == [0]
        assert world.redis.keys() == []

    assert explore(world=shop, clients={"c": client}, check=check).holds


def test_a_subscriber_who_pings_is_refused(redis_client):
    def client(world):
        with world.redis.pubsub() as pubsub:
            pubsub.subscribe("c")
            pubsub.get_message(timeout=1)
            pubsub.ping()

    world = lambda: Timed(empty(redis_client), Clock(1000))  # noqa: E731
    with pytest.raises(Unsearchable, match="PING of a subscriber cannot be searched: messages may"):
        explore(world=world, clients={"a": client}, check=lambda world: None)
