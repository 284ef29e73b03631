"""What a search cannot see: processes that are killed, and a server's own limits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import redis
import sqlalchemy as sa

from patterns.pubsub import Room
from workshop import services

pytestmark = pytest.mark.every_pair  # of which conftest.py chooses one

PATIENCE = 20  # seconds a reader of these tests waits at most: only a failure waits so long

WRITER = """
import sys
from workshop import services
from patterns.pubsub import Room

room = Room(services.redis("test"), services.sql("test"), "dogfacts")
print("here", flush=True)
number = 0
while True:
    number += 1
    room.send(sys.argv[1], str(number))
"""


@pytest.fixture
def small_output_buffer(redis_client: redis.Redis) -> Iterator[None]:
    """A private server that hangs up on subscribers with 1 MB unread."""
    name = "client-output-buffer-limit"
    redis_client.config_set(name, "pubsub 1048576 0 0")
    yield
    redis_client.config_set(name, "pubsub 33554432 8388608 60")


def test_on_a_real_server_readers_agree_though_writers_are_killed(
    redis_client: redis.Redis, sql_engine: sa.Engine
) -> None:
    room = Room(redis_client, sql_engine, "dogfacts", poll=0.1).install()
    reading = room.listen(timeout=PATIENCE)
    env = {**os.environ, "PATTERNS_JOIN": services.invitation()}
    live = []
    for name in ("ann", "bob", "cid"):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, name], env=env, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "here\n"
        live += [next(reading) for _ in range(20)]
        writer.kill()
        writer.wait()
        writer.stdout.close()
    end = room.send("dan", "end")
    while live[-1] != end:
        live.append(next(reading))
    assert live == room.history()
    assert [message.number for message in live] == list(range(1, len(live) + 1))
    for name in ("ann", "bob", "cid"):
        sent = [int(message.text) for message in live if message.author == name]
        assert sent == list(range(1, len(sent) + 1))


@pytest.mark.usefixtures("small_output_buffer")
def test_on_a_real_server_a_reader_too_slow_for_the_output_buffer_misses_nothing(
    redis_client: redis.Redis, sql_engine: sa.Engine
) -> None:
    room = Room(redis_client, sql_engine, "dogfacts", poll=0.1).install()
    errors: list[Exception] = []
    reading = room.listen(PATIENCE, on_error=errors.append)
    room.send("ann", "first")
    seen = [next(reading)]
    for _ in range(30):  # while the reader is busy elsewhere
        redis_client.publish(room.channel, "9" * 1_000_000)
    deadline = time.monotonic() + PATIENCE
    while not errors and time.monotonic() < deadline:
        room.send("ann", "more")
        seen.append(next(reading))
    assert [type(error) for error in errors[:1]] == [services.RedisGone]
    assert seen == room.history()
