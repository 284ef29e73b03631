"""A master dies among workers: python -m tests.patterns.queues.failover RUNS prints a table.

The queue is on a Redis Cluster of our own, each master with one replica. A job's put is either
only answered, or confirmed: WAIT said, on the same connection, that the replica has it too.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis, RedisCluster, exceptions
from tests import forking

from patterns.queues import Job, ReliableQueue, StreamQueue, run_worker
from workshop import services

KINDS: dict[str, Any] = {"lists": ReliableQueue, "stream": StreamQueue}
FAILED = (exceptions.RedisError, exceptions.RedisClusterException)
WORKERS = 4
COUNTED = [
    f"{told}{lost}"
    for told in ("confirmed", "not_confirmed", "not_asked")
    for lost in ("", "_lost")
]
COLUMNS = ["what", "kind", "runs", *COUNTED, "worked_twice"]


def a_queue(kind: str, client: Redis | RedisCluster) -> ReliableQueue | StreamQueue:
    made: ReliableQueue | StreamQueue = KINDS[kind](client, "jobs", lease=2.0, max_tries=1000)
    return made


def put_confirmed(cluster: RedisCluster, kind: str, payload: str, wait: int = 1000) -> bool:
    """Put a job; return whether its master's replica has it, by the word of WAIT.

    WAIT asks about what its own connection has written. A put that is repeated writes nothing,
    so another key is written after it, on the same connection.
    """
    node = cluster.get_node_from_key("queue:{jobs}")
    one = cluster.get_redis_connection(node).client()
    try:
        a_queue(kind, one).put(payload, key=f"job {payload}")
        one.set("fence:{jobs}", payload)
        return int(one.wait(1, wait)) >= 1
    finally:
        one.close()


def until_answered(cluster: RedisCluster, put: Callable[[], bool]) -> bool:
    """Put again, under the same key, until Redis answers."""
    while True:
        try:
            return put()
        except FAILED:
            time.sleep(0.05)
            try:
                cluster.nodes_manager.initialize()
            except FAILED:
                continue


def work(invitation: str, kind: str, ready: Any, effects: str) -> None:
    """A worker in a process of its own: the effect of a job is a line in a file."""
    services.join(invitation)
    file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def effect(job: Job) -> None:
        os.write(file, f"{job.payload}\n".encode())
        time.sleep(0.004)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    queue = a_queue(kind, services.redis_cluster())
    ready.release()
    run_worker(queue, effect, f"w{os.getpid()}", stop=stop)


@contextmanager
def at_work(kind: str, effects: Path) -> Iterator[None]:
    """Workers in processes of their own, which end well."""
    context = forking.context()
    ready = context.Semaphore(0)
    given = (services.invitation(), kind, ready, str(effects))
    workers = [context.Process(target=work, args=given) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    yield
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def killed_among_workers(kind: str, jobs: int, effects: Path) -> Counter[str]:
    """Put jobs, every second one confirmed; kill the master at a third, in the midst of puts."""
    cluster, nodes = services.redis_cluster(fresh=True), services.ClusterNodes()
    queue, master = a_queue(kind, cluster), nodes.master_of("queue:{jobs}")
    told: dict[str, set[str]] = {"confirmed": set(), "not_confirmed": set(), "not_asked": set()}

    def fail_over() -> None:
        nodes.kill(master)
        nodes.await_promotion(master)
        nodes.revive(master)

    killer = threading.Thread(target=fail_over)
    with at_work(kind, effects):
        for number in range(jobs):
            payload = str(number)
            if number == jobs // 3:
                killer.start()
            if number == 2 * jobs // 3:
                killer.join()
            if number % 2:
                sure = until_answered(cluster, lambda p=payload: put_confirmed(cluster, kind, p))
                told["confirmed" if sure else "not_confirmed"].add(payload)
            else:
                put = lambda p=payload: bool(queue.put(p, key=f"job {p}"))  # noqa: E731
                until_answered(cluster, put)
                told["not_asked"].add(payload)
        done = time.monotonic() + 120
        while any((queue.counts()["waiting"], queue.counts()["held"])):
            assert time.monotonic() < done, queue.counts()
            time.sleep(0.05)
    worked = Counter(effects.read_text().split())
    said = Counter(worked_twice=sum(times > 1 for times in worked.values()))
    for what, payloads in told.items():
        said.update({what: len(payloads), f"{what}_lost": len(payloads - worked.keys())})
    return said


def killed_while_cut_off(kind: str, jobs: int) -> Counter[str]:
    """Put jobs; the replica has heard nothing of the second half when the master is killed."""
    cluster, nodes = services.redis_cluster(fresh=True), services.ClusterNodes()
    queue, master = a_queue(kind, cluster), nodes.master_of("queue:{jobs}")
    replica = nodes.process_id(nodes.replica_of(master))
    put = Counter(
        confirmed=sum(put_confirmed(cluster, kind, f"confirmed {n}") for n in range(jobs // 2))
    )
    os.kill(replica, signal.SIGSTOP)
    try:
        nodes.client(master).client_kill_filter(_type="replica")
        for number in range(jobs // 4):
            put["not_asked"] += bool(queue.put(f"not_asked {number}"))
            put["not_confirmed"] += not put_confirmed(
                cluster, kind, f"not_confirmed {number}", wait=1
            )
        nodes.kill(master)
    finally:
        os.kill(replica, signal.SIGCONT)
    nodes.await_promotion(master)
    cluster.nodes_manager.initialize()
    left: Counter[str] = Counter()
    while job := queue.take("w1"):
        left[job.payload.split()[0]] += 1
        queue.done(job)
    return put + Counter({f"{what}_lost": put[what] - left[what] for what in put})


def main(runs: int) -> None:
    """Print what was lost, in all of the runs, as the rows of data/redis_cluster.csv."""
    table = csv.DictWriter(sys.stdout, COLUMNS, restval=0, lineterminator="\n")
    table.writeheader()
    for kind in KINDS:
        among, cut_off = Counter(), Counter()
        for _ in range(runs):
            with TemporaryDirectory() as home:
                among.update(killed_among_workers(kind, 300, Path(home) / "effects"))
            cut_off.update(killed_while_cut_off(kind, 40))
            print(kind, dict(among), dict(cut_off), file=sys.stderr, flush=True)
        table.writerow({"what": "replica connected", "kind": kind, "runs": runs, **among})
        table.writerow({"what": "replica cut off", "kind": kind, "runs": runs, **cut_off})
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
