"""services.redis_async: the same spaces and manners as services.redis, on every Redis."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from redis.asyncio import Redis

from workshop import services
from workshop.services import processes, redis_private, redis_service


def run(what: Callable[[Redis], Awaitable[Any]], space: str = "test") -> Any:
    """What `what(client)` returns, in a loop and with a client of its own."""

    async def main() -> Any:
        client = services.redis_async(space)
        try:
            return await what(client)
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_it_is_the_same_space(redis_client: redis_py.Redis) -> None:
    redis_client.set("k", "ü")
    assert run(lambda client: client.get("k")) == "ü"
    run(lambda client: client.set("k", "from asyncio"))
    assert redis_client.get("k") == "from asyncio"


def test_fresh_empties_it(redis_client: redis_py.Redis) -> None:
    redis_client.set("k", 1)
    services.redis_async("test", fresh=True)
    assert redis_client.get("k") is None


def test_it_repeats_nothing(redis_client: redis_py.Redis) -> None:
    client = services.redis_async("test")
    kwargs = client.connection_pool.connection_kwargs
    assert kwargs["decode_responses"]
    if redis_service.kind() != "fake":  # which has no connections that could break
        assert kwargs["retry"].get_retries() == 0
        assert kwargs["socket_timeout"] is None


def test_pub_sub_reaches_across(redis_client: redis_py.Redis) -> None:
    async def hear(client: Redis) -> list[Any]:
        async with client.pubsub() as ears:
            await ears.psubscribe("asyncio-*")
            first = await ears.get_message(timeout=60)
            redis_client.publish("asyncio-1", "hello")
            return [first, await ears.get_message(timeout=60)]

    acknowledged, message = run(hear)
    assert (acknowledged["type"], acknowledged["channel"]) == ("psubscribe", "asyncio-*")
    assert (message["channel"], message["data"]) == ("asyncio-1", "hello")


CHILD = """
import asyncio, redis
from workshop import services
from workshop.services.errors import NotOurs

async def use():
    client = services.redis_async("child")
    await client.set("k", "v")
    print("foreign key:", await client.get("theirs"))
    try:
        await client.flushall()
    except NotOurs:
        print("refused")
    print(await client.keys("*"), await client.eval("return KEYS[1]", 1, "k"))
    plain = redis.Redis.from_url(URL, decode_responses=True)
    print(sorted(key.startswith("btp-") for key in plain.keys()))
    services.redis_async("child", fresh=True)
    print(plain.keys())
    plain.shutdown(nosave=True)
    for _ in range(2):
        try:
            await client.get("k")
        except services.RedisGone as error:
            print(type(error).__name__)

asyncio.run(use())
"""


def test_on_somebody_elses_server(tmp_path: Path) -> None:
    """Keys are ours, others stay, nothing dangerous is sent, and its end is a clear error."""
    if redis_service.binary() is None:
        pytest.skip("needs a redis-server")
    port = processes.free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([str(redis_service.binary()), *options], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis_py.Redis.from_url(url) as plain:
            redis_private.wait_for(plain, tmp_path / "log")
            plain.set("theirs", "kept")
        code = f"URL = {url!r}\n{CHILD}"
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "REDIS_URL": url},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        server.kill()
        server.wait()
    said = ["foreign key: None", "refused", "['k'] k", "[False, True]", "['theirs']"]
    assert ran.stdout.splitlines() == [*said, "RedisGone", "RedisGone"], ran.stderr
