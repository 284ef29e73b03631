"""Taking a step: from a node and a choice to what happened and where it led."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from raceproof.search.choices import Arrival, ClientStep, ServiceMove
from raceproof.search.client import Client
from raceproof.search.graph import Late, LateRequest, Node, Place
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


class Steps:
    """Takes steps, on the services and in the clients."""

    def __init__(self, states: ServiceStates, clients: Sequence[Client]) -> None:
        self._states = states
        self._clients = clients

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
        i, fate = choice.client, choice.fate
        client, before = self._clients[i], node.places[i].history
        state, before = prepared(self._states, client, node.state, before)
        call = before.situation.call
        assert call is not None
        held = before.holds or call.holds
        state, history, reply = play(self._states, client, state, before, fate)
        changed = self._states.changed(node.state, state, call.store)
        alive = fate not in ("crash-before", "crash-after")
        late = node.late
        if choice.underway:
            actor = f"{client.name}, late {len(late) + 1}"
            request = LateRequest(i, call, call.text, actor, held)
            late = (*late, request)
            if held:
                state = self._states.detach(state, client.name, call, request.actor)
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
        place = Place(history if alive else history.remembered(), alive)
        places = (*node.places[:i], place, *node.places[i + 1 :])
        return Taken(step, state, places, late)

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
