"""How much of the processor a call takes, in this process and in redis-server.

A time on the clock is longer on a busy machine; the time of the processor hardly is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis


@dataclass(frozen=True)
class Cost:
    """Of one call: microseconds of the processor here and there, and calls a second."""

    here: float
    server: float
    per_second: float

    @property
    def both(self) -> float:
        """What the call takes of the processor in all."""
        return self.here + self.server


def of_server(client: redis.Redis) -> float:
    """Return the seconds of the processor that a redis-server has taken until now."""
    cpu = client.info("cpu")
    return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


def cost(client: redis.Redis, call: Callable[[], object], count: int, each: int = 1) -> Cost:
    """Make so many calls, of `each` hits or posts; return what one hit or post takes."""
    call()
    server, here, began = of_server(client), time.process_time(), time.perf_counter()
    for _ in range(count):
        call()
    took, here = time.perf_counter() - began, time.process_time() - here
    server = of_server(client) - server
    done = count * each
    return Cost(here / done * 1e6, server / done * 1e6, done / took)
