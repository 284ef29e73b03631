"""1, 1.0 and True are one to Python, and not to a service: calls and states tell them apart."""

from __future__ import annotations

import pytest
from tests.raceproof.toys import memory

from raceproof import Violation, explore
from raceproof.wire.calls import Call
from raceproof.wire.exact import exact


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("other", [1.0, True])
def test_writing_another_kind_of_one_is_another_call_and_another_state(merge, other):
    def a(world):
        world.cells.write("k", 1 if world.cells.read("x") == 0 else other)

    def b(world):
        world.cells.write("x", 1)
        world.cells.write("x", 0)

    def check(world):
        if repr(world.cells.numbers["k"]) != "1":
            raise Violation(f"k is {world.cells.numbers['k']!r}")

    report = explore(world=memory, clients={"b": b, "a": a}, check=check, merge=merge)
    assert (report.schedules, report.broken) == (6, 2)
    assert report.violation == f"k is {other!r}"


def test_calls_are_the_same_only_if_their_keys_are_exactly():
    assert Call("s", ("set", 1), "") == Call("s", ("set", 1), "")
    for other in (1.0, True, "1", b"1"):
        assert Call("s", ("set", (other,)), "") != Call("s", ("set", (1,)), "")
    assert exact(0.0) != exact(-0.0)
    assert exact(frozenset([1])) != exact(frozenset([True]))
