"""Every interleaving, crash and lost reply within bounds, for the queues that promise something."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import redis
from tests.patterns.queues.conftest import AnyQueue

from patterns.queues import LeaseLost, ReliableQueue, StreamQueue, list_scripts, stream_scripts
from raceproof import Clock, Journal, Report, Violation, explore
from workshop import services

KINDS = pytest.mark.parametrize("kind", [ReliableQueue, StreamQueue], ids=["lists", "stream"])
Kind = type[ReliableQueue] | type[StreamQueue]


@dataclass
class Shop:
    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


def a_queue(kind: Kind, shop: Shop) -> AnyQueue:
    return kind(shop.redis, "jobs", lease=30, max_tries=9)


def shop_with(kind: Kind, jobs: str, *, ticks: tuple[float, ...] = (60.0,)) -> Callable[[], Shop]:
    def world() -> Shop:
        shop = Shop(services.redis("search", fresh=True), Clock(ticks=ticks))
        queue = a_queue(kind, shop)
        for job in jobs:
            queue.put(f"payload of {job}", key=job)
        queue.recover()  # a stream makes its group here
        return shop

    return world


def worker(kind: Kind, name: str, jobs: int = 1) -> Callable[[Shop], None]:
    def work(shop: Shop) -> None:
        queue = a_queue(kind, shop)
        job = queue.take(name)
        for left in reversed(range(jobs)):
            if job is None:
                return
            shop.journal.note(job.key)
            shop.redis.hsetnx("effects", job.key, name)
            try:
                job = queue.done(job, take_next=left > 0)
            except LeaseLost:
                shop.journal.note("told")
                return

    return work


def janitor(kind: Kind) -> Callable[[Shop], None]:
    return lambda shop: a_queue(kind, shop).recover()


def all_is_well(kind: Kind, jobs: str) -> Callable[[Shop], None]:
    """Each job with one living worker at a time; and one worker is enough to finish them all."""

    def check(shop: Shop) -> None:
        if shop.clock.ticks:  # no lease has run out
            handed = [set(shop.journal[name]) - {"told"} for name in ("w1", "w2")]
            if handed[0] & handed[1]:
                raise Violation(f"two living workers have {handed[0] & handed[1]}")
            if "told" in shop.journal["w1"] + shop.journal["w2"]:
                raise Violation("a lease was lost that had not run out")
        shop.clock.now += 60  # now every lease has run out
        queue = a_queue(kind, shop)
        queue.recover()
        while job := queue.take("survivor"):
            shop.redis.hsetnx("effects", job.key, "survivor")
            queue.done(job)
        effects = "".join(sorted(shop.redis.hkeys("effects")))
        if effects != jobs:
            raise Violation(f"effects of {effects or 'none'}, not of {jobs}")
        if any(queue.counts().values()):
            raise Violation(f"left over: {queue.counts()}")

    return check


def search(kind: Kind, jobs: str, **bounds: int) -> Report:
    return explore(
        world=shop_with(kind, jobs),
        clients={"w1": worker(kind, "w1"), "w2": worker(kind, "w2"), "janitor": janitor(kind)},
        check=all_is_well(kind, jobs),
        **bounds,  # type: ignore[arg-type]
    )


@KINDS
def test_two_workers_and_a_janitor_with_a_crash_and_a_lost_reply(kind: Kind) -> None:
    report = search(kind, "a", crashes=1, lost_replies=1)
    assert report.holds
    assert report.schedules > 15_000


@KINDS
def test_a_worker_goes_from_job_to_job(kind: Kind) -> None:
    """No death and no lost reply between finishing one and taking the next does any harm."""
    report = explore(
        world=shop_with(kind, "ab"),
        clients={"w1": worker(kind, "w1", jobs=2), "janitor": janitor(kind)},
        check=all_is_well(kind, "ab"),
        crashes=1,
        lost_replies=1,
    )
    assert report.holds


@KINDS
def test_two_jobs_in_any_interleaving(kind: Kind) -> None:
    assert search(kind, "ab").holds


@KINDS
def test_a_worker_goes_from_job_to_job_beside_another(kind: Kind) -> None:
    clients = {"w1": worker(kind, "w1", jobs=2), "w2": worker(kind, "w2")}
    report = explore(
        world=shop_with(kind, "ab"),
        clients={**clients, "janitor": janitor(kind)},
        check=all_is_well(kind, "ab"),
        preemptions=1,
    )
    assert report.holds


@KINDS
def test_a_job_in_any_interleaving_on_fakeredis(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are on the redis-server, if there is one: it takes half of the time."""
    monkeypatch.setenv("PATTERNS_REDIS", "fake")
    assert search(kind, "a").holds


