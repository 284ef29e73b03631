"""Starts a worker for each queue, kills it in the middle of a job, sees what becomes of the job.

Queues are known by name. What happened is read from Redis, where every chore reports.
"""

from __future__ import annotations

import base64
import inspect
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import redis
import rq
from kombu.transport.redis import Channel
from rq.registry import FailedJobRegistry, StartedJobRegistry

from patterns.queues import ReliableQueue
from raceproof import draw
from workshop import services
from workshop.services import processes

QUEUES = ("rq", "rq Retry", "Celery", "Celery acks_late", "ReliableQueue")
JOBS = range(1, 15)
WAIT = 50.0  # seconds that anything here may take on a slow machine

logging.getLogger("rq").setLevel(logging.CRITICAL)
_numbers = count(1)


class Worker:
    """One worker process. It ends with this process, however this one ends."""

    def __init__(self, *command: str) -> None:
        python = [sys.executable, "-m", *command]
        self._process = processes.start_server(python, log=Path(os.devnull))

    def kill(self, *children: int) -> None:
        """End it with SIGKILL, then those of its children that are named, as a power cut would."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # its holder kills it
        self._process.wait()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def server() -> str | None:
    """Return the address of a Redis of our own, empty; None, and one line, if there is none."""
    try:
        services.redis("engines", fresh=True)
        return services.redis_url("engines")
    except services.ServiceError:
        print("Left out: other programs can only be pointed to a redis-server of our own.")
        return None


def broker(url: str) -> str:
    """Return a Redis address as Celery writes it."""
    return url.replace("unix://", "redis+socket://", 1)


def start(url: str, queue: str) -> Worker:
    """Start a worker for one queue, by the command that you would type."""
    if queue == "ReliableQueue":
        return Worker("workshop.engines.chores", url)
    if queue.startswith("rq"):
        return Worker("rq.cli", "worker", "--url", url, "--quiet", queue)
    quick = ("--without-mingle", "--without-gossip", "--without-heartbeat")
    options = ("-Q", queue, "-c", "1", "-n", f"worker{next(_numbers)}@%h", *quick)
    celery = ("celery", "-A", "workshop.engines.celery_app", "--broker", broker(url), "--quiet")
    return Worker(*celery, "worker", "--loglevel", "CRITICAL", *options)


def kill_in_the_middle(reports: redis.Redis, workers: Mapping[str, Worker], hit: int) -> None:
    """Kill each worker as soon as it has begun the job."""
    left = dict(workers)

    def step() -> bool:
        for queue in list(left):
            if pid := reports.lindex(f"begun:{queue}:{hit}", 0):
                left.pop(queue).kill(int(str(pid)))
        return not left

    try:
        _until(step, "job to begin in every queue")
    finally:
        for worker in left.values():
            worker.kill()


def whereabouts(reports: redis.Redis, raw: redis.Redis, hit: int) -> draw.Table:
    """Return what each queue still knows of a job, and how soon it may take the worker for dead."""
    rows = []
    unacknowledged = _unacknowledged(reports)
    for queue in QUEUES:
        if queue.startswith("rq"):
            registry = StartedJobRegistry(queue=rq.Queue(queue, connection=raw))
            known = "in the StartedJobRegistry" if registry.get_job_ids(cleanup=False) else "no"
            after = f"{_rq_patience(registry, raw)} s"
        elif queue == "ReliableQueue":
            lists = [reports.lrange(key, 0, -1) for key in reports.keys("*:pending:*")]
            known = "in the worker's list" if [f"{queue}:{hit}"] in lists else "no"
            after = f"{inspect.signature(ReliableQueue).parameters['lease'].default:g} s"
        else:
            there = f"{queue}:{hit}" in unacknowledged
            known = "unacknowledged" if there else "no"
            after = f"{Channel.visibility_timeout} s" if there else "never"
        rows.append([queue, str(_done(reports, queue)), known, after])
    return draw.table(
        ["queue", "jobs done", f"knows of job {hit}?", "may be taken for dead after"], rows
    )


def let_rqs_deadline_pass(queues: Sequence[rq.Queue]) -> None:
    """Do what a worker of rq does every ten minutes, as if all deadlines were over."""
    for queue in queues:
        registry = StartedJobRegistry(queue=queue)
        registry.cleanup(timestamp=max(_deadlines(registry)) + 1)


def wait_for_the_rest(reports: redis.Redis, hit: int) -> None:
    """Wait until all other jobs are done, and this one where it will be."""
    again = ("rq Retry", "Celery acks_late", "ReliableQueue")

    def over() -> bool:
        names = [f"{queue}:{job}" for queue in QUEUES for job in JOBS if job != hit]
        names += [f"{queue}:{hit}" for queue in again]
        return all(reports.llen(f"done:{name}") for name in names)

    _until(over, "jobs to be done")


def outcome(reports: redis.Redis, raw: redis.Redis, hit: int) -> draw.Table:
    """Return what became of the job in each queue."""
    rows = []
    for queue in QUEUES:
        begun, done = (reports.llen(f"{what}:{queue}:{hit}") for what in ("begun", "done"))
        state = "done" if done else "gone"
        if queue.startswith("rq"):
            failed = FailedJobRegistry(queue=rq.Queue(queue, connection=raw)).get_job_ids()
            state = "in the FailedJobRegistry" if failed else state
        rows.append([queue, str(_done(reports, queue)), str(begun), str(done), state])
    return draw.table(["queue", "jobs done", f"job {hit} begun", f"job {hit} done", "it is"], rows)


def _done(reports: redis.Redis, queue: str) -> int:
    return sum(bool(reports.llen(f"done:{queue}:{job}")) for job in JOBS)


def _unacknowledged(reports: redis.Redis) -> list[str]:
    """Return the names of the chores in the hash where Celery keeps what is not acknowledged."""
    bodies = [json.loads(entry)[0]["body"] for entry in reports.hvals("unacked")]
    return [json.loads(base64.b64decode(body))[0][1] for body in bodies]


def _rq_patience(registry: StartedJobRegistry, raw: redis.Redis) -> int:
    """Return how long after its last heartbeat a job is taken for abandoned, to 10 s."""
    [id] = registry.get_job_ids(cleanup=False)
    beat = rq.job.Job.fetch(id, connection=raw).last_heartbeat
    if beat is None:
        raise ValueError(f"rq's job {id} has never had a heartbeat")
    return round((max(_deadlines(registry)) - beat.timestamp()) / 10) * 10


def _deadlines(registry: StartedJobRegistry) -> list[float]:
    found: Any = registry.connection.zrange(registry.key, 0, -1, withscores=True)
    return [score for _, score in found]


def _until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {WAIT:g} s for the {what}")
        time.sleep(0.02)
