"""Which Redis a run has is decided once, whatever appears on PATH or vanishes from it meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.workshop.services.servers import python

from workshop.services import redis_program

IN_WHEEL = redis_program.in_wheel()

pytestmark = [
    pytest.mark.skipif(IN_WHEEL is None, reason="no redis-server in a wheel"),
    pytest.mark.usefixtures("own_servers"),
]

START = """
import os, subprocess, sys
from pathlib import Path
from workshop import services
from workshop.services import redis_program, redis_service
on_path = Path(os.environ["PATH"].split(os.pathsep)[0]) / "redis-server"
def child():
    code = "from workshop.services import redis_service; print(redis_service.binary())"
    joined = {**os.environ, "PATTERNS_JOIN": services.invitation()}
    return subprocess.run([sys.executable, "-c", code], env=joined, capture_output=True, text=True)
"""
VANISHES = """
assert redis_service.binary() == str(on_path)
services.redis("first").set("k", "v")
on_path.unlink()
assert services.redis("first").get("k") == "v"
assert services.redis("second").set("k", "v")
assert redis_service.kind() == "private" and child().stdout.strip() == str(on_path)
print("ok")
"""
APPEARS = """
before = redis_service.binary()
on_path.symlink_to(before)
assert redis_service.binary() == before and child().stdout.strip() == before
assert services.redis().set("k", "v")
print("ok")
"""
NONE_FIRST = """
redis_program.in_wheel = lambda: None
assert services.about("redis").startswith("fakeredis")
services.redis().set("k", "v")
on_path.symlink_to(os.environ["REAL"])
assert services.redis().get("k") == "v" and services.about("redis").startswith("fakeredis")
assert child().stdout.strip() == "None"
print("ok")
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, first on PATH; no redis-server is anywhere else on it."""
    folders = os.environ["PATH"].split(os.pathsep)
    kept = [folder for folder in folders if not (Path(folder) / "redis-server").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), *kept]))
    monkeypatch.delenv("PATTERNS_REDIS", raising=False)
    return tmp_path


def test_a_redis_server_vanishes_from_the_path(path: Path) -> None:
    (path / "redis-server").symlink_to(str(IN_WHEEL))
    assert python(START + VANISHES) == "ok\n"


def test_a_redis_server_appears_on_the_path(path: Path) -> None:
    assert python(START + APPEARS) == "ok\n"


def test_a_redis_server_appears_where_there_was_none(path: Path) -> None:
    assert python(START + NONE_FIRST, REAL=str(IN_WHEEL)) == "ok\n"


def test_a_redis_server_of_ones_own(path: Path) -> None:
    mine = path / "mine"
    mine.symlink_to(str(IN_WHEEL))
    code = START + "print(redis_service.binary(), services.redis().set('k', 'v'))"
    assert python(code, PATTERNS_REDIS=str(mine)) == f"{mine} True\n"


def test_a_redis_server_that_is_not_there(path: Path) -> None:
    code = START + (
        "redis_program.in_wheel = lambda: None\n"
        "try: services.redis()\n"
        "except services.ServiceError as error: print(error)"
    )
    said = python(code, PATTERNS_REDIS="/nowhere/redis-server")
    assert said.startswith("Redis: /nowhere/redis-server cannot be started")
