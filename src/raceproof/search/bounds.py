"""What a search covers, as numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass

_EXACT = 10**12  # counts above this are rounded in words


@dataclass(frozen=True)
class Bounds:
    """What a search covers; its words are part of every report.

    `crashes` (0) and `lost_replies` (0): how many may happen in one schedule, to any
    client at any call. A lost reply is that, or a lost request: the client sees the same.
    `late` (0): how many requests of clients that have died or given up may still be on
    their way, and take effect later.
    `preemptions` (None, any number): how often a client that could go on may be
    interrupted.
    `timeouts` (1): how often each client may give up waiting while others can still move.
    `polls` (3): how often in a row each may ask the same in vain while others can still
    move, if it would ask for ever (`search/polling.py` says what that is).
    `calls` (60): how many calls a client may make; one that wants more is a finding.
    `states` (200,000): how many states are looked at before the search is cut short.
    """

    crashes: int
    lost_replies: int
    late: int
    preemptions: int | None
    timeouts: int
    polls: int
    calls: int
    states: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 1 if name in ("polls", "calls", "states") else 0
            if name == "preemptions" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number, {least} or more: {value!r}")

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
            parts.append(early if self.timeouts else "no client giving up early")
        if "locks" in held_back:
            parts.append("no client giving up on a lock early")
        if "polls" in held_back:
            parts.append(f"each asking in vain at most {number(self.polls, 'time')} in a row")
        return parts


def count_text(count: int) -> str:
    """Return a count in words: `34,650`, or rounded, as two digits and a power of ten."""
    if count <= _EXACT:
        return f"{count:,}"
    digits, power = _rounded(count)
    return f"about {digits} \N{MULTIPLICATION SIGN} 10^{power}"


def number(count: int, noun: str) -> str:
    """Return a count with its noun: `1 crash`, `34,650 schedules`."""
    if count == 1:
        return f"1 {noun}"
    plural = {"crash": "crashes", "lost reply": "lost replies"}.get(noun, f"{noun}s")
    return f"{count_text(count)} {plural}"


def _rounded(count: int) -> tuple[str, int]:
    """Return the first two digits and the power of ten, also of what is too large for a float."""
    power = count.bit_length() * 30103 // 100000  # never too small: 0.30103 is above log10(2)
    while 10**power > count:
        power -= 1
    tenths = (count + 10**power // 20) // (10**power // 10)
    if tenths == 100:
        tenths, power = 10, power + 1
    return f"{tenths // 10}.{tenths % 10}", power
