"""Run by the project's Python, in the copy: LOG [MODULE…]. For each line one fork runs tests.

In comes {"run": [test…], "times": {test: CPU seconds}} or {"measure": [file…]}; out goes
{"red": test or null} or {"times": …, "lines": {file: {line: [test…]}}, "red": [test…]}.
What the tests import from others is imported once, here; what may have changed, in the fork.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

import psutil
import pytest

OTHERS = """tests.left_out couchdb fakeredis fakeredis.aioredis httpx hypothesis kombu.connection
lupa.lua51 matplotlib.figure matplotlib.backends.backend_agg pandas psycopg pygments redis.cluster
redis.asyncio.cluster sqlalchemy.dialects.postgresql.psycopg sqlalchemy.dialects.sqlite.pysqlite
sqlalchemy.ext.asyncio starlette.applications starlette.testclient uvicorn _pytest.pytester"""
#: What else runs the tests again on another kind of server, or takes a process for each.
AGAIN = ("PostgreSQL", "redis-cluster")
QUIET = 30.0  # seconds of which a test did something in less than a tenth: it waits for ever


def used() -> float:
    """Return the CPU time of this process and of its children that ended."""
    return sum(os.times()[:4])


class Measured:
    """A plugin of pytest: how long each test takes, and which lines it runs."""

    def __init__(self, coverage: Any) -> None:
        self.coverage, self.times = coverage, dict[str, float]()
        self.red, self.skipped = list[str](), list[str]()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not any(name in item.nodeid for name in AGAIN)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        begun = used()
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")
            self.times[item.nodeid] = round(used() - begun, 3)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped:
            (self.red if report.failed else self.skipped).append(report.nodeid)


class Chosen:
    """A plugin of pytest: these tests, in this order; one that takes too long ends the process."""

    def __init__(self, tests: list[str], times: dict[str, float]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}
        self.times, self.red = times, ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        here = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(here, key=lambda item: self.place[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        signal.setitimer(signal.ITIMER_PROF, 5 + 10 * self.times.get(item.nodeid, 1.0))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.red:
            self.red = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.red = "import"


def run(files: list[str], plugin: object, *options: str) -> int:
    """Run pytest."""
    quiet = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout=0"]
    return int(pytest.main([*quiet, *options, *files], plugins=[plugin]))


def measure(files: list[str], source: str) -> dict[str, Any]:
    """Run all tests of some files once."""
    import coverage

    watch = coverage.Coverage(data_file=None, source=[source], config_file=False)
    watch.start()
    plugin = Measured(watch)
    run(files, plugin)
    watch.stop()
    data = watch.get_data()
    lines = {
        str(Path(file).relative_to(Path.cwd())): data.contexts_by_lineno(file)
        for file in data.measured_files()
    }
    without = {*plugin.red, *plugin.skipped}
    times = {test: plugin.times[test] for test in plugin.times if test not in without}
    return {"times": times, "lines": lines, "red": plugin.red}


def try_out(tests: list[str], times: dict[str, float]) -> dict[str, Any]:
    """Run these tests until one is red."""
    plugin = Chosen(tests, times)
    status = run(sorted({test.split("::")[0] for test in tests}), plugin, "-x")
    if status == pytest.ExitCode.OK:
        return {"red": None}
    if status in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        return {"red": plugin.red or "import"}
    return {"red": plugin.red or f"pytest ended with {status}"}


def child(asked: dict[str, Any], answer: Path, log: Path) -> None:
    """Do what is asked and end."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with log.open("w") as to, open(os.devnull) as nothing:
        for number, file in enumerate((nothing, to, to)):
            os.dup2(file.fileno(), number)
    try:
        if "measure" in asked:
            said = measure(asked["measure"], asked["source"])
        else:
            said = try_out(asked["run"], asked["times"])
    except BaseException as error:
        traceback.print_exc()
        said = {"red": f"{type(error).__name__} in pytest"}
    answer.write_text(json.dumps(said))
    os._exit(0)


def busy(pid: int) -> float:
    """Return for how long the threads of a process and of its children ran, or had to wait for a
    processor (which only Linux tells).
    """
    total = 0.0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for one in [root, *root.children(recursive=True)]:
            told = list(Path(f"/proc/{one.pid}/task").glob("*/schedstat"))
            with contextlib.suppress(psutil.Error, OSError):
                if told:
                    total += sum(int(n) for f in told for n in f.read_text().split()[:2]) / 1e9
                else:
                    total += sum(one.cpu_times()[:2])
    return total


def waits_for_ever(pid: int) -> Iterator[bool]:
    """Yield whether a process has had next to nothing to do for long."""
    begun, then = time.monotonic(), busy(pid)
    while True:
        while (passed := time.monotonic() - begun) < QUIET:
            yield False
        now = busy(pid)
        yield 0 <= now - then < passed / 10
        begun, then = time.monotonic(), now


def fork(asked: dict[str, Any], log: Path) -> dict[str, Any]:
    """Have a fork do what is asked; what hangs is killed, with all that it started."""
    answer = log.with_suffix(".answer")
    answer.unlink(missing_ok=True)
    pid = os.fork()
    if not pid:
        child(asked, answer, log)
    hangs, why = waits_for_ever(pid), "CPU time"
    try:
        while not os.waitpid(pid, os.WNOHANG)[0]:
            time.sleep(0.05)
            if "run" in asked and next(hangs):
                why = "waits for ever"
                end(pid)
    finally:
        end(pid)
    return json.loads(answer.read_text()) if answer.exists() else {"red": why}


def end(leader: int) -> None:
    """Kill a fork and what is left of its processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def main(asked: TextIO, log: Path, more: list[str]) -> None:
    """Answer each line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the fork with it
    for name in [*OTHERS.split(), *more]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in asked:
        print(json.dumps(fork(json.loads(line), log)), flush=True)


if __name__ == "__main__":
    main(sys.stdin, Path(sys.argv[1]), sys.argv[2:])
