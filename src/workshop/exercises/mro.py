"""The exercises on super(), marked over every order of every subset of the classes.

    mark_prediction(predict, bases, method)     predict(names) -> how that order comes out
    mark_initializers(classes, takes)           each class keeps its own keyword argument
    mark_combination(combine)                   combine(halves) -> everything from all of them

The answer is always a verdict: the first order that fails, and the classes of that order.
Code that never ends is given up after `SECONDS`; a traceback of ours is never shown.
"""

from __future__ import annotations

import contextlib
import ctypes
import html
import io
import itertools
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from patterns.mixins import OrderResult, every_subset, mro_table, try_every_order
from raceproof.draw.tables import Table, table
from workshop.mro_pictures import chain
from workshop.mro_steps import linearize

SECONDS = 5.0  # how long one call of the learner's code may take


@dataclass(frozen=True)
class OrderVerdict:
    """Passed or not, why, and what shows it: a table, or the steps of the merge."""

    passed: bool
    sentence: str
    shown: Table | str | None = None

    def __str__(self) -> str:
        said = f"{'✓' if self.passed else '✗'} {self.sentence}"
        return said if self.shown is None else f"{said}\n\n{self.shown}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = f"<p><strong>{'✓' if self.passed else '✗'} {html.escape(self.sentence)}</strong></p>"
        if isinstance(self.shown, str):
            return f"{said}\n<pre>{html.escape(self.shown)}</pre>"
        return said if self.shown is None else f"{said}\n{self.shown._repr_html_()}"


def mark_prediction(predict: Any, bases: Sequence[type], method: str) -> OrderVerdict:
    """Mark `predict(names) -> "complete" | "dropped" | "raised" | "no MRO"` on every order."""
    if not callable(predict):
        return OrderVerdict(False, "Hand in your function itself, without calling it.")
    total = 0
    for outcome in _all_orders(bases, method):
        names = tuple(base.__name__ for base in outcome.order)
        said = _Attempt(predict, names)
        if said.trouble:
            return OrderVerdict(False, f"predict({names}) {said.trouble}")
        if type(said.value) is not str or said.value != outcome.kind:
            words = f"Not yet: for class C({', '.join(names)}) you say {_short(said.value)}."
            return OrderVerdict(False, words, _proof(outcome, method))
        total += 1
    return OrderVerdict(True, f"Right for all {total} orders of all subsets.")


def mark_initializers(classes: Any, takes: Mapping[str, str]) -> OrderVerdict:
    """Mark classes whose `__init__` must keep one keyword argument each, and pass on the rest.

    `takes` maps the name of each class to its argument, which must become the attribute
    of that name. In every order of every subset a class must also refuse an argument that
    nobody takes, and miss one that it needs: both with a TypeError.
    """
    if not isinstance(classes, list | tuple) or not all(isinstance(c, type) for c in classes):
        return OrderVerdict(False, "Hand in a list of your classes, for example [Titled, Dated].")
    if sorted(cls.__name__ for cls in classes) != sorted(takes):
        return OrderVerdict(False, f"Hand in the classes {', '.join(takes)}, each of them once.")
    total = 0
    for subset in every_subset(classes, 1):
        for order in itertools.permutations(subset):
            trouble = _initializer_trouble(order, [takes[cls.__name__] for cls in order])
            if trouble:
                names = ", ".join(cls.__name__ for cls in order)
                sentence, run = trouble
                looked = _Attempt(_look, order, run)
                return OrderVerdict(False, f"Not yet: class C({names}) {sentence}", looked.value)
            total += 1
    return OrderVerdict(True, f"All {total} orders of all subsets keep every argument.")


def mark_combination(combine: Any) -> OrderVerdict:
    """Mark `combine(halves) -> dict`: classes with a base each; a shared key must be an error.

    The halves are made anew for every order, so that an answer made for some names fails.
    """
    if not callable(combine):
        return OrderVerdict(False, "Hand in your function itself, without calling it.")
    total = 0
    for size in range(1, 5):
        for order in itertools.permutations(range(size)):
            halves = [_half(f"Half{number}", f"key {number}") for number in order]
            wanted = {key: half for half in halves for key in half().get_context()}
            got = _Attempt(_combined, combine, halves)
            names = ", ".join(half.__name__ for half in halves)
            if got.trouble:
                return OrderVerdict(False, f"Not yet: combine([{names}]) {got.trouble}")
            if got.value != wanted.keys():
                rows = [(h.__name__, key, _yes(key in got.value)) for key, h in wanted.items()]
                words = f"Not yet: combine([{names}]) gives the keys {sorted(got.value)}."
                return OrderVerdict(False, words, table(["half", "its key", "arrived"], rows))
            total += 1
    for keys in itertools.permutations(["same", "other", "same"]):
        halves = [_half(f"Half{number}", key) for number, key in enumerate(keys)]
        got = _Attempt(_combined, combine, halves)
        if not isinstance(got.error, Exception) or "same" not in str(got.error):
            words = "Not yet: two halves that give the key 'same' must be an error that names it"
            return OrderVerdict(False, f"{words}; combine([…]) {got.trouble or 'returns.'}")
        total += 1
    return OrderVerdict(True, f"All {total} orders: nothing is dropped, and conflicts are named.")


