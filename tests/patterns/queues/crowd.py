"""Many worker processes and a killer: python crowd.py URL DATABASE reliable|stream JOBS KILLS.

Queues JOBS jobs, works them off with 4 processes, of which one is killed with SIGKILL every
50 ms until KILLS have died; each is replaced at once under the same name. Ends when nothing is
waiting or held, and prints what there is then as JSON. The effect of job n is to add n to a
total in SQL, once, by the job's id.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time

import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry

from patterns.queues import Job, ReliableQueue, StreamQueue, run_worker

WORKERS = 4
KINDS = {"reliable": ReliableQueue, "stream": StreamQueue}
GONE = (redis.ConnectionError, redis.TimeoutError)
SECONDS = 60  # for all of it


def main(url: str, database: str, kind: str, jobs: int, kills: int) -> None:
    """Run it all; print the outcome."""

    def a_queue() -> ReliableQueue | StreamQueue:
        client = redis.Redis.from_url(url, socket_timeout=None, retry=Retry(NoBackoff(), 0))
        return KINDS[kind](client, "crowd", lease=0.5, max_tries=kills + jobs)

    engine = sa.create_engine(f"sqlite:///{database}", connect_args={"timeout": 30})
    with engine.begin() as tx:
        tx.execute(sa.text("CREATE TABLE effects (id TEXT PRIMARY KEY, pid INTEGER)"))
        tx.execute(sa.text("CREATE TABLE total (n INTEGER)"))
        tx.execute(sa.text("INSERT INTO total VALUES (0)"))
    engine.dispose()
    queue = a_queue()
    for number in range(1, jobs + 1):
        queue.put(str(number), key=f"job {number}")

    def effect(job: Job) -> None:
        time.sleep(0.004)
        with engine.begin() as tx:
            row = {"id": job.key, "pid": os.getpid(), "n": int(job.payload)}
            add = sa.text("INSERT INTO effects VALUES (:id, :pid) ON CONFLICT DO NOTHING")
            if tx.execute(add, row).rowcount:
                tx.execute(sa.text("UPDATE total SET n = n + :n"), row)
        time.sleep(0.004)

    def start(number: int) -> int:
        # SIGTERM waits until the child can handle it: one that has just begun would die of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        pid = os.fork()
        if pid == 0:
            stop = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            try:
                run_worker(a_queue(), effect, f"w{number}", stop=stop)
            finally:
                os._exit(0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return pid

    chance = random.Random(5)
    pids = [start(number) for number in range(WORKERS)]
    died, ended = 0, time.monotonic() + SECONDS
    print("started", flush=True)
    while time.monotonic() < ended:
        time.sleep(0.05)
        if died < kills:
            number = chance.randrange(WORKERS)
            os.kill(pids[number], signal.SIGKILL)
            os.waitpid(pids[number], 0)
            died += 1
            pids[number] = start(number)
        try:
            counts = queue.counts()
        except GONE:
            continue
        if died == kills and counts["waiting"] == counts["held"] == 0:
            break
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    with engine.begin() as tx:
        rows = [tuple(row) for row in tx.execute(sa.text("SELECT id, pid FROM effects"))]
        total = tx.execute(sa.text("SELECT n FROM total")).scalar_one()
    left = {
        key: queue.redis.type(key).decode()
        for key in map(bytes.decode, queue.redis.keys("*{crowd}*"))
        if not key.endswith((":workers", ":alive:w0", ":alive:w1", ":alive:w2", ":alive:w3"))
    }
    if kind == "stream" and queue.redis.xlen(queue.stream) == 0:
        left.pop(queue.stream)
    outcome = {
        "effects": len(rows),
        "by": len({pid for _, pid in rows}),
        "total": total,
        "counts": queue.counts(),
        "left": left,
        "died": died,
        "codes": codes,
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
