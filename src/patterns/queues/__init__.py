"""Job queues on Redis: from a lost job to a lease.

    WorkQueue       LPUSH and BRPOP: quick, and a death loses the job that it interrupts
    ReliableQueue   BLMOVE into a list for each worker, a lease, a limit on tries
    StreamQueue     the same verbs on a stream and its consumer group
    run_worker      a loop around the last two that ends well and keeps its lease alive

The ideas are from David Wolever, "Common messaging patterns implemented with Redis" (2016).
"""

from .job import Job, KeyAlreadyUsed, LeaseLost, SetAside
from .reliable_queue import ReliableQueue
from .stream_queue import StreamQueue
from .work_queue import WorkQueue
from .worker import Queue, run_worker

__all__ = [
    "Job",
    "KeyAlreadyUsed",
    "LeaseLost",
    "Queue",
    "ReliableQueue",
    "SetAside",
    "StreamQueue",
    "WorkQueue",
    "run_worker",
]
