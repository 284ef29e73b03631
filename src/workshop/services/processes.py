"""Private servers: processes of ours that end when this process does, however it ends.

Each server is held by a pipe from this process. When the pipe closes, because this process
exits, crashes or is killed with SIGKILL, its other end sees it and ends the server.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HOLD = '"$@" </dev/null & server=$!; read -r _; kill -9 $server 2>/dev/null; wait $server'
SWEEP = 'read -r _; rm -rf -- "$1"'
OURS = range(20_000, 32_768)  # Linux hands out ports from 32,768 on, other systems from 49,152
PATIENCE = 60  # seconds; what is to be removed from somebody's server may take a while

_held: list[subprocess.Popen[bytes]] = []
_directory: Path | None = None
_lock = threading.RLock()


def free_port() -> int:
    """A port on loopback that nobody has at this moment; see `free_ports`."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many ports on loopback, no two the same, that nobody has at this moment.

    None is among those that a system hands out by itself: until a server listens on its port, a
    connection that is made or a kernel that starts could be given it.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        for port in random.SystemRandom().sample(OURS, len(OURS)):
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                ports.append(port)
            if len(ports) == count:
                return ports
    raise OSError(f"fewer than {count} ports are free from {OURS.start} to {OURS.stop - 1}")


def private_directory() -> Path:
    """A directory that only this user can enter; it is removed when this process ends."""
    global _directory
    with _lock:
        if _directory is None:
            _directory = Path(tempfile.mkdtemp(prefix="btp-"))
            if os.name == "posix":
                hold(["sh", "-c", SWEEP, "sh", str(_directory)])
        return _directory


def start_server(
    command: list[str], *, log: Path, files: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start a server that knows nothing of pipes: a shell holds the pipe and the server."""
    return hold(["sh", "-c", HOLD, "sh", *command], log=log, files=files)


def hold(
    command: list[str],
    *,
    log: Path | None = None,
    piped: bool = False,
    heard: bool = False,
    files: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start a process that ends by itself when its standard input closes.

    It gets a session of its own, so that an interrupt meant for this process is not for it.
    Its output goes to `log`; if `piped`, what it prints can be read from here instead, and if
    `heard`, its errors appear among this process's own. It inherits the descriptors in `files`.
    """
    with open(log or os.devnull, "wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if piped else output,
            stderr=None if heard else output,
            start_new_session=True,
            pass_fds=files,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    with _lock:
        _held.append(process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End one process that is held, before this one ends."""
    _close(process)
    process.wait(timeout=PATIENCE)
    with _lock:
        if process in _held:
            _held.remove(process)


def release_all() -> None:
    """End every server of this process, and remove its private directory."""
    global _directory
    with _lock:
        for process in _held:
            _close(process)
        for process in _held:
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        _held.clear()
        if _directory is not None:
            shutil.rmtree(_directory, ignore_errors=True)
            _directory = None


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _forget_in_child() -> None:
    """A forked child lets go of the pipes: the servers are its parent's."""
    global _directory, _lock
    _lock = threading.RLock()
    for process in _held:
        _close(process)
        process.returncode = 0
    _held.clear()
    _directory = None


atexit.register(release_all)
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_in_child)
