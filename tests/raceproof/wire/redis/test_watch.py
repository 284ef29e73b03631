"""WATCH under the search: what fails the transaction is what fails it on the server itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import pytest
import redis
from tests.raceproof.toys import Shop, empty, in_full
from tests.raceproof.wire.redis.worlds import said, shop

from raceproof import Clock, Journal, Unsearchable, Violation, explore

NOTHING = "redis.call('SETNX', KEYS[1], 'w') return redis.call('LREM', KEYS[2], 0, 'zz')"
SAME = "return redis.call('SET', KEYS[1], 'v')"


def in_a_transaction(*commands):
    def write(client):
        pipe = client.pipeline(transaction=True)
        for command in commands:
            pipe.execute_command(*command)
        pipe.execute()

    return write


# What each writes, the key that is watched, and whether EXEC then fails on real Redis.
WRITES = {
    "LMOVE nil": (lambda r: r.lmove("none", "list"), "list", False),
    "LMOVE nil, its source": (lambda r: r.lmove("none", "list"), "none", False),
    "LMOVE": (lambda r: r.lmove("list", "none"), "none", True),
    "LREM 0": (lambda r: r.lrem("list", 0, "zz"), "list", False),
    "LREM 1": (lambda r: r.lrem("list", 0, "a"), "list", True),
    "SET NX refused": (lambda r: r.set("string", "w", nx=True), "string", False),
    "SET the same value": (lambda r: r.set("string", "v"), "string", True),
    "APPEND of nothing": (lambda r: r.append("string", ""), "string", True),
    "DEL of nothing": (lambda r: r.delete("none"), "none", False),
    "HSETNX refused": (lambda r: r.hsetnx("hash", "f", "2"), "hash", False),
    "HSET of the same value": (lambda r: r.hset("hash", "f", "1"), "hash", True),
    "SADD of a member": (lambda r: r.sadd("set", "m"), "set", False),
    "LMPOP": (lambda r: r.lmpop(1, "list", direction="LEFT"), "list", True),
    "XDEL": (lambda r: r.xdel("stream", "0-1"), "stream", True),
    "XREADGROUP": (lambda r: r.xreadgroup("g", "ann", {"stream": ">"}), "stream", False),
    "HEXPIRE": (lambda r: r.hexpire("hash", 100, "f"), "hash", True),
    "EXPIRE of nothing": (lambda r: r.expire("none", 100), "none", False),
    "EXPIRE": (lambda r: r.expire("string", 100), "string", True),
    "a refused command": (lambda r: r.incr("string"), "string", False),
    "a script that changes nothing": (
        lambda r: r.eval(NOTHING, 2, "string", "list"),
        "string",
        False,
    ),
    "a script that sets the same value": (lambda r: r.eval(SAME, 1, "string"), "string", True),
    "MULTI that changes nothing": (
        in_a_transaction(("SETNX", "string", "w"), ("LREM", "list", 0, "zz"), ("DEL", "none")),
        "string",
        False,
    ),
    "MULTI that sets the same value": (in_a_transaction(("SET", "string", "v")), "string", True),
}
# Where fakeredis differs from Redis, a search on fakeredis does what fakeredis does.
FAKEREDIS_TOUCHES = ("SADD of a member",)
FAKEREDIS_MISSES = ("LMPOP", "XDEL", "HEXPIRE")  # there the search does what Redis does


def filled(client):
    empty(client)
    client.set("string", "v")
    client.rpush("list", "a")
    client.hset("hash", "f", "1")
    client.sadd("set", "m")
    client.xadd("stream", {"f": "v"}, id="0-1")
    client.xgroup_create("stream", "g", "0")
    return Shop(client)


def watcher(key):
    def run(world):
        with world.redis.pipeline() as pipe:
            pipe.watch(key)
            pipe.multi()
            pipe.set("unrelated", 1)
            try:
                pipe.execute()
            except redis.WatchError:
                world.journal.note("failed")

    return run


def writer(write):
    def run(world):
        with contextlib.suppress(redis.ResponseError):
            write(world.redis)

    return run


def never_failed(world):
    if world.journal["watcher"]:
        raise Violation("EXEC failed")


def fails_for_real(client, write, key):
    """Do it with two connections and no search."""
    world = filled(client)
    with client.pipeline() as pipe:
        pipe.watch(key)
        writer(write)(world)
        pipe.multi()
        pipe.ping()
        try:
            pipe.execute()
        except redis.WatchError:
            return True
        return False


@pytest.mark.parametrize("name", WRITES)
def test_a_transaction_fails_after_a_write_as_it_does_on_the_server(redis_client, name):
    """As a merged search sees it: where all is made for real, the server says so by itself."""
    write, key, touches = WRITES[name]
    fails = fails_for_real(redis_client, write, key)
    if "fakeredis" in str(type(redis_client)) and name in FAKEREDIS_MISSES:
        assert not fails
        fails = touches
    elif "fakeredis" not in str(type(redis_client)) or name not in FAKEREDIS_TOUCHES:
        assert fails == touches
    report = explore(
        world=lambda: filled(redis_client),
        clients={"watcher": watcher(key), "writer": writer(write)},
        check=never_failed,
    )
    assert (report.schedules, report.broken) == (3, int(fails))


@pytest.mark.parametrize(
    "name", ["SET NX refused", "SET the same value", "LMPOP", "XDEL", "XREADGROUP", "HEXPIRE"]
)
def test_made_for_real_it_fails_as_in_a_merged_search(redis_client, name):
    write, key, touches = WRITES[name]
    clients = {"watcher": watcher(key), "writer": writer(write)}
    report = in_full(world=lambda: filled(redis_client), clients=clients, check=never_failed)
    assert (report.schedules, report.broken) == (3, int(touches))


@pytest.mark.parametrize(
    "name", ["LMOVE nil", "SET NX refused", "SET the same value", "a script that changes nothing"]
)
def test_changed_and_changed_back_is_not_the_same_as_left_alone(redis_client, name):
    """Another client touches the key for sure; the two must not be taken for one state."""
    write, key, touches = WRITES[name]

    def there_and_back(world):
        if key == "list":
            world.redis.lpush(key, "b")
            world.redis.lpop(key)
        else:
            world.redis.set(key, "w")
            world.redis.set(key, "v")

    clients = {
        "watcher": watcher(key),
        "writer": writer(write),
        "other": there_and_back,
    }
    report = explore(world=lambda: filled(redis_client), clients=clients, check=never_failed)
    # 30 orders of 2, 1 and 2 steps. EXEC follows WATCH at once in 12 of them; the writer alone
    # comes between in 3.
    assert (report.schedules, report.broken) == (30, 18 if touches else 15)


@dataclass
class Timed:
    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
def test_a_watched_key_that_expires_fails_the_transaction(redis_client, merge):
    def world():
        empty(redis_client).set("lease", "ann", ex=30)
        return Timed(redis_client, Clock(1000, ticks=(30.0,)))

    case = dict(world=world, check=never_failed, merge=merge)
    report = explore(clients={"watcher": watcher("lease")}, **case)
    assert (report.schedules, report.broken) == (3, 1)
    assert explore(clients={"watcher": watcher("other")}, **case).holds


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
def test_what_is_sent_between_watch_and_multi_takes_effect_at_once(redis_client, merge):
    def careless(world):
        with world.redis.pipeline() as pipe:
            pipe.watch("n")
            pipe.set("n", 1)
            pipe.multi()
            pipe.set("m", 1)
            try:
                pipe.execute()
            except redis.WatchError:
                world.journal.note("failed")

    def reader(world):
        world.journal.note(world.redis.get("n"))

    def check(world):
        if world.journal["reader"] == ["1"]:
            raise Violation("seen before EXEC" if world.journal["careless"] else "EXEC passed")

    report = explore(
        world=lambda: Shop(empty(redis_client)),
        clients={"careless": careless, "reader": reader},
        check=check,
        merge=merge,
    )
    assert (report.schedules, report.broken) == (4, 2)
    assert report.violation == "seen before EXEC"


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
@pytest.mark.parametrize("how", ["unwatched", "lost"])
def test_who_no_longer_watches_is_not_refused(redis_client, how, merge):
    """A reply that was lost closes the connection, and with it goes the WATCH."""

    def client(world):
        pipe = world.redis.pipeline()
        for attempt in range(2):
            try:
                pipe.watch("n" if attempt == 0 else "m")
                if how == "unwatched":
                    pipe.unwatch()  # from here on, commands are queued again
                else:
                    pipe.multi()
                pipe.set("k", attempt)
                pipe.execute()
                return
            except redis.ConnectionError:
                continue
            except redis.WatchError as error:
                if "ConnectionError" in str(error):  # redis-py's own, for a connection that broke
                    continue
                world.journal.note("failed after the reply was lost" if attempt else "failed")

    def check(world):
        if any("lost" in note or how == "unwatched" for note in world.journal["client"]):
            raise Violation("refused")

    report = explore(
        world=lambda: Shop(empty(redis_client)),
        clients={"client": client, "writer": lambda world: world.redis.set("n", 1)},
        check=check,
        lost_replies=int(how == "lost"),
        merge=merge,
    )
    assert report.holds
    assert how == "lost" or report.schedules == 4  # WATCH, UNWATCH and EXEC, and the writer's step


def test_what_is_written_while_a_transaction_is_open_fails_it(redis_client):
    """A write before MULTI is not one before WATCH; of one after it the server cannot be asked."""

    def transaction(world):
        with world.redis.client() as connection:
            for words in (("WATCH", "x"), ("MULTI",), ("GET", "x")):
                connection.execute_command(*words)
            return connection.execute_command("EXEC")

    def same_value(world):
        world.redis.set("x", "1")

    made = shop(redis_client, ("SET", "x", "1"))
    assert said(made, transaction, same_value) == {"[None], [None]", "[['1']], [None]"}


def adds_under_watch(world):
    lost = (redis.WatchError, redis.ConnectionError)
    with world.redis.pipeline() as pipe, contextlib.suppress(*lost):
        pipe.watch("n")
        n = int(pipe.get("n") or 0)
        pipe.multi()
        pipe.set("n", n + 1)
        pipe.execute()


def both_ways(redis_client, clients, **bounds):
    """All ends of a search and how many schedules have each, merged and in full alike."""

    def check(world):
        says = [world.journal[name] for name in clients]
        raise Violation(f"n is {world.redis.get('n')}, they say {says}")

    case = dict(world=lambda: Shop(empty(redis_client)), clients=clients, check=check, late=1)
    found = [search(**case, **bounds) for search in (explore, in_full)]
    ends = [{f.violation: f.schedules for f in report.findings} for report in found]
    assert ends[0] == ends[1]
    return set(ends[0])


@pytest.mark.parametrize("bounds", [{"crashes": 1}, {"lost_replies": 1}], ids=["crash", "lost"])
def test_a_late_exec_is_refused_once_the_watched_key_was_touched(redis_client, bounds):
    def ten(world):
        world.redis.set("n", 10)
        world.journal.note("done")

    ends = both_ways(redis_client, {"ann": adds_under_watch, "bob": ten}, **bounds)
    assert "n is 10, they say [[], ['done']]" in ends
    assert "n is 11, they say [[], ['done']]" in ends
    assert "n is 1, they say [[], ['done']]" not in ends


def test_a_late_exec_takes_effect_where_nobody_touched_the_watched_key(redis_client):
    def ann(world):
        lost = (redis.WatchError, redis.ConnectionError)
        with world.redis.pipeline() as pipe, contextlib.suppress(*lost):
            pipe.watch("n")
            pipe.multi()
            pipe.set("n", 1)
            pipe.execute()
        world.redis.set("ann", "gone")

    def bob(world):
        for _ in range(2):
            world.journal.note(world.redis.mget("ann", "n"))

    clients = {"ann": ann, "bob": bob}
    ends = both_ways(redis_client, clients, lost_replies=1, preemptions=1)
    assert "n is 1, they say [[], [['gone', None], ['gone', '1']]]" in ends


def test_commands_queued_by_one_who_died_stay_queued(redis_client):
    """MULTI is sent by itself: only its EXEC, if that is what is late, makes them take effect."""

    def ann(world):
        with world.redis.client() as one, contextlib.suppress(redis.ConnectionError):
            one.execute_command("MULTI")
            one.execute_command("SET", "n", 1)
            one.execute_command("EXEC")

    def bob(world):
        world.journal.note(world.redis.get("n"))
        world.journal.note(world.redis.get("n"))

    ends = both_ways(redis_client, {"ann": ann, "bob": bob}, crashes=1)
    assert "n is 1, they say [[], [None, None]]" in ends
    assert "n is 1, they say [[], [None, '1']]" in ends
    assert "n is None, they say [[], [None, None]]" in ends


def test_a_name_is_not_given_in_a_transaction(redis_client):
    def pipelined(world):
        with world.redis.pipeline() as pipe:
            pipe.execute_command("CLIENT SETNAME", "ann")
            pipe.execute()

    def by_hand(world):
        with world.redis.client() as one:
            one.execute_command("MULTI")
            one.execute_command("CLIENT SETNAME", "ann")

    for client in (pipelined, by_hand):
        with pytest.raises(Unsearchable, match="CLIENT SETNAME in MULTI"):
            explore(world=lambda: filled(redis_client), clients={"a": client}, check=never_failed)


@pytest.mark.parametrize(
    "words", ["SET k v EX 10", "EXPIRE string 10", "TTL string", "XADD s * f v"]
)
def test_what_counts_from_exec_is_refused_where_time_may_pass_before(redis_client, words):
    def client(world):
        with world.redis.client() as one:
            one.execute_command("MULTI")
            one.execute_command(*words.split())
            one.execute_command("EXEC")

    def search(*ticks):
        def world():
            filled(redis_client)
            return shop(redis_client, ("SET", "string", "v"), ticks=ticks)()

        return explore(world=world, clients={"a": client}, check=lambda world: None)

    search().assert_holds()
    with pytest.raises(Unsearchable, match="in a MULTI that is sent request by request"):
        search(60.0)
