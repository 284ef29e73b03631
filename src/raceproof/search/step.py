"""One step of one client: a call, and what befalls it."""

from __future__ import annotations

from raceproof.search.client import Client, History
from raceproof.search.service_states import Stage, State
from raceproof.trace.steps import Fate
from raceproof.wire.calls import Call, Outcome

Played = tuple[State, History, str]


def play(stage: Stage, client: Client, state: State, history: History, fate: Fate) -> Played:
    """Return the state and the history after the step, and the words of the reply."""
    call = history.situation.call
    assert call is not None
    if fate == "crash-before":
        return state, history, ""
    if fate == "request-lost":
        return state, client.after(history, _lost(stage, call)), ""
    if fate == "timed-out":
        return state, client.after(history, Outcome.timed_out(call)), ""
    outcome, after = stage.execute(state, client.name, call)
    assert outcome is not None
    if fate == "crash-after":
        return after, history, outcome.text
    if fate == "reply-lost":
        return after, client.after(history, _lost(stage, call)), outcome.text
    return after, client.after(history, outcome), outcome.text


def _lost(stage: Stage, call: Call) -> Outcome:
    return Outcome.lost(stage.connection_error(call))
