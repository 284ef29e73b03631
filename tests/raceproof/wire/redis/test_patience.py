"""What a real client would not wait for, or hear besides, is refused by name."""

from __future__ import annotations

import gc
import weakref

import fakeredis
import pytest
import redis
from tests.raceproof.toys import Shop, empty, nothing_to_check
from tests.raceproof.wire.redis.worlds import like

from raceproof import Unsearchable, explore
from workshop.services import environment


def on_unix_socket(client):
    return "path" in client.connection_pool.connection_kwargs


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "BLPOP jobs 0 waits for ever"), (5, "up to 5 s"), (60, "up to 60 s"), (4.9, "")],
)
def test_who_waits_longer_than_the_client_does_is_refused(redis_client, seconds, words):
    """After its socket_timeout redis-py raises TimeoutError, or asks again: there is no reply."""

    def search(client):
        return explore(
            world=lambda: Shop(empty(like(redis_client, socket_timeout=client))),
            clients={"c": lambda world: world.redis.blpop("jobs", timeout=seconds)},
            check=nothing_to_check,
            daemons=("c",),
        )

    assert search(None).holds
    if words:
        with pytest.raises(Unsearchable, match=rf"{words}.* its socket_timeout of 5 s.*=None"):
            search(5)
    else:
        assert search(5).holds


def test_a_pool_whose_settings_are_others_by_the_next_search_is_asked_again(redis_client):
    client = like(redis_client, socket_timeout=None)

    def search():
        return explore(
            world=lambda: Shop(empty(client)),
            clients={"c": lambda world: world.redis.blpop("jobs", timeout=5)},
            check=nothing_to_check,
            daemons=("c",),
        )

    assert search().holds
    client.connection_pool.connection_kwargs["socket_timeout"] = 5
    with pytest.raises(Unsearchable, match="its socket_timeout of 5 s"):
        search()


def test_what_was_asked_of_a_pool_does_not_keep_it():
    """Else each world of a search on fakeredis would be kept, with all that it holds."""
    pools = []

    def world():
        client = fakeredis.FakeRedis()
        pools.append(weakref.ref(client.connection_pool))
        return Shop(client)

    explore(world=world, clients={"c": lambda shop: shop.redis.get("x")}, check=nothing_to_check)
    gc.collect()
    assert pools
    assert not [pool for pool in pools if pool() is not None]


def test_a_message_may_be_waited_for_longer_than_that(redis_client):
    """There redis-py has a time-out of its own, in place of the client's."""

    def client(world):
        with world.redis.pubsub() as ears:
            ears.subscribe("news")
            ears.get_message(timeout=60)
            world.journal.note(ears.get_message(timeout=60))

    report = explore(
        world=lambda: Shop(empty(like(redis_client, socket_timeout=5))),
        clients={"c": client, "other": lambda world: world.redis.publish("news", "x")},
        check=nothing_to_check,
    )
    assert report.holds


@pytest.mark.parametrize(
    ("subscribe", "name", "refused"),
    [
        ("subscribe", "__keyevent@0__:set", True),
        ("subscribe", "__keyspace@0__:job", True),
        ("subscribe", "__keys", False),
        ("psubscribe", "__keyevent@*__:*", True),
        ("psubscribe", "*", True),
        ("psubscribe", "__key[es]*", True),
        ("psubscribe", "board:*", False),
    ],
)
def test_a_listener_to_changes_of_keys_is_refused(redis_client, subscribe, name, refused):
    if environment.redis_url() or not on_unix_socket(redis_client):
        pytest.skip("only a server of our own can be told to tell of them")

    def listener(world):
        with world.redis.pubsub() as ears:
            getattr(ears, subscribe)(name)
            ears.get_message(timeout=1)

    def search():
        return explore(
            world=lambda: Shop(empty(redis_client)),
            clients={"c": listener, "other": lambda world: world.redis.set("job", "1")},
            check=nothing_to_check,
        )

    assert search().holds  # by default a server tells of nothing
    redis_client.config_set("notify-keyspace-events", "KEA")
    try:
        if refused:
            with pytest.raises(Unsearchable, match="hears of changes of keys"):
                search()
        else:
            assert search().holds
    finally:
        redis_client.config_set("notify-keyspace-events", "")


def test_a_client_that_was_told_no_time_has_that_of_redis_py():
    pool = fakeredis.FakeRedis.from_url("redis://localhost:6379/0").connection_pool
    assert "socket_timeout" not in pool.connection_kwargs
    with pytest.raises(Unsearchable, match="its socket_timeout of 5 s"):
        explore(
            world=lambda: Shop(empty(redis.Redis(connection_pool=pool))),
            clients={"c": lambda world: world.redis.blpop("jobs", timeout=6)},
            check=nothing_to_check,
        )


@pytest.mark.parametrize("options", [{}, {"decode_responses": True}, {"version": (7,)}])
def test_a_fakeredis_that_was_given_no_server_is_one(options):
    """Each of its worlds has a server of its own, and what it does not know is not asked."""

    def client(world):
        world.redis.sadd("likes", "ann")
        world.redis.hset("ages", "ann", 7)

    def check(world):
        assert world.redis.scard("likes") == 1

    def world():
        return Shop(fakeredis.FakeRedis(**options))

    report = explore(world=world, clients={"a": client, "b": client}, check=check)
    assert report.holds
    assert report.schedules == 6
