"""Unmodified redis-py above the wire: locks, scripts, pipelines, pub-sub, protocols, decoding."""

from __future__ import annotations

import hashlib
import itertools

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.wire.redis.worlds import counts, never, said, shop

from raceproof import Unsearchable, explore


def guarded(**options):
    def run(world):
        with world.redis.lock("lock", **options):
            n = int(world.redis.get("n") or 0)
            world.redis.set("n", n + 1)

    return run


def lost_an_update(world):
    return "" if world.redis.get("n") == "2" else f"n is {world.redis.get('n')}"


def test_a_lock_keeps_two_clients_apart(redis_client):
    lock = guarded(timeout=30, sleep=0.1)
    report = explore(
        world=shop(redis_client), clients={"a": lock, "b": lock}, check=never(lost_an_update)
    )
    assert report.holds
    assert report.schedules > 2
    without = lambda w: w.redis.set("n", int(w.redis.get("n") or 0) + 1)  # noqa: E731
    assert not explore(
        world=shop(redis_client), clients={"a": without, "b": without}, check=never(lost_an_update)
    ).holds


def test_a_lock_that_runs_out_while_it_is_held_keeps_nobody_apart(redis_client):
    lock = guarded(timeout=30, sleep=0.1)
    report = explore(
        world=shop(redis_client, ticks=(31.0,)),
        clients={"a": lock, "b": lock},
        check=never(lost_an_update),
        allow=(redis.exceptions.LockError,),
    )
    assert report.violation == "n is 1"


def test_a_lock_that_is_extended_or_reacquired_does_not_run_out(redis_client):
    def extends(world):
        lock = world.redis.lock("lock", timeout=30)
        assert lock.acquire(blocking=False)
        lock.extend(60)
        longer = world.redis.ttl("lock")
        lock.reacquire()
        return [longer, world.redis.ttl("lock"), lock.owned(), lock.release()]

    assert said(shop(redis_client), extends) == {"[[90, 30, True, None]]"}


def test_a_lock_is_waited_for_as_long_as_was_said(redis_client):
    def waits(world):
        return world.redis.lock("lock", timeout=30, sleep=1, blocking_timeout=2.5).acquire()

    make = shop(redis_client, ("SET", "lock", "theirs"))
    assert said(make, waits) == {"[False]"}


@pytest.mark.parametrize("source", ["return ARGV[1]", b"return ARGV[1]"], ids=["str", "bytes"])
def test_a_registered_script_is_one_step_though_the_server_does_not_have_it(redis_client, source):
    def run(world):
        world.journal.note(world.redis.register_script(source)(args=["x"]))

    clients = {"a": run, "b": run}
    assert counts(shop(redis_client), clients, lambda w: None) == (2, 0)
    # Each answered, or dead before or after it, for one of the two: 2 orders, and 2 ways to die.
    assert counts(shop(redis_client), {"a": run}, lambda w: None, crashes=1) == (3, 0)
    assert counts(shop(redis_client), {"a": run}, lambda w: None, lost_replies=1) == (3, 0)


def by_its_hash(text, *args):
    """Run a script by its hash; send its text if the server does not have it."""

    def run(world):
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        try:
            world.journal.note(world.redis.evalsha(digest, *args))
        except redis.exceptions.NoScriptError:
            world.journal.note(world.redis.eval(text, *args))

    return run


def test_a_script_whose_text_is_sent_when_its_hash_is_unknown_is_one_step(redis_client):
    run = by_its_hash("return ARGV[1]", 0, "x")
    assert counts(shop(redis_client), {"a": run, "b": run}, lambda w: None) == (2, 0)
    assert counts(shop(redis_client), {"a": run}, lambda w: None, crashes=1) == (3, 0)
    assert counts(shop(redis_client), {"a": run}, lambda w: None, lost_replies=1) == (3, 0)


def test_another_text_after_a_refused_hash_is_a_step_of_its_own(redis_client):
    def run(world):
        with pytest.raises(redis.exceptions.NoScriptError):
            world.redis.evalsha("a" * 40, 0)
        world.redis.eval("return 1", 0)

    assert counts(shop(redis_client), {"a": run, "b": run}, lambda w: None) == (6, 0)


def test_a_run_names_a_script_that_another_client_has_sent(redis_client):
    text = "-- add one\nreturn redis.call('INCR', KEYS[1])"
    clients = {name: by_its_hash(text, 1, "n") for name in ("a", "b")}
    report = explore(world=shop(redis_client), clients=clients, check=never(lambda w: True))
    assert [step.call for step in report.run.steps] == ["EVAL ⟨add one⟩ n"] * 2


def test_a_registered_script_that_is_late_arrives(redis_client):
    def run(world):
        world.redis.register_script("return redis.call('INCR', KEYS[1])")(keys=["n"])

    found = counts(
        shop(redis_client), {"a": run}, never(lambda w: not w.redis.get("n")), crashes=1, late=1
    )
    assert found == (4, 1)  # answered; dead before; dead after; dead before, and late


def test_a_transaction_is_sent_again_whole_after_a_lost_reply(redis_client):
    def push(world):
        world.redis.pipeline(transaction=True).rpush("l", "x").rpush("l", "y").execute()

    report = explore(
        world=shop(redis_client, retry=Retry(NoBackoff(), 1)),
        clients={"a": push},
        check=never(lambda w: "".join(w.redis.lrange("l", 0, -1))),
        lost_replies=1,
    )
    assert {f.violation for f in report.findings} == {"xy", "xyxy"}


