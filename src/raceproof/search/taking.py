"""Taking a step: from a node and a choice to what happened and where it led."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raceproof.search.choices import Arrival, ClientStep, ServiceMove
from raceproof.search.client import Client
from raceproof.search.graph import Late, LateRequest, Node, Place
from raceproof.search.histories import History
from raceproof.search.journal import note_text
from raceproof.search.service_states import ServiceStates
from raceproof.search.state import State
from raceproof.search.step import play, prepared
from raceproof.trace.command_text import shorten
from raceproof.trace.steps import Step


@dataclass(frozen=True)
class Taken:
    """A step, and what is so after it."""

    step: Step
    state: State
    places: tuple[Place, ...]
    late: Late


@dataclass(frozen=True)
class Made:
    """What a step of a client is, whoever else is where: the same from the same state."""

    step: Step
    state: State
    place: Place
    late: Late  # the request, if one is on its way now


class Steps:
    """Takes steps, on the services and in the clients."""

    def __init__(self, states: ServiceStates, clients: Sequence[Client]) -> None:
        self._states = states
        self._clients = clients
        self._made: dict[tuple[object, ...], Made] = {}

    def take(self, node: Node, choice: ClientStep | ServiceMove | Arrival) -> Taken:
        """Return what happens at a node with this choice."""
        if isinstance(choice, ClientStep):
            return self._client_step(node, choice)
        if isinstance(choice, ServiceMove):
            call = choice.call
            _, state = self._states.execute(node.state, choice.actor, call)
            changed = self._states.changed(node.state, state, call.store)
            step = Step(choice.actor, call.store, call.text, fate=call.fate, changed=changed)
            return Taken(step, state, node.places, node.late)
        return self._arrival(node, choice)

    def _client_step(self, node: Node, choice: ClientStep) -> Taken:
        i, state, count = choice.client, node.state, len(node.late)
        before = node.places[i].history
        key = (i, choice.fate, count if choice.underway else None, state.id, before.id)
        made = self._made.get(key) if self._states.merge else None
        if made is None:
            made = self._made[key] = self._make(self._clients[i], state, before, choice, count)
        places = (*node.places[:i], made.place, *node.places[i + 1 :])
        return Taken(made.step, made.state, places, node.late + made.late)

    def _make(
        self, client: Client, at: State, before: History, choice: ClientStep, count: int
    ) -> Made:
        fate = choice.fate
        state, before = prepared(self._states, client, at, before)
        call = before.situation.call
        assert call is not None
        held = before.holds or call.holds
        state, history, reply = play(self._states, client, state, before, fate)
        changed = self._states.changed(at, state, call.store)
        alive = fate not in ("crash-before", "crash-after")
        late: Late = ()
        if choice.underway:
            actor = f"{client.name}, late {count + 1}"
            late = (LateRequest(choice.client, call.arriving_late(), call.text, actor, held),)
            if held:
                state = self._states.detach(state, client.name, call, actor)
        situation = history.situation
        if alive:
            for told in situation.told:
                _, state = self._states.execute(state, client.name, told)
        holds = history.holds or (fate == "crash-after" and call.holds)
        if holds and (not alive or situation.call is None):
            state = self._states.leave(state, client.name)
        words, reply = shorten(call.text, 200), shorten(reply, 120)
        delivered = call.delivers and fate == "answered"
        step = Step(
            client.name,
            call.store,
            reply if delivered else words,
            "" if delivered else reply,
            "delivery" if delivered else fate,
            tuple(note_text(note) for note in situation.said) if alive else (),
            situation.ended if alive else "",
            changed,
        )
        return Made(step, state, Place(history if alive else history.remembered(), alive), late)

    def _arrival(self, node: Node, choice: Arrival) -> Taken:
        at = choice.which
        request = node.late[at]
        assert request is not None
        call = request.call
        _, state = self._states.execute(node.state, request.actor, call)
        changed = self._states.changed(node.state, state, call.store)
        if request.connected:
            state = self._states.leave(state, request.actor)
        name = self._clients[request.client].name
        step = Step(name, call.store, request.text, fate="late", changed=changed)
        return Taken(step, state, node.places, (*node.late[:at], None, *node.late[at + 1 :]))
