"""The profile function: which classes' methods are entered and left, and what each added."""

from __future__ import annotations

import dis
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass
class Visit:
    """One call: whose method, and the keys or attributes it added.

    `raised` is True if it was left by an exception, whether or not somebody caught that.
    """

    owner: type
    added: tuple[str, ...] = ()
    raised: bool = False


class FrameWatcher:
    """Give it to `sys.setprofile`: keeps a stack of the open calls and what they started from."""

    def __init__(self, owners: dict[int, type], visits: list[Visit]) -> None:
        self.owners, self.visits = owners, visits
        self.stack: list[tuple[FrameType, Visit, dict[str, Any], dict[str, Any]]] = []
        self.subject: object = None

    def __call__(self, frame: FrameType, event: str, returned: object) -> None:
        """Note a call or a return of one of the methods; Python calls this for every frame."""
        owner = self.owners.get(id(frame.f_code))
        if owner is None or event not in ("call", "return"):
            return
        if event == "call":
            code = frame.f_code
            subject = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
            if not self.visits:
                self.subject = subject
            if subject is self.subject or subject is None:
                self.visits.append(Visit(owner))
                self.stack.append((frame, self.visits[-1], _state(self.subject), {}))
        elif self.stack and self.stack[-1][0] is frame:
            _, visit, before, from_below = self.stack.pop()
            if not _returns(frame):
                visit.raised = True
                return
            keys = returned if isinstance(returned, Mapping) else {}
            has = {**_state(self.subject), **{str(key): value for key, value in keys.items()}}
            known = {**before, **from_below}
            visit.added = tuple(k for k in has if k not in known or has[k] is not known[k])
            if self.stack:
                self.stack[-1][3].update(has)


def _returns(frame: FrameType) -> bool:
    """Is the frame left by `return`? A profiler is told None for an exception too."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]].startswith(("RETURN", "YIELD"))


def _state(subject: object) -> dict[str, Any]:
    return dict(getattr(subject, "__dict__", {}))
