"""Which clients ask in vain: a loop that waits by asking again and again gets a fair scheduler.

A client asks in vain if

1. its last `polls` rounds of one, two or three calls were the same calls with the
   same replies, and it is about to begin that round again;
2. in the state that the services are in now, each call of the round would get that
   reply once more and leave everything as it is; and
3. if it went on alone, it would go on with this round until it is out of calls. (One
   that asks five times and then gives up does not ask in vain: what it does when it
   gives up is searched.)

It is then moved only when nobody else can. All three can be told from a schedule
and the services alone, whether or not states are merged.
"""

from __future__ import annotations

from raceproof.search.client import Client
from raceproof.search.graph import Node
from raceproof.search.histories import History
from raceproof.search.service_states import ServiceStates
from raceproof.search.state import State
from raceproof.wire.calls import Call, Outcome

_PERIODS = (1, 2, 3)  # how many calls a round may have
Round = list[tuple[Call, Outcome]]


class Polling:
    """Finds the clients that ask in vain; remembers what they would do if they went on."""

    def __init__(self, states: ServiceStates, polls: int, calls: int) -> None:
        self._states = states
        self._polls = polls
        self._calls = calls
        self._repeats: dict[tuple[str, int, int, float], bool] = {}

    def in_vain(self, client: Client, node: Node, place: int) -> bool:
        """Whether the client at this place asks in vain."""
        history, call = node.places[place].history, node.places[place].call
        return any(
            asked is not None
            and asked[0][0] == call
            and self._tells_nothing(client.name, node.state, asked)
            and self._goes_on(client, history, asked, node.state.passed)
            for asked in (self._round(history, period) for period in _PERIODS)
        )

    def _round(self, history: History, period: int) -> Round | None:
        """Return the round of so many calls that was asked often enough, or None."""
        length = self._polls * period
        if history.depth < length:
            return None
        said: Round = []
        for _ in range(length):
            assert history.call is not None
            assert history.outcome is not None
            said.append((history.call, history.outcome.at(0.0)))
            assert history.parent is not None
            history = history.parent
        said.reverse()
        asked = said[:period]
        return asked if said == asked * self._polls else None

    def _tells_nothing(self, name: str, state: State, asked: Round) -> bool:
        return all(self._states.same_again(state, name, call, outcome) for call, outcome in asked)

    def _goes_on(self, client: Client, history: History, asked: Round, passed: float) -> bool:
        key = (client.name, history.id, len(asked), passed)
        if key not in self._repeats:
            self._repeats[key] = client.repeats(history, asked, passed, self._calls)
        return self._repeats[key]
