"""Threads that a client starts, waiting in Python itself (an Event, a Queue), and signals.

Clients are parked at their calls, so one that waits for another in Python would wait
for ever: that is for `thread_watch` to see. A client stands for a process, and its thread
for the main one: it may say what it does on a signal or an alarm, and none ever comes.
"""

from __future__ import annotations

import signal
import threading
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from raceproof.search import stand_ins
from raceproof.search.stand_ins import Deterministic
from raceproof.wire.calls import Unsearchable, hearing

_MOMENT = 0.1  # seconds


class Child:
    """What a thread that a client started is given: the client's chance, and no time of its own."""

    def __init__(self, client: Deterministic) -> None:
        self.client = client
        self.chance = client.chance
        self.wall_clock = client.wall_clock
        self.stopwatch = client.stopwatch
        self.refuse = client.refuse

    def sleep(self, seconds: float) -> None:
        """Refuse: when it wakes would be nobody's choice."""
        raise Unsearchable(
            f"a thread that a client started, {threading.current_thread().name!r}, sleeps "
            f"{seconds:g} s, which cannot be searched; make it a client of the search"
        )


_children: dict[int, WeakSet[threading.Thread]] = {}


def _start(client: Deterministic, real: Any, thread: threading.Thread) -> None:
    """Start a thread that belongs to this client."""
    owner = client.client if isinstance(client, Child) else client
    run = thread.run

    def run_as_child() -> None:
        stand_ins.enter(Child(owner))
        try:
            with hearing(owner.refuse):
                run()
        finally:
            stand_ins.leave()

    thread.run = run_as_child  # type: ignore[method-assign]
    _children.setdefault(id(owner), WeakSet()).add(thread)
    real(thread)


def wait_for_children(client: Deterministic) -> None:
    """Give the threads of a client that has ended a moment, in which they may make a call."""
    for thread in list(_children.pop(id(client), ())):
        thread.join(_MOMENT)


def _wait(client: Deterministic, real: Any, condition: Any, timeout: float | None = None) -> bool:
    """Wait for a condition (an Event, a Queue, a Semaphore). With a time-out it is sleep.

    Only threads of the client's own can bring what it waits for, and they do so at once
    or never; in one of those no time passes by itself.
    """
    if timeout is not None and timeout <= 0:
        return bool(real(condition, timeout))
    mine = any(thread.is_alive() for thread in _children.get(id(client), ()))
    if timeout is None or mine or isinstance(client, Child):
        return bool(real(condition, None))
    client.sleep(max(0.0, timeout))
    return False


_handlers: WeakKeyDictionary[Any, dict[int, Any]] = WeakKeyDictionary()


def _handle(client: Deterministic, real: Any, number: int, handler: Any) -> Any:
    """Note what a client would do on a signal; return what it would have done before."""
    if isinstance(client, Child):
        return real(number, handler)  # raises, as ever: it is not the main thread
    mine = _handlers.setdefault(client, {})
    before = mine.get(number, signal.SIG_DFL)
    mine[number] = handler
    return before


def _handler(client: Deterministic, real: Any, number: int) -> Any:
    return _handlers.get(client, {}).get(number, signal.SIG_DFL)


def _no_alarm(client: Deterministic, real: Any, *when: Any) -> int:
    return 0


def replace() -> None:
    """Name what is replaced."""
    stand_ins.function(signal, "signal", _handle)
    stand_ins.function(signal, "getsignal", _handler)
    stand_ins.function(signal, "alarm", _no_alarm)
    stand_ins.method(threading.Thread, "start", _start)
    stand_ins.method(threading.Condition, "wait", _wait)
