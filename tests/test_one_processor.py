"""A worker keeps to one processor, and leaves it where processes run into each other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from tests import one_processor

pytestmark = pytest.mark.skipif(len(one_processor.ALL) < 2, reason="one processor, or not Linux")
RACE = "tests/patterns/queues/test_processes.py"


@pytest.fixture
def number(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The last processor's place; afterwards this process has those that it had."""
    had, last = os.sched_getaffinity(0), len(one_processor.ALL) - 1
    os.sched_setaffinity(0, one_processor.ALL)
    monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{last + len(one_processor.ALL)}")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(2 * len(one_processor.ALL)))
    yield last
    os.sched_setaffinity(0, had)


def test_it_keeps_to_its_own(number: int) -> None:
    one_processor.keep()
    assert os.sched_getaffinity(0) == {one_processor.ALL[number]}


def test_too_few_workers_for_all_processors_keep_all(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(2 * len(one_processor.ALL) - 1))
    one_processor.keep()
    assert len(os.sched_getaffinity(0)) == len(one_processor.ALL)


def test_without_xdist_all_are_kept(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    one_processor.keep()
    assert len(os.sched_getaffinity(0)) == len(one_processor.ALL)


def test_processes_that_race_have_all_and_so_has_what_was_started_before(number: int) -> None:
    one_processor.keep()
    kept = os.sched_getaffinity(0)
    started = subprocess.Popen(["sleep", "60"])
    try:
        with one_processor.left_for(RACE):
            assert os.sched_getaffinity(0) == os.sched_getaffinity(started.pid)
            assert len(os.sched_getaffinity(0)) == len(one_processor.ALL)
        assert os.sched_getaffinity(0) == os.sched_getaffinity(started.pid) == kept
        with one_processor.left_for("tests/patterns/queues/test_searches.py"):
            assert os.sched_getaffinity(0) == kept
    finally:
        started.kill()
        started.wait()
