"""What is done to the services of a world."""

from __future__ import annotations

import dataclasses

from raceproof.wire.calls import Call


@dataclasses.dataclass(frozen=True)
class Leaving:
    """All connections of an actor to a store close."""

    store: str
    text: str = "closes its connections"


@dataclasses.dataclass(frozen=True)
class Detaching:
    """The connection on which a call was sent outlives its sender, until the call arrives."""

    store: str
    call: Call
    late: str
    text: str = "is gone, its connection is not yet"


Action = Call | Leaving | Detaching
