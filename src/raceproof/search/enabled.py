"""What can happen next at a node, within the bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from raceproof.search.arguments import Task
from raceproof.search.choices import Arrival, Choice, OutOfCalls, ServiceMove, client_step, is_fault
from raceproof.search.client import Client
from raceproof.search.graph import LateRequest, Node
from raceproof.search.polling import Polling
from raceproof.search.service_states import ServiceStates
from raceproof.wire.calls import Call


@dataclass(frozen=True)
class Options:
    """The choices at a node, the clients that could move, and those that wait for ever.

    No choices and nobody who waits: everybody has ended.
    """

    choices: tuple[Choice, ...] = ()
    movable: frozenset[int] = frozenset()
    stuck: tuple[int, ...] = ()


class Enabled:
    """Finds out what can happen next; `held_back` names the bounds that cut anything."""

    def __init__(self, states: ServiceStates, clients: Sequence[Client], task: Task) -> None:
        self.held_back: set[str] = set()
        self._states = states
        self._clients = clients
        self._first_afterwards = len(task.clients)
        self._bounds = task.bounds
        self._daemons = task.daemons
        self._looks_in_between = task.always is not None
        self._polling = Polling(states, task.bounds.polls, task.bounds.calls)

    def at(self, node: Node) -> Options:
        """Return what can happen at a node."""
        alive = self._alive(node, range(self._first_afterwards))
        late = [
            at for at, request in enumerate(node.late) if request and self._arrives(node, request)
        ]
        options = self._options(node, alive, late) if alive or late else Options()
        if options.choices or any(not self._may_wait(i) for i in options.stuck):
            return options
        turn = self._alive(node, range(self._first_afterwards, len(self._clients)))[:1]
        return self._options(node, [*alive, *turn], []) if turn else options

    def _alive(self, node: Node, among: range) -> list[int]:
        return [i for i in among if node.places[i].call is not None]

    def _may_wait(self, i: int) -> bool:
        return self._clients[i].name in self._daemons

    def _options(self, node: Node, alive: list[int], late: list[int]) -> Options:
        moves = self._states.moves(node.state)  # first: the world may be there
        ready = [i for i in alive if self._ready(node, i)]
        ticks = any(call.fate == "tick" for _, call in moves)
        alone = [i for i in ready if self._private(node, i, ticks)][:1]
        if alone:
            return Options(tuple(self._of_client(node, alone[0], True, False)), frozenset(alone))
        lively = ready
        if len(ready) + len(moves) + len(late) > 1:
            lively = [i for i in ready if not self._in_vain(node, i)]
            lively = lively or ([] if moves or late else ready)
        quiet = not ready and not moves and not late
        movable = frozenset(lively)
        choices: list[Choice] = []
        for i in alive:
            choices.extend(self._of_client(node, i, i in movable, quiet))
        choices.extend(ServiceMove(actor, call) for actor, call in moves)
        choices.extend(Arrival(at) for at in late)
        if quiet and all(is_fault(choice) for choice in choices):
            return Options(stuck=tuple(alive))
        return Options(tuple(choices), movable)

    def _ready(self, node: Node, i: int) -> bool:
        return self._answers(node, self._clients[i].name, self._call(node, i))

    def _arrives(self, node: Node, request: LateRequest) -> bool:
        """Whether a late request can take effect: one that would wait is not there yet."""
        return not request.call.waits or self._answers(node, request.actor, request.call)

    def _answers(self, node: Node, actor: str, call: Call) -> bool:
        outcome, _ = self._states.execute(node.state, actor, call)
        return outcome is not None

    def _private(self, node: Node, i: int, ticks: bool) -> bool:
        """Whether a client may move first: any other order ends the same, at each end."""
        measures = ticks and self._clients[i].sees_ticks
        return self._call(node, i).private and not measures and not self._looks_in_between

    def _in_vain(self, node: Node, i: int) -> bool:
        found = self._polling.in_vain(self._clients[i], node, i)
        if found:
            self.held_back.add("polls")
        return found

    def _of_client(self, node: Node, i: int, ready: bool, quiet: bool) -> Iterator[Choice]:
        place, bounds, call = node.places[i], self._bounds, self._call(node, i)
        if place.history.depth >= bounds.calls:
            yield OutOfCalls(i)
            return
        if ready:
            yield client_step(i, "answered")
        if call.waits and call.timeout is not None and not ready:
            early = place.history.timeouts < bounds.timeouts and not call.patient
            if quiet or early:
                yield client_step(i, "timed-out")
            else:
                self.held_back.add("locks" if call.patient else "timeouts")
        if i >= self._first_afterwards or not call.store:
            return
        may_die = sum(not place.alive for place in node.places) < bounds.crashes
        may_lose = sum(place.history.losts for place in node.places) < bounds.lost_replies
        may_lose = may_lose and call.travels
        if may_die:
            yield client_step(i, "crash-before")
            if ready:
                yield client_step(i, "crash-after")
        if may_lose:
            yield client_step(i, "request-lost")
            if ready:
                yield client_step(i, "reply-lost")
        lasts = call.lasts or not call.holds
        if (ready or call.waits) and len(node.late) < bounds.late and call.travels and lasts:
            if may_die:
                yield client_step(i, "crash-before", underway=True)
            if may_lose:
                yield client_step(i, "request-lost", underway=True)

    def _call(self, node: Node, i: int) -> Call:
        call = node.places[i].call
        assert call is not None
        return call