def test_an_error_in_a_transaction_is_redis_pys_own(redis_client):
    def wrong(world):
        pipe = world.redis.pipeline().set("s", "text").incr("s").get("s")
        return [str(reply) for reply in pipe.execute(raise_on_error=False)]

    [found] = said(shop(redis_client), wrong)
    assert "not an integer" in found
    assert found.startswith("[['True', ")
    report = explore(
        world=shop(redis_client),
        clients={"a": lambda w: w.redis.pipeline().set("s", "t").incr("s").execute()},
        check=lambda w: None,
    )
    assert "ResponseError: Command # 2 (INCRBY s 1) of pipeline caused error" in report.violation


def test_a_multi_of_ones_own_is_a_step_for_each_request(redis_client):
    def by_hand(world):
        with world.redis.client() as one:
            one.execute_command("MULTI")
            one.execute_command("INCR", "n")
            return one.execute_command("EXEC")

    reader = lambda w: w.redis.get("n")  # noqa: E731
    assert said(shop(redis_client), by_hand, reader) == {"[[1]], [None]", "[[1]], ['1']"}


def test_what_a_server_says_of_itself_is_its_version_and_nothing_of_the_machine(redis_client):
    def asks(world):
        try:
            return [sorted(world.redis.info("server")), world.redis.info("SERVER")["redis_mode"]]
        except redis.ResponseError as error:
            return str(error)

    def names_itself(world):
        with world.redis.client() as one:
            one.client_setname("ann")
            told = one.client_info()
            return [told["name"], told["db"], told["addr"], "age" in told]

    fake = "fakeredis" in str(type(redis_client))
    [found] = said(shop(redis_client), asks)
    assert ("unknown command" in found) if fake else ("redis_version" in found)
    assert "uptime" not in found
    db = redis_client.connection_pool.connection_kwargs.get("db") or 0
    [found] = said(shop(redis_client), names_itself)
    assert found == f"[['ann', {db}, 'world:0', False]]"
    for section in ((), ("everything",), ("server", "clients")):
        with pytest.raises(Unsearchable, match="INFO server tells the version"):
            explore(
                world=shop(redis_client),
                clients={"a": lambda w, s=section: w.redis.execute_command("INFO", *s)},
                check=lambda w: None,
            )


def test_patterns(redis_client):
    def hear(world):
        pubsub = world.redis.pubsub(ignore_subscribe_messages=True)
        pubsub.psubscribe("a*")
        assert pubsub.get_message(timeout=None) is None
        world.redis.lpush("ready", 1)
        message = pubsub.get_message(timeout=None)
        return [message["type"], message["pattern"], message["channel"], message["data"]]

    def speak(world):
        world.redis.blpop("ready", 0)
        return [world.redis.publish("b", "no"), world.redis.publish("ab", "yes")]

    report = explore(
        world=shop(redis_client),
        clients={"a": lambda w: w.journal.note(hear(w)), "b": speak},
        check=never(lambda w: w.journal["a"]),
    )
    assert {f.violation for f in report.findings} == {"[['pmessage', 'a*', 'ab', 'yes']]"}


@pytest.mark.parametrize(
    ("protocol", "decode"),
    list(itertools.product((2, 3), (True, False))),
    ids=lambda value: str(value),
)
def test_replies_are_what_redis_py_makes_of_them(redis_client, protocol, decode):
    def all_of_it(client):
        client.hset(b"h\xff", mapping={"f": "v", b"g": b"w"})
        client.zadd("z", {"m": 1.5})
        client.sadd("s", "a")
        client.xadd("x", {"f": "v"}, id="1-1")
        client.setbit("b", 7, 1)
        client.pfadd("p", "a", "b")
        pipe = client.pipeline()
        pipe.hgetall(b"h\xff").zrange("z", 0, -1, withscores=True).zscore("z", "m")
        found = [
            client.hgetall(b"h\xff"),
            client.zrange("z", 0, -1, withscores=True),
            client.smembers("s"),
            client.xrange("x"),
            client.xread({"x": "0"}),
            client.get("b"),
            client.pfcount("p"),
            client.expire("s", 50),
            client.type("x"),
            client.lpop("none"),
            client.eval("return {1, 'two', false}", 0),
            pipe.execute(),
        ]
        return [repr(reply) for reply in found]

    make = shop(redis_client, protocol=protocol, decode_responses=decode)
    outside = all_of_it(make().redis)
    seen = []
    report = explore(
        world=make, clients={"a": lambda w: seen.append(all_of_it(w.redis))}, check=lambda w: None
    )
    assert report.holds
    assert seen[0] == outside


@pytest.mark.parametrize("protocol", [2, 3])
def test_pubsub_under_both_protocols(redis_client, protocol):
    def hear(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe("ch")
        return [pubsub.get_message(timeout=None), pubsub.get_message(timeout=1)]

    acknowledged = {"type": "subscribe", "pattern": None, "channel": "ch", "data": 1}
    make = shop(redis_client, protocol=protocol)
    assert said(make, hear) == {f"[{[acknowledged, None]}]"}
