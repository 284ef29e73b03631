"""Who is told of a verdict besides the learner: the class that the learner has joined, if any."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from workshop.classroom import notebook_client
from workshop.exercises.catalogue import name_of
from workshop.exercises.verdict import Verdict

P = ParamSpec("P")


def told(title: str, verdict: Verdict) -> Verdict:
    """Return the verdict; what a class hears of it is the exercise's title, and passed or not."""
    notebook_client.report(name_of(title), verdict.passed)
    return verdict


def telling(title: str) -> Callable[[Callable[P, Verdict]], Callable[P, Verdict]]:
    """Return a decorator for the marker of one exercise: a class is told of its verdicts."""

    def decorated(marker: Callable[P, Verdict]) -> Callable[P, Verdict]:
        @functools.wraps(marker)
        def marked(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            return told(title, marker(*args, **kwargs))

        return marked

    return decorated
