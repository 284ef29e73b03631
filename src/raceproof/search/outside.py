"""Connections that are not the world's: refused in a client's thread, whoever makes them.

A client that reaches a server past the world (a global client, a library's own
connection, a file) would do so unseen, and the search would know nothing of it.
"""

from __future__ import annotations

import builtins
import os
import socket
import sqlite3
import subprocess
import sys
import sysconfig
from typing import Any
from weakref import WeakSet

from raceproof.search import stand_ins
from raceproof.search.stand_ins import Deterministic
from raceproof.wire.calls import Unsearchable

_SENDING = ("connect", "connect_ex", "send", "sendall", "sendto", "sendmsg", "sendfile")
_LATE = ("fakeredis", "sqlalchemy", "psycopg", "psycopg2", "ssl")
_STANDARD = sysconfig.get_path("stdlib")
_pairs: WeakSet[socket.socket] = WeakSet()  # both ends are this process's own
_own: list[Any] = []  # databases in memory that a client made for itself


def _refuse(kind: str) -> Unsearchable:
    return Unsearchable(
        f"a client uses {kind} that is not the world's: the search does not see it. Use what is "
        "in the world that it is given, or make this a field of the world"
    )


def _who() -> str:
    """Return which library is at it: the innermost one that is not Python's own."""
    frame = sys._getframe(2)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        if "site-packages" in file:
            return f"a connection of {frame.f_globals['__name__'].partition('.')[0]}"
        if not file.startswith((_STANDARD, "<frozen")) and file != __file__:
            name = str(frame.f_globals.get("__name__", ""))
            if not name.startswith(__name__.partition(".")[0]):
                break
        frame = frame.f_back
    return "a connection"


def _sends(client: Deterministic, real: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    if self in _pairs:
        return real(self, *args, **kwargs)
    raise _refuse(_who())


def _resolves(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    raise _refuse(_who())


def _pair(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    """Two ends within the process, as an event loop has them."""
    held = stand_ins.current()
    stand_ins.leave()  # elsewhere than on Unix, they are connected by way of the network
    try:
        made = real(*args, **kwargs)
    finally:
        if held is not None:
            stand_ins.enter(held)
    _pairs.update(made)
    return made


def _fake_redis(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    raise _refuse("a fakeredis")


def _postgresql(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    raise _refuse("a connection of psycopg")


def _sqlite(client: Deterministic, real: Any, database: Any, *args: Any, **kwargs: Any) -> Any:
    if database not in (":memory:", ""):
        raise _refuse("an SQLite database")
    made = real(database, *args, **kwargs)
    _own.append(made)
    return made


def _checked_out(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    """SQLAlchemy takes a connection from a pool: one of ours, or one in the client's own memory."""
    found = real(*args, **kwargs)
    connection = found.dbapi_connection
    ours = type(connection).__module__.startswith(f"{__package__.partition('.')[0]}.")
    if ours or any(connection is one for one in _own):
        return found
    raise _refuse("an SQLAlchemy engine")


def _imports(client: Deterministic, real: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """A client imports something; what is named below may only now be there."""
    news = name.partition(".")[0] in _LATE and name not in sys.modules
    made = real(name, *args, **kwargs)
    if news:
        stand_ins.once_more()
    return made


def _process(client: Deterministic, real: Any, *args: Any, **kwargs: Any) -> Any:
    raise Unsearchable(
        "a client starts a process, which cannot be searched; make it a client of the search"
    )


def replace() -> None:
    """Name what is replaced."""
    for name in _SENDING:
        stand_ins.method(socket.socket, name, _sends)
        if "ssl" in sys.modules:
            stand_ins.method(sys.modules["ssl"].SSLSocket, name, _sends)
    stand_ins.function(socket, "getaddrinfo", _resolves)
    stand_ins.function(socket, "socketpair", _pair)
    stand_ins.function(builtins, "__import__", _imports)
    stand_ins.function(sqlite3, "connect", _sqlite)
    _in(("fakeredis._socket._base", "fakeredis._basefakesocket"), "BaseFakeSocket", _fake_redis)
    _in(("sqlalchemy.pool.base",), "Pool", _checked_out, "connect")
    _in(("psycopg",), "Connection", _postgresql, "wait")
    if "psycopg.waiting" in sys.modules:  # Connection.connect
        stand_ins.function(sys.modules["psycopg.waiting"], "wait_conn", _postgresql)
    for library in ("psycopg", "psycopg2"):
        if library in sys.modules:
            stand_ins.function(sys.modules[library], "connect", _postgresql)
    _processes()


def _in(modules: tuple[str, ...], cls: str, instead: Any, name: str = "sendall") -> None:
    for module in modules:
        if module in sys.modules:
            stand_ins.method(getattr(sys.modules[module], cls), name, instead)


def _processes() -> None:
    stand_ins.method(subprocess.Popen, "__init__", _process)
    for name in ("fork", "forkpty", "system", "posix_spawn", "posix_spawnp"):
        stand_ins.function(os, name, _process)
    for module, name in (("_posixsubprocess", "fork_exec"), ("_winapi", "CreateProcess")):
        stand_ins.function(sys.modules.get(module), name, _process)  # multiprocessing's "spawn"


stand_ins.patch(lambda: _own.clear)
