"""Ours, and bare: python -m benches.queue_engines.our_queues VERB URL COUNT PER_SECOND KIND."""

from __future__ import annotations

import os
import sys

import redis
from benches.queue_engines.job import arguments, job, put_all

from patterns.queues import ReliableQueue, StreamQueue, run_worker

KINDS = {"lists": ReliableQueue, "stream": StreamQueue}
LEASE = 3.0  # seconds: as long as the others' time-outs in these trials


def bare(client: redis.Redis) -> None:
    """BLMOVE, the job, LREM: the least that keeps a job in Redis while it runs."""
    pending = f"pending:{os.getpid()}"
    while True:
        found = client.blmove("bare", pending, 1, "RIGHT", "LEFT")
        if found:
            job(int(found))
            client.lrem(pending, 1, str(found))


def main() -> None:
    verb, url, count, per_second = arguments()
    kind = sys.argv[5]
    client = redis.Redis.from_url(url, decode_responses=True)
    if kind == "bare":
        if verb == "put":
            put_all(lambda number: client.lpush("bare", number), count, per_second)
        else:
            bare(client)
        return
    queue = KINDS[kind](client, "bench", lease=LEASE, max_tries=100)
    if verb == "put":
        put_all(lambda number: queue.put(str(number), key=str(number)), count, per_second)
    else:
        run_worker(queue, lambda taken: job(int(taken.payload)), "the worker")


if __name__ == "__main__":
    main()
