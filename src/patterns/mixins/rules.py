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

    `drops` are the classes that are never asked and that `owner` does not inherit from. Where a
    chain stops and drops none, `owner` overrides what it inherits, which may be what it is for.
    """

    owner: type
    rule: int
    why: str
    drops: tuple[type, ...] = ()

    def __str__(self) -> str:
        if self.rule == 0:
            return f"{self.owner.__name__}: {self.why} ({RULES[0]})."
        return f"{self.owner.__name__} breaks rule {self.rule} ({RULES[self.rule]}): {self.why}."


class RuleCheck:
    """Says of a chain who breaks which rule; `base` is the class that is meant to end it.

    `doubts` says what stays undecided, once the broken rules were asked for.
    """

    def __init__(self, chain: CallChain, base: type | None) -> None:
        self.seen, self.base = chain, base
        self.doubts: list[str] = []

    def broken(self) -> Iterator[BrokenLink]:
        """Yield what is broken; `doubts` is filled on the way."""
        stops = [owner for owner in self.seen.in_order() if self.seen.goes_on(owner) is False]
        last = self.seen.chain[-1] if self.seen.chain else None
        if last is None:
            return
        arguments = self._argument_error()
        if arguments:
            yield arguments
            stops = [owner for owner in stops if owner is not self.seen.sighting.error_owner]
        elif self.seen.ends_at_object and self.base is None:
            pass
        elif self.base is not None and self.seen.calls_nobody(self.base):
            yield BrokenLink(self.base, 2, self._nobody(self.base))
        elif self.base is None and self.seen.all_go_on_to(last) and self.seen.calls_nobody(last):
            yield BrokenLink(last, 2, self._nobody(last))
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
        if half not in (None, self.base):
            need = f"{half.__name__} needs it to end its own chain" if half else ""
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
            if len(chain) > 1 and chain[-1] is owner:
                callers = (read(other, self.seen.method).calls for other in chain[:-1])
                if all(calls in ("always", "if there is one") for calls in callers):
                    return half
        return None

    def _argument_error(self) -> BrokenLink | None:
        run, owner = self.seen.sighting, self.seen.sighting.error_owner
        text = " ".join(str(run.error).split())
        if not isinstance(run.error, TypeError) or owner is None:
            return None
        if not run.told and "missing" in text:  # the run gave no arguments, nobody took them
            return None
        behind = self.seen.chain[self.seen.chain.index(owner) + 1 :]
        if behind and f"{behind[0].__qualname__}.{self.seen.method}()" in text:
            why = f"it refuses what {owner.__name__} passes on ({text})"
            return BrokenLink(behind[0], 4, why)
        if not behind and "argument" in text and f"object.{self.seen.method}" in text:
            why = f"it passes on arguments that object does not take ({text})"
            return BrokenLink(owner, 4, why)
        return None

    def _doubt(self, stops: list[type], explained: bool) -> None:
        caught = [visit.owner.__name__ for visit in self.seen.sighting.visits if visit.raised]
        if caught and self.seen.sighting.error is None:
            self.doubts.append(f"{caught[0]} raised, and a class before it caught that")
        for owner in self.seen.chain[:-1]:
            if self.seen.goes_on(owner) is None:
                self.doubts.append(f"{owner.__name__}: {self._how(owner)}")
        last = self.seen.chain[-1]
        if not self.seen.ends_at_object and not stops and self.seen.calls_nobody(last) is None:
            self.doubts.append(f"{last.__name__}: it is the last, and {self._how(last)}")
        run = self.seen.sighting
        nobody = run.error_owner is last and self.seen.calls_nobody(last)
        if run.error is not None and not (explained or nobody or run.error_owner in stops):
            where = f" in {run.error_owner.__name__}" if run.error_owner else ""
            text = " ".join(str(run.error).split())
            said = f"{type(run.error).__name__}{where}: give {'another ' * run.told}run="
            self.doubts.append(f"the run ended with {said} ({text})")

    def _how(self, owner: type) -> str:
        reading = self.seen.readings[owner]
        words = {
            "always": "its wrapper does not pass the call on",
            "sometimes": "it calls super() on some paths only",
            "if there is one": "it calls super() if there is one",
            "never": "it does not call super()",
            "cannot tell": "it does not pass the call on",
        }
        return reading.why or words[reading.calls]

    def _nobody(self, owner: type) -> str:
        alone = owner is self.seen.chain[-1]
        return "it calls super()" + (", and behind it there is only object" if alone else "")
