"""What a search found, ready to be read, drawn and run again."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from raceproof.search.bounds import Bounds, count_text, number
from raceproof.search.exploration import Search
from raceproof.search.graph import Edge, Graph, count_violations, shortest
from raceproof.search.replay import Replays
from raceproof.trace.script_names import with_script_names
from raceproof.trace.steps import Run


@dataclass(frozen=True)
class Finding:
    """One way to go wrong: in words, in how many schedules, and the shortest of them."""

    violation: str
    schedules: int
    run: Run


class Report:
    """The result of `explore`.

    `verdict` is "holds" (every schedule within the bounds was covered, and none breaks
    it), "broken" (at least one does), or "not decided" (cut short, and none of those
    seen breaks it). `schedules` is the number of different schedules within the bounds
    and `broken` how many of them end in a violation, both exact, whether or not
    states were merged. `states` is how many different states were looked at,
    `calls` how many calls were made on the services to do so. `complete` is
    False when the search was cut short. `run` is the shortest broken run, or None.
    """

    def __init__(
        self, make_search: Callable[[], Search], search: Search, graph: Graph, clients: int
    ) -> None:
        self._replays = Replays(make_search, search, graph)
        self._graph = graph
        self._clients = clients
        self._names = tuple(client.name for client in search.clients)
        self._stores = search.states.stores
        self.bounds: Bounds = search.bounds
        self._held_back = search.held_back
        self._remarks = search.states.remarks
        self._would_expire = len(search.states.would_expire)
        self.schedules = graph.root.schedules
        self.broken = graph.root.broken
        self.complete = graph.complete
        self.states = len(graph.nodes)
        self.calls = search.states.calls_made
        self._trails = shortest(graph) if self.broken else {}
        self._trail = next(iter(self._trails.values()), None)
        self.run = None if self._trail is None else self._as_run(self._trail)

    @property
    def verdict(self) -> Literal["holds", "broken", "not decided"]:
        """Return "holds", "broken" or "not decided"."""
        if self.broken:
            return "broken"
        return "holds" if self.complete else "not decided"

    @property
    def holds(self) -> bool:
        """True only if every schedule within the bounds was covered and none is broken."""
        return self.verdict == "holds"

    def assert_holds(self) -> None:
        """Raise AssertionError, with the sentence and the whole shortest run, unless it holds."""
        if self.verdict == "broken":
            raise AssertionError(str(self))
        if self.verdict == "not decided":
            raise AssertionError(f"not decided: {self.sentence}")

    @property
    def limits(self) -> list[str]:
        """What the search left out, in words: nothing, if it tried every schedule."""
        limits = self.bounds.limits(self._held_back)
        if self._would_expire:
            stay = "stays" if self._would_expire == 1 else "stay"
            keys = number(self._would_expire, "key")
            limits.append(f"the clock stands still, so {keys} that would expire {stay}")
        return limits

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

    @cached_property
    def findings(self) -> list[Finding]:
        """Every different violation, most schedules first, each with its shortest run."""
        counts = count_violations(self._graph)
        return [
            Finding(words, count, self._as_run(self._trails[words]))
            for words, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    @property
    def sentence(self) -> str:
        """The result in one sentence, with its bounds."""
        covered = f"{number(self.schedules, 'schedule')} of {number(self._clients, 'client')}"
        covered += "".join(
            f", {part}" for part in [*self.bounds.faults(), *self.limits, *self._remarks]
        )
        broken = count_text(self.broken)
        if not self.complete:
            return f"{covered}, cut short: {broken} of those seen break it, nothing is proved."
        if self.broken == 0:
            return f"{covered}: none breaks it."
        return f"{covered}: {broken} {'breaks' if self.broken == 1 else 'break'} it."

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
        return self._replays.world_after(self._trail[: self.run.breaks_at])

    def confirm(self) -> None:
        """Make the calls of the shortest broken run again, one after the other, for real.

        Raise NotDeterministicError if it does not end the same way.
        """
        if self._trail is not None:
            self._replays.confirm(self._trail)

    def confirm_some(self) -> None:
        """Make a few schedules again, broken or not, as `confirm` does."""
        self._replays.some()

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
        told = [(edge.step, with_script_names(edge.step.call)) for edge in trail]
        steps = tuple(
            step if call == step.call else replace(step, call=call) for step, call in told
        )
        used = {step.store for step in steps}
        stores = tuple(store for store in self._stores if store in used)
        return Run(self._names, stores, steps, end.violation, breaks_at, end.stuck)
