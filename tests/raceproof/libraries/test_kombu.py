"""kombu's Redis transport, unmodified, on the connections of a world's client.

kombu makes its own clients, from a pool that its channel makes: the seam is the channel's
`_get_pool`. Its event loop waits for sockets itself, which the search refuses by name; a queue can
be asked for one message at a time.
"""

from __future__ import annotations

import pytest
from kombu.connection import Connection
from kombu.transport import redis as transport
from tests.raceproof.libraries.worlds import endings, filled

from raceproof import Unsearchable, explore


def connect(redis, **options):
    """kombu's connection, whose channels take their connections from a world's pool."""

    class Channel(transport.Channel):
        def _get_pool(self, asynchronous=False):
            return redis.connection_pool

    class Transport(transport.Transport):
        pass

    Transport.Channel = Channel
    return Connection("redis://world", transport=Transport, transport_options=options)


def puts(*mails):
    def client(world):
        with connect(world.redis) as connection, connection.SimpleQueue("mails") as queue:
            for mail in mails:
                queue.put(mail)

    return client


def gets(**options):
    def client(world):
        with (
            connect(world.redis, **options) as connection,
            connection.SimpleQueue("mails") as queue,
        ):
            try:
                message = queue.get_nowait()
            except queue.Empty:
                return
            world.redis.rpush("sent", message.payload)
            message.ack()

    return client


def restores(visibility_timeout):
    """What a consumer does from time to time: put back what was taken long ago and not done."""

    def client(world):
        with connect(world.redis, visibility_timeout=visibility_timeout) as connection:
            connection.default_channel.qos.restore_visible(num=None, interval=1)
        gets()(world)

    return client


def sent(world):
    return [mail.decode() for mail in world.redis.lrange("sent", 0, -1)]


def whereabouts(world):
    queued, held = world.redis.llen("mails"), world.redis.hlen("unacked")
    return f"{len(sent(world))} sent, {queued} queued, {held} unacknowledged"


def put_by_hand(raw):
    with connect(raw) as connection, connection.SimpleQueue("mails") as queue:
        queue.put("ann")


def test_each_message_is_for_one_of_two_consumers(redis_client):
    clients = {"app": puts("ann"), "w1": gets(), "w2": gets()}
    found, _ = endings(filled(redis_client), clients, whereabouts, preemptions=1)
    assert found == {
        "1 sent, 0 queued, 0 unacknowledged",
        "0 sent, 1 queued, 0 unacknowledged",  # both looked before it was there
    }


def test_a_consumer_that_is_killed_takes_the_message_with_it(redis_client):
    """RPOP, then the note that it is unacknowledged: in between nobody has it."""
    make = filled(redis_client, put_by_hand)
    found, report = endings(make, {"w1": gets()}, whereabouts, crashes=1)
    assert found == {
        "0 sent, 1 queued, 0 unacknowledged",
        "0 sent, 0 queued, 0 unacknowledged",
        "0 sent, 0 queued, 1 unacknowledged",
        "1 sent, 0 queued, 1 unacknowledged",
        "1 sent, 0 queued, 0 unacknowledged",
    }
    lost = next(f.run for f in report.findings if f.violation.startswith("0 sent, 0 queued, 0"))
    assert [step.call for step in lost.steps][-1] == "RPOP mails"
    assert lost.steps[-1].fate == "crash-after"


def test_what_is_unacknowledged_comes_back_and_is_done_twice(redis_client):
    """When the visibility time-out is over, whether its consumer has died or is slow."""
    make = filled(redis_client, put_by_hand)
    for bounds in ({"crashes": 1, "preemptions": 0}, {"preemptions": 1}):
        clients = {"w1": gets(), "w2": restores(0)}
        found, _ = endings(make, clients, whereabouts, **bounds)
        assert "2 sent, 0 queued, 0 unacknowledged" in found
    patient, _ = endings(make, {"w1": gets(), "w2": restores(3600)}, whereabouts, preemptions=1)
    assert patient == {"1 sent, 0 queued, 0 unacknowledged"}


def test_an_event_loop_over_sockets_is_refused_by_name(redis_client):
    def waits(world):
        with connect(world.redis) as connection, connection.SimpleQueue("mails") as queue:
            queue.get(timeout=2)

    with pytest.raises(Unsearchable, match=r"waits for the socket.*Queue\.get"):
        explore(world=filled(redis_client), clients={"a": waits}, check=lambda w: None)


def test_a_connection_of_kombus_own_is_refused_by_name(redis_client):
    def client(world):
        world.redis.get("x")
        with Connection("redis://127.0.0.1:1") as connection:
            connection.SimpleQueue("mails").put("ann")

    with pytest.raises(Unsearchable, match="not the world's"):
        explore(world=filled(redis_client), clients={"a": client}, check=lambda w: None)