@KINDS
def test_a_put_repeated_after_a_lost_reply_queues_the_job_once(kind: Kind) -> None:
    def producer(shop: Shop) -> None:
        queue = a_queue(kind, shop)
        try:
            queue.put("payload of b", key="b")
        except redis.ConnectionError:
            queue.put("payload of b", key="b")

    def check(shop: Shop) -> None:
        ran = shop.journal["w1"] + shop.journal["w2"]
        if len(ran) != len(set(ran)):
            raise Violation(f"queued twice: {ran}")
        all_is_well(kind, "b")(shop)

    def patient(name: str) -> Callable[[Shop], None]:
        def work(shop: Shop) -> None:
            queue = a_queue(kind, shop)
            if job := queue.take(name, timeout=1.0):
                shop.journal.note(job.key)
                shop.redis.hsetnx("effects", job.key, name)

        return work

    report = explore(
        world=shop_with(kind, "", ticks=()),
        clients={"producer": producer, "w1": patient("w1"), "w2": patient("w2")},
        check=check,
        lost_replies=1,
        allow=(redis.ConnectionError,),
        preemptions=2,
    )
    assert report.holds


@KINDS
def test_a_worker_that_takes_again_after_a_lost_reply(kind: Kind) -> None:
    def stubborn(shop: Shop) -> None:
        queue = a_queue(kind, shop)
        while True:
            try:
                job = queue.take("w1", timeout=1.0)
                break
            except redis.ConnectionError:
                continue
        if job is None:
            return
        shop.redis.hsetnx("effects", job.key, "w1")
        try:
            queue.done(job)
        except redis.ConnectionError:
            try:
                queue.done(job)
            except LeaseLost:
                shop.journal.note("told")

    report = explore(
        world=shop_with(kind, "a", ticks=()),
        clients={"w1": stubborn},
        check=lambda shop: all_is_well(kind, "a")(Shop(shop.redis, shop.clock)),
        lost_replies=2,
    )
    assert report.holds


@KINDS
def test_a_failing_job_is_tried_no_more_often_than_it_may(kind: Kind) -> None:
    def failing(name: str) -> Callable[[Shop], None]:
        def work(shop: Shop) -> None:
            queue = kind(shop.redis, "jobs", lease=30, max_tries=2)
            if job := queue.take(name):
                shop.journal.note(job.tries)
                with suppress(LeaseLost):
                    queue.fail(job, "because")

        return work

    def check(shop: Shop) -> None:
        queue = kind(shop.redis, "jobs", lease=30, max_tries=2)
        tries = sorted(n for name in ("w1", "w2", "w3") for n in shop.journal[name])
        aside = queue.set_aside()
        if max(tries, default=0) > 2:
            raise Violation(f"tried {tries}")
        if len(tries) == 2 and [job.tries for job in aside] != [2]:
            raise Violation(f"tried {tries}, set aside: {aside}")
        if sum(queue.counts().values()) != 1:
            raise Violation(f"one job is {queue.counts()}")

    report = explore(
        world=shop_with(kind, "a", ticks=()),
        clients={name: failing(name) for name in ("w1", "w2", "w3")},
        check=check,
    )
    assert report.holds


# --- the searches find what they are there to find --------------------------------------------


def test_a_janitor_that_ignores_leases_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = list_scripts.RECOVER.replace("redis.call('EXISTS', KEYS[6]) == 0", "true")
    assert bad != list_scripts.RECOVER
    monkeypatch.setattr(list_scripts, "RECOVER", bad)
    report = search(ReliableQueue, "a", preemptions=1)
    assert report.broken
    assert "living workers" in str(report.violation) or "run out" in str(report.violation)


