"""Every schedule of a program, played from scratch, counted. It shares no code with the search.

This page is what the search is held against. The step model:

**A step** is one of
- *one request of one client*: sent, taken by the server and answered. `MULTI … EXEC` sent
  together is one request. The commands of a pipeline without MULTI are one request each, with
  no code of the client between them, so others may come between. What a library sends to set
  up a connection is no step. EVALSHA of a script that the server does not have, the SCRIPT
  LOAD that a library then sends and the EVALSHA after it are one request, EVALSHA. COMMIT and
  ROLLBACK are requests if a transaction is open.
  UNSUBSCRIBE, whose answer nobody awaits, and SUBSCRIBE for what was subscribed to before its
  connection broke, go with the step before them and take effect in a move. XREAD that waits
  for what comes after `$` arrives in a step of its own, which finds out what `$` is.
- *a move of a service*: a subscription takes effect; the clock ticks (each tick once, in
  order); a request that is late arrives.

**What may befall a request**
- *answered*, if it need not wait.
- *timed out*, if it must wait and has a time-out: as often as `timeouts` for each client, and
  whenever nobody else can move; for a lock in SQL only then. A request that need not wait
  never times out.
- *the client dies* before the request is sent, or after the server has taken it (not if it
  must wait: it has not been taken). Nothing of the client runs any more; its connections
  close. Together at most `crashes` clients die.
- *the request is lost* or *its reply is lost*: the connection breaks, and the client sees that
  in whatever way its library has. Together at most `lost_replies`. A request that must wait
  can be lost. Reading the clock or sleeping cannot.
- *late*: the client dies or loses the connection, and the request arrives later, on the
  connection it was sent on (so a late EXEC is still under its WATCH). Together at most `late`.
  One that must wait arrives when it need not any more. None that the connection lives for
  (SUBSCRIBE, WATCH).
  Of a pipeline without MULTI the one request, and none of those behind it.

**A request must wait** as long as the server would not answer it at once. It is taken when it
is answered: waiting leaves nothing on the server. (SQL differs: see `postgresql_gates.py`,
`sqlite_gates.py`.)

**Who asks in vain**, whose last `polls` requests in an endless loop were the same with the same
answer, and would be answered so once more, is moved only where nobody else can. Who has made
`calls` requests and wants to make another is still going: that is wrong.

**Preemptions**: a step of another client than the last one is a preemption if the last one
could have had an answer and did not ask in vain. Moves of services are none. At most `preemptions`.

**A schedule ends**
- when a client ends with an exception of its own (not one of a connection that we broke):
  that is wrong, whatever others would still do;
- when `always`, which looks after each step and before the first, says that it is wrong;
- when no client has a request to make and no request is late: `check` says whether it is wrong.
  Ticks that have not come by then never come;
- when nobody can move: no answer, no time-out, no move of a service. What only a further
  fault would resolve does not count: a deadlock, and wrong, unless all who wait may wait for
  ever (`daemons`); then `check` decides.

Where it would end otherwise than wrong, the first client of `afterwards` that has not ended
goes on, beside those who wait. Nothing befalls its requests but answers and time-outs.

Two schedules are different if they differ in any step or in what befalls it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.raceproof.fuzz.play import Choice, Play
from tests.raceproof.fuzz.programs import Program


class TooManyError(Exception):
    """The program has more schedules than were asked for."""


@dataclass
class Found:
    """What became of all schedules: `ends` counts them by what is wrong (None: nothing)."""

    ends: Counter[str | None] = field(default_factory=Counter)
    shortest: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    @property
    def schedules(self) -> int:
        return sum(self.ends.values())


def enumerate_schedules(program: Program, make: Any, most: int = 300) -> Found:
    """Play every schedule of a program; raise TooManyError beyond `most` of them."""
    found = Found()
    todo: list[tuple[Choice, ...]] = [()]
    while todo:
        prefix = todo.pop()
        if found.schedules + len(todo) >= most:
            raise TooManyError
        play = Play(program, make(program))
        try:
            for choice in prefix:
                if "preemptions" in program.bounds:
                    play.choices()  # who can go on, and so is interrupted
                play.take(choice)
            while (choices := play.choices()) and play.ended is None:
                todo.extend((*play.taken, other) for other in choices[1:])
                play.take(choices[0])
            wrong = play.verdict()
        finally:
            play.close()
        found.ends[wrong] += 1
        found.calls += len(play.taken)
        if wrong is not None:
            found.shortest[wrong] = min(found.shortest.get(wrong, 10**9), len(play.taken))
    return found
