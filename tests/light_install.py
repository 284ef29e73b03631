"""How light an install of the helpers is: `.venv/bin/python tests/light_install.py`.

Installs `.[redis,sql]`, or a wheel that is named, with these extras into an empty environment,
prints how many packages and MB that is, puts fakeredis beside it, and runs a queue, a counter and
a search there. Exit 0 if all of that works within the limits, 1 if not, 75 if the package index
cannot be reached.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
import bootstrap  # noqa: E402  (a script beside the package, not part of it)

MOST_PACKAGES, MOST_MB = 8, 70
NO_NETWORK = 75
NEEDED = ("pyproject.toml", "README.md", "LICENSE")

USE = """
from dataclasses import dataclass
from fakeredis import FakeRedis
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import create_engine
from patterns.counters import CounterBuffer
from patterns.queues import ReliableQueue
from raceproof import Violation, explore

def client():
    return FakeRedis(decode_responses=True, retry=Retry(NoBackoff(), 0))

queue = ReliableQueue(client(), "thumbnails")
queue.put("cat.png")
job = queue.take("worker 1")
queue.done(job)
print("a queue handed out", job.payload)

counter = CounterBuffer(client(), create_engine("sqlite://"), "views", 3600).install()
counter.hit("home", by=3, at=0)
counter.flush()
print("a counter says", counter.counts())

@dataclass
class World:
    redis: Redis

def hit(world):
    world.redis.set("hits", int(world.redis.get("hits") or 0) + 1)

def both_count(world):
    if world.redis.get("hits") != "2":
        raise Violation("2 hits came, Redis says " + world.redis.get("hits"))

report = explore(world=lambda: World(client()), clients={"a": hit, "b": hit}, check=both_count)
print("a search says:", report.sentence)
"""


def main(wheel: str = "") -> int:
    """Install, measure, use."""
    with tempfile.TemporaryDirectory(prefix="light-") as place:
        source, home = Path(place, "source"), Path(place, "venv")
        shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("node_modules"))
        for name in NEEDED:
            shutil.copy(ROOT / name, source)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
        python = next(path for path in home.glob("*/python*") if path.stem == "python")
        install(python, f"{wheel or source}[redis,sql]")
        (packages,) = home.rglob("site-packages")
        names = sorted(found.name for found in distributions(path=[str(packages)]))
        size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 1e6
        print(f".[redis,sql] is {len(names)} packages, {size:.0f} MB: {', '.join(names)}")
        install(python, "fakeredis[lua]")
        used = subprocess.run([python, "-I", "-c", USE], check=False)
    return int(used.returncode != 0 or len(names) > MOST_PACKAGES or size > MOST_MB)


def install(python: Path, what: str) -> None:
    """Install with uv; leave the program if that fails."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    done = subprocess.run([*command, what], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        sys.exit(NO_NETWORK if bootstrap.NO_NETWORK.search(done.stderr) else 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
