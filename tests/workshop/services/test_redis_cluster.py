"""The Redis Cluster of our own: six servers that nobody else reaches, and what befalls them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry
from tests.workshop.services.servers import descendants
from tests.workshop.services.test_processes import gone

from workshop import services
from workshop.services import (
    ClusterNodes,
    ownership,
    processes,
    redis_cluster_homes,
    redis_cluster_start,
    redis_program,
    redis_service,
    status_table,
)

no_server = redis_service.binary() is None
pytestmark = [
    pytest.mark.skipif(no_server, reason="no redis-server on this machine"),
    pytest.mark.usefixtures("own_servers"),
]

START = "from workshop import services; services.redis_cluster().set('k', 'v')"


@pytest.fixture
def cluster(own_servers: None) -> RedisCluster:
    """The cluster as it is at first."""
    return services.redis_cluster(fresh=True)


def test_its_client_has_the_manners_of_the_others(cluster: RedisCluster) -> None:
    assert services.redis_cluster_is_here()
    assert cluster.set("key", "wört")
    assert services.redis_cluster().get("key") == "wört"
    assert cluster.retry.get_retries() == 0
    [node, *_] = cluster.get_primaries()
    connection = cluster.get_redis_connection(node).connection_pool.get_connection()
    assert connection.retry.get_retries() == 0
    assert connection.socket_timeout is None
    assert connection.protocol == 2
    assert len(cluster.get_primaries()) == 3
    services.redis_cluster(fresh=True)
    assert cluster.get("key") is None


def test_it_listens_on_loopback_only_and_behind_a_password(cluster: RedisCluster) -> None:
    nodes = ClusterNodes()
    for name in redis_cluster_homes.NAMES:
        listening = {
            one.laddr.ip
            for one in psutil.Process(nodes.process_id(name)).net_connections()
            if one.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        port = nodes.client(name).connection_pool.connection_kwargs["port"]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port, retry=Retry(NoBackoff(), 0)).ping()


def test_its_name_has_no_address_and_no_password_in_it(cluster: RedisCluster) -> None:
    what, how = status_table._found("redis_cluster")
    assert f"{what}, {how}" == services.about("redis_cluster")
    assert re.fullmatch(r"Redis Cluster \d+\.\d+\.\d+, private servers", f"{what}, {how}")


def test_to_be_asked_about_does_not_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "_owned", ownership.Ownership())
    assert status_table._found("redis_cluster")[1] == "private servers"
    assert ownership.owned().redis_cluster == {}


@pytest.mark.parametrize("joins", [False, True], ids=["forked", "joined"])
def test_a_child_has_the_same_cluster(cluster: RedisCluster, joins: bool) -> None:
    cluster.set("key", "1")
    invitation = services.invitation()
    pid = os.fork()
    if pid == 0:
        if joins:
            services.join(invitation)
        os._exit(0 if cluster.incr("key") == 2 and services.redis_cluster().incr("key") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert cluster.get("key") == "3"


def test_a_slot_moves_with_its_keys(cluster: RedisCluster) -> None:
    nodes = ClusterNodes()
    slot, home = nodes.slot_of("a{jobs}"), nodes.master_of("a{jobs}")
    assert (slot, home) == (9631, "B")
    cluster.set("a{jobs}", "1", ex=1000)
    cluster.rpush("b{jobs}", *map(str, range(250)))
    assert nodes.move_slot(slot, "C") == 2
    assert nodes.move_slot(slot, "C") == 0
    assert nodes.master_of("a{jobs}") == "C"
    assert cluster.get("a{jobs}") == "1"
    assert 900 < cluster.ttl("a{jobs}") <= 1000
    assert nodes.client("C").llen("b{jobs}") == 250
    with pytest.raises(redis.exceptions.MovedError, match="9631"):
        nodes.client("B").get("a{jobs}")
    services.redis_cluster(fresh=True)
    assert nodes.master_of("a{jobs}") == "B"


def test_a_master_dies_and_its_replica_is_promoted(cluster: RedisCluster) -> None:
    nodes = ClusterNodes()
    cluster.set("a{jobs}", "1")
    assert cluster.wait(1, 0, target_nodes=cluster.get_node_from_key("a{jobs}")) == 1
    assert nodes.replica_of("B") == "b"
    nodes.kill("B")
    assert "the server of 'B' went away" in status_table._found("redis_cluster")[1]
    assert nodes.await_promotion("B") == "b"
    assert services.redis_cluster().get("a{jobs}") == "1"
    nodes.revive("B")
    assert nodes.replica_of("b") == "B"
    services.redis_cluster(fresh=True)
    assert nodes.master_of("a{jobs}") == "B"
    assert nodes.living() == redis_cluster_homes.NAMES
    assert services.redis_cluster().dbsize() == 0


def test_it_ends_with_the_process_that_started_it_however_that_ends() -> None:
    code = START + "; print('ready', flush=True); import time; time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=-1, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    servers = descendants(child.pid)
    assert sum(server.name() == "redis-server" for server in servers) == 6
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert gone(servers) == []


@pytest.mark.parametrize("why", ["fake", "none"])
def test_without_a_real_redis_server_it_is_refused_by_name(
    why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ownership, "_owned", ownership.Ownership())
    if why == "fake":
        monkeypatch.setenv("PATTERNS_REDIS", "fake")
    else:
        monkeypatch.delenv("PATTERNS_REDIS", raising=False)
        monkeypatch.setattr(redis_program, "on_path", lambda: None)
        monkeypatch.setattr(redis_program, "in_wheel", lambda: None)
    refused = "Redis Cluster: it needs a real redis-server, and fakeredis is none"
    with pytest.raises(services.ServiceError, match=refused):
        services.redis_cluster()
    with pytest.raises(services.ServiceError, match=refused):
        services.redis_cluster_async()
    assert not services.redis_cluster_is_here()
    assert capsys.readouterr().out == f"Left out: {refused}.\n"
    found, said = status_table._found("redis_cluster")
    assert found == "not there"
    assert said.startswith(refused)


def test_a_node_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "_owned", ownership.Ownership())
    for name in ("_homes", "_held"):
        monkeypatch.setattr(redis_cluster_start, name, {})
    monkeypatch.setattr(redis_cluster_start, "PATIENCE", 0.2)
    monkeypatch.setattr(redis_cluster_start, "program", lambda: "true")  # it ends at once
    with pytest.raises(services.ServiceError, match="node A does not start"):
        services.redis_cluster()
    assert json.loads(services.invitation())["redis_cluster"] == {}
    assert redis_cluster_start._held == {}


def test_a_node_whose_port_is_taken_starts_when_that_is_free_again(cluster: RedisCluster) -> None:
    port = redis_cluster_start.address("C")["port"]
    processes.end(redis_cluster_start._held["C"])
    taken = socket.create_server(("127.0.0.1", port))
    freed = threading.Timer(0.5, taken.close)
    freed.start()
    redis_cluster_start.start_node("C")
    freed.join()
    assert redis_cluster_start.is_alive("C")


def test_it_can_be_ended_before_its_process_and_begin_again(cluster: RedisCluster) -> None:
    cluster.set("key", "1")
    servers = [
        psutil.Process(ClusterNodes().process_id(name)) for name in redis_cluster_homes.NAMES
    ]
    redis_cluster_start.end()
    assert gone(servers) == []
    assert json.loads(services.invitation())["redis_cluster"] == {}
    assert services.redis_cluster().get("key") is None
