"""Who passes a method on, who stops it, and which rule that breaks.

The rules are David Wolever's, "The Sadness of Python's super()" (2014), and a fourth for methods
with arguments. Where a class's code and one run do not decide: "cannot tell", never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .call_chain import CallChain
from .call_trace import CallsMethod, Sighting, call_method, watch
from .rules import BrokenLink, RuleCheck
from .source_reading import Reading, inner, read

DEFAULT_RUN: CallsMethod = lambda cls: None  # noqa: E731  (a mark: replaced by call_method(method))


@dataclass(frozen=True)
class MroRow:
    """One class of the MRO. `calls_super` and `reached` are words: yes, no, cannot tell…"""

    owner: type
    defines: bool
    calls_super: str = ""
    reached: str = ""
    added: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """Return the row as text, a dash for what does not apply."""
        words = "yes" if self.defines else "-", self.calls_super or "-", self.reached or "-"
        return self.owner.__name__, *words, ", ".join(self.added)


@dataclass(frozen=True)
class MroTable:
    """The classes of an MRO in order, with what each does for one method."""

    cls: type
    method: str
    rows: tuple[MroRow, ...]
    error: str = ""

    HEADS = ("class", "defines it", "calls super()", "reached", "added")

    def __str__(self) -> str:
        lines = [self.HEADS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        text.insert(1, "  ".join("-" * width for width in widths))
        text += [f"raised {self.error}"] if self.error else []
        return "\n".join([f"{self.cls.__name__}.{self.method}", *text])

    __repr__ = __str__


@dataclass(frozen=True)
class ChainAudit:
    """The findings, the doubts and the table they rest on.

    `cooperative` is True: every class is heard; False: a class is left out or it raises;
    None: cannot tell, and `doubts` says of whom and why.
    """

    table: MroTable
    findings: tuple[BrokenLink, ...]
    doubts: tuple[str, ...]

    @property
    def cooperative(self) -> bool | None:
        """The verdict: True, False, or None for "cannot tell"."""
        if self.findings:
            return False
        return None if self.doubts else True

    def __str__(self) -> str:
        word = {True: "cooperates", False: "is broken", None: "cannot tell"}[self.cooperative]
        head = f"{self.table.cls.__name__}.{self.table.method}: {word}"
        doubts = [f"  undecided: {doubt}." for doubt in self.doubts]
        return "\n".join([head, *(f"  {finding}" for finding in self.findings), *doubts])

    __repr__ = __str__


def mro_table(cls: type, method: str, *, run: CallsMethod | None = DEFAULT_RUN) -> MroTable:
    """Return, for each class of the MRO: defines, calls super(), reached, added.

    `run(cls)` says how to call the method once (by default on `cls()`, with no arguments);
    None looks at the code only. Raises `AttributeError` if no class has the method.
    """
    return _look(cls, method, run)[0]


def audit_cooperation(
    cls: type, method: str, *, base: type | None = None, run: CallsMethod | None = DEFAULT_RUN
) -> ChainAudit:
    """Name each class that breaks the chain of `method` in `cls`, and the rule it breaks.

    `base` says which class is meant to end the chain. Without it the audit takes the last
    class that does not call `super()`, or `object` for a method that `object` has. `run`
    is as in `mro_table`: the method is run once, with its side effects.
    """
    table, readings, sighting = _look(cls, method, run)
    check = RuleCheck(CallChain(cls, method, readings, sighting), base)
    return ChainAudit(table, tuple(check.broken()), tuple(check.doubts))


def _look(
    cls: type, method: str, run: CallsMethod | None
) -> tuple[MroTable, dict[type, Reading], Sighting]:
    functions = {owner: inner(owner, method) for owner in cls.__mro__ if method in vars(owner)}
    if not functions:
        raise AttributeError(f"no class in the MRO of {cls.__name__} has {method!r}")
    shared = Reading("cannot tell", "it shares its function with another class", shows=False)
    readings = {
        owner: shared if f and [*functions.values()].count(f) > 1 else read(owner, method)
        for owner, f in functions.items()
        if owner is not object
    }
    sighting = Sighting(ran=False)
    if run is not None:
        sighting = watch(cls, method, call_method(method) if run is DEFAULT_RUN else run)
        sighting.told = run is not DEFAULT_RUN
    chain = CallChain(cls, method, readings, sighting)
    rows = []
    for owner in cls.__mro__:
        said: Any = ()
        if owner in readings:
            visit = sighting.visit(owner)
            said = chain.says(owner), chain.reached(owner), visit.added if visit else ()
        rows.append(MroRow(owner, method in vars(owner), *said))
    text = f"{type(sighting.error).__name__}: {sighting.said}" if sighting.error else ""
    return MroTable(cls, method, tuple(rows), text), readings, sighting
