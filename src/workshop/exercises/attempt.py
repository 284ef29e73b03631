"""One call of the learner's code, which may raise, print, exit or never end."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from typing import Any

from raceproof.search.onlooking import onlooking
from raceproof.search.thread_stop import stop_thread
from raceproof.search.thread_watch import ThreadWatch
from workshop.exercises.verdict import line_of

SECONDS = 5.0  # how long one call of the learner's code may compute


def gave_up() -> str:
    """Return what is said of code that does not end, to follow its name."""
    return f"does not end: given up after {SECONDS:g} seconds"


class Attempt:
    """One call of the learner's code, in a thread that is told to stop when it takes too long."""

    def __init__(self, call: Callable[..., Any], *args: Any) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        thread = threading.Thread(target=self._run, args=(call, args), daemon=True)
        with contextlib.redirect_stdout(io.StringIO()):
            thread.start()
            thread.join(0.1)
            watch = ThreadWatch(thread, SECONDS)
            while thread.is_alive() and watch.look() == "goes on":
                thread.join(watch.pause)
            self.hangs = thread.is_alive()
            for _ in range(20 if self.hangs else 0):
                stop_thread(thread, SystemExit)
                thread.join(0.05)

    def _run(self, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            with onlooking():
                self.value = call(*args)
        except BaseException as error:
            self.error = error

    @property
    def trouble(self) -> str:
        """What went wrong, in words that follow the call; empty if it returned."""
        if self.hangs:
            return f"{gave_up()}."
        if self.error is None:
            return ""
        text = " ".join(str(self.error).split())
        return f"raises {type(self.error).__name__}: {text}{line_of(self.error)}."
