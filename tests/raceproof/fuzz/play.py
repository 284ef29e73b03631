"""One schedule of a program, played step by step: the step model is in `schedules.py`."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from tests.raceproof.fuzz.programs import Program, verdict, verdict_in_between
from tests.raceproof.fuzz.stepping import Gate, Request, is_ours

Choice = tuple[str, str]  # who, and what befalls its request; "service" and the name of a move


class Service(Protocol):
    """One world on real servers, made anew for each schedule."""

    def gates(self) -> list[Gate]: ...
    def moves(self) -> list[str]: ...
    def move(self, name: str) -> None: ...
    def left(self, gate: Gate) -> None: ...
    def settle(self) -> None: ...
    def peek(self, notes: dict[str, list[Any]]) -> str: ...
    def look(self, notes: dict[str, list[Any]]) -> str: ...
    def close(self) -> None: ...


class Play:
    """One schedule, step by step."""

    def __init__(self, program: Program, service: Service) -> None:
        self.taken: tuple[Choice, ...] = ()
        self.ended: str | None = None  # why it ends here, if it does
        self._program = program
        self._bounds: dict[str, Any] = {
            "crashes": 0,
            "lost_replies": 0,
            "late": 0,
            "preemptions": None,
            "timeouts": 1,
            "polls": 1,
            "calls": 60,
        } | program.bounds
        self._service = service
        self._gates = service.gates()
        self._late: list[Any] = []  # (the request, how to make it), or None once it has arrived
        self._crashed = self._lost = self._preempted = 0
        self._timeouts: Counter[str] = Counter()
        self._last: Gate | None = None
        self._stuck: list[str] = []
        self._lively: set[str] = set()  # who could have had an answer, and would not ask in vain
        for gate in self._gates:
            gate.start(service)
            self._after(gate)
        self._look_in_between()

    # --- what can happen ------------------------------------------------------------------

    def choices(self) -> list[Choice]:
        """Return everything that can happen next; nothing: the schedule ends here."""
        if self.ended is not None:
            return []
        alive = [gate for gate in self._gates if gate.request is not None]
        first = [gate for gate in alive if gate.name not in self._program.afterwards]
        late = [(at, one) for at, one in enumerate(self._late) if one is not None]
        arriving = [f"arrives {at}" for at, (request, _) in late if self._ready(request)]
        choices = self._choices(first, arriving)
        rest = sorted(
            (gate for gate in alive if gate not in first),
            key=lambda gate: self._program.afterwards.index(gate.name),
        )
        waiting_in_vain = any(gate.name not in self._program.daemons for gate in first)
        if choices or not rest or waiting_in_vain:
            return choices
        self.ended = None
        return self._choices([*first, rest[0]], [])

    def _choices(self, alive: list[Gate], arriving: list[str]) -> list[Choice]:
        if not alive and not arriving:
            self.ended = "done"
            return []
        ready = {gate.name: self._ready(gate.request) for gate in alive}
        moves = [*self._service.moves(), *arriving]
        stuck = not moves and not any(ready.values())
        choices: list[Choice] = []
        self._lively = {name for name, need_not_wait in ready.items() if need_not_wait}
        if len(self._lively) + len(moves) > 1:
            in_vain = {gate.name for gate in alive if gate.asks_in_vain(self._bounds["polls"])}
            self._lively = self._lively - in_vain or (set() if moves else self._lively)
        for gate in alive:
            preempts = self._interrupts(gate)
            if self._bounds["preemptions"] is not None and (
                self._preempted + preempts > self._bounds["preemptions"]
            ):
                continue
            fates = self._fates(gate, gate.name in self._lively, stuck)
            choices += [(gate.name, fate) for fate in fates]
        if stuck and not any(fate == "timed-out" for _, fate in choices):
            self.ended, self._stuck = "stuck", [gate.name for gate in alive]
            return []
        return choices + [("service", move) for move in moves]

    def _interrupts(self, gate: Gate) -> bool:
        return self._last is not None and self._last is not gate and self._last.name in self._lively

    def _ready(self, request: Request | None) -> bool:
        assert request is not None
        return request.ready is None or request.ready()

    def _fates(self, gate: Gate, ready: bool, stuck: bool) -> list[str]:
        request, bounds = gate.request, self._bounds
        assert request is not None
        if len(gate.said) >= bounds["calls"]:
            return ["out of calls"]
        fates = ["answered"] if ready else []
        if not ready and request.timeout is not None:
            early = self._timeouts[gate.name] < bounds["timeouts"] and not request.patient
            if stuck or early:
                fates.append("timed-out")
        if gate.name in self._program.afterwards:
            return fates
        dies = self._crashed < bounds["crashes"] and request.to != ""
        loses = self._lost < bounds["lost_replies"] and request.to == "server"
        late = len(self._late) < bounds["late"] and request.late is not None
        late = late and (ready or request.ready is not None)
        if dies:
            fates += ["dies before", *(["dies after"] if ready else [])]
            fates += ["dies, late"] if late else []
        if loses:
            fates += ["request-lost", *(["reply-lost"] if ready else [])]
            fates += ["request-lost, late"] if late else []
        return fates

    # --- what does happen -----------------------------------------------------------------

    def take(self, choice: Choice) -> None:
        """Let one thing happen."""
        who, fate = choice
        self.taken = (*self.taken, choice)
        if who == "service":
            if fate.startswith("arrives"):
                at = int(fate.split()[1])
                (_, make), self._late[at] = self._late[at], None
                make()
                self._service.settle()
            else:
                self._service.move(fate)
            self._look_in_between()
            return
        gate = next(gate for gate in self._gates if gate.name == who)
        request = gate.request
        assert request is not None
        self._preempted += self._interrupts(gate)
        self._last = gate
        if fate == "out of calls":
            self.ended = f"{who} is still going after {self._bounds['calls']} calls"
            return
        if fate.endswith(", late"):
            assert request.late is not None
            self._late.append((request, request.late()))
        if fate.startswith("dies"):
            self._crashed += 1
            if fate == "dies after":
                request.make()
            gate.kill()
        else:
            self._lost += "lost" in fate
            self._timeouts[who] += fate == "timed-out"
            gate.go(fate.removesuffix(", late"))
        self._after(gate)
        self._look_in_between()

    def _look_in_between(self) -> None:
        if self.ended is None and self._program.always:
            notes = {gate.name: gate.notes for gate in self._gates}
            self.ended = verdict_in_between(self._program, self._service.peek(notes))

    def _after(self, gate: Gate) -> None:
        if gate.request is None:
            self._service.left(gate)
        self._service.settle()
        if gate.error is not None and not is_ours(gate.error):
            self.ended = f"{gate.name} raises {type(gate.error).__name__}"

    # --- how it ended ---------------------------------------------------------------------

    def verdict(self) -> str | None:
        """Return what is wrong at the end, or None."""
        assert self.ended is not None
        if self.ended not in ("done", "stuck"):
            return self.ended
        waiting = [name for name in self._stuck if name not in self._program.daemons]
        if self.ended == "stuck" and waiting:
            return f"deadlock: {' '.join(waiting)}"
        notes = {gate.name: gate.notes for gate in self._gates}
        return verdict(self._program, self._service.look(notes))

    def close(self) -> None:
        """End every thread and connection."""
        for gate in self._gates:
            gate.kill()
            self._service.left(gate)
        self._service.close()
