"""huey: python -m benches.queue_engines.for_huey put URL COUNT PER_SECOND; it works itself."""

from __future__ import annotations

import os

from benches.queue_engines.job import arguments, job, put_all
from huey import RedisHuey

huey = RedisHuey("bench", url=os.environ["QUEUE_BENCH_URL"], results=False)
task = huey.task(retries=100)(job)


if __name__ == "__main__":
    _, _, count, per_second = arguments()
    put_all(task, count, per_second)
