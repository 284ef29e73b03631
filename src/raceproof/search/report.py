"""What a search found, ready to be read, drawn and run again."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raceproof.search.bounds import Bounds, number
from raceproof.search.exploration import Search
from raceproof.search.graph import Edge, Graph, count_violations, shortest
from raceproof.trace.steps import Run
from raceproof.wire.calls import NotDeterministicError


@dataclass(frozen=True)
class Finding:
    """One way to go wrong: in words, in how many schedules, and the shortest of them."""

    violation: str
    schedules: int
    run: Run


class Report:
    """The result of `explore`.

    `schedules` is the number of different schedules within the bounds and
    `broken` how many of them end in a violation, both exact, whether or not
    states were merged. `states` is how many different states were looked at,
    `calls` how many calls were made on the services to do so. `complete` is
    False when the search was cut short; then nothing is said to hold.
    """

    def __init__(
        self,
        make_search: Callable[[bool], Search],
        search: Search,
        graph: Graph,
        names: tuple[str, ...],
    ) -> None:
        self._make_search = make_search
        self._graph = graph
        self._names = names
        self._stores = search.stage.stores
        self.bounds: Bounds = search.bounds
        self._held_back = frozenset(search.held_back)
        self.schedules = graph.root.schedules
        self.broken = graph.root.broken
        self.complete = graph.complete
        self.states = len(graph.nodes)
        self.calls = search.stage.calls_made
        self._trail = shortest(graph) if self.broken else None
        self.run = None if self._trail is None else self._as_run(self._trail)

    @property
    def holds(self) -> bool:
        """True only if every schedule within the bounds was covered and none is broken."""
        return self.complete and self.broken == 0

    @property
    def limits(self) -> list[str]:
        """What the search left out, in words: nothing, if it tried every schedule."""
        return self.bounds.limits(self._held_back)

    @property
    def violation(self) -> str | None:
        """What is wrong at the end of the shortest broken schedule."""
        return None if self.run is None else self.run.violation

    @property
    def error(self) -> BaseException | None:
        """The exception with which a client ended in the shortest broken run, if one did."""
        if self._trail is None:
            return None
        end = self._trail[-1].target if self._trail else self._graph.root
        errors = (p.history.situation.error for p in end.places if p.alive)
        return next((error for error in errors if error is not None), None)

    @property
    def findings(self) -> list[Finding]:
        """Every different violation, most schedules first, each with its shortest run."""
        counts = count_violations(self._graph)
        found = []
        for words, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            trail = shortest(self._graph, words)
            assert trail is not None
            found.append(Finding(words, count, self._as_run(trail)))
        return found

    @property
    def sentence(self) -> str:
        """The result in one sentence, with its bounds."""
        covered = f"{number(self.schedules, 'schedule')} of {number(len(self._names), 'client')}"
        covered += "".join(f", {part}" for part in [*self.bounds.faults(), *self.limits])
        if not self.complete:
            return (
                f"{covered}, cut short: {self.broken:,} of those seen break it, nothing is proved."
            )
        if self.broken == 0:
            return f"{covered}: none breaks it."
        verb = "breaks" if self.broken == 1 else "break"
        return f"{covered}: {self.broken:,} {verb} it."

    def diagram(self) -> Any:
        """Return the shortest broken run as a space-time diagram."""
        from raceproof.draw import diagram

        if self.run is None:
            raise ValueError("nothing to draw: no schedule within the bounds breaks it")
        return diagram(self.run)

    def transcript(self) -> Any:
        """Return the shortest broken run as a transcript."""
        from raceproof.draw import transcript

        if self.run is None:
            raise ValueError("nothing to show: no schedule within the bounds breaks it")
        return transcript(self.run)

    def replay(self) -> Any:
        """Run the shortest broken schedule again, for real, up to the step before it breaks.

        Return the world as it is then, for you to look at.
        """
        if self._trail is None or self.run is None:
            raise ValueError("nothing to replay: no schedule within the bounds breaks it")
        return rehearse(self._make_search(False), self._trail[: self.run.breaks_at])

    def confirm(self) -> None:
        """Make the calls of the shortest broken run again, one after the other, for real.

        Raise NotDeterministicError if it does not end the same way.
        """
        if self._trail is not None:
            rehearse(self._make_search(False), self._trail, ending=self.violation)

    def __str__(self) -> str:
        if self.run is None:
            return self.sentence
        return f"{self.sentence}\n\nThe shortest:\n\n{self.transcript()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        text = f"<p><strong>{html.escape(self.sentence)}</strong></p>"
        if self.run is None:
            return text
        return f"{text}<p>The shortest:</p>{self.transcript()._repr_html_()}"

    def _as_run(self, trail: list[Edge]) -> Run:
        end = trail[-1].target if trail else self._graph.root
        breaks_at = len(trail) - 1 if trail else None
        if self.complete and not self._graph.root.doomed:
            breaks_at = next(i for i, edge in enumerate(trail) if edge.target.doomed)
        steps = tuple(edge.step for edge in trail)
        used = {step.store for step in steps}
        stores = tuple(store for store in self._stores if store in used)
        return Run(self._names, stores, steps, end.violation, breaks_at, end.stuck)


def rehearse(search: Search, trail: list[Edge], ending: str | None = None) -> Any:
    """Take one schedule step by step on a fresh world; return the world."""
    node = search.start()
    try:
        for count, edge in enumerate(trail, 1):
            node = search.follow(node, edge)
            made = search.taken
            if made != edge.step:
                raise NotDeterministicError(
                    f"step {count} was {edge.step.call!r} → {edge.step.reply!r} in the search and "
                    f"{made.call!r} → {made.reply!r} on replay"
                )
        if ending is not None:
            found = search.judge(node)
            if found != ending:
                raise NotDeterministicError(
                    f"the schedule ended with {ending!r} in the search and {found!r} on replay"
                )
            return None
        return search.look(node)
    finally:
        for client in search.clients:
            client.close()
        search.stage.close()
