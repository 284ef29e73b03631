"""Servers that stand for somebody else's: started by a test, named to a child by a variable."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import couchdb
import psutil
import redis
from tests import forking

from workshop.services import couch_service, node, processes, redis_private, redis_service


@contextmanager
def foreign_redis(home: Path) -> Iterator[tuple[str, redis.Redis]]:
    """A redis-server on a loopback port with a password, its URL and a plain client of it."""
    port, password = processes.free_port(), secrets.token_hex(8)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", password]
    program = str(redis_service.binary())
    server = subprocess.Popen([program, *options, "--save", "", "--dir", str(home)], stdout=-3)
    url = f"redis://:{password}@127.0.0.1:{port}/3"
    client = redis.Redis.from_url(url)
    try:
        redis_private.wait_for(client, home / "log")
        yield url, client
    finally:
        client.close()
        server.kill()
        server.wait()


@contextmanager
def foreign_couch(limit: int = 1000) -> Iterator[tuple[str, couchdb.Server]]:
    """A PouchDB with a password, its URL and a client of it; a view may take `limit` ms."""
    password = secrets.token_hex(8)
    server = subprocess.Popen([*node.command(), str(limit)], stdin=-1, stdout=-1)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps({"user": "owner", "password": password}).encode() + b"\n")
    server.stdin.flush()
    url = f"http://owner:{password}@127.0.0.1:{json.loads(server.stdout.readline())['port']}"
    try:
        yield url, couchdb.Server(url, session=couch_service.OneTrySession())
    finally:
        server.stdin.close()
        server.wait(600)
        server.stdout.close()


def python(code: str, **variables: str) -> str:
    """What a Python process of its own prints when it runs the code."""
    ran = forking.run(code, {**os.environ, **variables})
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr, ran.stderr
    return ran.stdout


def redis_contents(client: redis.Redis) -> dict[Any, tuple[Any, Any]]:
    """Every key of every database, byte for byte, with its expiry."""
    found = {}
    for db in range(16):
        client.execute_command("SELECT", db)
        for key in client.keys("*"):
            found[db, key] = client.dump(key), client.expiretime(key)
    return found


def descendants(pid: int) -> list[psutil.Process]:
    """The processes below a process."""
    return psutil.Process(pid).children(recursive=True)
