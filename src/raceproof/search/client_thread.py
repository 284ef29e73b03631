"""One run of a client's code: a thread that is parked at each call.

Each call on a service parks the thread; the search answers when it likes, and how it likes.
"""

from __future__ import annotations

import copy
import random
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

from raceproof.search import determinism, redirections
from raceproof.search.endings import ending, never_run, run_to_the_end
from raceproof.search.histories import History, Situation
from raceproof.search.own_world import OwnWorld
from raceproof.search.thread_watch import ThreadWatch
from raceproof.wire.calls import Call, Crash, Outcome, Unsearchable, hearing

PATIENCE = 5.0  # seconds a client may compute between two calls
_STUBBORN = 100  # calls a dead client may try before its thread is left asleep


class ClientThread:
    """A client's code in a thread of its own, from its beginning to where the search leaves it."""

    def __init__(
        self, name: str, code: Callable[[Any], object], make_world: Callable[[ClientThread], Any]
    ) -> None:
        self.history: History | None = None
        self.chance = random.Random(name)
        self.wall_clock: Callable[[], float] = lambda: 0.0
        self.ticks: Literal["none", "unseen", "measured", "seen"] = "none"  # of the world's clock
        self.name, self._code = name, code
        self._own = OwnWorld(name, make_world(self))
        self._elapsed = self._passed = 0.0
        self._said: list[Any] = []
        self._told: list[Call] = []
        self._situation = Situation(None)
        self._outcome: Outcome | None = None
        self._known: deque[tuple[Situation, Outcome]] = deque()
        self._calls = self._dead = 0
        self._refusal: Exception | None = None
        self._client_turn, self._search_turn = threading.Lock(), threading.Lock()
        self._client_turn.acquire()
        self._search_turn.acquire()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    # --- called by the search -------------------------------------------------
    def begin(self, known: Iterable[tuple[Situation, Outcome]] = ()) -> tuple[Situation, int]:
        """Run up to the first call that is not known: each that is has its outcome beside it.

        Return where it stands, and how many calls were as known; nobody waits for those.
        """
        self._known.extend(known)
        self._thread.start()
        return self._wait(), self._calls

    def answer(self, outcome: Outcome | None) -> Situation:
        """Give the pending call its outcome and run up to the next one."""
        self._outcome = outcome
        self._client_turn.release()
        return self._wait()

    def kill(self) -> None:
        """End the thread; its `finally` blocks run, and reach nobody."""
        self._dead = 1
        if self._thread.is_alive():
            if self._client_turn.locked():
                self._client_turn.release()
            self._thread.join(0.05)

    def raise_refusal(self) -> None:
        """Raise what this client, or a thread that it started, was refused."""
        if self._refusal is None:
            return
        error = type(self._refusal)(str(self._refusal))
        error.add_note(f"(in client {self.name!r})")
        raise error

    def _wait(self) -> Situation:
        calls = -1
        while not self._search_turn.acquire(timeout=0.1):
            if calls != self._calls:
                watch, calls = ThreadWatch(self._thread, PATIENCE), self._calls
            elif (found := watch.look()) != "goes on":
                return self._stopped(watch, found)
        self.raise_refusal()
        return self._situation

    def _stopped(self, watch: ThreadWatch, found: str) -> Situation:
        """End a thread that makes no call any more; say why."""
        self._dead = 1
        watch.stop()
        if found == "waits":
            raise Unsearchable(
                f"client {self.name!r} waits without calling a service, at {watch.place}. A "
                "threading.Lock, an Event, a queue, a socket or an event loop that is not in the "
                "world cannot be searched: clients share nothing but the world"
            )
        words = f"computes for more than {PATIENCE:g} s without calling a service"
        return Situation(None, ended=words, error=RecursionError(words), endless=True)

    # --- called in the client's thread ----------------------------------------
    def ask(self, call: Call) -> Any:
        """Park until the search decides, then return the value or raise the error."""
        if threading.get_ident() != self._thread.ident:
            self._refuse_thread(call)
        self._die_if_dead()
        self._own.before_a_call()
        outcome = self._hand_over(self._now(call))
        self._passed = outcome.passed
        if outcome.kind == "timed-out":
            self._elapsed += call.timeout or 0.0
        return outcome.deliver()

    def _hand_over(self, situation: Situation) -> Outcome:
        """Return the outcome that is known, or else the one that the search decides."""
        if self._known and self._known[0][0].same(situation):
            self._calls += 1
            return self._known.popleft()[1]
        self._known.clear()
        self._situation = situation
        with redirections.set_aside():
            self._search_turn.release()
            self._client_turn.acquire()
        self._die_if_dead()
        assert self._outcome is not None
        return self._outcome

    def tell(self, call: Call) -> None:
        """Send a call that has no reply; it takes effect with the step before."""
        if threading.get_ident() == self._thread.ident and not self._dead:
            self._told.append(call)

    def note(self, value: object) -> None:
        """Write into the journal."""
        if not self._dead:
            self._said.append(copy.deepcopy(value))

    def refuse(self, refusal: Exception) -> None:
        """End the search with this refusal, whatever the client makes of it."""
        self._die_if_dead()
        self._refusal = refusal
        self._dead = 1
        if self._search_turn.locked():
            self._search_turn.release()

    def stopwatch(self, measures: bool = True) -> float:
        """Return what it slept and waited and what ticks took, in seconds; see Deterministic."""
        if measures and self.ticks == "unseen":
            self.ticks = "measured"
        return self._elapsed + self._passed

    def sleep(self, seconds: float) -> None:
        """Let everybody else go on."""
        self.ask(Call("", ("sleep", seconds), f"sleeps {seconds:g} s", travels=False))
        self._elapsed += seconds

    def _refuse_thread(self, call: Call) -> None:
        if self._dead:
            raise Crash
        with hearing(self.refuse):
            raise Unsearchable(
                f"client {self.name!r} calls {call.text!r} from a thread of its own. A client of "
                "a search makes its calls in one thread; make the other a client too"
            )

    def _now(self, call: Call | None, ended: str = "", error: BaseException | None = None) -> Any:
        situation = Situation(call, tuple(self._said), tuple(self._told), ended, error)
        self._said, self._told = [], []
        return situation

    def _die_if_dead(self) -> None:
        self._dead += bool(self._dead)
        if self._dead > _STUBBORN:
            threading.Event().wait()
        if self._dead:
            raise Crash

    def _run(self) -> None:
        determinism.enter(self)
        try:
            with hearing(self.refuse):
                returned = run_to_the_end(self._code, self._own.world)
                self._own.refuse_written()
            if lazy := never_run(f"client {self.name!r}", returned):
                self.refuse(TypeError(lazy))
            self._situation = self._now(None, "done")
        except Crash:
            self._situation = self._now(None, "died")
        except BaseException as error:
            self._situation = self._now(None, ending(error), error)
        finally:
            determinism.leave()
            self._own.world = None
            if not self._dead:
                self._search_turn.release()
