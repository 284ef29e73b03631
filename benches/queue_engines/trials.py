"""One engine at a time: how fast it is, how soon, and what is lost when its worker is killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from benches.compared.environments import ROOT
from benches.queue_engines import counting
from benches.queue_engines.engines import Engine
from benches.queue_engines.job import LOG, SECONDS

from workshop import services

PATIENCE = 120.0  # seconds without a sign of life after which a trial goes on without the rest
SETTLED = 30.0  # seconds in which nothing comes back any more: longer than any time-out here
WORK = 0.01  # seconds that a job takes where workers are killed

Holds = Callable[[counting.Notes], bool]


class Trial:
    """An engine on an empty server, and the notes of its jobs."""

    def __init__(self, engine: Engine, seconds: float = 0) -> None:
        services.redis("bench", fresh=True).flushall()
        self.engine, self.url = engine, services.redis_url("bench")
        self._folder = tempfile.TemporaryDirectory(prefix="btp-bench-")
        self.log = Path(self._folder.name) / "log"
        self.log.touch()
        addresses = {
            "QUEUE_BENCH_URL": self.url,
            "QUEUE_BENCH_BROKER": self.url.replace("unix://", "redis+socket://", 1),
        }
        ours = {"PYTHONPATH": str(ROOT), LOG: str(self.log), SECONDS: str(seconds)}
        self._environment = {**os.environ, **addresses, **ours}
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def put(self, count: int, per_second: float = 0) -> None:
        """Put jobs from a process of their own."""
        self._run(self.engine.command("put", self.url, count, per_second))

    def nudge(self) -> None:
        """Do what a janitor of the engine does in time, if that is longer than a trial."""
        if self.engine.nudge:
            self._run(self.engine.command("nudge", self.url))

    def start(self) -> None:
        """Start the worker, with the engine's own command."""
        command = self.engine.work(self.url)
        self._worker = subprocess.Popen(
            command, start_new_session=True, **self._options(), stdin=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """Kill the worker and all its children at once, as a power cut would.

        rq's leave its process group: so they are killed one by one, the parent first.
        """
        if self._worker is not None:
            family = [pid for pid in psutil.pids() if _session(pid) == self._worker.pid]
            for pid in sorted(family):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._worker.wait()
            self._worker = None

    def notes(self) -> counting.Notes:
        """Return what is noted by now."""
        with self.log.open("rb") as lines:
            return counting.read(lines)

    def wait(
        self,
        holds: Callable[[counting.Notes], bool],
        patience: float = PATIENCE,
        every: float = 0.05,
    ) -> bool:
        """Look now and then whether it holds; give up when nothing was noted for so long."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < patience:
            if self.log.stat().st_size != size:
                size, since = self.log.stat().st_size, time.monotonic()
                if holds(self.notes()):
                    return True
            time.sleep(every)
        return False

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, check=True, **self._options())

    def _options(self) -> dict[str, Any]:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return {"env": self._environment, "cwd": ROOT, **quiet}


@contextlib.contextmanager
def at_work(engine: Engine) -> Iterator[Trial]:
    """An engine whose worker waits for jobs: it has done one already."""
    with Trial(engine) as trial:
        trial.put(1)
        trial.start()
        trial.wait(lambda notes: 0 in notes.done)
        trial.log.write_bytes(b"")
        yield trial


def speed(engine: Engine, jobs: int) -> float:
    """Jobs a second, of so many empty ones that are there when the worker starts."""
    with Trial(engine) as trial:
        trial.put(jobs)
        trial.start()
        trial.wait(lambda notes: len(notes.done) == jobs)
        return counting.rate(trial.notes())


def waiting(engine: Engine, jobs: int, per_second: float) -> list[float]:
    """Milliseconds from put to start, of jobs that come evenly to a worker that waits."""
    with at_work(engine) as trial:
        trial.put(jobs, per_second)
        trial.wait(lambda notes: len(notes.done) == jobs)
        return counting.waits(trial.notes())


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def _have_begun(enough: int, notes: counting.Notes) -> bool:
    return len(notes.begun) >= enough


def killed(engine: Engine, kills: int) -> dict[str, int]:
    """What becomes of the jobs when the worker is killed so often, each time amid its jobs."""
    chance = random.Random(kills)
    jobs = kills * 6
    with Trial(engine, WORK) as trial:
        trial.put(jobs)
        for _ in range(kills):
            enough = len(trial.notes().begun) + chance.randint(1, 4)
            trial.start()
            if not trial.wait(partial(_have_begun, enough), SETTLED, every=0.002):
                trial.nudge()  # all that is left is with workers that are dead
            time.sleep(chance.random() * 2 * WORK)
            trial.kill()
        trial.start()
        for _ in range(3 if engine.nudge else 1):
            if trial.wait(lambda notes: len(notes.done) == jobs, SETTLED):
                break
            trial.nudge()
        notes = trial.notes()
    return {
        "kills": kills,
        "jobs": jobs,
        "lost": counting.lost(notes),
        "doubled": counting.doubled(notes),
        "begun again": counting.begun_again(notes),
    }
