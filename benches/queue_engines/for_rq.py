"""rq: python -m benches.queue_engines.for_rq put|work|nudge URL COUNT PER_SECOND."""

from __future__ import annotations

import redis
import rq
from benches.queue_engines.job import arguments, job, put_all
from rq.registry import StartedJobRegistry


def main() -> None:
    verb, url, count, per_second = arguments()
    queue = rq.Queue("bench", connection=redis.Redis.from_url(url))
    if verb == "put":
        again = rq.Retry(max=100)
        put_all(lambda number: queue.enqueue(job, number, retry=again), count, per_second)
    elif verb == "work":
        rq.Worker([queue], connection=queue.connection).work(logging_level="CRITICAL")
    else:  # what any worker does every ten minutes, as if all deadlines had passed
        registry = StartedJobRegistry(queue=queue)
        found = registry.connection.zrange(registry.key, 0, -1, withscores=True)
        if found:
            registry.cleanup(timestamp=max(score for _, score in found) + 1)
        between = queue.intermediate_queue  # of jobs that were taken and not begun
        for waiting in between.get_job_ids():
            queue.connection.set(between.get_first_seen_key(waiting), 0)
        between.cleanup(rq.Worker([queue], connection=queue.connection), queue)


if __name__ == "__main__":
    main()
