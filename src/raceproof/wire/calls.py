"""Calls and their outcomes: what passes between a client and a service during a search."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from raceproof.trace.steps import Fate
from raceproof.wire.errors import (
    Crash,
    ExplorerError,
    LooksCloser,
    NoCallError,
    NotDeterministicError,
    Unsearchable,
    Violation,
    hearing,
    time_of,
)
from raceproof.wire.exact import exact

__all__ = [
    "Ask",
    "Call",
    "Crash",
    "ExplorerError",
    "LooksCloser",
    "NoCallError",
    "NotDeterministicError",
    "Outcome",
    "Performed",
    "Unsearchable",
    "Violation",
    "hearing",
    "time_of",
]


@dataclass(frozen=True)
class Call:
    """One call on a service, described but not yet made.

    Two calls are the same when `store` and `key` are: the key holds everything
    that is sent. `text` is the call in the words of the field, `data` what the
    adapter needs to make it. A call that `waits` may have to block; `timeout` is
    how long (None: for ever, in seconds) and `gives_up` what it returns then. `late` is in place
    of `data` when it arrives after its sender has gone, unless that is None.
    `holds` marks calls that leave something on the server which ends with the
    client's connection (a subscription, a WATCH, an open transaction). One of those that
    `lasts` takes effect all the same if it arrives when its sender has gone. A call that
    `delivers` only takes what the store sends by itself. One that does not `travel`
    (reading the clock, sleeping) has no request or reply that could be lost. Of what
    a store does by itself, `fate` is what a run calls it ("tick": time passes).

    One that is `patient` gives up only when nobody else can move. Of one that is
    `private` nobody can tell when it is made, or fails, beside what others can do
    meanwhile: it is made at once (a client that measures its time can tell when time passes).
    One that `prepares` ("yes") has no effect but on the next, and is one step with it; "maybe"
    says that it is so if the next is one, or says that it is "prepared".
    """

    store: str
    key: Hashable
    text: str = field(compare=False)
    data: Any = field(default=None, compare=False, repr=False)
    late: Any = field(default=None, compare=False, repr=False)
    waits: bool = field(default=False, compare=False)
    timeout: float | None = field(default=None, compare=False)
    gives_up: Any = field(default=None, compare=False)
    holds: bool = field(default=False, compare=False)
    lasts: bool = field(default=False, compare=False)
    delivers: bool = field(default=False, compare=False)
    patient: bool = field(default=False, compare=False)
    private: bool = field(default=False, compare=False)
    prepares: Literal["", "maybe", "yes", "prepared"] = field(default="", compare=False)
    travels: bool = field(default=True, compare=False)
    fate: Fate = field(default="subscribed", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", exact(self.key))

    def arriving_late(self) -> Call:
        """Return the call as it is made when its sender has gone."""
        return self if self.late is None else replace(self, data=self.late)


@dataclass(frozen=True)
class Outcome:
    """What a client gets for a call: a value or an error, as bytes, so that nobody shares it.

    `passed`: the seconds that all ticks of the world's clock took until then.
    """

    kind: Literal["value", "error", "timed-out", "lost"]
    blob: bytes = field(repr=False)
    text: str = field(default="", compare=False)
    passed: float = 0.0

    @classmethod
    def value(cls, value: object, text: str) -> Outcome:
        """Return the outcome of a call that got this value; `text` shows the reply."""
        return cls("value", pickle.dumps(value), text)

    @classmethod
    def error(cls, error: BaseException, text: str) -> Outcome:
        """Return the outcome of a call that the service answered with this error."""
        return cls("error", pickle.dumps(error), text)

    @classmethod
    def timed_out(cls, call: Call) -> Outcome:
        """Return the outcome of a call that gave up: what it returns then."""
        return cls("timed-out", pickle.dumps(call.gives_up))

    @classmethod
    def lost(cls, error: BaseException) -> Outcome:
        """Return the outcome of a call whose request or reply was lost: the client's error."""
        return cls("lost", pickle.dumps(error))

    def at(self, passed: float) -> Outcome:
        """Return this outcome, had after ticks of so many seconds."""
        return self if passed == self.passed else replace(self, passed=passed)

    def deliver(self) -> Any:
        """Return the value, or raise the error."""
        value = pickle.loads(self.blob)
        if self.kind in ("error", "lost"):
            value.injected_by_the_search = self.kind == "lost"
            try:
                raise value
            finally:
                del value  # else it would hold itself, by its traceback
        return value


@dataclass(frozen=True)
class Performed:
    """What an adapter says after a call: its outcome, and whether the store may have changed."""

    outcome: Outcome
    changed: bool = True


# How a client's proxy asks for a call: returns the value or raises.
Ask = Callable[[Call], Any]
