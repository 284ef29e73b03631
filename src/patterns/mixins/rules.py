"""The rules, and who breaks which."""

from __future__ import annotations

from collections.abc import Iterator

from .call_chain import CallChain
from .source_reading import read

RULES = {
    0: "two bases, and no rule can help: use providers",
    1: "a mixin always calls super()",
    2: "the base does not call super()",
    3: "the base stands at the right end",
    4: "take your own arguments by keyword, pass on the rest",
}


class RuleCheck:
    """Says of a chain who breaks which rule; `base` is the class that is meant to end it.

    `doubts` says what stays undecided, once the broken rules were asked for.
    """

    def __init__(self, chain: CallChain, base: type | None) -> None:
        self.seen, self.base = chain, base
        self.doubts: list[str] = []

    def broken(self) -> Iterator[tuple[type, int, str]]:
        """Yield (class, rule, why); `doubts` is filled on the way."""
        stops = [owner for owner in self.seen.chain[:-1] if self.seen.goes_on(owner) is False]
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
            yield self.base, 2, self._nobody(self.base)
        elif self.base is None and self.seen.all_go_on_to(last) and self.seen.calls_nobody(last):
            yield last, 2, self._nobody(last)
        base = self._base_of(stops)
        for owner in stops:
            behind = self.seen.chain[self.seen.chain.index(owner) + 1 :]
            lost = "no class asks " + ", ".join(other.__name__ for other in behind)
            if owner is base:
                strangers = ", ".join(c.__name__ for c in behind if not issubclass(c, owner))
                hint = f" (let {strangers} inherit from it)" if self.base else ""
                yield owner, 3, f"it ends the chain, and {lost}{hint}"
            elif (half := self._half_that_ends_with(owner)) not in (None, self.base):
                need = f"{half.__name__} needs it to end its own chain" if half else ""
                yield owner, 0, f"{need}, but here it is not the last: {lost}"
            else:
                unsure = base is None and not self.seen.ends_at_object
                hint = " (or rule 3, if it is meant to be the base: say base=…)" if unsure else ""
                yield owner, 1, f"{self._how(owner)}, and {lost}{hint}"
        self._doubt(stops, arguments is not None)

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

    def _argument_error(self) -> tuple[type, int, str] | None:
        error, owner = self.seen.sighting.error, self.seen.sighting.error_owner
        if not isinstance(error, TypeError) or owner is None:
            return None
        text = " ".join(str(error).split())
        behind = self.seen.chain[self.seen.chain.index(owner) + 1 :]
        if behind and f"{behind[0].__qualname__}.{self.seen.method}()" in text:
            return behind[0], 4, f"it refuses what {owner.__name__} passes on ({text})"
        if not behind and "argument" in text and f"object.{self.seen.method}" in text:
            return owner, 4, f"it passes on arguments that object does not take ({text})"
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
        if self.seen.sighting.error is not None and not explained and not stops:
            error = self.seen.sighting.error
            if not (isinstance(error, AttributeError) and self.seen.calls_nobody(last)):
                self.doubts.append(f"the run ended with {type(error).__name__}: {error}")

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
