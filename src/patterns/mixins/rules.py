"""The rules, and who breaks which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .call_chain import CallChain
from .source_reading import read

RULES = {
    0: "two bases, and no rule can help: use providers",
    1: "a mixin always calls super()",
    2: "the base does not call super()",
    3: "the base stands at the right end",
    4: "take your own arguments by keyword, pass on the rest",
}


@dataclass(frozen=True)
class BrokenLink:
    """One class that breaks the chain. Rule 0 means that no rule can help here.

    `drops` are the classes not asked that `owner` does not inherit from; none: it overrides.
    """

    owner: type
    rule: int
    why: str
    drops: tuple[type, ...] = ()

    def __str__(self) -> str:
        if not self.rule:
            return f"{self.owner.__name__}: {self.why} ({RULES[0]})."
        return f"{self.owner.__name__} breaks rule {self.rule} ({RULES[self.rule]}): {self.why}."


class RuleCheck:
    """Says who breaks which rule, then what stays in `doubts`; `base` is meant to end the chain."""

    def __init__(self, chain: CallChain, base: type | None) -> None:
        self.seen, self.base = chain, base
        self.doubts: list[str] = []

    def broken(self) -> Iterator[BrokenLink]:
        """Yield what is broken; `doubts` is filled on the way."""
        if not self.seen.chain:
            return
        stops = [owner for owner in self.seen.in_order() if self.seen.goes_on(owner) is False]
        arguments, end = self._argument_error(), self.base or self.seen.chain[-1]
        blamed = self.base or (not self.seen.ends_at_object and self.seen.all_go_on_to(end))
        if arguments:
            yield arguments
            stops = [owner for owner in stops if owner is not self.seen.sighting.error_owner]
        elif blamed and self.seen.calls_nobody(end):
            alone = ", and behind it there is only object" * (end is self.seen.chain[-1])
            yield BrokenLink(end, 2, f"it calls super(){alone}")
        base = self._base_of(stops)
        for owner in stops:
            yield self._stop(owner, base)
        self._doubt(stops, arguments is not None)

    def _stop(self, owner: type, base: type | None) -> BrokenLink:
        """Say which rule the class breaks that ends the chain before the last."""
        behind = self.seen.chain[self.seen.chain.index(owner) + 1 :]
        drops = tuple(other for other in behind if other not in owner.__mro__)
        names = ", ".join(other.__name__ for other in behind)
        lost = f"no class asks {names}" if drops else f"it overrides what it has from {names}"
        if owner is base:
            strangers = ", ".join(c.__name__ for c in behind if owner not in c.__mro__)
            hint = f" (let {strangers} inherit from it)" if self.base else ""
            return BrokenLink(owner, 3, f"it ends the chain, and {lost}{hint}", drops)
        half = self._half_that_ends_with(owner)
        if half and half is not self.base:
            need = f"{half.__name__} needs it to end its own chain"
            return BrokenLink(owner, 0, f"{need}, but here it is not the last: {lost}", drops)
        unsure = base is None and not self.seen.ends_at_object
        hint = " (or rule 3, if it is meant to be the base: say base=…)" if unsure else ""
        return BrokenLink(owner, 1, f"{self._how(owner)}, and {lost}{hint}", drops)

    def _base_of(self, stops: list[type]) -> type | None:
        if self.base is not None or self.seen.ends_at_object:
            return self.base
        last = self.seen.chain[-1]
        if self.seen.readings[last].calls in ("never", "if there is one") or not stops:
            return last
        return None if self.seen.calls_nobody(last) is None else stops[-1]

    def _half_that_ends_with(self, owner: type) -> type | None:
        """Return a class of the MRO that is complete with `owner` as its base, if any."""
        for half in self.seen.cls.__mro__[1:]:
            chain = [c for c in half.__mro__ if self.seen.method in vars(c) and c is not object]
            calls = {read(other, self.seen.method).calls for other in chain[:-1]}
            if calls and calls <= {"always", "if there is one"} and chain[-1] is owner:
                return half
        return None

    def _argument_error(self) -> BrokenLink | None:
        run, owner = self.seen.sighting, self.seen.sighting.error_owner
        unasked = not run.told and "missing" in run.said  # the run gave none, nobody took them
        if not isinstance(run.error, TypeError) or owner is None or unasked:
            return None
        behind = self.seen.chain[self.seen.chain.index(owner) + 1 :]
        if behind and f"{behind[0].__qualname__}.{self.seen.method}()" in run.said:
            why = f"it refuses what {owner.__name__} passes on ({run.said})"
            return BrokenLink(behind[0], 4, why)
        if not behind and "argument" in run.said and f"object.{self.seen.method}" in run.said:
            why = f"it passes on arguments that object does not take ({run.said})"
            return BrokenLink(owner, 4, why)
        return None

    def _doubt(self, stops: list[type], explained: bool) -> None:
        run, last = self.seen.sighting, self.seen.chain[-1]
        caught = [visit.owner.__name__ for visit in run.visits if visit.raised]
        if caught and run.error is None:
            self.doubts.append(f"{caught[0]} raised, and a class before it caught that")
        for owner in self.seen.chain[:-1]:
            if self.seen.goes_on(owner) is None:
                self.doubts.append(f"{owner.__name__}: {self._how(owner)}")
        if not self.seen.ends_at_object and not stops and self.seen.calls_nobody(last) is None:
            self.doubts.append(f"{last.__name__}: it is the last, and {self._how(last)}")
        explained |= run.error_owner is last and bool(self.seen.calls_nobody(last))
        if run.error is not None and not explained and run.error_owner not in stops:
            where = f" in {run.error_owner.__name__}" if run.error_owner else ""
            hint = f"give {'another ' * run.told}run= ({run.said})"
            self.doubts.append(f"the run ended with {type(run.error).__name__}{where}: {hint}")

    def _how(self, owner: type) -> str:
        reading = self.seen.readings[owner]
        words = {
            "always": "it or its wrapper does not pass the call on",
            "sometimes": "it calls super() on some paths only",
            "if there is one": "it calls super() if there is one",
            "never": "it does not call super()",
            "cannot tell": "it does not pass the call on",
        }
        return reading.why or words[reading.calls]
