"""Where a client stands, and the replies that brought it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from raceproof.search.journal import note_text
from raceproof.wire.calls import Call, Outcome


@dataclass(frozen=True)
class Situation:
    """Where a client stands: the call it makes next, or how it ended.

    `said` are the notes since its last reply; `told` the calls it sent without
    waiting for a reply (closing a connection). `endless`: it had to be stopped,
    since it computes and computes without a call.
    """

    call: Call | None
    said: tuple[Any, ...] = ()
    told: tuple[Call, ...] = ()
    ended: str = ""
    error: BaseException | None = None
    endless: bool = False

    def same(self, other: Situation) -> bool:
        """Return whether a client that stands there stands here, for all that can be told."""
        if (self.call, self.ended) != (other.call, other.ended):
            return False
        return _texts(self.said) == _texts(other.said)

    def words(self) -> str:
        """Return in words what the client does here."""
        return repr(self.call.text) if self.call else f"end ({self.ended})"


def _texts(notes: tuple[Any, ...]) -> list[str]:
    """Return notes as they are read: an error equals no other that says the same."""
    return [note_text(note) for note in notes]


class History:
    """The replies a client has had, as a node of a tree; its situation is known once computed."""

    situation: Situation

    def __init__(self, id: int, parent: History | None, call: Call | None, outcome: Outcome | None):
        self.id = id
        self.parent = parent
        self.call = call
        self.outcome = outcome
        self.children: dict[Outcome, History] = {}
        self.depth: int = parent.depth + 1 if parent else 0
        kind = outcome.kind if outcome else ""
        self.timeouts: int = (parent.timeouts if parent else 0) + (kind == "timed-out")
        self.losts: int = (parent.losts if parent else 0) + (kind == "lost")
        self.holds: bool = bool((parent and parent.holds) or (call and call.holds))

    def path(self) -> list[History]:
        """Return the nodes from the first reply to this one."""
        nodes: list[History] = []
        node = self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def remembered(self) -> History:
        """Return the earliest history that says the same: all that is left of who has died."""
        node = self
        while node.parent is not None and not node.situation.said:
            if (node.timeouts, node.losts) != (node.parent.timeouts, node.parent.losts):
                break
            node = node.parent
        return node

    def notes(self) -> list[Any]:
        """Return everything the client has said."""
        first = self
        while first.parent is not None:
            first = first.parent
        return [note for node in [first, *self.path()] for note in node.situation.said]
