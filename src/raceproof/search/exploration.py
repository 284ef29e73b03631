"""The search: every choice of who moves next, and of what goes wrong, as a graph.

A node is a state of the services with the history of each client. Schedules that
lead to the same node have the same future, so the node is looked at once; the
number of schedules is the number of paths.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raceproof.search.bounds import Bounds
from raceproof.search.checks import Check, Judge
from raceproof.search.client import Client
from raceproof.search.graph import Edge, Graph, Late, Node, Place, count_schedules
from raceproof.search.journal import note_text
from raceproof.search.progress import Progress
from raceproof.search.service_states import Stage, State
from raceproof.search.step import play
from raceproof.trace.command_text import shorten
from raceproof.trace.steps import Fate, Step
from raceproof.wire.calls import Call

EXHAUSTED = "goes on and on"


class Search:
    """One search, from a fresh world to a graph."""

    def __init__(
        self,
        world: Callable[[], Any],
        clients: Mapping[str, Callable[[Any], object]],
        check: Check,
        always: Check | None,
        bounds: Bounds,
        allow: tuple[type[BaseException], ...],
        daemons: Sequence[str],
        merge: bool,
    ) -> None:
        self.stage = Stage(world, merge=merge)
        self.bounds = bounds
        self._daemons = frozenset(daemons)
        self._names = tuple(clients)
        self.clients = [Client(n, code, self.stage.world_for) for n, code in clients.items()]
        self.taken = Step("", "", "")
        self.held_back: set[str] = set()  # the bounds, beside the stated ones, that cut anything
        self._judge = Judge(self.stage, self._names, check, always, allow)
        self._nodes: dict[Any, Node] = {}

    def run(self, progress: Progress, seconds: float | None = None) -> Graph:
        """Search everything within the bounds, depth first, for at most so many seconds."""
        until = time.monotonic() + (seconds or float("inf"))
        root = self.start()
        todo: list[Node] = [root]
        order: list[Node] = []
        complete = True
        while todo:
            node = todo.pop()
            if node.edges is not None:
                continue
            if len(order) >= self.bounds.states or time.monotonic() > until:
                complete = False
                node.edges = []
                continue
            self._expand(node)
            order.append(node)
            edges: list[Edge] = node.edges or []
            todo.extend(edge.target for edge in edges)  # the last first: the world is there now
            progress(len(order), len(todo))
        return Graph(root, count_schedules(root), complete)

    # --- one schedule, for replays -----------------------------------------------------

    def start(self) -> Node:
        """Return the node before the first step."""
        return self._node(self.stage.root, tuple(Place(c.start) for c in self.clients), -1, 0)

    def follow(self, node: Node, edge: Edge) -> Node:
        """Take the step of an edge again; what it turned out to be is in `taken`."""
        who, fate = edge.choice
        node.edges = []
        if who >= 0:
            exhausted = edge.step.call == EXHAUSTED
            underway = node.places[who].call if edge.underway else None
            self._add(node, who, fate, frozenset(), exhausted=exhausted, underway=underway)
        elif fate == "late":
            self._arrive(node, -2 - who)
        else:
            moves = self.stage.moves(node.state)
            self._move(node, next(m for m in moves if m[0] == edge.step.actor))
        self.taken = node.edges[0].step
        return node.edges[0].target

    def judge(self, node: Node) -> str | None:
        """Return what is wrong at the end of a schedule."""
        if node.violation is None:
            self._expand(node)
        return node.violation

    def look(self, node: Node) -> Any:
        """Return the world at a node, its journal filled."""
        return self._judge.world_at(node)

    # --- one node -------------------------------------------------------------------

    def _node(
        self,
        state: State,
        places: tuple[Place, ...],
        last: int,
        preemptions: int,
        late: Late = (),
    ) -> Node:
        if self.bounds.preemptions is None:
            last = -1
        key = (state.id, *((p.history.id, p.alive) for p in places), last, preemptions, late)
        node = self._nodes.get(key)
        if node is None:
            node = Node(len(self._nodes), state, places, last, preemptions, late)
            self._nodes[key] = node
        return node

    def _expand(self, node: Node) -> None:
        node.edges = []
        node.violation = self._judge.now(node)
        if node.violation is not None:
            return
        alive = [i for i, place in enumerate(node.places) if place.call is not None]
        underway = [request for request in node.late if request is not None]
        if not alive and not underway:
            node.violation = self._judge.at_the_end(node)
            return
        moves = self.stage.moves(node.state) if alive else []  # first: the world may be there
        ready = [i for i in alive if self._ready(node, i)]
        alone = [i for i in ready if self._private(node, i)][:1]
        if alone:
            self._choices(node, alone[0], frozenset(alone), False)
            return
        lively = ready
        if len(ready) + len(moves) + len(underway) > 1:
            lively = [i for i in ready if not self._fruitless(node, i)]
            lively = lively or ([] if moves or underway else ready)
        quiet = not ready and not moves and not underway
        for i in alive:
            self._choices(node, i, frozenset(lively), quiet)
        for move in moves:
            self._move(node, move, frozenset(lively))
        for at, request in enumerate(node.late):
            if request is not None:
                self._arrive(node, at, frozenset(lively))
        if quiet and not node.edges:
            self._stuck(node, alive)
        elif quiet and all(edge.choice[1].startswith("crash") for edge in node.edges):
            self._stuck(node, alive)
            node.edges.clear()

    def _ready(self, node: Node, i: int) -> bool:
        call = node.places[i].call
        assert call is not None
        outcome, _ = self.stage.execute(node.state, self._names[i], call)
        return outcome is not None

    def _private(self, node: Node, i: int) -> bool:
        """Whether a client may move first: any other order ends the same, at each end."""
        call = node.places[i].call
        return call is not None and call.private and not self._judge.looks_in_between

    def _fruitless(self, node: Node, i: int) -> bool:
        """Whether a client is about to ask once more what, in this state, tells it nothing new.

        After `polls` such rounds it is moved only when nobody else can: a loop that
        waits by asking again and again gets a fair scheduler.
        """
        place, polls = node.places[i], self.bounds.polls
        path = place.history.path()
        for period in (1, 2, 3):
            if len(path) < polls * period or path[-period].call != place.call:
                continue
            asked = [(h.call, h.outcome) for h in path[-polls * period :]]
            if asked != asked[:period] * polls:
                continue
            if all(
                call is not None
                and self.stage.execute(node.state, self._names[i], call) == (outcome, node.state)
                for call, outcome in asked[:period]
            ):
                self.held_back.add("polls")
                return True
        return False

    def _choices(self, node: Node, i: int, movable: frozenset[int], quiet: bool) -> None:
        place, bounds = node.places[i], self.bounds
        call = place.call
        assert call is not None
        if place.history.depth >= bounds.calls:
            self._add(node, i, "answered", movable, exhausted=True)
            return
        ready = i in movable
        crashed = sum(not place.alive for place in node.places)
        lost = sum(place.history.losts for place in node.places)
        if ready:
            self._add(node, i, "answered", movable)
        if call.waits and call.timeout is not None:
            early = place.history.timeouts < bounds.timeouts and not call.patient
            if not ready and (early or quiet):
                self._add(node, i, "timed-out", movable)
            elif not ready:
                self.held_back.add("locks" if call.patient else "timeouts")
        if crashed < bounds.crashes and call.store:
            self._add(node, i, "crash-before", movable)
            if ready:
                self._add(node, i, "crash-after", movable)
        if lost < bounds.lost_replies and call.store and call.key != "time":
            self._add(node, i, "request-lost", movable)
            if ready:
                self._add(node, i, "reply-lost", movable)
        if len(node.late) < bounds.late and not call.holds and ready:
            if crashed < bounds.crashes:
                self._add(node, i, "crash-before", movable, underway=call)
            if lost < bounds.lost_replies and call.key != "time":
                self._add(node, i, "request-lost", movable, underway=call)

    def _move(
        self, node: Node, move: tuple[str, Call], movable: frozenset[int] = frozenset()
    ) -> None:
        actor, call = move
        _, state = self.stage.execute(node.state, actor, call)
        fate: Fate = "tick" if call.key == "tick" else "subscribed"
        changed = self.stage.changed(node.state, state, call.store)
        step = Step(actor, call.store, call.text, fate=fate, changed=changed)
        target = self._node(state, node.places, node.last, node.preemptions, node.late)
        assert node.edges is not None
        node.edges.append(Edge((-1, fate), step, target, movable))

    def _arrive(self, node: Node, at: int, movable: frozenset[int] = frozenset()) -> None:
        """Let a request take effect whose sender no longer waits for its reply."""
        request = node.late[at]
        assert request is not None
        i, call = request
        _, state = self.stage.execute(node.state, f"{self._names[i]}, late", call)
        late = (*node.late[:at], None, *node.late[at + 1 :])
        target = self._node(state, node.places, node.last, node.preemptions, late)
        changed = self.stage.changed(node.state, state, call.store)
        step = Step(self._names[i], call.store, call.text, fate="late", changed=changed)
        assert node.edges is not None
        node.edges.append(Edge((-2 - at, "late"), step, target, movable))

    # --- one step -------------------------------------------------------------------

    def _add(
        self,
        node: Node,
        i: int,
        fate: Fate,
        movable: frozenset[int],
        *,
        exhausted: bool = False,
        underway: Call | None = None,
    ) -> None:
        preemptions = node.preemptions
        if self.bounds.preemptions is not None and node.last not in (-1, i):
            preemptions += node.last in movable
            if preemptions > self.bounds.preemptions:
                return
        name = self._names[i]
        if exhausted:
            words = f"{name} is still going after {self.bounds.calls} calls"
            end = self._node(node.state, (), i, -1 - node.number)
            end.edges, end.violation = [], words
            step = Step(name, "", EXHAUSTED)
            assert node.edges is not None
            node.edges.append(Edge((i, fate), step, end, movable))
            return
        state, history, reply = play(
            self.stage, self.clients[i], node.state, node.places[i].history, fate
        )
        call = node.places[i].call
        assert call is not None
        changed = self.stage.changed(node.state, state, call.store)
        alive = fate not in ("crash-before", "crash-after")
        place = Place(history if alive else history.remembered(), alive)
        situation = history.situation
        if alive:
            for told in situation.told:
                _, state = self.stage.execute(state, name, told)
        holds = history.holds or (fate == "crash-after" and call.holds)
        if holds and (not alive or situation.call is None):
            state = self.stage.leave(state, name)
        places = (*node.places[:i], place, *node.places[i + 1 :])
        late = node.late if underway is None else (*node.late, (i, underway))
        target = self._node(state, places, i, preemptions, late)
        words, reply = shorten(call.text, 200), shorten(reply, 120)
        delivered = call.delivers and fate == "answered"
        step = Step(
            name,
            call.store,
            reply if delivered else words,
            "" if delivered else reply,
            "delivery" if delivered else fate,
            tuple(note_text(note) for note in situation.said) if alive else (),
            situation.ended if alive else "",
            changed,
        )
        assert node.edges is not None
        node.edges.append(Edge((i, fate), step, target, movable, underway is not None))

    def _stuck(self, node: Node, alive: list[int]) -> None:
        waiting = []
        for i in alive:
            call = node.places[i].call
            assert call is not None
            waiting.append((self._names[i], call.text))
        node.stuck = tuple(waiting)
        if all(name in self._daemons for name, _ in waiting):
            node.violation = self._judge.at_the_end(node)
            return
        names = " and ".join(
            f"{name} waits for ever for {text}"
            for name, text in waiting
            if name not in self._daemons
        )
        node.violation = f"deadlock: {names}"
