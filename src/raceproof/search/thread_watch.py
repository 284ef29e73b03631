"""Whether a thread that makes no call computes, waits for somebody, or is only slow."""

from __future__ import annotations

import linecache
import sys
import threading
import time
from os.path import basename
from types import FrameType
from typing import Literal

from raceproof.search.thread_stop import stop_thread
from raceproof.wire.calls import Crash

_STILL = 3.0  # seconds in which a thread does not move and uses no time: it waits
_IDLE = 0.02  # the share of the time for which a thread that only waits may compute
_SLOW = 6  # times its patience in real seconds, whatever it does
_CLOCK = 6  # the bits that make a thread's number the clock of the time it used, on Linux

_WAITS_IN = {"threading", "queue", "selectors", "socket", "ssl", "asyncio"}  # for others


class ThreadWatch:
    """Watches one thread between two calls; time that goes to other programs is not counted."""

    def __init__(self, thread: threading.Thread, patience: float) -> None:
        self.pause = min(0.25, patience / 4)
        self._thread = thread
        self._patience = patience
        self._begun = self._moved = time.monotonic()
        self._at_first = self._used = _computing_time(thread)
        self._frame: tuple[int, int] | None = None

    def look(self) -> Literal["goes on", "computes", "waits"]:
        """Return what the thread has been doing since it was watched."""
        now, used, frame = time.monotonic(), _computing_time(self._thread), self._standing()
        where = None if frame is None else (id(frame), frame.f_lasti)
        passed = now - self._begun
        if used is None:  # the machine does not tell: then it is the real time that counts
            return "computes" if passed > 2 * self._patience else "goes on"
        computed = used - (self._used or 0.0)
        if where != self._frame or computed > 0.001 + _IDLE * (now - self._moved):
            self._moved, self._frame, self._used = now, where, used
        if used - (self._at_first or 0.0) > self._patience or passed > _SLOW * self._patience:
            return "computes"
        return "waits" if now - self._moved > _STILL else "goes on"

    @property
    def place(self) -> str:
        """Return the line at which the thread stands, outside the libraries that only wait."""
        frame = self._standing()
        if frame is None:
            return "a line that is gone"
        name, number = frame.f_code.co_filename, frame.f_lineno
        line = linecache.getline(name, number).strip()
        return f"{basename(name)}:{number}" + (f" ({line})" if line else "")

    def stop(self) -> None:
        """Let the thread die at its next line."""
        stop_thread(self._thread, Crash)

    def _standing(self) -> FrameType | None:
        frame = sys._current_frames().get(self._thread.ident or 0)
        while frame is not None:
            module = str(frame.f_globals.get("__name__", ""))
            ours = module.startswith(f"{__package__}.")
            if module.partition(".")[0] not in _WAITS_IN and not ours:
                break
            frame = frame.f_back
        return frame


def _computing_time(thread: threading.Thread) -> float | None:
    """Return the seconds for which a thread has been computing; None where nobody knows."""
    if sys.platform != "linux" or thread.native_id is None:
        return None
    try:
        return time.clock_gettime((~thread.native_id << 3) | _CLOCK)
    except OSError:
        return None
