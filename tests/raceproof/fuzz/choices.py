"""Where random programs take their choices from: the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Protocol


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
