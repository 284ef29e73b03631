"""Celery: python -m benches.queue_engines.for_celery put URL COUNT PER_SECOND; it works itself."""

from __future__ import annotations

import os

from benches.queue_engines.job import arguments, job, put_all
from celery import Celery

app = Celery("bench", broker=os.environ["QUEUE_BENCH_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 3,
        "unacked_restore_interval": 1,  # look for late jobs every second …
        "unacked_restore_throttle": 1,  # … and each time
    },
)
task = app.task(name="job")(job)


if __name__ == "__main__":
    _, _, count, per_second = arguments()
    put_all(lambda number: task.delay(number), count, per_second)
