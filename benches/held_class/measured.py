"""What a class of learners did and saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

AFTER_KILL = 5.0  # seconds after a kill, or after the server is back, that are counted apart
WHEN = ("before the first kill", "between the kills", "after the last kill", "in a kill")


@dataclass
class Measured:
    """What a class of learners did and saw."""

    sent: dict[tuple[str, str], float] = field(default_factory=dict)
    shown: dict[tuple[str, str], float] = field(default_factory=dict)
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    again: set[tuple[str, str]] = field(default_factory=set)
    kills: list[float] = field(default_factory=list)
    replies: Counter[str] = field(default_factory=Counter)
    stored: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    connections: int = 0
    memory: float = 0.0
    cpu: float = 0.0

    def waits(self) -> dict[str, list[float]]:
        """Seconds from tick to board by the time of the tick, sorted; those near a kill apart."""
        found: dict[str, list[float]] = {}
        for tick, at in self.sent.items():
            if tick in self.shown:
                found.setdefault(self._when(at), []).append(self.shown[tick] - at)
        return {when: sorted(found[when]) for when in WHEN if when in found}

    def _when(self, at: float) -> str:
        if any(-1.0 <= at - kill <= AFTER_KILL for kill in self.kills):
            return WHEN[-1]
        return WHEN[0 if at < self.kills[0] else 1 if at < self.kills[-1] else 2]

    def course(self, seconds: float) -> list[tuple[float, float, float]]:
        """For each so many seconds of the class: its middle, p50 and p99 from tick to board."""
        began, slots = min(self.sent.values()), defaultdict[int, list[float]](list)
        for tick, at in self.sent.items():
            if tick in self.shown:
                slots[int((at - began) / seconds)].append(self.shown[tick] - at)
        return [
            ((slot + 0.5) * seconds, quantile(waits, 50), quantile(waits, 99))
            for slot, waits in sorted(slots.items())
        ]

    def wrong(self) -> list[str]:
        """What is not as it must be: [] if every acknowledged solve is stored once."""
        found = [f"{t}: told {a}, stored {self.stored.get(t)}" for t, a in self.told.items()
                 if self.stored.get(t) != [a]]  # fmt: skip
        return found + [f"{tick}: never shown" for tick in self.told if tick not in self.shown]


def quantile(waits: list[float], percent: int) -> float:
    """Return the wait that so many of a hundred do not exceed."""
    return sorted(waits)[min(len(waits) - 1, len(waits) * percent // 100)]
