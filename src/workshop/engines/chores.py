"""The job that all engines run, and a worker process for ReliableQueue: python -m … URL.

Light, because rq imports it anew for every job.
"""

from __future__ import annotations

import os
import sys
import time

import redis

LEASE = 3  # seconds; as long as Celery's visibility timeout here


def chore(url: str, name: str, seconds: float) -> None:
    """Report to Redis in which process it begins, work for so long, report that it is done."""
    reports = redis.Redis.from_url(url)
    reports.rpush(f"begun:{name}", os.getpid())
    time.sleep(seconds)
    reports.rpush(f"done:{name}", os.getpid())


def main(url: str) -> None:
    """Work off the ReliableQueue of that name."""
    from patterns.queues import ReliableQueue, run_worker

    queue = ReliableQueue(redis.Redis.from_url(url), "ReliableQueue", lease=LEASE)
    name = f"worker of process {os.getpid()}"
    run_worker(queue, lambda job: chore(url, job.key, float(job.payload)), name)


if __name__ == "__main__":
    main(sys.argv[1])
