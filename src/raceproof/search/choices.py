"""What can happen next at a node of the search, one class for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from raceproof.trace.steps import Fate
from raceproof.wire.calls import Call


@dataclass(frozen=True)
class ClientStep:
    """A client makes its next call, and this befalls it.

    `underway`: the request stays on its way when its sender dies or gives up.
    """

    client: int
    fate: Fate
    underway: bool = False


client_step = cache(ClientStep)  # one object for all nodes of a graph


@dataclass(frozen=True)
class OutOfCalls:
    """A client has made all the calls that it may make, and has not ended."""

    client: int


@dataclass(frozen=True)
class ServiceMove:
    """A service does something by itself: time passes, a subscription takes effect."""

    actor: str
    call: Call


@dataclass(frozen=True)
class Arrival:
    """A request takes effect whose sender no longer waits; `which` of those of the node."""

    which: int


Choice = ClientStep | OutOfCalls | ServiceMove | Arrival


def mover(choice: Choice) -> int | None:
    """Return the client that goes on with this choice; None: no client does."""
    return choice.client if isinstance(choice, ClientStep | OutOfCalls) else None


def is_fault(choice: Choice) -> bool:
    """Whether somebody has to fail for this: a client dies, or a connection breaks."""
    return isinstance(choice, ClientStep) and choice.fate not in ("answered", "timed-out")
