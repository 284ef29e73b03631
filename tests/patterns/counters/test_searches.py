"""Every schedule of visitors and flushers, with crashes and lost replies, and the bugs it finds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import redis as redis_py
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from raceproof import Clock, Journal, Report, Violation, explore
from workshop import services

Kind = type[CounterBuffer] | type[StreamCounter]
TABLES = ("counter_hits", "counter_batches", "counter_places")


@dataclass
class Site:
    redis: redis_py.Redis
    sql: sa.Engine
    clock: Clock
    journal: Journal = field(default_factory=Journal)


def a_world(
    redis: redis_py.Redis, sql: sa.Engine, clock: Callable[[], Clock] = Clock, waiting: int = 0
) -> Callable[[], Site]:
    """Return a maker of empty sites, with `waiting` hits in Redis."""
    CounterBuffer(redis, sql, "views", HOUR).install()

    def make() -> Site:
        for key in redis.scan_iter():
            redis.delete(key)
        with sql.begin() as tx:
            for table in TABLES:
                tx.execute(sa.text(f"DELETE FROM {table}"))
        for number in range(waiting):
            CounterBuffer(redis, sql, "views", HOUR).hit("other", at=0)
            stream = StreamCounter(redis, sql, "views", HOUR).stream
            redis.xadd(stream, {"start": 0, "key": "other", "by": 1}, id=f"1-{number + 1}")
        return Site(redis, sql, clock())

    return make


@pytest.fixture
def world() -> Callable[[], Site]:
    return a_world(services.redis("search", fresh=True), services.sql("search", fresh=True))


def searched(
    world: Callable[[], Site],
    kind: Kind,
    times: tuple[float | None, ...] = (0.0,),
    **bounds: int,
) -> Report:
    """Two flushers and a visitor; afterwards one more flush, and SQL has what was answered.

    The visitor makes a hit at each of the `times`; None: at what the clock says.
    """

    def counter(site: Site) -> CounterBuffer | StreamCounter:
        return kind(site.redis, site.sql, "views", HOUR)

    def visit(site: Site) -> None:
        views = counter(site)
        for given in times:
            at = time.time() if given is None else given
            slot = int(at) // HOUR * HOUR
            site.journal.note(["sends", slot])
            views.hit("front", at=at)
            site.journal.note(["answered", slot])

    def flush(site: Site) -> None:
        counter(site).flush()

    def every_hit_once(site: Site) -> None:
        counter(site).flush()
        there = counter(site).counts()
        notes = site.journal["visitor"]
        for slot in {slot for _, slot in notes} | {slot for slot, _ in there}:
            sent = notes.count(["sends", slot])
            answered = notes.count(["answered", slot])
            counted = there.get((slot, "front"), 0)
            if not answered <= counted <= sent:
                raise Violation(f"{slot}: SQL counts {counted}; {answered} of {sent} were answered")

    clients = {"visitor": visit, "flusher a": flush, "flusher b": flush}
    return explore(world=world, clients=clients, check=every_hit_once, **bounds)


@pytest.mark.parametrize("kind", [CounterBuffer, StreamCounter])
def test_every_hit_once_with_a_crash_and_a_lost_reply(
    kind: Kind, redis_client: redis_py.Redis, sql_engine: sa.Engine
) -> None:
    bounds = {"crashes": 1, "lost_replies": 1}
    if sql_engine.dialect.name != "sqlite":  # a world there takes many times as long to make
        bounds = {"lost_replies": 1, "preemptions": 0}
    report = searched(a_world(redis_client, sql_engine), kind, **bounds)
    assert report.holds, str(report)


def test_hits_of_two_hours(world: Callable[[], Site]) -> None:
    report = searched(world, CounterBuffer, (HOUR - 1.0, HOUR), lost_replies=1)
    assert report.holds, str(report)


def test_two_crashes(world: Callable[[], Site]) -> None:
    report = searched(world, CounterBuffer, crashes=2)
    assert report.holds, str(report)


@pytest.mark.parametrize("kind", [CounterBuffer, StreamCounter])
def test_at_the_end_of_a_period(kind: Kind) -> None:
    """The clock goes into the next hour at any point of the schedule."""

    def clock() -> Clock:
        return Clock(HOUR - 1.0, ticks=(2.0,))

    redis, sql = services.redis("search", fresh=True), services.sql("search", fresh=True)
    report = searched(a_world(redis, sql, clock), kind, (None,), crashes=1)
    assert report.holds, str(report)


@pytest.mark.parametrize("kind", [CounterBuffer, StreamCounter])
def test_after_a_flush_sql_has_what_was_answered_before_it(
    kind: Kind,
) -> None:
    def owner(site: Site) -> None:
        views = kind(site.redis, site.sql, "views", HOUR)
        views.hit("front", at=0)
        views.flush()
        site.journal.note(views.counts().get((0, "front"), 0))

    def flush(site: Site) -> None:
        kind(site.redis, site.sql, "views", HOUR).flush()

    def the_hit_is_there(site: Site) -> None:
        if 0 in site.journal["owner"]:
            raise Violation("the flush returned and SQL does not have the hit before it")

    redis, sql = services.redis("search", fresh=True), services.sql("search", fresh=True)
    report = explore(
        world=a_world(redis, sql, waiting=1),
        clients={"owner": owner, "other flusher": flush},
        check=the_hit_is_there,
        crashes=1,
        lost_replies=1,
    )
    assert report.holds, str(report)


def test_two_flushers_add_up_to_what_was_hit(world: Callable[[], Site]) -> None:
    """What the flushes say they brought is what SQL has, when none dies."""

    def before() -> Site:
        site = world()
        CounterBuffer(site.redis, site.sql, "views", HOUR).hit("front", by=3, at=0)
        return site

    def flush(site: Site) -> None:
        site.journal.note(CounterBuffer(site.redis, site.sql, "views", HOUR).flush().hits)

    def they_agree(site: Site) -> None:
        said = site.journal["a"] + site.journal["b"]
        if sorted(said) != [0, 3]:
            raise Violation(f"3 hits, and the flushers say {said}")

    report = explore(world=before, clients={"a": flush, "b": flush}, check=they_agree)
    assert report.holds, str(report)


def test_why_a_client_with_retries_of_its_own_is_refused() -> None:
    """The one command of a hit, from a client that the constructor does not take."""
    plain, sql = services.redis("search", fresh=True), services.sql("search", fresh=True)
    retrying = type(plain)(connection_pool=plain.connection_pool)

    def world() -> Site:
        plain.delete("open")
        return Site(retrying, sql, Clock())

    def once(site: Site) -> None:
        if (hits := int(site.redis.hget("open", "front") or 0)) > 1:
            raise Violation(f"one hit was sent, {hits} are counted")

    retrying.set_retry(Retry(NoBackoff(), 1))
    try:
        visitor = {"visitor": lambda site: site.redis.hincrby("open", "front", 1)}
        report = explore(world=world, clients=visitor, check=once, lost_replies=1)
        with pytest.raises(ValueError, match="a hit would count twice"):
            CounterBuffer(retrying, sql, "views", HOUR)
    finally:
        retrying.set_retry(Retry(NoBackoff(), 0))
    assert report.violation == "one hit was sent, 2 are counted"
