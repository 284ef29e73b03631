"""Real processes on a real Redis and SQL: flushers killed with SIGKILL, stopped with SIGTERM."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import sqlalchemy as sa
from tests import forking

from patterns.counters import HOUR, CounterBuffer, run_flusher
from workshop import services
from workshop.services import environment, redis_service

pytestmark = pytest.mark.skipif(
    os.name != "posix" or environment.only_fakeredis() or redis_service.binary() is None,
    reason="needs a redis-server that several processes can reach",
)

SPACE = "processes"
VISITORS, FLUSHERS, HITS = 3, 2, 2000  # HITS: of each visitor, at least
KILLS = {"sqlite": 20, "postgresql": 8}
ZONES = 50
# Where a flusher can die: with a batch sealed, within the transaction, with it committed.
PLACES = ("sealed", "applied", "committed", "somewhere")


Invitation = tuple[str, str | None]  # services.invitation(), and the DATABASE_URL it goes with


def counter(join: Invitation) -> CounterBuffer:
    """What a child process works with."""
    os.environ["DATABASE_URL"] = join[1] or ""
    services.join(join[0])
    return CounterBuffer(services.redis(SPACE), services.sql(SPACE), "views", HOUR)


def invitation() -> Invitation:
    return services.invitation(), environment.database_url()


def visit(join: Invitation, number: int, hits: Any, enough: Any) -> None:
    views = counter(join)
    chance = random.Random(number)
    sent = 0
    while sent < HITS or not enough.is_set():
        views.hit(f"zone {chance.randrange(ZONES)}", at=chance.randrange(3 * HOUR))
        sent += 1
        if sent % 20 == 0:
            time.sleep(0.001)
    hits[number] = sent


def flush_for_ever(join: Invitation, dies: str) -> None:
    views = counter(join)
    if dies == "sealed":
        seal = views._seal
        views._seal = lambda **sent: die_with_a_batch(seal(**sent))  # type: ignore[assignment]
    if dies == "applied":
        sa.event.listen(views.sql, "after_execute", die_of_a_count)
    if dies == "committed":
        views._release = die  # type: ignore[assignment]
    while True:
        views.flush()
        time.sleep(0.001)


def die(**_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_a_batch(answer: Any) -> Any:
    if answer[2]:
        die()
    return answer


def die_of_a_count(_: Any, statement: Any, *__: Any) -> None:
    if "INTO counter_hits" in str(statement):
        die()


def flush_until_told(join: Invitation) -> None:
    views = counter(join)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_flusher(views, every=60, stop=stop)


@pytest.fixture
def children() -> Iterator[Any]:
    """Starts processes; none is left when the test ends."""
    context = forking.context()
    started: list[BaseProcess] = []

    def start(target: Callable[..., None], *args: object) -> BaseProcess:
        process = context.Process(target=target, args=args, daemon=True)
        process.start()
        started.append(process)
        return process

    start.context = context  # type: ignore[attr-defined]
    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def views(sql_engine: sa.Engine) -> CounterBuffer:
    """An empty counter on a real Redis; SQL is SQLite or PostgreSQL in turn."""
    redis, sql = services.redis(SPACE, fresh=True), services.sql(SPACE, fresh=True)
    return CounterBuffer(redis, sql, "views", HOUR).install()


def test_flushers_killed_again_and_again_lose_and_double_nothing(
    views: CounterBuffer, children: Any
) -> None:
    join, sql = invitation(), services.sql(SPACE)
    hits = children.context.Array("l", VISITORS)
    enough = children.context.Event()
    visitors = [children(visit, join, number, hits, enough) for number in range(VISITORS)]
    chance = random.Random(0)
    left = 0  # batches that a killed flusher left behind
    flushers = [children(flush_for_ever, join, PLACES[n % len(PLACES)]) for n in range(FLUSHERS)]
    for kill in range(KILLS[sql.dialect.name]):
        victim = flushers[kill % FLUSHERS]
        if PLACES[kill % len(PLACES)] == "somewhere":
            time.sleep(chance.uniform(0.01, 0.06))
            victim.kill()
        victim.join(300)
        assert victim.exitcode == -signal.SIGKILL
        left += views.redis.exists(views.sealed)
        place = PLACES[(kill + FLUSHERS) % len(PLACES)]
        flushers[kill % FLUSHERS] = children(flush_for_ever, join, place)
    for flusher in flushers:
        flusher.kill()
        flusher.join()
    enough.set()
    for visitor in visitors:
        visitor.join(300)
        assert visitor.exitcode == 0
    views.flush()
    assert sum(views.counts().values()) == sum(hits)
    assert views.pending() == {}
    assert left > 0, "no kill came between the seal and the release"


def test_a_flusher_told_to_stop_flushes_once_more(views: CounterBuffer, children: Any) -> None:
    flusher = children(flush_until_told, invitation())
    deadline = time.monotonic() + 300
    while not views.redis.exists(views.looked):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    views.hit("front", at=0)
    flusher.terminate()
    flusher.join(300)
    assert flusher.exitcode == 0
    assert views.counts() == {(0, "front"): 1}
