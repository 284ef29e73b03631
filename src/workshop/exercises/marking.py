"""Exercises that mark themselves: the search that broke the pattern tries the learner's code.

    repair = Exercise("repair the janitor", searches=lambda janitor: [dict(world=…, clients=…,
                      check=…, crashes=1)])
    mark(repair, my_janitor)      # a sentence, and the shortest schedule that breaks it

Only what the learner hands in is marked. Whatever it does, the answer is a
verdict: never a hang, and never a traceback of ours.
"""

from __future__ import annotations

import contextlib
import html
import io
import traceback
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
from raceproof.search.bounds import count_text, number
from raceproof.trace.command_text import shorten
from workshop.services import ServiceError, ServiceGone

SECONDS = 20.0  # how long the marking of one exercise may take
STATES = 20_000
_SHAPES: dict[type, str] = {bool: "True or False", int: "a whole number", str: "a str"}


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


@dataclass(frozen=True)
class Prediction:
    """A question with a definite answer, which `truth` finds out by running it.

    The answer is a value, or a dict of values of one type, as many as there are
    questions. `because` is told with a right answer, `try_it` with a wrong one.
    """

    question: str
    truth: Callable[[], object]
    because: str = ""
    try_it: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the marker says: passed or not, why, and the schedule that shows it."""

    passed: bool
    sentence: str
    report: Report | None = None

    def __str__(self) -> str:
        said = f"{'✓' if self.passed else '✗'} {self.sentence}"
        return said if self.report is None else f"{said}\n\n{self.report.transcript()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = f"<p><strong>{'✓' if self.passed else '✗'} {html.escape(self.sentence)}</strong></p>"
        return said if self.report is None else said + self.report.transcript()._repr_html_()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/plain": str(self), "text/html": self._repr_html_()}, raw=True)  # type: ignore[no-untyped-call]
        if self.report is not None:
            display(self.report.diagram())  # type: ignore[no-untyped-call]


def mark(exercise: Exercise | Prediction, answer: Any) -> Verdict:
    """Mark an answer: a function for an Exercise, a value for a Prediction."""
    if isinstance(exercise, Prediction):
        return _mark_prediction(exercise, answer)
    if not callable(answer):
        return Verdict(False, f"Hand in your function itself; this is {_kind(answer)}.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return _mark_function(exercise, answer)
    except NoCallError as error:
        return Verdict(False, f"Not yet: {error}.")
    except (NotDeterministicError, NotImplementedError, UnicodeError) as error:
        return Verdict(False, f"Your code cannot be searched: {error}")
    except ExplorerError as error:
        return Verdict(False, f"The search gave up: {error}")


def _mark_function(exercise: Exercise, answer: Callable[..., Any]) -> Verdict:
    reports = []
    for search in exercise.searches(answer):
        checks = {name: _careful(search[name]) for name in ("check", "always") if search.get(name)}
        report = explore(**{"states": STATES, "seconds": SECONDS, **search, **checks})
        if report.verdict == "broken":
            shown = report.run is not None and (report.run.steps or report.run.waiting)
            return Verdict(False, _why(report), report if shown else None)
        if report.verdict == "not decided":
            words = (
                f"Not decided: {report.sentence} Make fewer calls, or stop waiting sooner; "
                "what cannot be searched cannot be trusted."
            )
            return Verdict(False, words)
        reports.append(report)
    return Verdict(True, f"{exercise.praise} ({_covered(reports)}: none breaks it.)")


def _mark_prediction(exercise: Prediction, answer: object) -> Verdict:
    if answer is None or answer is ...:
        return Verdict(False, f"Your prediction is missing. {exercise.question}")
    truth = exercise.truth()
    if _shape(answer) != _shape(truth):
        return Verdict(False, f"Answer with {_wanted(truth)}.")
    if _same(answer, truth):
        return Verdict(True, " ".join(filter(None, [f"Right: {truth}.", exercise.because])))
    try_it = f"See for yourself: {exercise.try_it.rstrip('.')}." if exercise.try_it else ""
    return Verdict(False, " ".join(filter(None, [_how_wrong(answer, truth), try_it])))


def _shape(value: object) -> object:
    return {n: type(v) for n, v in value.items()} if isinstance(value, dict) else type(value)


def _same(answer: Any, truth: Any) -> bool:
    if isinstance(truth, dict):
        return all(_same(answer[name], truth[name]) for name in truth)
    if isinstance(truth, str):
        return bool(answer.strip().lower() == truth.strip().lower())
    return bool(answer == truth)


def _how_wrong(answer: Any, truth: Any) -> str:
    """Return what is wrong, by the names of the questions where there are several."""
    if not isinstance(truth, dict) or len(truth) == 1:
        return f"You said {answer!r}; the search says otherwise."
    wrong = [name for name in truth if not _same(answer[name], truth[name])]
    right = len(truth) - len(wrong)
    verb = "is" if right == 1 else "are"
    return f"{right} of {len(truth)} {verb} right. Not so: {', '.join(map(repr, wrong))}."


def _wanted(truth: object) -> str:
    """Return the shape of the answer, without giving it away."""
    if isinstance(truth, dict):
        each = {_wanted(value) for value in truth.values()}
        what = f", each {each.pop()}" if len(each) == 1 else ""
        return f"a dict of these keys: {', '.join(map(repr, truth))}{what}"
    return _SHAPES.get(type(truth), f"a {type(truth).__name__}")


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


def _why(report: Report) -> str:
    share = f"{count_text(report.broken)} of {count_text(report.schedules)} schedules"
    verb = "breaks" if report.broken == 1 else "break"
    error = report.error
    where = "" if error is None else _line_of(error)
    if report.run is not None and not (report.run.steps or report.run.waiting):
        return f"Not yet: {report.violation}{where}. Nobody made a call: there is nothing to show."
    return f"Not yet: {report.violation}{where}. {share} {verb} it; the shortest:"


def _line_of(error: BaseException) -> str:
    """Return where in the learner's own code an error came from."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel" in frame.filename or frame.filename.startswith("<"):
            return f" (line {frame.lineno} of your cell: {frame.line})"
    return ""


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
