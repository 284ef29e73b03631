"""The picture in CONTRIBUTING is the graph of a real search, letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakeredis
import redis

from raceproof import Violation, explore

CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"


@dataclass
class World:
    redis: redis.Redis


def empty() -> World:
    return World(fakeredis.FakeRedis(decode_responses=True))


def hit(world: World) -> None:
    """Count a hit, as if nobody else did."""
    hits = int(world.redis.get("hits") or 0)
    world.redis.set("hits", hits + 1)


def both_count(world: World) -> None:
    hits = world.redis.get("hits")
    if hits != "2":
        raise Violation(f"2 hits came, Redis says {hits}")


def tree(node: Any, seen: dict[int, int], indent: str = "") -> Iterator[str]:
    """The graph below a node; a state that two paths lead to is drawn once, and has a number."""
    for at, edge in enumerate(node.edges):
        goal, last = edge.target, at == len(node.edges) - 1
        line = f"{indent}{'└' if last else '├'}─ {edge.step.actor}: {edge.step.call}"
        line = f"{line:34}{edge.step.reply:7}"
        met = goal.number in seen
        number = seen.setdefault(goal.number, len(seen) + 1)
        ways = f"{goal.schedules} schedule{'s' * (goal.schedules > 1)}, {goal.broken} broken"
        if met:
            yield f"{line}= state {number}"
        elif goal.edges:
            yield f"{line}  state {number}: {ways}"
            yield from tree(goal, seen, indent + ("   " if last else "│  "))
        else:
            yield f"{line}  state {number}: {'✗ ' + goal.violation if goal.violation else '✓'}"


def test_the_picture_in_contributing_is_what_the_search_finds() -> None:
    report = explore(world=empty, clients={"a": hit, "b": hit}, check=both_count)
    drawn = "\n".join([*tree(report._graph.root, {}), "", report.sentence])
    fenced = [part.strip("\n") for part in CONTRIBUTING.read_text(encoding="utf-8").split("```")]
    assert drawn in fenced, drawn
