"""A family of mixins that fill one dictionary, in which no order of the bases loses a key.

The three rules are David Wolever's, "The Sadness of Python's super()" (2014). New here: every
mixin inherits from the base, so Python keeps it last; the base checks each class as it is made.
"""

from __future__ import annotations

from typing import Any

from .audit import audit_cooperation
from .rules import BrokenLink


class BrokenRule(TypeError):
    """A class was defined that would drop, or fail to find, another class's method."""

    def __init__(self, cls: type, findings: tuple[BrokenLink, ...]) -> None:
        super().__init__(cls, findings)
        self.findings = findings

    def __str__(self) -> str:
        return f"{self.args[0].__name__} breaks the chain. " + " ".join(map(str, self.findings))


class CooperativeContext:
    """The base of the family: ends the chain of `get_context`, and guards it.

    A mixin inherits from this class and returns `super().get_context() | {…}`. Then any
    mixins, in any order, give a class whose `get_context()` has the keys of all of them;
    of two that write one key, the one further left wins.

    Raises `BrokenRule` while a class is being defined, if its code already shows that
    a class in it would be left out. Nothing is run for that check.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        audit = audit_cooperation(cls, "get_context", base=CooperativeContext, run=None)
        if audit.findings:
            raise BrokenRule(cls, audit.findings)

    def get_context(self) -> dict[str, Any]:
        """Return a new dictionary; every class to the left adds to a copy of it."""
        return {}
