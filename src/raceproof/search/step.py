"""One step of one client: a call, and what befalls it."""

from __future__ import annotations

from raceproof.search.client import Client
from raceproof.search.histories import History
from raceproof.search.service_states import ServiceStates
from raceproof.search.state import State
from raceproof.trace.steps import Fate
from raceproof.wire.calls import Call, NotDeterministicError, Outcome

Played = tuple[State, History, str]


def play(
    states: ServiceStates, client: Client, state: State, history: History, fate: Fate
) -> Played:
    """Return the state and the history after the step, and the words of the reply."""
    call = history.situation.call
    assert call is not None
    if fate == "crash-before":
        return state, history, ""
    if fate == "request-lost":
        return state, client.after(history, _lost(states, call), state.passed), ""
    if fate == "timed-out":
        return state, client.after(history, Outcome.timed_out(call), state.passed), ""
    outcome, after = states.execute(state, client.name, call)
    if outcome is None:
        raise NotDeterministicError(
            f"{call.store} answered {call.text!r} in the search and lets it wait on replay"
        )
    if fate == "crash-after":
        return after, history, outcome.text
    if fate == "reply-lost":
        return after, client.after(history, _lost(states, call), after.passed), outcome.text
    return after, client.after(history, outcome, after.passed), outcome.text


def prepared(
    states: ServiceStates, client: Client, state: State, history: History
) -> tuple[State, History]:
    """Return where the calls are made that only prepare the next one: they are no steps.

    They are what a program does about a script that the server does not have: EVALSHA, which is
    refused, then SCRIPT LOAD, as redis-py does it, or at once an EVAL, which is a step. Nobody can
    tell when that happens, and a reply that is lost on the way leaves behind what it would leave
    if EVALSHA were then lost.
    """
    while (call := history.situation.call) is not None and call.prepares in ("maybe", "yes"):
        outcome, after = states.execute(state, client.name, call)
        if outcome is None or (call.prepares == "maybe" and outcome.kind != "error"):
            break
        following = client.after(history, outcome, after.passed)
        upcoming = following.situation.call
        if call.prepares == "maybe" and (upcoming is None or upcoming.prepares in ("", "maybe")):
            break
        state, history = after, following
    return state, history


def _lost(states: ServiceStates, call: Call) -> Outcome:
    return Outcome.lost(states.connection_error(call))
