"""One step of one client: a call, or all the calls of a transaction, and what befalls it."""

from __future__ import annotations

from raceproof.search.client import Client, History
from raceproof.search.service_states import Stage, State
from raceproof.trace.steps import Fate
from raceproof.wire.calls import Call, Outcome

Played = tuple[State, History, list[str], str]


def play(stage: Stage, client: Client, state: State, history: History, fate: Fate) -> Played:
    """Return the state and the history after the step, the words of its calls and the reply."""
    state, history = _prepared(stage, client, state, history)
    texts: list[str] = []
    reply = ""
    while True:
        call = history.situation.call
        assert call is not None
        texts.append(call.text)
        if fate in ("crash-before", "request-lost"):
            texts = _whole(stage, client, state, history, texts)
        if fate == "crash-before":
            return state, history, texts, ""
        if fate == "request-lost":
            return state, client.after(history, _lost(stage, call)), texts, ""
        if fate == "timed-out":
            return state, client.after(history, Outcome.timed_out(call)), texts, ""
        outcome, after = stage.execute(state, client.name, call)
        assert outcome is not None
        reply = outcome.text or reply
        following = client.after(history, outcome)
        if _goes_on(call, following.situation.call):
            state, history = after, following
        elif fate == "crash-after":
            return after, history, texts, reply
        elif fate == "reply-lost":
            return after, client.after(history, _lost(stage, call)), texts, reply
        else:
            return after, following, texts, reply


def _prepared(
    stage: Stage, client: Client, state: State, history: History
) -> tuple[State, History]:
    """Return where the calls are made that only prepare the next one: they are no steps.

    They are what redis-py does about a script that the server does not have: EVALSHA, which is
    refused, then SCRIPT LOAD. Nobody can tell when that happens, and a reply that is lost on the
    way leaves behind what it would leave if EVALSHA were then lost.
    """
    while (call := history.situation.call) is not None and call.prepares:
        outcome, after = stage.execute(state, client.name, call)
        if outcome is None or (call.prepares == "maybe" and outcome.kind != "error"):
            break
        following = client.after(history, outcome)
        upcoming = following.situation.call
        if call.prepares == "maybe" and (upcoming is None or upcoming.prepares != "yes"):
            break
        state, history = after, following
    return state, history


def _goes_on(call: Call, upcoming: Call | None) -> bool:
    """Whether the next call belongs to the same transaction."""
    return (
        call.part in ("first", "middle")
        and upcoming is not None
        and upcoming.store == call.store
        and upcoming.part in ("middle", "last")
    )


def _whole(
    stage: Stage, client: Client, state: State, history: History, texts: list[str]
) -> list[str]:
    """Return the words of a whole transaction, of which only the beginning is asked for."""
    call = history.situation.call
    if call is None or call.part != "first":
        return texts
    if stage.execute(state, client.name, call)[0] is None:
        return texts
    return play(stage, client, state, history, "answered")[2]


def _lost(stage: Stage, call: Call) -> Outcome:
    return Outcome.lost(stage.connection_error(call))
