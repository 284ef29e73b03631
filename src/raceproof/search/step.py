"""One step of one client: a call, or all the calls of a transaction, and what befalls it."""

from __future__ import annotations

from raceproof.search.client import Client
from raceproof.search.histories import History
from raceproof.search.service_states import ServiceStates, State
from raceproof.trace.steps import Fate
from raceproof.wire.calls import Call, NotDeterministicError, Outcome

Played = tuple[State, History, list[str], str]


def play(
    states: ServiceStates, client: Client, state: State, history: History, fate: Fate
) -> Played:
    """Return the state and the history after the step, the words of its calls and the reply."""
    texts: list[str] = []
    reply = ""
    while True:
        call = history.situation.call
        assert call is not None
        texts.append(call.text)
        if fate in ("crash-before", "request-lost"):
            texts = _whole(states, client, state, history, texts)
        if fate == "crash-before":
            return state, history, texts, ""
        if fate == "request-lost":
            return state, client.after(history, _lost(states, call)), texts, ""
        if fate == "timed-out":
            return state, client.after(history, Outcome.timed_out(call)), texts, ""
        outcome, after = states.execute(state, client.name, call)
        if outcome is None:
            raise NotDeterministicError(
                f"{call.store} answered {call.text!r} in the search and lets it wait on replay"
            )
        reply = outcome.text or reply
        if fate == "crash-after" and call.part in ("whole", "last"):
            return after, history, texts, reply
        following = client.after(history, outcome)
        if _goes_on(call, following.situation.call):
            state, history = after, following
        elif fate == "crash-after":
            return after, history, texts, reply
        elif fate == "reply-lost":
            return after, client.after(history, _lost(states, call)), texts, reply
        else:
            return after, following, texts, reply


def _goes_on(call: Call, upcoming: Call | None) -> bool:
    """Whether the next call belongs to the same transaction."""
    return (
        call.part in ("first", "middle")
        and upcoming is not None
        and upcoming.store == call.store
        and upcoming.part in ("middle", "last")
    )


def _whole(
    states: ServiceStates, client: Client, state: State, history: History, texts: list[str]
) -> list[str]:
    """Return the words of a whole transaction, of which only the beginning is asked for."""
    call = history.situation.call
    if call is None or call.part != "first":
        return texts
    if states.execute(state, client.name, call)[0] is None:
        return texts
    return play(states, client, state, history, "answered")[2]


def _lost(states: ServiceStates, call: Call) -> Outcome:
    return Outcome.lost(states.connection_error(call))
