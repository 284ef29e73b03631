"""The exercise on `__init__`: classes that pass on what they do not take, in every order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from patterns.mixins import mro_table
from patterns.mixins.orders import every_subset
from raceproof.draw.tables import Table
from workshop.exercises.attempt import Attempt
from workshop.exercises.told import telling
from workshop.exercises.verdict import Verdict
from workshop.mro_pictures import chain


@telling("three classes in every order")
def mark_initializers(classes: Any, takes: Mapping[str, str]) -> Verdict:
    """Mark classes whose `__init__` must keep one keyword argument each, and pass on the rest.

    `takes` maps the name of each class to its argument, which must become the attribute
    of that name. In every order of every subset a class must also refuse an argument that
    no class takes, and miss one that it needs: both with a TypeError.
    """
    if not isinstance(classes, list | tuple) or not all(isinstance(c, type) for c in classes):
        return Verdict(False, "Hand in a list of your classes, for example [Titled, Dated].")
    if sorted(cls.__name__ for cls in classes) != sorted(takes):
        return Verdict(False, f"Hand in the classes {', '.join(takes)}, each of them once.")
    total = 0
    for subset in every_subset(classes, 1):
        for order in itertools.permutations(subset):
            trouble = _initializer_trouble(order, [takes[cls.__name__] for cls in order])
            if trouble:
                names = ", ".join(cls.__name__ for cls in order)
                sentence, run = trouble
                shown = Attempt(_look, order, run).value if run else None
                return Verdict(False, f"Not yet: class C({names}) {sentence}", shown=shown)
            total += 1
    return Verdict(True, f"All {total} orders of all subsets keep every argument.")


def _initializer_trouble(
    order: Sequence[type], arguments: Sequence[str]
) -> tuple[str, Callable[[type], object] | None] | None:
    """Return what is wrong with this order and a call that shows it, None if nothing is.

    What does not end is not called once more to show it.
    """
    given: dict[str, Any] = {name: f"the {name}" for name in arguments}
    made = Attempt(type, "C", tuple(order), {})
    if made.trouble:
        return f"cannot be made: {made.trouble}", lambda cls: cls()
    lost = Attempt(_kept, made.value, arguments)
    if lost.trouble:
        shows = None if lost.hangs else lambda cls: cls(**given)
        return f"with {', '.join(given)} {lost.trouble}", shows
    if lost.value:
        return f"loses {', '.join(lost.value)}.", lambda cls: cls(**given)
    for name in given:
        less = {other: value for other, value in given.items() if other != name}
        if not isinstance(Attempt(partial(made.value, **less)).error, TypeError):
            return f"is made without {name}: a missing argument must be a TypeError.", partial(
                _make, less
            )
    more = {**given, "typo": 1}
    if not isinstance(Attempt(partial(made.value, **more)).error, TypeError):
        return "accepts an argument 'typo' that no class takes.", lambda cls: cls(**more)
    return None


def _kept(cls: Callable[..., object], names: Sequence[str]) -> list[str]:
    """Make two objects and return the arguments that one of them has not kept."""
    wanted = [{name: f"{which} {name}" for name in names} for which in ("the", "another")]
    made = [(cls(**given), given) for given in wanted]
    return [name for name in names if not all(_has(one, name, given) for one, given in made)]


def _has(one: object, name: str, given: Mapping[str, str]) -> bool:
    value = getattr(one, name, None)
    return type(value) is str and value == given[name]


def _make(arguments: Mapping[str, Any], cls: Callable[..., object]) -> object:
    return cls(**arguments)


def _look(order: Sequence[type], run: Callable[[type], object]) -> Table:
    return chain(mro_table(type("C", tuple(order), {}), "__init__", run=run))
