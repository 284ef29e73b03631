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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raceproof import (
    ExplorerError,
    NoCallError,
    NotDeterministicError,
    Report,
    Violation,
    explore,
)
from raceproof.search.budget import Budget
from raceproof.trace.command_text import shorten
from workshop.exercises.attempt import Attempt, gave_up
from workshop.exercises.kept import Kept
from workshop.exercises.numbers import said, share
from workshop.exercises.predictions import Prediction, mark_prediction
from workshop.exercises.told import told
from workshop.exercises.verdict import Verdict, line_of
from workshop.services import ServiceError, ServiceGone

__all__ = ["Exercise", "Prediction", "Verdict", "mark"]

SECONDS = 15.0  # of computing, for the searches of one exercise all together: see explore
STATES = 20_000
_PASSED_ON = (
    Violation,
    AssertionError,
    ExplorerError,
    NotImplementedError,
    ServiceError,
    ServiceGone,
)
BARE = "its name without parentheses"
_AGAIN = (
    "Your code cannot be searched: it does something else when it runs again, after the same "
    "replies. The search runs it many times, and nothing but the store may tell one from the next."
)


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
    return told(exercise.title, _marked(exercise, answer))


def _marked(exercise: Exercise | Prediction, answer: Any) -> Verdict:
    if isinstance(exercise, Prediction):
        return mark_prediction(exercise, answer)
    if not callable(answer):
        return Verdict(False, f"Hand in your function itself, {BARE}; this is {_kind(answer)}.")
    kept = Kept(answer)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return _mark_function(exercise, answer, kept)
    except NoCallError as error:
        client, *_ = str(error).split(",")
        why = "your function makes none, or not with what it is handed"
        return Verdict(False, f"Not yet: {client}: {why}.{kept.words()}")
    except NotDeterministicError as error:
        return Verdict(False, f"{_AGAIN}{kept.words(error.changed)} What the search saw: {error}")
    except (NotImplementedError, UnicodeError, TypeError) as error:
        why = kept.words(getattr(error, "changed", ""))
        words = f".{why} What the search saw:" if why else ":"
        return Verdict(False, f"Your code cannot be searched{words} {error}")
    except ExplorerError as error:
        return Verdict(False, f"The search gave up: {error}")


def _mark_function(exercise: Exercise, answer: Callable[..., Any], kept: Kept) -> Verdict:
    reports: list[Report] = []
    budget = Budget(SECONDS)
    for search in exercise.searches(answer):
        seconds = max(0.1, budget.left())
        checks = {name: _careful(search[name]) for name in ("check", "always") if search.get(name)}
        report = explore(**{"states": STATES, "seconds": seconds, **search, **checks})
        if report.verdict == "broken":
            shown = report.run is not None and (report.run.steps or report.run.waiting)
            return Verdict(False, _why(report, answer, kept), report if shown else None)
        if report.verdict == "not decided":
            words = (
                f"Not decided: {report.sentence} Make fewer calls, or stop waiting sooner; "
                "what cannot be searched cannot be trusted."
            )
            return Verdict(False, words)
        reports.append(report)
    return Verdict(True, f"{exercise.praise} ({_covered(reports)}: none breaks it.)")


def _careful(check: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return the check, to which something that it cannot read is a violation.

    A check may call the learner's function, so it may not end either. One that did not is
    not made again.
    """
    endless = False

    def checked(world: Any) -> None:
        nonlocal endless
        tried = None if endless else Attempt(check, world)
        endless = tried is None or tried.hangs
        if tried is None or tried.hangs:
            raise Violation(f"the check calls your function, which {gave_up()}")
        if isinstance(tried.error, _PASSED_ON):
            raise tried.error
        if tried.error is not None:
            words = shorten(f"{type(tried.error).__name__}: {tried.error}", 120)
            raise Violation(f"the check cannot read what is stored ({words})") from tried.error

    return checked


def _covered(reports: Sequence[Report]) -> str:
    """Return how many schedules there were, with the bounds of all the searches together."""
    faults = [" and ".join(report.bounds.faults()) for report in reports]
    some = "some with " if len(set(faults)) > 1 else ""
    schedules = sum(report.schedules for report in reports)
    parts = [f"{said(schedules)} schedule{'s' * (schedules != 1)}"]
    parts += [some + fault for fault in dict.fromkeys(faults) if fault]
    parts += dict.fromkeys(limit for report in reports for limit in report.limits)
    return ", ".join(parts)


def _why(report: Report, answer: object, kept: Kept) -> str:
    where = "" if report.error is None else line_of(report.error, answer)
    still = [f" In this search {limit}." for limit in report.limits if "clock stands" in limit]
    words = f"Not yet: {str(report.violation).removesuffix('.')}{where}.{kept.words()}"
    words += "".join(still)
    if report.run is not None and not (report.run.steps or report.run.waiting):
        return f"{words} No client made a call: there is nothing to show."
    which = "; the shortest" if report.schedules > 1 else ""
    return f"{words} {share(report.broken, report.schedules)}{which}:"


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
