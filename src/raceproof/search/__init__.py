"""Search every interleaving, crash and lost reply of a few clients, for real.

    report = explore(
        world=fresh_shop,                    # () -> a dataclass of service clients, made anew
        clients={"flusher": flush, "visitor": hit},    # name -> fn(world), ordinary code
        check=every_hit_is_counted,          # (world) -> None, or raises Violation("…")
        crashes=1,                           # the bounds, stated in the report
    )

Each client runs in a thread of its own and is parked at every call on a service.
The search decides who goes on, who dies and whose reply is lost, and tries every
way of deciding. `raceproof.trace.steps` is what it hands to `raceproof.draw`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raceproof.search.bounds import Bounds
from raceproof.search.checks import Check
from raceproof.search.determinism import deterministic
from raceproof.search.exploration import Search
from raceproof.search.journal import Journal
from raceproof.search.progress import Progress
from raceproof.search.report import Finding, Report
from raceproof.search.verdicts import Scenario, Verdicts
from raceproof.search.verdicts import verdicts as _verdicts
from raceproof.trace.steps import Fate, Run, Step
from raceproof.wire.calls import (
    Crash,
    ExplorerError,
    NotDeterministicError,
    Unsearchable,
    Violation,
)
from raceproof.wire.clock import Clock

__all__ = [
    "Clock",
    "Crash",
    "ExplorerError",
    "Fate",
    "Finding",
    "Journal",
    "NotDeterministicError",
    "Report",
    "Run",
    "Step",
    "Unsearchable",
    "Verdicts",
    "Violation",
    "explore",
    "verdicts",
]


def explore(
    *,
    world: Callable[[], Any],
    clients: Mapping[str, Callable[[Any], object]],
    check: Check,
    always: Check | None = None,
    crashes: int = 0,
    lost_replies: int = 0,
    late: int = 0,
    preemptions: int | None = None,
    timeouts: int = 1,
    polls: int = 3,
    allow: tuple[type[BaseException], ...] = (),
    daemons: Sequence[str] = (),
    merge: bool = True,
    states: int = 200_000,
    calls: int = 60,
    seconds: float | None = None,
) -> Report:
    """Try every schedule of the clients within the bounds, and report.

    `check` runs at the end of each schedule, `always` (if given) after each step;
    both see the real world and raise Violation, in words, when it is wrong. A
    client that ends with an exception is a finding too, unless its type is in
    `allow`; so is a schedule in which nobody can move, unless all who wait are in
    `daemons` (clients that may wait for ever).

    Bounds: see `Bounds`. `merge=False` makes every schedule for real from its
    beginning, instead of looking at each state once; it is slow, and finds the same.
    `seconds` cuts the search short after a time; the report then says so.

    Raises NotDeterministicError if a client or service does not behave the same
    on replay, TypeError or ValueError for a world or clients it cannot use.
    """
    if not clients:
        raise ValueError("clients is empty: nothing to search")
    bounds = Bounds(crashes, lost_replies, late, preemptions, timeouts, polls, calls, states)
    for name, value in vars(bounds).items():
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or value < 0
        ):
            raise ValueError(f"{name} must be a whole number, 0 or more: {value!r}")

    def make_search(merged: bool) -> Search:
        return Search(world, clients, check, always, bounds, allow, daemons, merged)

    with deterministic(), Progress("states") as progress:
        search = make_search(merge)
        try:
            graph = search.run(progress, seconds)
        finally:
            for client in search.clients:
                client.close()
            search.stage.close()
        report = Report(make_search, search, graph, tuple(clients))
        report.confirm()
    return report


def verdicts(
    versions: Mapping[str, Scenario | Sequence[Scenario]],
    guarantees: Mapping[str, str] | None = None,
) -> Verdicts:
    """Search versions of a pattern for interleavings, one crash, and one lost reply.

    A version is a dict of the arguments of `explore` without its bounds, or a list
    of such dicts, which are searched one by one and added up in one row.
    `guarantees` says in words what each version promises.
    """
    return _verdicts(explore, versions, guarantees or {})
