"""saq: python -m benches.queue_engines.for_saq put URL COUNT PER_SECOND; its own command works."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from benches.queue_engines.job import arguments, async_job, note
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

queue = RedisQueue(Redis.from_url(os.environ["QUEUE_BENCH_URL"]), name="bench")


async def work(ctx: dict[str, Any], *, number: int) -> None:
    """Run the job."""
    await async_job(number)


settings = {"queue": queue, "functions": [work], "concurrency": 10, "timers": {"sweep": 1}}


async def put(count: int, per_second: float) -> None:
    """Put jobs, as fast as it goes or evenly over time."""
    began = time.monotonic()
    for number in range(count):
        if per_second:
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        note("put", number)
        await queue.enqueue("work", number=number, timeout=3, retries=100, ttl=1)


if __name__ == "__main__":
    _, _, count, per_second = arguments()
    asyncio.run(put(count, per_second))
