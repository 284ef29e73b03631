"""Counters that are hit in Redis and summed in SQL: every hit reaches SQL, once.

    CounterBuffer    hits in a hash, sealed into numbered batches that SQL takes once
    StreamCounter    hits in a Redis Stream; SQL remembers how far it has read
    run_flusher      the daemon that carries either to SQL

The idea is from "Using Redis (or Memcached) as a buffer for SQL resulting in near-realtime
stats" (2010).
"""

from .counter_buffer import CounterBuffer
from .counts import HOUR, MINUTE, Counts, Flush, MalformedCount
from .flusher import Counter, run_flusher
from .stream_counter import StreamCounter

__all__ = [
    "HOUR",
    "MINUTE",
    "Counter",
    "CounterBuffer",
    "Counts",
    "Flush",
    "MalformedCount",
    "StreamCounter",
    "run_flusher",
]
