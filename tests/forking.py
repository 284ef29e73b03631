"""Processes of tests begin as copies of one that has imported what they need.

Python has one such process (multiprocessing's fork server) and asks only its first user what to
import: so all tests ask for the same.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import traceback
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
IMPORTED = [
    "tests.left_out",
    "pytest",
    "couchdb",
    "fakeredis",
    "matplotlib.pyplot",
    "pandas",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "patterns.counters",
    "patterns.pubsub",
    "patterns.transfers",
    "workshop.services",
    "workshop.services.couch_service",
    "workshop.services.sql_service",
    "workshop.services.status_table",
    "tests.exercises.marking_worker",
    "tests.patterns.test_install",
]


class Process(ForkServerProcess):
    """A process with the environment of who makes it, and not of who first made one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._environment = dict(os.environ)

    def run(self) -> None:
        os.environ.clear()
        os.environ.update(self._environment)
        super().run()


class Context(ForkServerContext):
    Process = Process


def context() -> Any:
    """Return multiprocessing's context for the processes of a test; without fork they spawn."""
    if not FORKS:
        return multiprocessing.get_context("spawn")
    found = Context()
    found.set_forkserver_preload(IMPORTED)
    return found


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the code as `python -c` does, in a process that ends as one does.

    Returns when nobody has the process's errors open any more, as what cleans up behind it has.
    """
    if not FORKS:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    pipes = [multiprocessing.Pipe(duplex=False) for _ in range(2)]
    ends = [end for _, end in pipes]
    process = context().Process(target=_run, args=(code, environment, *ends))
    process.start()
    for end in ends:
        end.close()
    said = [b"".join(iter(lambda e=end: os.read(e.fileno(), 65536), b"")) for end, _ in pipes]
    process.join()
    for end, _ in pipes:
        end.close()
    return subprocess.CompletedProcess([code], process.exitcode, *map(bytes.decode, said))


def _run(code: str, environment: dict[str, str], *ends: Connection) -> None:
    for number, end in enumerate(ends, 1):
        os.dup2(end.fileno(), number)
        end.close()
    os.environ.clear()
    os.environ.update(environment)
    status = 0
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
