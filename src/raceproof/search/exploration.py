"""The search: every choice of who moves next, and of what goes wrong, as a graph.

A node is a state of the services with the history of each client. Schedules that
lead to the same node have the same future, so the node is looked at once; the
number of schedules is the number of paths.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from raceproof.search.arguments import Task
from raceproof.search.budget import Budget
from raceproof.search.checks import Checks
from raceproof.search.choices import Choice, OutOfCalls, mover
from raceproof.search.client import Client
from raceproof.search.coroutines import ordinary
from raceproof.search.enabled import Enabled
from raceproof.search.graph import Edge, Graph, Late, Node, Place, count_schedules
from raceproof.search.histories import History
from raceproof.search.service_states import ServiceStates
from raceproof.search.shared_memory import SharedMemory
from raceproof.search.state import State
from raceproof.search.taking import Steps
from raceproof.trace.steps import Step
from raceproof.wire.calls import NoCallError


class Search:
    """One search, from a fresh world to a graph; or some steps of it, for replays."""

    def __init__(self, task: Task, shared: SharedMemory, *, merge: bool) -> None:
        self.bounds = task.bounds
        self.states = ServiceStates(task.world, merge=merge, closer=task.closer)
        self._shared = shared
        shared.begin(self.states.fields)
        self.clients: list[Client] = []
        self._nodes: dict[Any, Node] = {}
        runs = partial(ordinary, awaits=self.states.awaits)
        self._names = tuple(codes := {**task.clients, **task.afterwards})
        self._daemons = frozenset(task.daemons)
        try:
            check = runs("check", task.check)
            always = None if task.always is None else runs("always", task.always)
            self.checks = Checks(self.states, self._names, check, always, task.allow)
            for name, code in codes.items():
                code = runs(f"client {name!r}", code)
                self.clients.append(Client(name, code, self.states.world_for, self._ran))
        except BaseException:
            self.close()
            raise
        self._steps = Steps(self.states, self.clients)
        self._enabled = Enabled(self.states, self.clients, task)

    @property
    def held_back(self) -> frozenset[str]:
        """The bounds, beside the stated ones, that cut anything."""
        return frozenset(self._enabled.held_back)

    def run(self, progress: Callable[[int, int], None], seconds: float | None = None) -> Graph:
        """Search everything within the bounds, depth first, for so many seconds of computing."""
        budget = Budget(seconds)
        root = self.start()
        todo: list[Node] = [root]
        done, complete = 0, True
        while todo:
            node = todo.pop()
            if node.edges is not None:
                continue
            if done >= self.bounds.states or budget.left() <= 0:
                complete = False
                node.edges, node.left_out = [], True
                continue
            try:
                self.expand(node)
            except Exception as error:
                self.checks.tell_where(error, root)
                raise
            done += 1
            edges: list[Edge] = node.edges or []
            todo.extend(edge.target for edge in edges)  # the last first: the world is there now
            if self._found_endless(node):
                budget.spend()
            progress(done, len(todo))
        graph = Graph(root, count_schedules(root), complete and not self._endless())
        self._every_client_calls(graph)
        return graph

    def close(self) -> None:
        """End the clients' threads and let go of the services."""
        for client in self.clients:
            client.close()
        self.states.close()

    # --- one step, and one node ---------------------------------------------------------

    def start(self) -> Node:
        """Return the node before the first step."""
        return self._node(self.states.root, tuple(Place(c.start) for c in self.clients), None, 0)

    def take(self, node: Node, choice: Choice) -> tuple[Step, Node]:
        """Return the step that a choice turns out to be, and the node after it."""
        if isinstance(choice, OutOfCalls):
            return self._out_of_calls(node, choice)
        last, preemptions = mover(choice), node.preemptions
        if last is None:
            last = node.last
        elif node.last not in (None, last):
            preemptions += self._interrupts(node)
        taken = self._steps.take(node, choice)
        target = self._node(taken.state, taken.places, last, preemptions, taken.late)
        return taken.step, target

    def expand(self, node: Node) -> None:
        """Find out what is wrong at a node, and all steps that can be taken there."""
        node.edges = []
        node.violation = self.checks.now(node)
        if node.violation is not None:
            return
        options = self._enabled.at(node)
        node.movable = options.movable
        if not options.choices:
            self._ends(node, options.stuck)
        limit = self.bounds.preemptions
        for choice in options.choices:
            who = mover(choice)
            interrupts = who is not None and node.last not in (None, who) and self._interrupts(node)
            if limit is None or node.preemptions + interrupts <= limit:
                step, target = self.take(node, choice)
                node.edges.append(Edge(choice, step, target, options.movable))
                if who is not None and target.places[who].history.situation.endless:
                    return  # it ends the search: nobody else need take as long

    def _interrupts(self, node: Node) -> bool:
        return node.last in node.movable

    def _node(
        self,
        state: State,
        places: tuple[Place, ...],
        last: int | None,
        preemptions: int,
        late: Late = (),
    ) -> Node:
        if self.bounds.preemptions is None:
            last, preemptions = None, 0
        key = (state.id, *((p.history.id, p.alive) for p in places), last, preemptions, late)
        node = self._nodes.get(key)
        if node is None:
            node = Node(len(self._nodes), state, places, last, preemptions, late)
            self._nodes[key] = node
        return node

    def _out_of_calls(self, node: Node, choice: OutOfCalls) -> tuple[Step, Node]:
        name = self._names[choice.client]
        says = f"{name} is still going after {self.bounds.calls} calls"
        end = Node(len(self._nodes), node.state, node.places, edges=[], violation=says)
        self._nodes[(node.number, choice)] = end
        return Step(name, "", "goes on and on"), end

    def _ends(self, node: Node, stuck: tuple[int, ...]) -> None:
        """Say what is wrong where nobody goes on, though some may be waiting."""
        waiting = [(self._names[i], node.places[i].call) for i in stuck]
        node.stuck = tuple((name, call.text) for name, call in waiting if call is not None)
        for_ever = [
            f"{name} waits for ever for {text}"
            for name, text in node.stuck
            if name not in self._daemons
        ]
        if for_ever:
            node.violation = f"deadlock: {' and '.join(for_ever)}"
        else:
            node.violation = self.checks.at_the_end(node)

    # --- what must not be overlooked -----------------------------------------------------

    def _ran(self) -> None:
        """Look at Python's memory, now that a client has run."""
        self.checks.refuse_shared()
        self._shared.refuse_changed()

    def _endless(self) -> list[History]:
        return [client.endless for client in self.clients if client.endless is not None]

    def _found_endless(self, node: Node) -> bool:
        """Look at where a client computes without end: then that is all that is looked at."""
        endless = self._endless()
        ends = [edge.target for edge in node.edges or []] if endless else []
        for end in ends:
            if end.edges is None and any(place.history in endless for place in end.places):
                self.expand(end)
        return bool(endless)

    def _every_client_calls(self, graph: Graph) -> None:
        for client in self.clients:
            client.refuse_late()
            if graph.complete and not graph.root.broken and not client.reaches_a_service:
                raise NoCallError(client.name)
