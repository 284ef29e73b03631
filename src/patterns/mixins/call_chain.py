"""What the code and one run say, together, of each class that has the method."""

from __future__ import annotations

from .call_trace import Sighting
from .source_reading import NOT_PYTHON, Reading, inner

NOBODY = "'super' object has no attribute {!r}"


class CallChain:
    """Does the call go on behind each class? `object` silently ends what it has itself."""

    def __init__(
        self, cls: type, method: str, readings: dict[type, Reading], sighting: Sighting
    ) -> None:
        self.cls, self.method, self.readings, self.sighting = cls, method, readings, sighting
        self.chain = list(readings)
        self.ends_at_object = hasattr(object, method)
        self._entered = self._who_was_entered()

    def in_order(self) -> list[type]:
        """The classes but the last, up to one that calls by name: who is asked behind it?"""
        odd = [n for n, owner in enumerate(self.chain) if self.readings[owner].odd]
        return self.chain[:-1][: odd[0] + 1] if odd else self.chain[:-1]

    def goes_on(self, owner: type) -> bool | None:
        """Does the call reach the class behind `owner`? None: cannot tell."""
        shown, reading = self._shown(owner), self.readings[owner]
        if shown is None:
            return {"always": True, "if there is one": True, "never": False}.get(reading.calls)
        return None if shown and (reading.calls == "sometimes" or reading.odd) else shown

    def calls_nobody(self, owner: type) -> bool | None:
        """Does `owner`, with no class behind it, call `super()` all the same?"""
        if owner not in self.readings:
            return None
        calls, visit, run = self.readings[owner].calls, self.sighting.visit(owner), self.sighting
        if owner is not self.chain[-1]:
            return calls == "always"
        if run.error_owner is owner and str(run.error) == NOBODY.format(self.method):
            return True
        well = run.ran and run.error is None and owner in self._entered
        if well and not (visit and visit.raised):
            return None if calls == "sometimes" else False
        return {"always": True, "cannot tell": None, "sometimes": None}.get(calls, False)

    def says(self, owner: type) -> str:
        """Return what to print: does this class call `super()`?"""
        calls, shown = self.readings[owner].calls, self._shown(owner)
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
        recursed = self.readings[owner].odd and self.sighting.error_owner is owner
        if (self.sighting.error and not recursed) or self._surely(owner):
            return None
        runs = self.readings[owner].shows or self.readings[owner].why == NOT_PYTHON
        return False if runs and self.readings[behind[0]].shows else None

    def _surely(self, owner: type) -> bool:
        """Did the run come out of `owner` on a path that, by its code, calls the next?"""
        visit, sure = self.sighting.visit(owner), ("always", "if there is one")
        behind = self.chain[self.chain.index(owner) + 1 :]
        plain = behind and vars(behind[0])[self.method] is inner(behind[0], self.method)
        # Where a call of the next would have been seen, and was not, the code was misread.
        missed = plain and self.readings[behind[0]].shows and not self.sighting.visit(behind[0])
        return bool(visit and not (visit.raised or missed) and self.readings[owner].calls in sure)

    def _who_was_entered(self) -> set[type]:
        entered: set[type] = set()
        for owner, following in zip(self.chain, [*self.chain[1:], None], strict=True):
            if self.sighting.ran and (owner is self.chain[0] or self.sighting.visit(owner)):
                entered.add(owner)
            if following and self._surely(owner):
                entered.add(following)
        return entered

    def all_go_on_to(self, last: type) -> bool:
        """Is it sure that the call comes to the last class? Else it is not the one to blame."""
        return all(map(self.goes_on, self.chain[:-1])) or self.sighting.visit(last) is not None
