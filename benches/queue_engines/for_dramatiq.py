"""dramatiq: … -m benches.queue_engines.for_dramatiq put URL COUNT PER_SECOND; it works itself."""

from __future__ import annotations

import os

import dramatiq
from benches.queue_engines.job import arguments, job, put_all
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(
    url=os.environ["QUEUE_BENCH_URL"],
    heartbeat_timeout=3_000,
    maintenance_chance=100_000,  # of a million commands: at the usual 1,000 a trial would be over
)
dramatiq.set_broker(broker)
actor = dramatiq.actor(max_retries=100, min_backoff=1)(job)


if __name__ == "__main__":
    _, _, count, per_second = arguments()
    put_all(actor.send, count, per_second)
