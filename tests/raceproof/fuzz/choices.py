"""Where random programs take their choices from: a seeded Random, or Hypothesis."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hypothesis import strategies as st


class Choices(Protocol):
    """What a generator of programs asks for."""

    def one(self, of: Sequence[Any]) -> Any: ...
    def number(self, low: int, high: int) -> int: ...
    def chance(self, percent: int) -> bool: ...


class Seeded:
    """Choices of a seed: the same program for the same seed, on every machine."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def one(self, of: Sequence[Any]) -> Any:
        return of[self.number(0, len(of) - 1)]

    def number(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, percent: int) -> bool:
        return self._random.random() * 100 < percent


class Drawn:
    """Choices of Hypothesis, which shrinks a program that fails; the first ones are simplest."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def one(self, of: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(list(of)))

    def number(self, low: int, high: int) -> int:
        return int(self._draw(st.integers(low, high)))

    def chance(self, percent: int) -> bool:
        return bool(self._draw(st.integers(0, 99)) >= 100 - percent)


def strategy(generate: Callable[[Choices], Any]) -> st.SearchStrategy[Any]:
    """Return the Hypothesis strategy of a generator."""

    @st.composite
    def programs(draw: Any) -> Any:
        return generate(Drawn(draw))

    return programs()
