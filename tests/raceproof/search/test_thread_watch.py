"""When a thread that makes no call is said to compute, or to wait, and when it only goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from raceproof.search import thread_watch
from raceproof.search.thread_watch import ThreadWatch


class Hands:
    """The real time, and the time that the thread has used, as a test sets them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.used: float | None = 7.0
        self.watch: ThreadWatch

    def at(self, passed: float, used: float | None) -> str:
        self.now, self.used = 100 + passed, used
        return self.watch.look()


@pytest.fixture
def waiting() -> Iterator[threading.Thread]:
    """A thread that stands still."""
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    yield thread
    gate.set()
    thread.join()


@pytest.fixture
def watched(waiting: threading.Thread, monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr(thread_watch, "time", SimpleNamespace(monotonic=lambda: hands.now))
    monkeypatch.setattr(thread_watch, "_computing_time", lambda thread: hands.used)
    hands.watch = ThreadWatch(waiting, patience=2)
    assert hands.at(0, 7.0) == "goes on"
    return hands


def test_it_waits_after_three_seconds_in_which_it_did_next_to_nothing(watched: Hands) -> None:
    assert watched.at(1, 7.0205) == "goes on"
    assert watched.at(3, 7.0205) == "goes on"
    assert watched.at(3.01, 7.0205) == "waits"


def test_what_it_does_in_between_is_a_sign_of_life(watched: Hands) -> None:
    assert watched.at(1, 7.03) == "goes on"
    assert watched.at(4, 7.03) == "goes on"
    assert watched.at(4.01, 7.03) == "waits"


def test_it_computes_when_it_has_used_more_than_its_patience(watched: Hands) -> None:
    assert watched.at(5, 9.0) == "goes on"
    assert watched.at(5, 9.01) == "computes"


def test_it_computes_after_six_times_its_patience_whatever_it_uses(watched: Hands) -> None:
    assert watched.at(11, 8.0) == "goes on"
    assert watched.at(12, 8.0) == "goes on"
    assert watched.at(12.01, 8.0) == "computes"


def test_where_nobody_knows_what_it_used_the_real_time_counts_twice(watched: Hands) -> None:
    assert watched.at(3.99, None) == "goes on"
    assert watched.at(4, None) == "goes on"
    assert watched.at(4.01, None) == "computes"
    assert watched.at(5, None) == "computes"


@pytest.mark.parametrize(("patience", "pause"), [(10, 0.25), (1, 0.25), (0.4, 0.1)])
def test_it_looks_four_times_in_its_patience_or_in_a_second(patience: float, pause: float) -> None:
    assert ThreadWatch(threading.current_thread(), patience).pause == pause
