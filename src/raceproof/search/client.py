"""What a client does next, given the replies it has had so far.

A client is ordinary blocking code in a thread of its own. Each call on a service
parks the thread; the search answers when it likes, and how it likes. Since the
code is deterministic, the replies decide the next call: so they are remembered,
and a client runs again only where it has not been.
"""

from __future__ import annotations

import copy
import ctypes
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raceproof.search import determinism
from raceproof.wire.calls import Call, Crash, NotDeterministicError, Outcome, Unsearchable, hearing

PATIENCE = 10.0  # seconds a client may compute between two calls
_STUBBORN = 100  # calls a dead client may try before its thread is left asleep


@dataclass(frozen=True)
class Situation:
    """Where a client stands: the call it makes next, or how it ended.

    `said` are the notes since its last reply; `told` the calls it sent without
    waiting for a reply (closing a connection).
    """

    call: Call | None
    said: tuple[Any, ...] = ()
    told: tuple[Call, ...] = ()
    ended: str = ""
    error: BaseException | None = None


class History:
    """The replies a client has had, as a node of a tree; its situation is known once computed."""

    situation: Situation

    def __init__(self, id: int, parent: History | None, call: Call | None, outcome: Outcome | None):
        self.id = id
        self.parent = parent
        self.call = call
        self.outcome = outcome
        self.children: dict[Outcome, History] = {}
        self.depth: int = parent.depth + 1 if parent else 0
        kind = outcome.kind if outcome else ""
        self.timeouts: int = (parent.timeouts if parent else 0) + (kind == "timed-out")
        self.losts: int = (parent.losts if parent else 0) + (kind == "lost")
        self.holds: bool = bool((parent and parent.holds) or (call and call.holds))

    def path(self) -> list[History]:
        """Return the nodes from the first reply to this one."""
        nodes: list[History] = []
        node = self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def remembered(self) -> History:
        """Return the earliest history that says the same: all that is left of who has died."""
        node = self
        while node.parent is not None and not node.situation.said:
            if (node.timeouts, node.losts) != (node.parent.timeouts, node.parent.losts):
                break
            node = node.parent
        return node

    def notes(self) -> list[Any]:
        """Return everything the client has said."""
        first = self
        while first.parent is not None:
            first = first.parent
        return [note for node in [first, *self.path()] for note in node.situation.said]


class Client:
    """One client of the search: its code, and all situations found so far."""

    def __init__(
        self, name: str, code: Callable[[Any], object], make_world: Callable[[Puppet], Any]
    ) -> None:
        self.name = name
        self._code = code
        self._make_world = make_world
        self._puppet: Puppet | None = None
        self._count = 0
        self.start = History(0, None, None, None)
        self._puppet = Puppet(self.name, code, make_world)
        self._puppet.history = self.start
        self.start.situation = self._puppet.begin()

    def after(self, history: History, outcome: Outcome) -> History:
        """Return the history that follows when the pending call has this outcome."""
        child = history.children.get(outcome)
        if child is None:
            self._count += 1
            child = History(self._count, history, history.situation.call, outcome)
            child.situation = self._find_out(child)
            history.children[outcome] = child
        return child

    def close(self) -> None:
        """End the client's thread."""
        if self._puppet is not None:
            self._puppet.kill()
            self._puppet = None

    def _find_out(self, child: History) -> Situation:
        puppet = self._puppet
        if puppet is None or puppet.history is not child.parent:
            self.close()
            puppet = self._puppet = Puppet(self.name, self._code, self._make_world)
            self._compare(self.start, puppet.begin())
            for node in child.path()[:-1]:
                self._compare(node, puppet.answer(node.outcome))
        situation = puppet.answer(child.outcome)
        puppet.history = child
        return situation

    def _compare(self, node: History, now: Situation) -> None:
        before = node.situation
        if (before.call, before.said, before.ended) != (now.call, now.said, now.ended):
            raise NotDeterministicError(
                f"client {self.name!r} behaved differently on replay: after the same replies it "
                f"first did {_words(before)}, now {_words(now)}. Clients must not depend on "
                "global state, real time or chance."
            )


