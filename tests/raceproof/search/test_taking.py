"""A step of a client is the same from the same state, whoever else is where: it is made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof.search.arguments import Task
from raceproof.search.bounds import Bounds
from raceproof.search.choices import client_step
from raceproof.search.determinism import deterministic
from raceproof.search.exploration import Search
from raceproof.search.shared_memory import SharedMemory


def adds(world: Memory) -> None:
    world.cells.write("n", world.cells.read("n") + 1)


@contextmanager
def searched(*, merge: bool) -> Iterator[Search]:
    bounds = Bounds(0, 2, 2, None, 1, 3, 60, 200_000)
    clients = {"a": adds, "b": adds}
    task = Task(memory, clients, nothing_to_check, None, {}, bounds, (), (), None)
    with deterministic():
        search = Search(task, SharedMemory(()), merge=merge)
        try:
            yield search
        finally:
            search.close()


def test_it_is_made_once_where_others_have_gone_on() -> None:
    with searched(merge=True) as search:
        start = search.start()
        _, b_has_read = search.take(start, client_step(1, "answered"))
        step, _ = search.take(start, client_step(0, "answered"))
        again, both_have_read = search.take(b_has_read, client_step(0, "answered"))
        assert again is step
        assert [place.history.depth for place in both_have_read.places] == [1, 1]
        calls = search.states.calls_made
        search.take(b_has_read, client_step(0, "answered"))
        assert search.states.calls_made == calls


def test_what_befalls_it_and_who_makes_it_tell_steps_apart() -> None:
    with searched(merge=True) as search:
        start = search.start()
        fates = [client_step(0, "answered"), client_step(1, "answered")]
        fates += [client_step(0, "reply-lost"), client_step(0, "request-lost")]
        steps = [search.take(start, choice)[0] for choice in fates]
        assert [(step.actor, step.fate) for step in steps] == [
            ("a", "answered"),
            ("b", "answered"),
            ("a", "reply-lost"),
            ("a", "request-lost"),
        ]


def test_late_requests_are_told_apart_by_how_many_there_were_before() -> None:
    with searched(merge=True) as search:
        start = search.start()
        lost = client_step(0, "request-lost", underway=True)
        for node in (start, replace(start, late=(None,))):
            *_, request = search.take(node, lost)[1].late
            assert request is not None
            assert request.actor == f"a, late {len(node.late) + 1}"
        assert search.take(start, client_step(0, "request-lost"))[1].late == ()


def test_a_search_in_full_makes_each_for_real() -> None:
    with searched(merge=False) as search:
        start = search.start()
        states = {search.take(start, client_step(0, "answered"))[1].state.id for _ in range(3)}
        assert len(states) == 3
