"""What the notes of a trial say: how fast, how soon, and what was lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Notes:
    """When each job was put, begun and ended, in nanoseconds; a job may begin or end many times."""

    put: dict[int, int] = field(default_factory=dict)
    begun: list[tuple[int, int]] = field(default_factory=list)  # job, when
    ended: list[tuple[int, int]] = field(default_factory=list)

    @property
    def done(self) -> set[int]:
        """The jobs that have ended at least once."""
        return {number for number, _ in self.ended}


def read(lines: Iterable[bytes]) -> Notes:
    """Read the notes of `job.note`; a line that a killed process could not finish is left out."""
    notes = Notes()
    for line in lines:
        words = line.split()
        if len(words) != 3 or not line.endswith(b"\n"):
            continue
        what, number, when = words[0], int(words[1]), int(words[2])
        if what == b"put":
            notes.put[number] = when
        elif what in (b"begin", b"end"):
            (notes.begun if what == b"begin" else notes.ended).append((number, when))
    return notes


def rate(notes: Notes) -> float:
    """Jobs a second, from the first that begins to the last that ends."""
    first = min(when for _, when in notes.begun)
    last = max(when for _, when in notes.ended)
    return len(notes.done) * 1e9 / (last - first)


def waits(notes: Notes) -> list[float]:
    """Milliseconds from put to the first start of each job, shortest first."""
    first: dict[int, int] = {}
    for number, when in notes.begun:
        first[number] = min(when, first.get(number, when))
    return sorted(
        (first[number] - put) / 1e6 for number, put in notes.put.items() if number in first
    )


def lost(notes: Notes) -> int:
    """How many jobs were put and never ended."""
    return len(notes.put.keys() - notes.done)


def doubled(notes: Notes) -> int:
    """How many jobs ended more than once."""
    return sum(count > 1 for count in Counter(number for number, _ in notes.ended).values())


def begun_again(notes: Notes) -> int:
    """How many jobs began more than once: they were interrupted, or handed out twice."""
    return sum(count > 1 for count in Counter(number for number, _ in notes.begun).values())
