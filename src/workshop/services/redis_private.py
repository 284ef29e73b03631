"""The private redis-servers of this process: one for each space, until it or the process ends."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from pathlib import Path

import redis

from . import processes
from .errors import ServiceError

LONGEST_SOCKET_PATH = 100  # the systems' limits are 104 and 108 bytes

_servers: dict[str, subprocess.Popen[bytes]] = {}


def start(space: str, program: str) -> tuple[str, Path]:
    """Start a server for the space; return its address and the file that it writes its log to."""
    home = processes.private_directory() / f"redis-{secrets.token_hex(3)}"
    home.mkdir()
    path = home / "s"
    lines = ['save ""', "appendonly no", f'dir "{home}"', "databases 16"]
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        lines += ["port 0", f'unixsocket "{path}"', "unixsocketperm 700"]
        address = f"unix://{path}"
    else:
        password, port = secrets.token_hex(16), processes.free_port()
        lines += ["bind 127.0.0.1", f"port {port}", f"requirepass {password}"]
        address = f"redis://:{password}@127.0.0.1:{port}/0"
    settings = home / "redis.conf"
    settings.write_text("\n".join(lines) + "\n")
    settings.chmod(0o600)
    _servers[space] = processes.start_server([program, str(settings)], log=home / "log")
    return address, home / "log"


def end(space: str) -> bool:
    """End the space's server; return whether this process had started one."""
    held = _servers.pop(space, None)
    if held is None:
        return False
    processes.end(held)
    return True


def wait_for(made: redis.Redis, log: Path, seconds: float = 60) -> None:
    """Return when the server answers; ServiceError, with the last line of its log, if never."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            made.ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise ServiceError(
                    f"Redis: the private redis-server does not start {said}; "
                    "set REDIS_URL to a Redis of yours, or PATTERNS_REDIS=fake"
                ) from None
            time.sleep(0.005)
