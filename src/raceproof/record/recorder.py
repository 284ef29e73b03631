"""What a recorded client tells of its calls, each as a step of the session's run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from raceproof.trace.command_text import reply_text, shorten
from raceproof.trace.steps import Fate, Step

Result = TypeVar("Result")


class Recorder:
    """Records the calls of one actor on one store."""

    def __init__(self, steps: list[Step], lock: threading.RLock, actor: str, store: str) -> None:
        self._steps, self._lock = steps, lock
        self._actor, self._store = actor, store

    def call(
        self,
        text: str,
        make: Callable[[], Result],
        *,
        blocks: bool = False,
        reply: Callable[[Any], str] = reply_text,
        silent: tuple[type[Exception], ...] = (),
    ) -> Result:
        """Make a call and record it with its reply or error, which is raised again.

        `blocks`: it may wait for another actor, so it is made without the lock. `reply`
        words what came back. Errors in `silent` are raised and leave no record.
        """
        if not blocks:
            self._lock.acquire()
        try:
            result = make()
        except silent:
            raise
        except Exception as error:
            lost = isinstance(error, OSError) or "Connection" in type(error).__name__
            self.add(text, "" if lost else reply(error), "reply-lost" if lost else "answered")
            raise
        else:
            gave_up = blocks and not result
            self.add(text, reply(result), "timed-out" if gave_up else "answered")
            return result
        finally:
            if not blocks:
                self._lock.release()

    def add(self, text: str, reply: str = "", fate: Fate = "answered") -> None:
        """Record a step."""
        step = Step(self._actor, self._store, shorten(text, 200), shorten(reply, 120), fate)
        with self._lock:
            self._steps.append(step)
