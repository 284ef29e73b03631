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
from dataclasses import is_dataclass
from functools import partial
from typing import Any

from raceproof.search.arguments import Task
from raceproof.search.bounds import Bounds
from raceproof.search.captured import look_into
from raceproof.search.checks import Check
from raceproof.search.determinism import deterministic
from raceproof.search.exploration import Search
from raceproof.search.journal import Journal
from raceproof.search.progress import Progress
from raceproof.search.reach import reach
from raceproof.search.report import Finding, Report
from raceproof.search.shared_memory import SharedMemory
from raceproof.search.stand_ins import put_by_tests
from raceproof.search.verdicts import Scenario, Verdicts
from raceproof.search.verdicts import verdicts as _verdicts
from raceproof.trace.steps import Fate, Run, Step
from raceproof.wire.calls import (
    Crash,
    ExplorerError,
    LooksCloser,
    NoCallError,
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
    "NoCallError",
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
    afterwards: Mapping[str, Callable[[Any], object]] | None = None,
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

    What is searched:

    `world`: a function that returns a world, made anew and the same each time: an instance
    of a dataclass whose fields are service clients, and a `Journal` or a `Clock` if wanted.
    `clients`: name -> fn(world), ordinary blocking code, which shares nothing but the world; or
    async functions of one task each, where the world has redis-py's client for asyncio.
    `check`: fn(world), at the end of each schedule: it raises `Violation`, in words, if the
    world is wrong, and returns nothing. It looks at the real world; what it does to it, no
    client sees.
    `always` (None): a check after each step.
    `afterwards` (none): name -> fn(world), clients that run when all others have ended or
    only daemons wait, one by one in this order, before `check` looks: a late reader, the
    survivor who cleans up. Nothing goes wrong with them, and all bounds are theirs too.
    `allow` (none): exceptions with which a client may end; all others are findings.
    `daemons` (none): names of clients that may wait for ever. That nobody else can move
    is a deadlock, and a finding.

    What may go wrong in a schedule (the report says so):

    `crashes` (0): so many clients die, each at any call, before or after it took effect.
    `lost_replies` (0): so many requests or replies are lost; the client lives, and sees a
    connection error.
    `late` (0): so many of the requests that were lost, or whose sender died, take effect
    after all, at any later time.

    What bounds the search (the report says so, where it cut anything):

    `preemptions` (None, any number): how often a client that could go on is interrupted.
    `timeouts` (1): how often each client gives up waiting while others can still move.
    `polls` (3): how often in a row each asks the same in vain while others can still move,
    if it would ask for ever.
    `calls` (60): how many calls a client may make; one that wants more is a finding.
    `states` (200,000), `seconds` (None, no limit): how much is looked at, and for how many
    seconds of computing (by the clock, ten times as many), before the search is cut short. It
    then proves nothing, and its verdict says so.
    `merge` (True): look at each state once. False makes every schedule for real from its
    beginning; it is slow, and finds the same.

    At the end some schedules, broken or not, are made again from scratch. Raises
    NotDeterministicError if a client or service does not behave the same then,
    Unsearchable (its message says what to use instead) if something is used that cannot
    be searched soundly, NoCallError if a client makes no call, TypeError or ValueError
    for a world, clients or bounds that it cannot use.
    """
    bounds = Bounds(crashes, lost_replies, late, preemptions, timeouts, polls, calls, states)
    allowed = (allow,) if isinstance(allow, type) else tuple(allow)
    names = daemons if isinstance(daemons, str) else tuple(daemons)
    after = {} if afterwards is None else afterwards
    task = Task(world, clients, check, always, after, bounds, allowed, names, seconds)
    codes = [*clients.values(), *after.values()]
    with deterministic(), Progress("states") as progress:
        of_world = reach([world])
        kinds = [kind for kind in of_world.code if is_dataclass(kind)]
        found = [reach([code, *kinds], put_by_tests) for code in codes]
        look_into([of_world, *found])
        with SharedMemory(found) as shared:
            graph = None
            while graph is None:
                try:
                    search = Search(task, shared, merge=merge)
                    try:
                        graph = search.run(progress, seconds)
                    finally:
                        search.close()
                except LooksCloser as found:
                    task.closer.add(found.store)
            again = partial(Search, task, shared, merge=False)
            report = Report(again, search, graph, len(clients))
            report.confirm()
            report.confirm_some()
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