def test_a_janitor_that_copies_and_deletes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def recover(self: ReliableQueue) -> int:
        for worker in sorted(self.redis.smembers(f"{self.waiting}:workers")):
            if not self.redis.exists(f"{self.waiting}:alive:{worker}"):
                for id in self.redis.lrange(f"{self.waiting}:pending:{worker}", 0, -1):
                    self.redis.lrem(f"{self.waiting}:pending:{worker}", 1, id)
                    self.redis.rpush(self.waiting, id)
        return 0

    monkeypatch.setattr(ReliableQueue, "recover", recover)
    report = search(ReliableQueue, "a", crashes=1, preemptions=1)
    assert "left over: {'waiting': 0, 'held': 1" in str(report.violation)  # held by nobody


def test_a_stream_without_leases_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_scripts, "CLAIM", stream_scripts.CLAIM.replace("ARGV[3]", "0"))
    assert search(StreamQueue, "a", preemptions=1).broken


def test_a_worker_that_takes_before_it_finishes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first job comes first: it is in its list, and is handed to it twice."""
    bad = list_scripts.DONE_AND_CLAIM.replace(list_scripts.FORGET, "")
    assert bad != list_scripts.DONE_AND_CLAIM
    monkeypatch.setattr(list_scripts, "DONE_AND_CLAIM", bad)

    def check(shop: Shop) -> None:
        if shop.journal["w1"] != ["a", "b"]:
            raise Violation(f"handed out {shop.journal['w1']}")

    clients = {"w1": worker(ReliableQueue, "w1", jobs=2)}
    world = shop_with(ReliableQueue, "ab", ticks=())
    assert explore(world=world, clients=clients, check=check).broken


def test_a_run_names_the_scripts_whoever_has_sent_them() -> None:
    """One worker sends the text, the other the hash: both are to be read."""

    def check(shop: Shop) -> None:
        if len(shop.journal["w1"]) == len(shop.journal["w2"]) == 1:
            raise Violation("both have had one")

    clients = {name: worker(ReliableQueue, name) for name in ("w1", "w2")}
    report = explore(world=shop_with(ReliableQueue, "ab"), clients=clients, check=check)
    calls = [step.call for step in report.run.steps]
    assert (
        sum(call.startswith("EVAL ⟨begin a lease, take a job⟩ queue:{jobs}") for call in calls) == 2
    )
    assert not any("EVALSHA" in call for call in calls)


@pytest.mark.parametrize(("looks", "verdict"), [(1, "holds"), (2, "broken")])
def test_whether_all_is_done_is_told_by_one_look_and_not_by_two(looks: int, verdict: str) -> None:
    """Between two, a job is put back: it does not wait yet, and then nobody holds it."""

    def owner(shop: Shop) -> None:
        first = a_queue(ReliableQueue, shop).counts()
        second = a_queue(ReliableQueue, shop).counts() if looks == 2 else first
        shop.journal.note(first["waiting"] + second["held"])

    def world() -> Shop:
        shop = shop_with(ReliableQueue, "a")()
        assert a_queue(ReliableQueue, shop).take("dead") is not None
        return shop

    def check(shop: Shop) -> None:
        if 0 in shop.journal["owner"]:
            raise Violation("told that all is done")

    clients = {"owner": owner, "janitor": janitor(ReliableQueue)}
    assert explore(world=world, clients=clients, check=check).verdict == verdict


@KINDS
def test_who_waits_in_vain_waits_no_longer_than_asked(kind: Kind) -> None:
    def waits(shop: Shop) -> None:
        a_queue(kind, shop).take("w", timeout=0.005)
        shop.journal.note(round(time.monotonic(), 6))

    def check(shop: Shop) -> None:
        assert shop.journal["w"] == [0.005]

    explore(world=shop_with(kind, "", ticks=()), clients={"w": waits}, check=check).assert_holds()