class Puppet:
    """One run of a client's code, in a thread, parked at each call."""

    def __init__(
        self, name: str, code: Callable[[Any], object], make_world: Callable[[Puppet], Any]
    ) -> None:
        self.history: History | None = None
        self.chance = random.Random(name)
        self.wall_clock: Callable[[], float] = lambda: 0.0
        self._name = name
        self._code = code
        self._world = make_world(self)
        self._elapsed = 0.0
        self._said: list[Any] = []
        self._told: list[Call] = []
        self._situation = Situation(None)
        self._outcome: Outcome | None = None
        self._dead = 0
        self._refusal: str | None = None
        self._client_turn = threading.Lock()
        self._search_turn = threading.Lock()
        self._client_turn.acquire()
        self._search_turn.acquire()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    # --- called by the search -------------------------------------------------

    def begin(self) -> Situation:
        """Run up to the first call."""
        self._thread.start()
        return self._wait()

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

    def _wait(self) -> Situation:
        if self._search_turn.acquire(timeout=PATIENCE):
            if self._refusal is not None:
                refusal = Unsearchable(self._refusal)
                refusal.add_note(f"(in client {self._name!r})")
                raise refusal
            return self._situation
        self._dead = 1
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(Crash)
        )
        words = f"computes for more than {PATIENCE:g} s without calling a service"
        return Situation(None, ended=words, error=RecursionError(words))

    # --- called in the client's thread ----------------------------------------

    def ask(self, call: Call) -> Any:
        """Park until the search decides, then return the value or raise the error."""
        if threading.get_ident() != self._thread.ident:
            if self._dead:
                raise Crash
            with hearing(self.refuse):
                raise Unsearchable(
                    f"client {self._name!r} calls {call.text!r} from a thread of its own, "
                    f"{threading.current_thread().name!r}, which cannot be searched; make it "
                    "a client of the search"
                )
        if self._dead:
            self._die()
        self._situation = self._now(call)
        self._search_turn.release()
        self._client_turn.acquire()
        if self._dead:
            self._die()
        assert self._outcome is not None
        if self._outcome.kind == "timed-out":
            self._elapsed += call.timeout or 0.0
        return self._outcome.deliver()

    def tell(self, call: Call) -> None:
        """Send a call that has no reply; it takes effect with the step before."""
        if threading.get_ident() == self._thread.ident and not self._dead:
            self._told.append(call)

    def note(self, value: object) -> None:
        """Write into the journal."""
        if not self._dead:
            self._said.append(copy.deepcopy(value))

    def refuse(self, refusal: Unsearchable) -> None:
        """End the search with this refusal, whatever the client makes of it."""
        if self._dead:
            self._die()
        self._refusal = str(refusal)
        self._dead = 1
        self._search_turn.release()

    def stopwatch(self) -> float:
        """Return this client's own elapsed time: what it slept and waited, in seconds."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Let everybody else go on."""
        self.ask(Call("", ("sleep", seconds), f"sleeps {seconds:g} s"))
        self._elapsed += seconds

    def _now(self, call: Call | None, ended: str = "", error: BaseException | None = None) -> Any:
        situation = Situation(call, tuple(self._said), tuple(self._told), ended, error)
        self._said, self._told = [], []
        return situation

    def _die(self) -> None:
        self._dead += 1
        if self._dead > _STUBBORN:
            threading.Event().wait()
        raise Crash

    def _run(self) -> None:
        determinism.enter(self)
        try:
            with hearing(self.refuse):
                self._code(self._world)
            self._situation = self._now(None, "done")
        except Crash:
            self._situation = self._now(None, "died")
        except BaseException as error:
            self._situation = self._now(None, _ending(error), error)
        finally:
            determinism.leave()
            self._world = None
            if not self._dead:
                self._search_turn.release()


def _ending(error: BaseException) -> str:
    if came_from_the_search(error):
        return f"gives up: {type(error).__name__}"
    text = str(error).strip().splitlines()
    return f"raises {type(error).__name__}" + (f": {text[0]}" if text else "")


def came_from_the_search(error: BaseException | None) -> bool:
    """Whether this error is a connection error that the search itself caused."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if getattr(error, "injected_by_the_search", False):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _words(situation: Situation) -> str:
    call = situation.call
    return repr(call.text) if call else f"end ({situation.ended})"