def _all_orders(bases: Sequence[type], method: str) -> Iterator[OrderResult]:
    for subset in every_subset(bases, 1):
        yield from try_every_order(subset, method)


def _proof(outcome: OrderResult, method: str) -> Table | str:
    merged = linearize("C", *outcome.order)
    if merged.order is None:
        return str(merged)
    return chain(mro_table(type("C", outcome.order, {}), method))


def _initializer_trouble(
    order: Sequence[type], arguments: Sequence[str]
) -> tuple[str, Callable[[type], object]] | None:
    """Return what is wrong with this order and a call that shows it, None if nothing is."""
    given: dict[str, Any] = {name: f"the {name}" for name in arguments}
    made = _Attempt(type, "C", tuple(order), {})
    if made.trouble:
        return f"cannot be made: {made.trouble}", lambda cls: cls()
    got = _Attempt(lambda: {k: v for k, v in vars(made.value(**given)).items() if type(v) is str})
    if got.trouble:
        return f"with {', '.join(given)} {got.trouble}", lambda cls: cls(**given)
    if any(got.value.get(name) != value for name, value in given.items()):
        lost = [name for name in given if got.value.get(name) != given[name]]
        return f"loses {', '.join(lost)}.", lambda cls: cls(**given)
    for name in given:
        less = {other: value for other, value in given.items() if other != name}
        if not isinstance(_Attempt(partial(made.value, **less)).error, TypeError):
            return f"is made without {name}: a missing argument must be a TypeError.", partial(
                _make, less
            )
    more = {**given, "typo": 1}
    if not isinstance(_Attempt(partial(made.value, **more)).error, TypeError):
        return "accepts an argument 'typo' that nobody takes.", lambda cls: cls(**more)
    return None


def _make(arguments: Mapping[str, Any], cls: Callable[..., object]) -> object:
    return cls(**arguments)


def _combined(combine: Callable[[list[type]], Any], halves: list[type]) -> set[str]:
    """Return the keys of what the learner's function gives, if their values are right."""
    given = dict(combine(list(halves)))
    return {key for key, value in given.items() if type(key) is str and value is True}


def _look(order: Sequence[type], run: Callable[[type], object]) -> Table:
    return chain(mro_table(type("C", tuple(order), {}), "__init__", run=run))


def _half(name: str, key: str) -> type:
    """Make a class that is complete by itself: a mixin on a base of its own."""

    class Base:
        def get_context(self) -> dict[str, Any]:
            return {f"base of {name}": True}

    class Mixin:
        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), key: True}  # type: ignore[misc]

    return type(name, (Mixin, Base), {})


class _Attempt:
    """One call of the learner's code, in a thread that is told to stop when it takes too long."""

    def __init__(self, call: Callable[..., Any], *args: Any) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        thread = threading.Thread(target=self._run, args=(call, args), daemon=True)
        with contextlib.redirect_stdout(io.StringIO()):
            thread.start()
            thread.join(SECONDS)
            self.hangs = thread.is_alive()
            for _ in range(20 if self.hangs else 0):
                stop = ctypes.py_object(SystemExit)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), stop)
                thread.join(0.05)

    def _run(self, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            self.value = call(*args)
        except BaseException as error:
            self.error = error

    @property
    def trouble(self) -> str:
        """What went wrong, in words that follow the call; empty if it returned."""
        if self.hangs:
            return f"does not end: given up after {SECONDS:g} seconds."
        if self.error is None:
            return ""
        text = " ".join(str(self.error).split())
        return f"raises {type(self.error).__name__}: {text}{_line(self.error)}."


def _line(error: BaseException) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel" in frame.filename:
            return f" (line {frame.lineno} of your cell: {frame.line})"
    return ""


def _short(value: object) -> str:
    text = repr(value) if type(value) in (str, int, bool, type(None)) else type(value).__name__
    return text if len(text) <= 100 else text[:99] + "…"


def _yes(arrived: bool) -> str:
    return "yes" if arrived else "no"
