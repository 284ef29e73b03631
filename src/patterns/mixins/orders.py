"""Try every order of the bases: which are complete, drop a class, raise, or are no class."""

from __future__ import annotations

import itertools
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .call_trace import CallsMethod, call_method, watch

Kind = Literal["complete", "dropped", "raised", "not seen", "no MRO", "refused"]
_NO_MRO = ("Cannot create a consistent method resolution order", "duplicate base class")
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class OrderResult:
    """What became of `class Concrete(*order)`; `detail` names the dropped or the error."""

    order: tuple[type, ...]
    kind: Kind
    detail: str = ""
    value: object = None

    def __str__(self) -> str:
        names = ", ".join(base.__name__ for base in self.order)
        return f"({names}): {self.kind}{' ' if self.detail else ''}{self.detail}"


@dataclass(frozen=True)
class Orders:
    """The outcomes of all orders, in the order of `itertools.permutations`."""

    method: str
    outcomes: tuple[OrderResult, ...]

    def __iter__(self) -> Iterator[OrderResult]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many orders came out in each way, in a fixed order, without the zeros."""
        found = Counter(outcome.kind for outcome in self.outcomes)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def holds(self) -> bool:
        """True if every order that makes a class was seen to drop nobody, and none raised."""
        return not {"dropped", "raised", "not seen"} & {*self.counts} and "complete" in self.counts

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        orders = "1 order" if len(self) == 1 else f"{len(self)} orders"
        return "\n".join([f"{orders}: {counts}", *(f"  {o}" for o in self.outcomes[:24])])

    __repr__ = __str__


def try_every_order(
    bases: Sequence[type], method: str, *, last: type | None = None, run: CallsMethod | None = None
) -> Orders:
    """Make a class from every permutation of `bases` and call `method` on each once.

    `last` is put behind them in every order. `run(cls)` says how to call the method (by
    default on `cls()`, with no arguments). Complete means that the method of every class
    that has one was reached. Only methods written in Python can be followed, in this thread:
    where none of them was called, as it is a coroutine or was cached, the order is "not seen".
    """
    ends = () if last is None else (last,)
    orders = [(*order, *ends) for order in itertools.permutations(bases)]
    return Orders(method, tuple(_try(one, method, run or call_method(method)) for one in orders))


def every_subset(mixins: Sequence[type], least: int = 0) -> Iterator[tuple[type, ...]]:
    """Yield every subset of at least `least` mixins, small ones first, in the order given."""
    for size in range(least, len(mixins) + 1):
        yield from itertools.combinations(mixins, size)


def _try(order: tuple[type, ...], method: str, run: CallsMethod) -> OrderResult:
    try:
        cls = types.new_class("Concrete", order)
    except TypeError as error:
        text = " ".join(str(error).split())
        if text.startswith(_NO_MRO):
            return OrderResult(order, "no MRO")
        return OrderResult(order, "refused", text)
    seen = watch(cls, method, run)
    if seen.error is not None:
        return OrderResult(order, "raised", f"{type(seen.error).__name__}: {seen.said}")
    if not seen.ran:
        return OrderResult(order, "not seen", "", seen.value)
    missing = [c.__name__ for c in cls.__mro__[:-1] if method in vars(c) and not seen.visit(c)]
    if missing:
        return OrderResult(order, "dropped", ", ".join(missing), seen.value)
    return OrderResult(order, "complete", "", seen.value)
