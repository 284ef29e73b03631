"""The chore as two tasks of Celery: acknowledged before the work (the default), and after."""

from __future__ import annotations

from celery import Celery

from workshop.engines.chores import LEASE, chore

app = Celery("engines")
app.conf.update(
    broker_transport_options={
        "visibility_timeout": LEASE,  # seconds; the default is an hour
        "unacked_restore_interval": 1,  # look for late jobs every second, not every 10 s …
        "unacked_restore_throttle": 1,  # … and each time, not every 10th
    },
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)

early = app.task(name="chore")(chore)
late = app.task(name="chore, acknowledged late", acks_late=True)(chore)
