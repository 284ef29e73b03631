"""What a search found, as plain values: a Run is a list of Steps.

The explorer makes runs, `raceproof.draw` turns them into pictures; neither knows
more of the other than this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Fate = Literal[
    "answered",  # the call took effect and the actor has its reply (an error reply counts)
    "crash-before",  # the actor died before the call took effect
    "crash-after",  # the call took effect, the actor died before its reply
    "request-lost",  # the call never arrived; the actor lives and sees a connection error
    "reply-lost",  # the call took effect; the actor lives and sees a connection error
    "timed-out",  # a blocking call gave up waiting
    "delivery",  # a published message reaches a subscriber
    "subscribed",  # a subscription, sent earlier, takes effect on the server
    "tick",  # time passes
    "late",  # a request whose sender has given up or died takes effect now
]


@dataclass(frozen=True)
class Step:
    """One move of one actor.

    `call` is what it sent, in the words of the field (`LPUSH jobs a`,
    `PUT /bank/alice:1`); `reply` what came back (`(integer) 2`, `409 conflict`),
    empty when nothing did. `said` are the notes the actor made in the journal
    right after the step; `ended` says how the actor ended, if it did so here
    (`done`, `raised InsufficientFunds`), and is empty otherwise. `changed` is
    whether the step changed what is stored (None: nobody looked).
    """

    actor: str
    store: str
    call: str
    reply: str = ""
    fate: Fate = "answered"
    said: tuple[str, ...] = ()
    ended: str = ""
    changed: bool | None = field(default=None, compare=False, repr=False)

    @property
    def kills(self) -> bool:
        """Whether the actor died in this step."""
        return self.fate in ("crash-before", "crash-after")


@dataclass(frozen=True)
class Run:
    """One schedule, step by step.

    `actors` and `stores` are in the order in which they were declared.
    `violation` says in words what is wrong at the end (None: nothing is), and
    `breaks_at` is the index of the step at which it goes wrong: the first step
    after which no continuation ends well. `waiting` names the actors that can
    never move again, with what each waits for.
    """

    actors: tuple[str, ...]
    stores: tuple[str, ...]
    steps: tuple[Step, ...]
    violation: str | None = None
    breaks_at: int | None = None
    waiting: tuple[tuple[str, str], ...] = ()
