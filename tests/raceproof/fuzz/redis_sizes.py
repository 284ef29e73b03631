"""How many schedules a Redis program has, roughly, and how to make it smaller."""

from __future__ import annotations

import math
from typing import Any

from tests.raceproof.fuzz.programs import Forever, Pipe, Subscribe, Try, Until, Watch


def keep_small(
    clients: dict[str, tuple[Any, ...]],
    bounds: dict[str, int],
    most: int,
    length: bool,
    ticks: tuple[float, ...],
) -> None:
    """Take away until there are about so many schedules; with `length`, faults go first."""
    while _schedules(clients, bounds, len(ticks)) > most:
        if bounds and length:
            bounds.pop(next(reversed(bounds)))
            continue
        longest = max(clients, key=lambda name: sum(map(_requests, clients[name])))
        if len(clients[longest]) > 1:
            clients[longest] = clients[longest][:-1]
        elif bounds:
            bounds.pop(next(reversed(bounds)))
        elif len(clients) > 2:
            clients.popitem()
        else:
            return


def _schedules(clients: dict[str, tuple[Any, ...]], bounds: dict[str, int], ticks: int) -> float:
    """Guess how many schedules there are."""
    counts = [sum(map(_requests, operations)) for operations in clients.values()]
    counts += [ticks] * bool(ticks)
    total = sum(counts)
    guess = math.factorial(total) / math.prod(map(math.factorial, counts))
    for name in bounds:
        guess *= 2 if name == "late" else 1 + total / 2
    return guess


def _requests(operation: Any) -> int:
    if isinstance(operation, Watch):
        return 3 * operation.tries
    if isinstance(operation, Try):
        return sum(map(_requests, operation.body))
    if isinstance(operation, Pipe):
        return 1 if operation.multi else len(operation.commands)
    if isinstance(operation, Forever):
        return 2
    if isinstance(operation, Until):
        return operation.times
    if isinstance(operation, Subscribe):
        return 1 if operation.ends else 2
    return 1 + ("$" in getattr(operation, "args", ()))
