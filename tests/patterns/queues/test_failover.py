"""A master is killed and its replica promoted in the middle: what is lost, and what WAIT says."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from redis import RedisCluster
from tests.patterns.conftest import HAVE_CLUSTER
from tests.patterns.queues.failover import (
    KINDS,
    killed_among_workers,
    killed_while_cut_off,
    put_confirmed,
)

from workshop import services

pytestmark = pytest.mark.skipif(not HAVE_CLUSTER, reason="no redis-server to make a cluster of")


@pytest.mark.parametrize("kind", KINDS)
def test_no_job_is_lost_that_wait_confirmed(
    kind: str, tmp_path: Path, redis_cluster: RedisCluster
) -> None:
    """Of 300 jobs among four processes. What was lost without WAIT is counted, and printed."""
    said = killed_among_workers(kind, 300, tmp_path / "effects")
    print(dict(said))
    assert said["confirmed"] + said["not_confirmed"] + said["not_asked"] == 300
    assert said["confirmed"] >= 50  # those before the master was killed
    assert said["confirmed_lost"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_cut_off_replica_has_not_heard_is_lost(
    kind: str, redis_cluster: RedisCluster
) -> None:
    """Redis has answered each of these puts, and WAIT has said of none that a replica has it."""
    lost = {"not_asked_lost": 10, "not_confirmed_lost": 10}
    expected = Counter(confirmed=20, not_asked=10, not_confirmed=10, **lost)
    assert killed_while_cut_off(kind, 40) == expected


def test_wait_says_nothing_about_what_another_connection_wrote(redis_cluster: RedisCluster) -> None:
    """So it is asked on the connection of the put, after a write: a repeated put writes nothing."""
    services.redis_cluster(fresh=True)
    nodes = services.ClusterNodes()
    master = nodes.master_of("queue:{jobs}")
    replica = nodes.process_id(nodes.replica_of(master))
    os.kill(replica, signal.SIGSTOP)
    try:
        writes, asks = nodes.client(master).client(), nodes.client(master).client()
        asks.ping()
        assert writes.set("k{jobs}", "v")
        assert writes.wait(1, 50) == 0
        assert asks.wait(1, 50) == 1  # although the replica has nothing
        assert not asks.setnx("k{jobs}", "v")
        assert asks.wait(1, 50) == 1  # a repeated put that finds its key writes nothing
        assert not put_confirmed(redis_cluster, "lists", "a", wait=50)
        assert not put_confirmed(redis_cluster, "lists", "a", wait=50)
    finally:
        os.kill(replica, signal.SIGCONT)
    assert put_confirmed(redis_cluster, "lists", "a", wait=60_000)
