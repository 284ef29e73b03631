"""Who imports the search does not import a client library, a chart library or Jupyter with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["couchdb", "fakeredis", "IPython", "jupyterlab", "matplotlib", "numpy", "pandas", "redis"]
HEAVY += ["psycopg", "sqlalchemy", "workshop"]

#: A search without the heavy packages, one that takes long enough for its progress to show.
LONG_SEARCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED: raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refuse())
from raceproof.search import progress
progress._SILENT = progress._PAUSE = 0.0
import redis, fakeredis
from dataclasses import dataclass
from raceproof import Violation, explore
@dataclass
class World:
    redis: redis.Redis
def hit(world): world.redis.set("n", int(world.redis.get("n") or 0) + 1)
def both_count(world):
    if world.redis.get("n") != "2": raise Violation("a hit is lost")
world = lambda: World(fakeredis.FakeRedis(decode_responses=True))
report = explore(world=world, clients={"a": hit, "b": hit}, check=both_count)
print(report.broken)
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["raceproof", "raceproof.draw", "raceproof.record"])
def test_an_import_brings_nothing_heavy(module: str) -> None:
    found = python(f"import sys, {module}\nprint(*[n for n in {HEAVY} if n in sys.modules])")
    assert found == "\n"


def test_a_search_needs_only_the_client_libraries_of_its_world() -> None:
    """Its progress, which appears after a second, included."""
    needed = {"redis", "fakeredis"}
    blocked = [name for name in HEAVY if name not in needed and name != "numpy"]
    assert int(python(f"BLOCKED = {blocked}\n{LONG_SEARCH}")) > 0
