"""Exercises that mark themselves: the search that broke the pattern tries the learner's code.

    repair = Exercise("repair the janitor", searches=lambda janitor: [dict(world=…, clients=…,
                      check=…, crashes=1)])
    mark(repair, my_janitor)      # a sentence, and the shortest schedule that breaks it

Only what the learner hands in is marked. Whatever it does, the answer is a
verdict: never a hang, and never a traceback of ours.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raceproof import ExplorerError, NotDeterministicError, Report, Violation, explore
from raceproof.search.bounds import number
from raceproof.trace.command_text import shorten
from workshop.exercises.predictions import Prediction, mark_prediction
from workshop.exercises.verdict import Verdict, line_of
from workshop.services import ServiceError, ServiceGone

__all__ = ["Exercise", "Prediction", "Verdict", "mark"]

SECONDS = 20.0  # how long the searches of one exercise may take, all together
STATES = 20_000


@dataclass(frozen=True)
class Exercise:
    """A task for which the learner hands in a function.

    `searches` takes that function and returns the searches that it must survive,
    each a dict of arguments of `explore`. At least one check among them must
    fail if the function does nothing.
    """

    title: str
    searches: Callable[[Callable[..., Any]], Sequence[Mapping[str, Any]]]
    praise: str = "Every schedule ends well."


def mark(exercise: Exercise | Prediction, answer: Any) -> Verdict:
    """Mark an answer: a function for an Exercise, a value for a Prediction."""
    if isinstance(exercise, Prediction):
        return mark_prediction(exercise, answer)
    if not callable(answer):
        return Verdict(False, f"Hand in your function itself; this is {_kind(answer)}.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return _mark_function(exercise, answer)
    except (NotDeterministicError, NotImplementedError, UnicodeError) as error:
        return Verdict(False, f"Your code cannot be searched: {error}")
    except ExplorerError as error:
        return Verdict(False, f"The search gave up: {error}")


def _mark_function(exercise: Exercise, answer: Callable[..., Any]) -> Verdict:
    reports: list[Report] = []
    end = time.monotonic() + SECONDS
    for search in exercise.searches(answer):
        seconds = max(0.1, end - time.monotonic())
        checks = {name: _careful(search[name]) for name in ("check", "always") if search.get(name)}
        report = explore(**{"states": STATES, "seconds": seconds, **search, **checks})
        if report.run is not None:
            shown = report.run.steps or report.run.waiting
            return Verdict(False, _why(report, answer), report if shown else None)
        if not report.complete:
            words = (
                f"Not decided: {report.sentence} Make fewer calls, or stop waiting sooner; "
                "what cannot be searched cannot be trusted."
            )
            return Verdict(False, words)
        reports.append(report)
    return Verdict(True, f"{exercise.praise} ({_covered(reports)}: none breaks it.)")


def _careful(check: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return the check, to which something that it cannot read is a violation."""

    def checked(world: Any) -> None:
        try:
            check(world)
        except (Violation, AssertionError, ExplorerError, ServiceError, ServiceGone):
            raise
        except Exception as error:
            said = shorten(f"{type(error).__name__}: {error}", 120)
            raise Violation(f"the check cannot read what is stored ({said})") from error

    return checked


def _covered(reports: Sequence[Report]) -> str:
    """Return how many schedules there were, with the bounds of all the searches together."""
    faults = [" and ".join(report.bounds.faults()) for report in reports]
    some = "some with " if len(set(faults)) > 1 else ""
    parts = [number(sum(report.schedules for report in reports), "schedule")]
    parts += [some + fault for fault in dict.fromkeys(faults) if fault]
    parts += dict.fromkeys(limit for report in reports for limit in report.limits)
    return ", ".join(parts)


def _why(report: Report, answer: object) -> str:
    share = f"{report.broken:,} of {report.schedules:,} schedules"
    verb = "breaks" if report.broken == 1 else "break"
    error = report.error
    where = "" if error is None else line_of(error, answer)
    if report.run is not None and not (report.run.steps or report.run.waiting):
        return f"Not yet: {report.violation}{where}. Nobody made a call: there is nothing to show."
    return f"Not yet: {report.violation}{where}. {share} {verb} it; the shortest:"


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
