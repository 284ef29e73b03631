"""One program, three ways: the search, the search without merging, and plain enumeration."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import DEFAULT, patch

from tests.raceproof.fuzz.places import CLIENTS, STEPPED, seen_in, source_of, world_for
from tests.raceproof.fuzz.postgresql_gates import Unclear
from tests.raceproof.fuzz.programs import Program, verdict, verdict_in_between
from tests.raceproof.fuzz.redis_time import matters
from tests.raceproof.fuzz.schedules import Found, TooManyError, enumerate_schedules

from raceproof import NoCallError, Report, Violation, explore


@dataclass
class Comparison:
    """What became of one program: "agree", "differ", "refused" or "too big"."""

    program: Program
    verdict: str
    words: str = ""
    schedules: int = 0
    found: dict[str, Any] = field(default_factory=dict)


def compare(
    program: Program, on: str, most: int = 120, full: int = 120, replays: bool = True
) -> Comparison:
    """Search a program and enumerate it on one kind of server.

    It is searched with merge=False, too, if it has no more than `full` schedules. Without
    `replays` the search leaves out what takes it as long as the rest: to make some schedules
    again at the end, as it does where each was made for real.

    The merged search comes first: it is quick, and says whether there are too many schedules.
    """
    source = source_of(on)
    if on == "redis-server" and matters(program) and not source.tells_time:
        return Comparison(program, "no time here")
    results: dict[str, Found] = {}
    try:
        with nullcontext() if replays else _no_replays():
            results["merged"] = searched(program, source, merge=True, states=10 * most)
        if results["merged"].schedules > most:
            return Comparison(program, "too big")
        if results["merged"].schedules <= full:
            with _no_replays():
                results["full"] = searched(program, source, merge=False)
    except (NotImplementedError, NoCallError) as refusal:
        return Comparison(program, "refused", str(refusal))
    except Exception as error:
        return _failed(program, f"search: {type(error).__name__}: {error}", error)
    try:
        plain = enumerate_schedules(program, lambda p: STEPPED[p.kind](source, p), 4 * most)
    except Unclear:
        return Comparison(program, "unclear")
    except TooManyError:
        words = f"{results['merged'].schedules} schedules, right more than {4 * most}"
        return Comparison(program, "differ", words, 4 * most, results)
    except Exception as error:
        return _failed(program, f"enumerator: {type(error).__name__}: {error}", error)
    words = "; ".join(
        f"{way}: {text}"
        for way, found in results.items()
        if (text := difference(plain, found, counts=_counts(program)))
    )
    results["plain"] = plain
    return Comparison(program, "differ" if words else "agree", words, plain.schedules, results)


def _no_replays() -> Any:
    return patch.multiple(Report, confirm=DEFAULT, confirm_some=DEFAULT)


def _counts(program: Program) -> bool:
    """Whether the search tries the order inside a transaction that keeps all others out."""
    return program.options.get("begin") != "immediate" or bool(program.always)


def _failed(program: Program, words: str, error: Exception) -> Comparison:
    if "fakeredis" in _last_file(error):  # its own mistake, as a Python error
        return Comparison(program, "fakeredis fails", words)
    return Comparison(program, "differ", words)


def _last_file(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else trace.tb_frame.f_code.co_filename


def searched(
    program: Program,
    source: Any,
    merge: bool,
    states: int = 200_000,
    *,
    make: Callable[[Program, Any], Any] = world_for,
    using: Callable[[Any], Any] = lambda code: code,
) -> Found:
    """Return what the search finds; `using` says how clients and checks use worlds of `make`."""

    def check(world: Any) -> None:
        wrong = verdict(program, seen_in(program, source, world))
        if wrong is not None:
            raise Violation(wrong)

    def always(world: Any) -> None:
        wrong = verdict_in_between(program, seen_in(program, source, world))
        if wrong is not None:
            raise Violation(wrong)

    clients = {name: using(CLIENTS[program.kind](ops)) for name, ops in program.clients.items()}
    afterwards = {name: clients.pop(name) for name in program.afterwards}
    report = explore(
        world=lambda: make(program, source),
        clients=clients,
        check=using(check),
        always=using(always) if program.always else None,
        afterwards=afterwards,
        daemons=program.daemons,
        merge=merge,
        states=states,
        **{"polls": 1, **program.bounds},  # type: ignore[arg-type]
    )
    if report.schedules > 10_000 or not report.complete:
        return Found(Counter({None: report.schedules + 10**9 * (not report.complete)}))
    found = Found(Counter({None: report.schedules - report.broken}))
    for finding in report.findings:
        words = plain_words(finding.violation)
        found.ends[words] += finding.schedules
        steps = len(finding.run.steps)
        found.shortest[words] = min(found.shortest.get(words, 10**9), steps)
    found.ends = +found.ends
    return found


def plain_words(violation: str) -> str:
    """Return a violation of the search in the enumerator's words."""
    if violation.startswith("deadlock: "):
        waiting = re.findall(r"(\w+) waits for ever", violation)
        return f"deadlock: {' '.join(waiting)}"
    raised = re.match(r"(\w+) raises (\w+)", violation)
    return f"{raised[1]} raises {raised[2]}" if raised else violation


def difference(right: Found, found: Found, counts: bool = True) -> str:
    """Return in words how two results differ; nothing, if they do not.

    Without `counts` only the set of what is wrong counts: where all transactions keep each other
    out from their beginning on, the search takes the order inside one for no choice.
    """
    if not counts and (+right.ends).keys() == (+found.ends).keys():
        return ""
    if +right.ends == +found.ends and right.shortest == found.shortest:
        return ""
    broken = [sum(n for words, n in f.ends.items() if words is not None) for f in (right, found)]
    parts = [f"{found.schedules}/{broken[1]}, right {right.schedules}/{broken[0]}"]
    for words in {*right.ends, *found.ends}:
        one, two = right.ends.get(words, 0), found.ends.get(words, 0)
        if one != two:
            parts.append(f"{words!r}: {two}, right {one}")
        elif right.shortest.get(words or "") != found.shortest.get(words or ""):
            parts.append(
                f"{words!r} in {found.shortest[words]} steps, right {right.shortest[words]}"
            )
    return " | ".join(parts[:4])
