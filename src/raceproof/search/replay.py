"""Schedules made again from scratch: what was remembered must be what really happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raceproof.search.choices import mover
from raceproof.search.client import differs
from raceproof.search.exploration import Search
from raceproof.search.graph import Edge, Graph, Node, schedule
from raceproof.wire.calls import NotDeterministicError

SCHEDULES = 6  # how many are made again, beside the shortest broken one
_LEAST = 16  # calls that may be made for them in any case,
_SHARE = 4  # and one more for so many calls of the search


class Replays:
    """Makes schedules of a graph again, each with a fresh world and fresh clients."""

    def __init__(self, make_search: Callable[[], Search], original: Search, graph: Graph) -> None:
        self._make_search = make_search
        self._original = original.states
        self._graph = graph
        self._calls = 0

    def some(self) -> None:
        """Make a few schedules again, broken or not, spread evenly over all there are.

        No more are begun when enough calls were made. Raise NotDeterministicError if one
        does not go as it did.
        """
        total = self._graph.root.schedules
        enough = _LEAST + self._original.calls_made // _SHARE
        last = SCHEDULES - 1
        for number in dict.fromkeys(at * (total - 1) // last for at in (0, last, *range(1, last))):
            if self._calls <= enough:
                self.confirm(schedule(self._graph, number))

    def confirm(self, trail: list[Edge]) -> None:
        """Make one schedule again, to its end; raise NotDeterministicError if it goes elsewhere."""
        end = trail[-1].target if trail else self._graph.root
        if any(place.history.situation.endless for place in end.places):
            return  # it would take its time once more
        search = self._make_search()
        try:
            node = self._followed(search, trail)
            if end.state.view is not None:
                search.states.compare(end.state.view, search.states.view(node.state))
            if not end.left_out:
                _compare_ends(search, node, end)
        finally:
            self._calls += search.states.calls_made
            search.close()

    def world_after(self, trail: list[Edge]) -> Any:
        """Make these steps again; return the world as it is then, for somebody to look at."""
        search = self._make_search()
        try:
            return search.checks.world_at(self._followed(search, trail))
        finally:
            for client in search.clients:
                client.close()

    def _followed(self, search: Search, trail: list[Edge]) -> Node:
        node, states = search.start(), search.states
        states.looks_for_expiry = False  # the search has
        states.compare(self._original.view(self._graph.root.state), states.view(node.state))
        _compare_clients(search, self._graph.root, node)
        for edge in trail:
            step, after = search.take(node, edge.choice)
            _compare_outcomes(edge, after)
            _compare_clients(search, edge.target, after)
            if step != edge.step:
                raise NotDeterministicError(
                    f"a step of {step.actor} was {edge.step.call!r} → {edge.step.reply!r} in the "
                    f"search and {step.call!r} → {step.reply!r} on replay"
                )
            node = after
        return node


def _compare_outcomes(edge: Edge, after: Node) -> None:
    """Raise if a service answered a client otherwise."""
    who = mover(edge.choice)
    if who is None:
        return
    first, now = edge.target.places[who].history, after.places[who].history
    if first.outcome != now.outcome and first.call is not None:
        raise NotDeterministicError(
            f"{first.call.store} answered {first.call.text!r} differently on replay: first "
            f"{_said(first.outcome)}, now {_said(now.outcome)}. A world must be made anew, the "
            "same each time"
        )


def _compare_clients(search: Search, first: Node, now: Node) -> None:
    """Raise if a client stands elsewhere than it did."""
    for client, before, after in zip(search.clients, first.places, now.places, strict=True):
        there, here = before.history.situation, after.history.situation
        if not there.same(here):
            raise NotDeterministicError(differs(client.name, there, here))


def _compare_ends(search: Search, node: Node, end: Node) -> None:
    if node.edges is None:
        search.expand(node)
    if node.violation != end.violation:
        raise NotDeterministicError(
            f"the same schedule ended with {end.violation!r} in the search and with "
            f"{node.violation!r} on replay"
        )


def _said(outcome: Any) -> str:
    return "nothing" if outcome is None else repr(outcome.text or outcome.kind)
