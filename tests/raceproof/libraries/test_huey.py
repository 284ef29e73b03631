"""huey, unmodified: its queue, its locks, its rate limit and its schedule on a world's Redis.

A huey is given the connection pool of the world's client. A consumer of its own would start
threads; here each client turns the loop of one of huey's workers itself.
"""

from __future__ import annotations

import datetime
import logging
import threading

import huey
import pytest
from huey.consumer import Scheduler, Worker
from tests.raceproof.libraries.worlds import endings, filled

from raceproof import Unsearchable, Violation, explore


@pytest.fixture(autouse=True)
def _silent():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def app(redis, **options):
    """A huey with one task, as an application defines it, and the task."""
    made = huey.RedisHuey("mails", connection_pool=redis.connection_pool, **options)

    @made.task()
    def send(to):
        redis.rpush("sent", to)

    return made, send


def works(rounds=1, **options):
    def client(world):
        made, _ = app(world.redis, **options)
        worker = Worker(made, threading.Event(), default_delay=1, max_delay=1, backoff=1)
        for _ in range(rounds):
            worker.loop()

    return client


def sends(*names):
    def client(world):
        _, send = app(world.redis)
        for name in names:
            send(name)

    return client


def schedules(redis):
    made, send = app(redis)
    made.add_schedule(send.s("ann", eta=datetime.datetime(1970, 1, 1)))


def sent(world):
    return [name.decode() for name in world.redis.lrange("sent", 0, -1)]


def test_each_task_is_done_once_by_one_of_two_workers(redis_client):
    clients = {"app": sends("ann", "bob"), "w1": works(), "w2": works()}
    found, _ = endings(
        filled(redis_client), clients, lambda w: sorted(sent(w)), preemptions=1, timeouts=0
    )
    assert found == {"['ann', 'bob']"}


def test_a_worker_that_is_killed_takes_the_task_with_it(redis_client):
    """BRPOP: between that and the end of the task only the worker knows of it, and nothing is
    left on the server that could tell.
    """
    fill = lambda raw: app(raw)[1]("ann")  # noqa: E731
    found, report = endings(
        filled(redis_client, fill),
        {"w1": works()},
        lambda w: (sent(w), w.redis.keys("*") or "nothing is left"),
        afterwards={"w2": works()},
        crashes=1,
    )
    assert str(([], "nothing is left")) in found
    lost = next(f.run for f in report.findings if "nothing is left" in f.violation)
    assert [step.call.split()[0] for step in lost.steps if step.actor == "w1"] == ["BRPOP"]


def test_a_lock_keeps_tasks_apart(redis_client):
    def client(world):
        made, _ = app(world.redis)
        try:
            with made.lock_task("report"):
                world.redis.set("n", int(world.redis.get("n") or 0) + 1)
                world.redis.incr("done")
        except huey.exceptions.TaskLockedException:
            pass

    def check(world):
        if world.redis.get("n") != world.redis.get("done"):
            raise Violation("an update is lost")

    report = explore(world=filled(redis_client), clients={"a": client, "b": client}, check=check)
    assert report.holds
    assert report.schedules > 2


@pytest.mark.parametrize("ttl", [None, 60])
def test_a_lock_whose_holder_is_killed_stays_locked(redis_client, ttl):
    """Without a time to live always; with one, in between huey's HSETNX and its HEXPIRE."""
    if ttl and "fakeredis" in str(type(redis_client)):
        pytest.skip("huey asks INFO whether there is HEXPIRE, which fakeredis does not know")

    def client(world):
        made, _ = app(world.redis)
        with made.lock_task("report", ttl=ttl):
            world.redis.incr("n")

    def locked(world):
        [left] = world.redis.httl("huey.results.mails", "mails.lock.report") or [-2]
        return {-2: "free", -1: "for ever"}.get(left, f"for {left} s")

    found, _ = endings(filled(redis_client), {"a": client}, locked, crashes=1)
    assert found == ({"free", "for ever", "for 60 s"} if ttl else {"free", "for ever"})


def test_a_rate_limit_lets_two_through_where_one_is_allowed(redis_client):
    """Two that find an old window both reset the count; the second forgets the first."""

    def client(world):
        made, _ = app(world.redis)
        try:
            made.rate_limit("mail", limit=1, per=60).acquire()
        except huey.exceptions.RateLimitExceeded:
            return
        world.redis.incr("through")

    found, report = endings(
        filled(redis_client),
        {"a": client, "b": client},
        lambda w: int(w.redis.get("through")),
    )
    assert found == {"1", "2"}
    two = next(f.run for f in report.findings if f.violation == "2")
    calls = [step.call for step in two.steps]
    assert calls.count("HINCRBY huey.counters.mails mails.rl.mail 1") == 2
    assert calls.count("HDEL huey.counters.mails mails.rl.mail") == 2


def test_what_is_scheduled_is_handed_out_once_and_lost_by_who_dies_with_it(redis_client):
    """The script that takes what is due is one step; putting it into the queue is another."""

    def scheduler(world):
        made, _ = app(world.redis)
        now = datetime.datetime(1970, 1, 2)
        for task in made.read_schedule(now):
            made.enqueue(task)

    make = filled(redis_client, schedules)
    queued = lambda w: w.redis.llen("huey.redis.mails")  # noqa: E731
    clients = {"s1": scheduler, "s2": scheduler}
    assert endings(make, clients, queued)[0] == {"1"}
    assert endings(make, clients, queued, crashes=1)[0] == {"1", "0"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_consumer_that_starts_threads_is_refused_by_name(redis_client):
    def client(world):
        made, send = app(world.redis)
        send("ann")
        consumer = made.create_consumer(workers=1, check_worker_health=False)
        consumer.start()

    with pytest.raises(Unsearchable, match="thread"):
        explore(world=filled(redis_client), clients={"a": client}, check=lambda w: None)


def test_the_loop_of_a_scheduler_turns_too(redis_client):
    def client(world):
        made, _ = app(world.redis)
        scheduler = Scheduler(made, threading.Event(), interval=1, periodic=False)
        scheduler.loop(datetime.datetime(1970, 1, 2))

    found, _ = endings(
        filled(redis_client, schedules), {"s": client}, lambda w: w.redis.llen("huey.redis.mails")
    )
    assert found == {"1"}
