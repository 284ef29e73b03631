"""The engines side by side: how each is started, what it promises, and where that is written.

Each is in the setting that its own documentation recommends where no job may be lost. Where a
setting is a time after which a worker is taken for dead, it is 3 s here, for the trial to end: the
usual ones are a minute to an hour. Each is one worker process, as its own command starts it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benches.compared.environments import make_environment, python_in

PINNED = {
    "arq": ["arq==0.28.0"],
    "dramatiq": ["dramatiq[redis]==2.2.1"],
    "saq": ["saq[redis]==0.26.4", "typing_extensions==4.16.0"],  # which it needs, and does not say
}
Command = Callable[[str], list[str]]


@dataclass(frozen=True)
class Engine:
    """One engine: its names, its commands for a server's address, and its own words."""

    name: str
    module: str
    work: Command
    at_once: int
    setting: str
    source: str
    package: str = ""  # as a registry has it
    kind: str = ""  # of ours
    nudge: bool = False

    def command(self, verb: str, url: str, count: int = 0, per_second: float = 0) -> list[str]:
        """Return the command that puts so many jobs, or does what a janitor does in time."""
        module = ["-m", f"benches.queue_engines.{self.module}"]
        return [python_of(self.package), *module, verb, url, str(count), str(per_second), self.kind]


def python_of(package: str) -> str:
    """Return the Python of an engine's environment."""
    return python_in(package) if package in PINNED else sys.executable


def script_of(package: str, script: str) -> str:
    """Return the path of an engine's own command."""
    return str(Path(python_of(package)).parent / script)


def make_environments() -> None:
    """Make an environment for each engine that does not live in ours; the second time, nothing."""
    for package, pinned in PINNED.items():
        make_environment(package, pinned)


def version_of(package: str) -> str:
    """Return the version of an engine that is installed; empty for ours."""
    if not package:
        return ""
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    answer = subprocess.run([python_of(package), "-c", ask], stdout=subprocess.PIPE, check=True)
    return answer.stdout.decode().strip()


def _ours(name: str, kind: str, setting: str) -> Engine:
    def work(url: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "benches.queue_engines.our_queues",
            "work",
            url,
            "0",
            "0",
            kind,
        ]

    return Engine(name, "our_queues", work, 1, setting, "the docstring", kind=kind)


def _celery(url: str) -> list[str]:
    app = [script_of("", "celery"), "-A", "benches.queue_engines.for_celery", "--quiet", "worker"]
    quick = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    return [*app, "--pool", "prefork", "--concurrency", "1", "--loglevel", "CRITICAL", *quick]


def _rq(url: str) -> list[str]:
    return [sys.executable, "-m", "benches.queue_engines.for_rq", "work", url]


def _huey(url: str) -> list[str]:
    return [script_of("", "huey_consumer"), "benches.queue_engines.for_huey.huey", "--quiet"]


def _dramatiq(url: str) -> list[str]:
    one = ["--processes", "1", "--threads", "1"]
    return [script_of("dramatiq", "dramatiq"), *one, "benches.queue_engines.for_dramatiq"]


def _arq(url: str) -> list[str]:
    return [script_of("arq", "arq"), "benches.queue_engines.for_arq.WorkerSettings"]


def _saq(url: str) -> list[str]:
    return [script_of("saq", "saq"), "benches.queue_engines.for_saq.settings", "--quiet"]


BARE = "bare BLMOVE + LREM"
ENGINES = (
    _ours(BARE, "bare", "no lease: nothing puts back what a dead worker held"),
    _ours("ReliableQueue", "lists", "lease 3 s"),
    _ours("StreamQueue", "stream", "lease 3 s"),
    Engine("huey", "for_huey", _huey, 1, "none for a killed worker: it pops",
           "huey.readthedocs.io, Consumer: shutdown, interrupted tasks", "huey"),
    Engine("Celery", "for_celery", _celery, 1, "acks_late, reject_on_worker_lost, prefetch 1",
           "docs.celeryq.dev, Tasks: acks_late; Using Redis: visibility timeout", "celery"),
    Engine("arq", "for_arq", _arq, 10, "as it comes, “pessimistic execution”; job_timeout 3 s",
           "arq-docs.helpmanual.io, Usage: jobs may be called more than once", "arq"),
    Engine("saq", "for_saq", _saq, 10, "retries; timeout 3 s; sweep each second",
           "saq-py.readthedocs.io, Job: timeout, retries; Worker: timers", "saq"),
    Engine("rq", "for_rq", _rq, 1, "Retry; its time-outs are told to have passed",
           "python-rq.org, Exceptions: retrying failed jobs", "rq", nudge=True),
    Engine("dramatiq", "for_dramatiq", _dramatiq, 1, "as it comes; heartbeat_timeout 3 s",
           "dramatiq.io, Advanced topics: Redis broker; API: RedisBroker", "dramatiq"),
)  # fmt: skip
