"""What a search covers, as numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What a search covers; its words are part of every report.

    `crashes` and `lost_replies` are how many may happen in one schedule, to any
    client at any call. `late`: how many requests of a client that has died or given
    up may still be on their way, and take effect later. `preemptions`: how often a
    client that could go on may be interrupted (None: any number). `timeouts`: how
    often each client may give up waiting while others can still move. `polls`: how
    often each may ask the same in vain while others can still move. `calls`: how many
    calls a client may make.
    """

    crashes: int = 0
    lost_replies: int = 0
    late: int = 0
    preemptions: int | None = None
    timeouts: int = 1
    polls: int = 3
    calls: int = 60
    states: int = 200_000

    def faults(self) -> list[str]:
        """Return in words what may go wrong."""
        parts = []
        if self.crashes:
            parts.append(f"up to {number(self.crashes, 'crash')}")
        if self.lost_replies:
            parts.append(f"up to {number(self.lost_replies, 'lost reply')}")
        if self.late:
            parts.append(f"up to {number(self.late, 'late request')}")
        return parts

    def limits(self, held_back: frozenset[str]) -> list[str]:
        """Return in words what was left out; `held_back` names the bounds that cut anything."""
        parts = []
        if self.preemptions is not None:
            parts.append(f"up to {number(self.preemptions, 'preemption')}")
        if "timeouts" in held_back:
            early = f"each giving up early at most {number(self.timeouts, 'time')}"
            parts.append(early if self.timeouts else "nobody giving up early")
        if "locks" in held_back:
            parts.append("nobody giving up on a lock early")
        if "polls" in held_back:
            parts.append(f"each asking in vain at most {number(self.polls, 'time')} in a row")
        return parts


def number(count: int, noun: str) -> str:
    """Return a count with its noun: `1 crash`, `34,650 schedules`."""
    if count == 1:
        return f"1 {noun}"
    plural = {"crash": "crashes", "lost reply": "lost replies"}.get(noun, f"{noun}s")
    return f"{count:,} {plural}"
