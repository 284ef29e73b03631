"""The rules, and the judge that joins what the code says with what the run showed."""

from __future__ import annotations

from collections.abc import Iterator

from .call_trace import Sighting
from .source_reading import Reading, read

RULES = {
    0: "two bases, and no rule can help: use providers",
    1: "a mixin always calls super()",
    2: "the base does not call super()",
    3: "the base stands at the right end",
    4: "take your own arguments by keyword, pass on the rest",
}


class Judge:
    """Decides for each class that has the method whether the call goes on behind it.

    `object` is the silent base of every method that it has (`__init__`, `__repr__`…).
    """

    def __init__(
        self,
        cls: type,
        method: str,
        base: type | None,
        readings: dict[type, Reading],
        sighting: Sighting,
    ) -> None:
        self.cls, self.method, self.base = cls, method, base
        self.readings, self.sighting = readings, sighting
        self.chain = list(readings)
        self.ends_at_object = hasattr(object, method)
        self.doubts: list[str] = []
        self._entered = self._who_was_entered()

    def findings(self) -> Iterator[tuple[type, int, str]]:
        """Yield (class, rule, why); `doubts` is filled on the way."""
        stops = [owner for owner in self.chain[:-1] if self.goes_on(owner) is False]
        last = self.chain[-1] if self.chain else None
        if last is None:
            return
        arguments = self._argument_error()
        if arguments:
            yield arguments
            stops = [owner for owner in stops if owner is not self.sighting.error_owner]
        elif self.ends_at_object and self.base is None:
            pass
        elif self.base is not None and self.calls_nobody(self.base):
            yield self.base, 2, self._nobody(self.base)
        elif self.base is None and self._all_go_on_to(last) and self.calls_nobody(last):
            yield last, 2, self._nobody(last)
        base = self._base_of(stops)
        for owner in stops:
            behind = self.chain[self.chain.index(owner) + 1 :]
            lost = "nobody asks " + ", ".join(other.__name__ for other in behind)
            if owner is base:
                strangers = ", ".join(c.__name__ for c in behind if not issubclass(c, owner))
                hint = f" (let {strangers} inherit from it)" if self.base else ""
                yield owner, 3, f"it ends the chain, and {lost}{hint}"
            elif (half := self._half_that_ends_with(owner)) not in (None, self.base):
                need = f"{half.__name__} needs it to end its own chain" if half else ""
                yield owner, 0, f"{need}, but here it is not the last: {lost}"
            else:
                unsure = base is None and not self.ends_at_object
                hint = " (or rule 3, if it is meant to be the base: say base=…)" if unsure else ""
                yield owner, 1, f"{self._how(owner)}, and {lost}{hint}"
        self._doubt(stops, arguments is not None)

    def goes_on(self, owner: type) -> bool | None:
        """Does the call reach the class behind `owner`? None: cannot tell."""
        shown = self._shown(owner)
        calls = self.readings[owner].calls
        if shown is False:
            return False
        if shown:
            return None if calls == "sometimes" or self.readings[owner].odd else True
        return {"always": True, "if there is one": True, "never": False}.get(calls)

    def calls_nobody(self, owner: type) -> bool | None:
        """Does `owner`, with nobody behind it, call `super()` all the same?"""
        if owner not in self.readings or owner is not self.chain[-1]:
            return self.readings[owner].calls == "always" if owner in self.readings else None
        if self.sighting.error is not None and self.sighting.error_owner is owner:
            return isinstance(self.sighting.error, AttributeError)
        visit = self.sighting.visit(owner)
        if visit and visit.raised and self.readings[owner].calls in ("always", "sometimes"):
            return True
        if self.sighting.ran and owner in self._entered and self.sighting.error is None:
            return None if self.readings[owner].calls == "sometimes" else False
        return {"always": True, "cannot tell": None, "sometimes": None}.get(
            self.readings[owner].calls, False
        )

    def says(self, owner: type) -> str:
        """Return what to print: does this class call `super()`?"""
        calls = self.readings[owner].calls
        shown = self._shown(owner)
        if calls == "cannot tell" and shown is not None:
            return "yes" if shown else "no"
        return {"always": "yes", "never": "yes, indirectly" if shown else "no"}.get(calls, calls)

    def reached(self, owner: type) -> str:
        """Return what to print: did the run come here?"""
        if not self.sighting.ran:
            return "not run"
        if owner in self._entered:
            visit = self.sighting.visit(owner)
            return "yes, raised" if visit and visit.raised else "yes"
        before = self.chain[: self.chain.index(owner)]
        unseen = before and self._shown(before[-1]) is None and before[-1] in self._entered
        return "cannot tell" if unseen else "no"

    def _shown(self, owner: type) -> bool | None:
        """Did the run go on from `owner`? None: the run does not show it."""
        behind = self.chain[self.chain.index(owner) + 1 :]
        if not self.sighting.ran or not behind or owner not in self._entered:
            return None
        if self.sighting.visit(behind[0]):
            return True
        error = self.sighting.error
        if (error is not None and self.sighting.error_owner is not owner) or self._surely(owner):
            return None
        return False if _is_python(self.readings[behind[0]]) else None

    def _surely(self, owner: type) -> bool:
        """Did the run come out of `owner` on a path that, by its code, calls the next?"""
        visit = self.sighting.visit(owner)
        return bool(visit and not visit.raised and self.readings[owner].calls == "always")

    def _who_was_entered(self) -> set[type]:
        entered: set[type] = set()
        for owner, following in zip(self.chain, [*self.chain[1:], None], strict=True):
            if self.sighting.ran and (owner is self.chain[0] or self.sighting.visit(owner)):
                entered.add(owner)
            if following and self._surely(owner):
                entered.add(following)
        return entered

    def _all_go_on_to(self, last: type) -> bool:
        """Is it sure that the call comes to the last class? Else it is not the one to blame."""
        known = all(self.goes_on(owner) for owner in self.chain[:-1])
        return known or self.sighting.visit(last) is not None

    def _base_of(self, stops: list[type]) -> type | None:
        if self.base is not None or self.ends_at_object:
            return self.base
        last = self.chain[-1]
        if self.readings[last].calls in ("never", "if there is one") or not stops:
            return last
        return None if self.calls_nobody(last) is None else stops[-1]

    def _half_that_ends_with(self, owner: type) -> type | None:
        """Return a class of the MRO that is complete with `owner` as its base, if any."""
        for half in self.cls.__mro__[1:]:
            chain = [c for c in half.__mro__ if self.method in vars(c) and c is not object]
            if len(chain) > 1 and chain[-1] is owner:
                callers = (read(other, self.method).calls for other in chain[:-1])
                if all(calls in ("always", "if there is one") for calls in callers):
                    return half
        return None

    def _argument_error(self) -> tuple[type, int, str] | None:
        error, owner = self.sighting.error, self.sighting.error_owner
        if not isinstance(error, TypeError) or owner is None:
            return None
        text = " ".join(str(error).split())
        behind = self.chain[self.chain.index(owner) + 1 :]
        if behind and f"{behind[0].__qualname__}.{self.method}()" in text:
            return behind[0], 4, f"it refuses what {owner.__name__} passes on ({text})"
        if not behind and "argument" in text and f"object.{self.method}" in text:
            return owner, 4, f"it passes on arguments that object does not take ({text})"
        return None

    def _doubt(self, stops: list[type], explained: bool) -> None:
        caught = [visit.owner.__name__ for visit in self.sighting.visits if visit.raised]
        if caught and self.sighting.error is None:
            self.doubts.append(f"{caught[0]} raised, and a class before it caught that")
        for owner in self.chain[:-1]:
            if self.goes_on(owner) is None:
                self.doubts.append(f"{owner.__name__}: {self._how(owner)}")
        last = self.chain[-1]
        if not self.ends_at_object and not stops and self.calls_nobody(last) is None:
            self.doubts.append(f"{last.__name__}: it is the last, and {self._how(last)}")
        if self.sighting.error is not None and not explained and not stops:
            error = self.sighting.error
            if not (isinstance(error, AttributeError) and self.calls_nobody(last)):
                self.doubts.append(f"the run ended with {type(error).__name__}: {error}")

    def _how(self, owner: type) -> str:
        reading = self.readings[owner]
        words = {
            "always": "its wrapper does not pass the call on",
            "sometimes": "it calls super() on some paths only",
            "if there is one": "it calls super() if there is one",
            "never": "it does not call super()",
            "cannot tell": "it does not pass the call on",
        }
        return reading.why or words[reading.calls]

    def _nobody(self, owner: type) -> str:
        alone = owner is self.chain[-1]
        return "it calls super()" + (", and behind it there is only object" if alone else "")


def _is_python(reading: Reading) -> bool:
    return reading.why != "its code is not Python"
