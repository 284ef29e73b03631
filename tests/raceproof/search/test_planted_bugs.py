"""Bugs planted at a known depth are found at their bound, and not below it."""

from __future__ import annotations

import pytest
from tests.raceproof.toys import Shop, empty, memory, nothing_to_check

from raceproof import Violation, explore


def by_turns(k):
    """A bug that shows only if two clients are interrupted k times.

    They take turns 1, 2, 3 … up to k + 2, and each moves only when it is its turn:
    k + 1 switches, of which the last is no preemption, since the other has ended.
    """
    turns = k + 2

    def player(first):
        def play(world):
            for turn in range(first, turns + 1, 2):
                if world.cells.read("turn") == turn - 1:
                    world.cells.write("turn", turn)

        return play

    def check(world):
        if world.cells.numbers.get("turn") == turns:
            raise Violation(f"turn {turns} was reached")

    return {"odd": player(1), "even": player(2)}, check


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_a_bug_that_needs_k_preemptions_is_found_at_k_and_not_below(k):
    clients, check = by_turns(k)
    for bound in range(k):
        assert explore(world=memory, clients=clients, check=check, preemptions=bound).holds
    assert explore(world=memory, clients=clients, check=check, preemptions=k).broken


@pytest.mark.parametrize("point", range(4))
def test_a_bug_of_one_crash_point_is_found_there_and_nowhere_else(point):
    def walker(world):
        for number in range(4):
            world.cells.write("at", number + 1)

    def check(world):
        if world.cells.numbers.get("at", 0) == point:
            raise Violation(f"stopped at {point}")

    assert explore(world=memory, clients={"walker": walker}, check=check).holds
    report = explore(world=memory, clients={"walker": walker}, check=check, crashes=1)
    assert report.broken == (1 if point == 0 else 2)  # after the point, or before the next
    assert len(report.run.steps) == (1 if point == 0 else point)
    assert report.run.steps[-1].kills


def test_dying_after_a_reply_is_not_dying_before_it():
    """What a client says belongs to the reply: dead before it, it said nothing."""

    def walker(world):
        world.cells.write("done", 1)
        world.journal.note("done")
        world.cells.write("told", 1)

    def check(world):
        if world.cells.numbers.get("done") and not world.journal["walker"]:
            raise Violation("done, and nobody was told")

    report = explore(world=memory, clients={"walker": walker}, check=check, crashes=1)
    assert report.broken == 1
    assert [step.fate for step in report.run.steps] == ["crash-after"]


def test_notes_stand_with_the_step_they_follow():
    def walker(world):
        world.journal.note("begun")
        world.cells.write("a", 1)
        world.journal.note({"a": [1]})
        world.cells.write("b", 1)

    def check(world):
        raise Violation(f"said {world.journal['walker']}")

    report = explore(world=memory, clients={"walker": walker}, check=check)
    assert report.violation == "said ['begun', {'a': [1]}]"
    assert [step.said for step in report.run.steps] == [('{"a": [1]}',), ()]
    assert [step.ended for step in report.run.steps] == ["", "done"]


def test_a_note_is_what_it_was_when_it_was_written():
    def walker(world):
        seen = ["one"]
        world.journal.note(seen)
        world.cells.write("a", 1)
        seen.append("two")

    def check(world):
        assert world.journal["walker"] == [["one"]]

    assert explore(world=memory, clients={"walker": walker}, check=check).holds


def test_what_a_check_does_to_its_world_stays_there():
    def walker(world):
        world.cells.write("a", world.cells.read("used") + 1)

    def check(world):
        if world.cells.numbers["a"] != 1:
            raise Violation(f"a is {world.cells.numbers['a']}")
        world.cells.numbers["used"] = 1

    clients = {"one": walker, "two": walker}
    assert explore(world=memory, clients=clients, check=check).holds

    def meddling(world):
        world.cells.numbers["used"] = 1

    def unused(world):
        assert world.cells.numbers["a"] == 1

    assert explore(world=memory, clients=clients, check=unused, always=meddling).holds


def test_the_shortest_run_has_the_fewest_steps_then_the_fewest_preemptions():
    def add(world):
        number = world.cells.read("n")
        world.cells.write("n", number + 1)

    def check(world):
        if world.cells.numbers["n"] != 2:
            raise Violation(f"n is {world.cells.numbers['n']}")

    report = explore(world=memory, clients={"a": add, "b": add}, check=check)
    assert (report.schedules, report.broken) == (6, 4)
    assert [s.actor for s in report.run.steps] == ["a", "b", "b", "a"]
    assert report.run.breaks_at == 1  # both have read 0: nothing can save it any more


def test_the_breaking_step_is_the_first_after_which_nothing_ends_well():
    def careless(world):
        world.cells.write("x", 1)
        world.cells.write("x", 2)

    def check(world):
        if world.cells.numbers.get("x") == 1:
            raise Violation("x stayed 1")

    report = explore(world=memory, clients={"careless": careless}, check=check, crashes=1)
    step = report.run.steps[report.run.breaks_at]
    assert step.kills
    assert step.call == "write x 1"


def test_always_is_checked_after_every_step():
    def dip(world):
        world.cells.write("balance", -1)
        world.cells.write("balance", 1)

    def never_negative(world):
        if world.cells.numbers.get("balance", 0) < 0:
            raise Violation("the balance is negative")

    clients = {"dip": dip}
    assert explore(world=memory, clients=clients, check=never_negative).holds
    report = explore(world=memory, clients=clients, check=lambda world: None, always=never_negative)
    assert report.broken == report.schedules == 1
    assert len(report.run.steps) == 1


def test_an_exception_of_a_client_is_a_finding_unless_it_is_allowed():
    def fail(world):
        world.cells.read("x")
        raise KeyError("lost")

    found = explore(world=memory, clients={"c": fail}, check=lambda world: None)
    assert found.violation == "c raises KeyError: 'lost'"
    assert isinstance(found.error, KeyError)
    allowed = explore(world=memory, clients={"c": fail}, check=nothing_to_check, allow=(KeyError,))
    assert allowed.holds


@pytest.mark.parametrize("faults", [{}, {"crashes": 1}, {"lost_replies": 1}, {"late": 1}], ids=str)
def test_who_waits_for_ever_is_found_whatever_faults_are_allowed(redis_client, faults):
    """Bounds are "up to": the schedule without a fault is one of them."""
    report = explore(
        world=lambda: Shop(empty(redis_client)),
        clients={"worker": lambda w: w.redis.blpop("jobs", 0)},
        check=nothing_to_check,
        **faults,
    )
    assert (report.schedules, report.broken) == (1, 1)
    assert report.violation == "deadlock: worker waits for ever for BLPOP jobs 0"
