"""How Python orders the classes, a step at a time.

The algorithm is C3 (Barrett and others, 1996; in Python since 2.3, described by Michele
Simionato): merge the orders of the bases and the list of the bases itself, always taking
the first head that stands in no other tail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MergeStep:
    """One choice: the lists before it, who had to wait and where, and who was taken."""

    lists: tuple[tuple[type, ...], ...]
    waiting: tuple[tuple[type, tuple[type, ...]], ...]
    taken: type | None

    def __str__(self) -> str:
        lists = " + ".join("[" + _names(part) + "]" for part in self.lists)
        waits = "".join(
            f"\n      {head.__name__} waits: it stands behind {tail[0].__name__} in "
            f"[{_names(tail)}]"
            for head, tail in self.waiting
        )
        last = f"take {self.taken.__name__}" if self.taken else "no class can be taken: no MRO"
        return f"merge {lists}{waits}\n      {last}"


@dataclass(frozen=True)
class Linearization:
    """The whole merge for `class name(*bases)`; `order` is None when there is no MRO."""

    name: str
    bases: tuple[type, ...]
    steps: tuple[MergeStep, ...]
    order: tuple[type, ...] | None

    def __str__(self) -> str:
        head = f"class {self.name}({_names(self.bases)})"
        steps = [f"{n:>3}. {step}" for n, step in enumerate(self.steps, 1)]
        if self.order is None:
            end = f"{self.name} has no MRO: Python raises TypeError"
        else:
            end = f"MRO: {', '.join([self.name, *(cls.__name__ for cls in self.order)])}"
        return "\n".join([head, *steps, end])

    __repr__ = __str__


def linearize(name: str, *bases: type) -> Linearization:
    """Merge the orders of `bases` as `class name(*bases)` would; no class is made.

    `order` is what would follow the new class in its `__mro__`. Every step is kept, up to
    and including the one at which no class can be taken.
    """
    lists = [list(base.__mro__) for base in bases or (object,)] + [list(bases)]
    order: list[type] = []
    steps: list[MergeStep] = []
    while lists := [part for part in lists if part]:
        step = _choose(lists)
        steps.append(step)
        if step.taken is None:
            return Linearization(name, bases, tuple(steps), None)
        order.append(step.taken)
        lists = [part[1:] if part[0] is step.taken else part for part in lists]
    return Linearization(name, bases, tuple(steps), tuple(order))


def _choose(lists: list[list[type]]) -> MergeStep:
    waiting: dict[type, tuple[type, ...]] = {}
    frozen = tuple(map(tuple, lists))
    for head, *_ in lists:
        blocker = next((part for part in lists if head in part[1:]), None)
        if blocker is None:
            return MergeStep(frozen, tuple(waiting.items()), head)
        waiting[head] = tuple(blocker)
    return MergeStep(frozen, tuple(waiting.items()), None)


def _names(classes: tuple[type, ...]) -> str:
    return ", ".join(cls.__name__ for cls in classes)
