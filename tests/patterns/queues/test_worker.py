"""What run_worker promises: jobs begun are finished, leases kept, failures counted."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
import redis
from tests.patterns.queues.conftest import AnyQueue, Make

from patterns.queues import Job, run_worker


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Worker(threading.Thread):
    """run_worker in a thread."""

    def __init__(self, queue: AnyQueue, handler: Callable[[Job], object], name: str = "w1") -> None:
        super().__init__(daemon=True)
        self.stop, self.finished = threading.Event(), -1
        self.queue, self.handler, self.worker = queue, handler, name
        self.start()

    def run(self) -> None:
        self.finished = run_worker(self.queue, self.handler, self.worker, stop=self.stop)

    def end(self) -> int:
        self.stop.set()
        self.join(300)
        assert not self.is_alive()
        return self.finished


def test_it_works_off_what_is_there_and_what_comes(queue: AnyQueue) -> None:
    seen: list[str] = []
    queue.put("a")
    worker = Worker(queue, lambda job: seen.append(job.payload))
    until(lambda: seen == ["a"])
    queue.put("b")
    until(lambda: seen == ["a", "b"])
    until(lambda: not any(queue.counts().values()))
    assert worker.end() == 2


def test_sigterm_lets_it_finish_its_job(queue: AnyQueue) -> None:
    queue.put("a")
    queue.put("b")
    seen: list[str] = []

    def handler(job: Job) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        seen.append(job.payload)

    before = signal.getsignal(signal.SIGTERM)
    assert run_worker(queue, handler, "w1") == 1
    assert seen == ["a"]
    assert queue.counts() == {"waiting": 1, "held": 0, "aside": 0}
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("lease", "longest"), [(1, 0.5), (3, 1.0)])
def test_it_waits_for_a_job_no_longer_than_half_a_lease_or_a_second(
    make: Make, monkeypatch: pytest.MonkeyPatch, lease: int, longest: float
) -> None:
    queue, stop, waited = make(lease=lease), threading.Event(), list[float]()

    def take(worker: str, timeout: float) -> None:
        waited.append(timeout)
        stop.set()

    monkeypatch.setattr(queue, "take", take)
    assert run_worker(queue, print, "w1", stop=stop) == 0
    assert waited == [longest]


def test_the_lease_is_kept_while_the_handler_runs(make: Make) -> None:
    queue = make(lease=1.5)
    queue.put("a")
    tries: list[int] = []

    def slow(job: Job) -> None:
        tries.append(job.tries)
        time.sleep(3.5)

    workers = [Worker(queue, slow, "w1"), Worker(queue, slow, "w2")]
    until(lambda: tries and not any(queue.counts().values()))
    assert sum(worker.end() for worker in workers) == 1
    assert tries == [1]


def test_a_handler_that_raises_fails_its_job(make: Make) -> None:
    queue = make(max_tries=2)
    queue.put("a", key="1")
    queue.put("b")
    tries: list[tuple[str, int]] = []

    def handler(job: Job) -> None:
        tries.append((job.payload, job.tries))
        if job.payload == "a":
            raise OSError("no such file")

    worker = Worker(queue, handler)
    until(lambda: queue.counts() == {"waiting": 0, "held": 0, "aside": 1})
    assert worker.end() == 1
    assert sorted(tries) == [("a", 1), ("a", 2), ("b", 1)]
    assert queue.set_aside()[0].reason == "OSError: no such file"


def test_it_recovers_what_a_dead_worker_held(make: Make) -> None:
    queue = make(lease=0.2)
    queue.put("a")
    assert queue.take("dead")
    seen: list[tuple[str, int]] = []
    worker = Worker(queue, lambda job: seen.append((job.payload, job.tries)))
    until(lambda: seen and not any(queue.counts().values()))
    assert worker.end() == 1
    assert seen == [("a", 2)]


def test_it_recovers_though_there_is_always_a_next_job(make: Make) -> None:
    queue = make(lease=0.2)
    queue.put("a")
    assert queue.take("dead")
    queue.put("another")
    seen, stop, until_then = list[str](), threading.Event(), time.monotonic() + 20

    def handler(job: Job) -> None:
        seen.append(job.payload)
        queue.put("another")
        if job.payload == "a" or time.monotonic() > until_then:
            stop.set()

    run_worker(queue, handler, "w1", stop=stop)
    assert seen[-1] == "a"


@pytest.mark.parametrize(
    "error", [redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError]
)
@pytest.mark.parametrize("verb", ["take", "done", "recover", "renew"])
def test_it_outlives_a_lost_connection_and_a_server_that_became_a_replica(
    make: Make, monkeypatch: pytest.MonkeyPatch, verb: str, error: type[Exception]
) -> None:
    queue = make(lease=0.3)
    queue.put("a")
    real, failed = getattr(queue, verb), []

    def unreachable(*args: object, **options: object) -> object:
        if len(failed) < 2:
            failed.append(verb)
            raise error("no reply")
        return real(*args, **options)

    monkeypatch.setattr(queue, verb, unreachable)
    seen: list[str] = []

    def handler(job: Job) -> None:
        seen.append(job.payload)
        time.sleep(0.5 if verb == "renew" else 0)

    worker = Worker(queue, handler)
    until(lambda: seen and len(failed) == 2 and not any(queue.counts().values()))
    assert worker.end() == 1
    assert seen == ["a"]


def test_one_heart_beats_for_all_jobs_and_it_outlives_an_error_of_redis(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make(lease=0.1)
    queue.put_many({"a": "", "b": "", "c": ""})
    renew, beats = queue.renew, list[tuple[str, str]]()

    def loading(job: Job) -> None:
        beats.append((threading.current_thread().name, job.key))
        if len(beats) == 1:
            raise redis.ResponseError("LOADING Redis is loading the dataset in memory")
        renew(job)

    monkeypatch.setattr(queue, "renew", loading)
    hearts = threading.active_count()
    seen: list[int] = []

    def handler(job: Job) -> None:
        seen.append(threading.active_count())
        before = len(beats)
        until(lambda: len(beats) > before + 1)

    worker = Worker(queue, handler)
    until(lambda: len(seen) == 3 and not any(queue.counts().values()))
    assert worker.end() == 3
    assert {key for _, key in beats} == {"a", "b", "c"}
    assert len({name for name, _ in beats}) == 1
    assert max(seen) <= hearts + 2  # the worker and its heart
    assert threading.active_count() == hearts


def test_from_job_to_job_it_makes_one_round_trip(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make()
    queue.put_many({str(number): "" for number in range(5)})
    queue.done(queue.take("w0") or pytest.fail("no job"))  # the server has the scripts
    sent: list[str] = []
    real = queue.redis.execute_command

    def counted(*args: object, **options: object) -> object:
        sent.append(str(args[0]))
        return real(*args, **options)

    stop, begun = threading.Event(), list[int]()

    def handler(job: Job) -> None:
        begun.append(len(sent))
        if len(begun) == 4:
            stop.set()

    monkeypatch.setattr(queue.redis, "execute_command", counted)
    assert run_worker(queue, handler, "w1", stop=stop) == 4
    first, *others = [after - before for before, after in itertools.pairwise(begun)]
    assert others == [1, 1]
    assert first in (1, 2)  # a server that does not know the script is sent its text, once


def test_a_job_that_was_handed_on_meanwhile_is_not_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make(lease=0.2)
    queue.put("a")
    monkeypatch.setattr(queue, "renew", lambda job: None)  # a worker whose machine was asleep
    seen: list[int] = []

    def handler(job: Job) -> None:
        seen.append(job.tries)
        if job.tries == 1:
            until(lambda: queue.recover())
            other = queue.take("w2")
            assert other is not None
            queue.done(other)

    worker = Worker(queue, handler)
    until(lambda: seen == [1] and not any(queue.counts().values()))
    assert worker.end() == 0
    assert queue.counts() == {"waiting": 0, "held": 0, "aside": 0}
