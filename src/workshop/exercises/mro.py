"""The exercises on super(), marked over every order of every subset of the classes.

    mark_prediction(predict, bases, method)     predict(names) -> how that order comes out
    mark_initializers(classes, takes)           each class keeps its own keyword argument
    mark_combination(combine)                   combine(halves) -> everything from all of them

The answer is always a verdict: the first order that fails, and the classes of that order.
Code that never ends is given up after a few seconds; a traceback of ours is never shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from patterns.mixins import OrderResult, every_subset, mro_table, try_every_order
from raceproof.draw.tables import Table, table
from workshop.exercises.attempt import Attempt
from workshop.exercises.mro_initializers import mark_initializers
from workshop.exercises.told import telling
from workshop.exercises.verdict import Verdict
from workshop.mro_pictures import chain
from workshop.mro_steps import linearize

__all__ = ["mark_combination", "mark_initializers", "mark_prediction"]


@telling("how an order comes out")
def mark_prediction(predict: Any, bases: Sequence[type], method: str) -> Verdict:
    """Mark `predict(names) -> "complete" | "dropped" | "raised" | "no MRO"` on every order."""
    if not callable(predict):
        return Verdict(False, "Hand in your function itself, without calling it.")
    total = 0
    for outcome in _all_orders(bases, method):
        names = tuple(base.__name__ for base in outcome.order)
        said = Attempt(predict, names)
        if said.trouble:
            return Verdict(False, f"predict({names}) {said.trouble}")
        if type(said.value) is not str or said.value != outcome.kind:
            words = f"Not yet: for class C({', '.join(names)}) you say {_short(said.value)}."
            return Verdict(False, words, shown=_proof(outcome, method))
        total += 1
    return Verdict(True, f"Right for all {total} orders of all subsets.")


@telling("a combination of halves")
def mark_combination(combine: Any) -> Verdict:
    """Mark `combine(halves) -> dict`: classes with a base each; a shared key must be an error.

    The halves are made anew for every order, so that an answer made for some names fails.
    """
    if not callable(combine):
        return Verdict(False, "Hand in your function itself, without calling it.")
    total = 0
    for size in range(1, 5):
        for order in itertools.permutations(range(size)):
            halves = [_half(f"Half{number}", f"key {number}") for number in order]
            wanted = {key: v for half in halves for key, v in half().get_context().items()}
            got = Attempt(_combined, combine, halves)
            names = ", ".join(half.__name__ for half in halves)
            if got.trouble:
                return Verdict(False, f"Not yet: combine([{names}]) {got.trouble}")
            if got.value != wanted:
                rows = [
                    (half.__name__, key, _yes(got.value.get(key) == wanted[key]))
                    for half in halves
                    for key in half().get_context()
                ]
                words = f"Not yet: combine([{names}]) gives the keys {sorted(got.value)}"
                words += "." if got.value.keys() != wanted.keys() else ", with other values."
                return Verdict(False, words, shown=table(["half", "its key", "arrived"], rows))
            total += 1
    for keys in itertools.permutations(["same", "other", "same"]):
        halves = [_half(f"Half{number}", key) for number, key in enumerate(keys)]
        got = Attempt(_combined, combine, halves)
        if not isinstance(got.error, Exception) or "same" not in str(got.error):
            words = "Not yet: two halves that give the key 'same' must be an error that names it"
            return Verdict(False, f"{words}; combine([…]) {got.trouble or 'returns.'}")
        total += 1
    return Verdict(True, f"All {total} orders: nothing is dropped, and conflicts are named.")


def _all_orders(bases: Sequence[type], method: str) -> Iterator[OrderResult]:
    for subset in every_subset(bases, 1):
        yield from try_every_order(subset, method)


def _proof(outcome: OrderResult, method: str) -> Table | str:
    merged = linearize("C", *outcome.order)
    if merged.order is None:
        return str(merged)
    return chain(mro_table(type("C", outcome.order, {}), method))


def _combined(combine: Callable[[list[type]], Any], halves: list[type]) -> dict[str, str]:
    """Return what the learner's function gives, as far as its keys and values are texts."""
    given = combine(list(halves))
    if not isinstance(given, Mapping):
        raise TypeError(f"it gives a {type(given).__name__}, not a dictionary")
    return {key: v for key, v in given.items() if type(key) is str and type(v) is str}


def _half(name: str, key: str) -> type:
    """Make a class that is complete by itself: a mixin on a base of its own."""

    class Base:
        def get_context(self) -> dict[str, Any]:
            return {f"base of {name}": f"the base's, of {name}"}

    class Mixin:
        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), key: f"{name}'s own"}  # type: ignore[misc]

    return type(name, (Mixin, Base), {})


def _short(value: object) -> str:
    text = repr(value) if type(value) in (str, int, bool, type(None)) else type(value).__name__
    return text if len(text) <= 100 else text[:99] + "…"


def _yes(arrived: bool) -> str:
    return "yes" if arrived else "no"
