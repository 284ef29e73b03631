"""What a search leaves behind: a graph whose paths from the root are the schedules."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

from raceproof.search.choices import Choice, mover
from raceproof.search.histories import History
from raceproof.search.state import State
from raceproof.trace.steps import Step
from raceproof.wire.calls import Call


@dataclass(frozen=True)
class Place:
    """Where one client is: its history, and whether it is alive."""

    history: History
    alive: bool = True

    @property
    def call(self) -> Call | None:
        """The call that this client waits to make; None if it has ended or died."""
        return self.history.situation.call if self.alive else None


@dataclass(frozen=True)
class LateRequest:
    """A request still on its way when its sender died or gave up.

    `actor` is who performs it when it arrives; `connected`: the connection on which
    it was sent is still there until then, since something hangs on it (a WATCH). `text` is the
    call in the words of its sender, who may learn the name of a script between two that are equal.
    """

    client: int
    call: Call
    text: str
    actor: str
    connected: bool


# All late requests of a schedule so far, and None for each that has arrived.
Late = tuple[LateRequest | None, ...]


@dataclass(eq=False)
class Node:
    """A state of the services and a place for each client.

    `last` is the client that moved last, where preemptions are counted. `left_out`: the
    search was cut short before it came here.
    """

    number: int
    state: State
    places: tuple[Place, ...]
    last: int | None = None
    preemptions: int = 0
    late: Late = ()
    edges: list[Edge] | None = None
    violation: str | None = None
    stuck: tuple[tuple[str, str], ...] = ()
    movable: frozenset[int] = frozenset()
    left_out: bool = False
    schedules: int = 0
    broken: int = 0
    doomed: bool = False

    @property
    def is_end(self) -> bool:
        """Whether no step leads on from here: a schedule ends."""
        return not self.edges


@dataclass(frozen=True, eq=False)
class Edge:
    """One step, and where it leads; `movable` are the clients that could have moved."""

    choice: Choice
    step: Step
    target: Node
    movable: frozenset[int]


@dataclass(frozen=True)
class Graph:
    """All that a search found; `nodes` has each before those it leads to."""

    root: Node
    nodes: list[Node]
    complete: bool


def count_schedules(root: Node) -> list[Node]:
    """Count schedules from the ends backwards; return all nodes, roots before leaves."""
    order: list[Node] = []
    seen = {root.number}
    stack: list[tuple[Node, int]] = [(root, 0)]
    while stack:
        node, at = stack.pop()
        edges = node.edges or []
        if at < len(edges):
            stack.append((node, at + 1))
            target = edges[at].target
            if target.number not in seen:
                seen.add(target.number)
                stack.append((target, 0))
            continue
        order.append(node)
        if not edges:
            node.schedules, node.broken = 1, int(node.violation is not None)
            node.doomed = node.violation is not None
        else:
            node.schedules = sum(edge.target.schedules for edge in edges)
            node.broken = sum(edge.target.broken for edge in edges)
            node.doomed = node.broken == node.schedules
    return order[::-1]


def shortest(graph: Graph) -> dict[str, list[Edge]]:
    """Return for each violation its schedule with the fewest steps, then fewest preemptions.

    The first is the shortest of all.
    """
    found: dict[str, list[Edge]] = {}
    counter = 0
    queue: list[tuple[int, int, int, Node, int | None, Any]] = [(0, 0, 0, graph.root, None, None)]
    done: set[tuple[int, int | None]] = set()
    while queue:
        steps, preempted, _, node, last, trail = heapq.heappop(queue)
        if (node.number, last) in done:
            continue
        done.add((node.number, last))
        if node.is_end and node.violation is not None and node.violation not in found:
            found[node.violation] = _unwound(trail)
        for edge in node.edges or []:
            if not edge.target.broken:
                continue
            who = mover(edge.choice)
            interrupts = who is not None and last not in (None, who) and last in edge.movable
            counter += 1
            entry = (steps + 1, preempted + interrupts, counter, edge.target)
            heapq.heappush(queue, (*entry, last if who is None else who, (edge, trail)))
    return found


def way_to(root: Node, node: Node) -> list[Step]:
    """Return the steps of the shortest schedule that leads to a node, as far as was searched."""
    node.edges, node.violation = [], "the search ends here"
    found = shortest(Graph(root, count_schedules(root), complete=False))
    return [edge.step for edge in found[node.violation]]


def _unwound(trail: Any) -> list[Edge]:
    edges: list[Edge] = []
    while trail is not None:
        edge, trail = trail
        edges.append(edge)
    return edges[::-1]


def schedule(graph: Graph, number: int) -> list[Edge]:
    """Return the schedule of this number, from 0 to one less than there are."""
    trail: list[Edge] = []
    node = graph.root
    while node.edges:
        for edge in node.edges:
            if number < edge.target.schedules:
                break
            number -= edge.target.schedules
        trail.append(edge)
        node = edge.target
    return trail


def count_violations(graph: Graph) -> dict[str, int]:
    """Return how many schedules end in each violation, by counting paths from the root."""
    paths = {graph.root.number: 1}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        here = paths.pop(node.number, 0)
        if node.is_end and node.violation is not None:
            counts[node.violation] = counts.get(node.violation, 0) + here
        for edge in node.edges or []:
            number = edge.target.number
            paths[number] = paths.get(number, 0) + here
    return counts
