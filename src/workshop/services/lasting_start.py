"""How the servers of a folder are started, so that what they acknowledge is on the disk."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from redis.connection import parse_url

from . import node, processes, redis_private, redis_program, redis_service
from .errors import ServiceError


def redis_place(folder: Path, password: str) -> str:
    """The address for a Redis of this folder: a socket in it, or a port if the path is too long."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= redis_private.LONGEST_SOCKET_PATH:
        return f"unix://{path}"
    return f"redis://:{password}@127.0.0.1:{processes.free_port()}/0"


def start_redis(home: Path, address: str, lock: int) -> subprocess.Popen[bytes]:
    """Start a Redis at this address on the data in `home`; it holds the descriptor `lock`."""
    program = redis_service.binary()
    if program is None:
        raise ServiceError("Redis: there is no redis-server here; set REDIS_URL to one of yours")
    lines = [f'dir "{home}"', 'save ""', "appendonly yes", "appendfsync always"]
    lines += ["maxmemory-policy noeviction", "aof-load-truncated yes"]
    where = parse_url(address)  # type: ignore[no-untyped-call]
    if "path" in where:
        lines += ["port 0", f'unixsocket "{where["path"]}"', "unixsocketperm 700"]
    else:
        lines += ["bind 127.0.0.1", f"port {where['port']}", f"requirepass {where['password']}"]
    settings = home / "redis.conf"
    settings.write_text("\n".join(lines) + "\n")
    settings.chmod(0o600)
    command = [redis_program.to_start(program), str(settings)]
    return processes.start_server(command, log=home / "log", files=(lock,))


def start_couch(home: Path, port: int, password: str, lock: int) -> subprocess.Popen[bytes]:
    """Start a PouchDB on the databases in `home`, and return when it answers."""
    process = processes.hold(node.command(home), piped=True, files=(lock,))
    assert process.stdin is not None
    assert process.stdout is not None
    given = {"user": "class", "password": password, "port": port, "folder": str(home)}
    process.stdin.write(json.dumps(given).encode() + b"\n")
    process.stdin.flush()
    if not process.stdout.readline():
        raise ServiceError(f"CouchDB: the PouchDB of {home} does not start; {node.OWN}")
    return process
