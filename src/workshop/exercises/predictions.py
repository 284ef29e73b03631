"""Predictions: questions with a definite answer, which the marker finds out by running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workshop.exercises.verdict import Verdict

_SHAPES: dict[type, str] = {bool: "True or False", int: "a whole number", str: "a str"}


@dataclass(frozen=True)
class Prediction:
    """A question with a definite answer, which `truth` finds out by running it.

    The answer is a value, or a dict of values of one type, as many as there are
    questions. `try_it` is told with a wrong answer; why the right one is right belongs into the
    folded solution. What `truth` has found out is kept in `found`: it is asked once, however
    often the learner tries. `title` is what the exercise is called where there are others.
    """

    question: str
    truth: Callable[[], object]
    try_it: str = ""
    title: str = "a prediction"
    found: list[object] = field(default_factory=list, init=False, compare=False, repr=False)


def mark_prediction(exercise: Prediction, answer: object) -> Verdict:
    """Compare an answer with the truth; an answer of another shape is told the shape only."""
    if answer is None or answer is ...:
        return Verdict(False, f"Your prediction is missing. {exercise.question}")
    if not exercise.found:
        exercise.found.append(exercise.truth())
    truth = exercise.found[0]
    if _shape(answer) != _shape(truth):
        return Verdict(False, f"Answer with {_wanted(truth)}.")
    if _same(answer, truth):
        return Verdict(True, f"Right: {truth}. The solution says why.")
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
