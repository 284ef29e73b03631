"""arq: python -m benches.queue_engines.for_arq put URL COUNT PER_SECOND; its own command works."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from benches.queue_engines.job import arguments, async_job, note

SETTINGS = RedisSettings.from_dsn(os.environ["QUEUE_BENCH_URL"])


async def work(ctx: dict[Any, Any], number: int) -> None:
    """Run the job."""
    await async_job(number)


class WorkerSettings:
    """What the command `arq` reads."""

    functions = (work,)
    redis_settings = SETTINGS
    job_timeout = 3
    max_tries = 100
    keep_result = 0


async def put(count: int, per_second: float) -> None:
    """Put jobs, as fast as it goes or evenly over time."""
    pool = await create_pool(SETTINGS)
    began = time.monotonic()
    for number in range(count):
        if per_second:
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        note("put", number)
        await pool.enqueue_job("work", number)


if __name__ == "__main__":
    _, _, count, per_second = arguments()
    asyncio.run(put(count, per_second))
