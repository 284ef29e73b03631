"""Rounds, and what one way takes or does as a ratio to another of the same round.

A machine is at times twice as fast as at others. So all ways have their turn in each round, only
figures of one round are divided by each other, and the spread over all rounds stands beside the
middle one.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def rounds(count: int, ways: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Let each way have its turn in each round; return what each found in each round."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(count):
        for name, measure in ways.items():
            found[name].append(measure())
        print(f"round {number + 1} of {count}", flush=True)
    return found


def spread(ours: Sequence[float], base: Sequence[float]) -> dict[str, float]:
    """Return how many times the base ours is: the middle one of all rounds, least and most."""
    ratios = [mine / theirs for mine, theirs in zip(ours, base, strict=True)]
    parts = {"times": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    return {name: round(value, 3) for name, value in parts.items()}


def as_text(found: Mapping[str, Any]) -> str:
    """Return a ratio with its spread, as tables show it."""
    return f"{found['times']:.2f} ({found['least']:.2f} to {found['most']:.2f})"


def middle(values: Sequence[float], digits: int = 1) -> float:
    """Return the median of all rounds, as files keep it."""
    return round(statistics.median(values), digits)


def share(values: Sequence[float], part: float) -> float:
    """Return the value that this part of them does not exceed; they are sorted."""
    return values[max(0, -int(-part * len(values) // 1) - 1)]
