"""Clients that run when all others have ended: what a check would do with the learner's code."""

from __future__ import annotations

import pytest
from tests.raceproof.toys import memory, nothing_to_check

from raceproof import Violation, explore

BOTH = pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])


def adds(world):
    world.cells.write("n", world.cells.read("n") + 1)


def late_reader(world):
    world.journal.note(world.cells.read("n"))


def saw_two(world):
    if world.journal["late reader"] != [2]:
        raise Violation(f"the late reader saw {world.journal['late reader']}")


@BOTH
def test_it_runs_after_all_others_and_the_counts_stay_as_they_were(merge):
    case = dict(world=memory, clients={"a": adds, "b": adds}, merge=merge)
    report = explore(**case, check=saw_two, afterwards={"late reader": late_reader})
    assert report.sentence == "6 schedules of 2 clients: 4 break it."
    assert report.violation == "the late reader saw [1]"
    assert [step.actor for step in report.run.steps][-1] == "late reader"
    assert report.run.actors == ("a", "b", "late reader")
    assert explore(**case, check=nothing_to_check).schedules == 6


@BOTH
def test_nothing_goes_wrong_with_it(merge):
    report = explore(
        world=memory,
        clients={"a": adds},
        afterwards={"late reader": late_reader},
        check=nothing_to_check,
        crashes=1,
        lost_replies=1,
        allow=(ConnectionError,),
        merge=merge,
    )
    assert report.holds
    alone = explore(
        world=memory,
        clients={"a": adds},
        check=nothing_to_check,
        crashes=1,
        lost_replies=1,
        allow=(ConnectionError,),
        merge=merge,
    )
    assert report.schedules == alone.schedules


@BOTH
def test_two_run_one_by_one_in_their_order(merge):
    def tens(world):
        world.cells.write("n", world.cells.read("n") * 10)

    def check(world):
        if world.cells.numbers["n"] != 11:
            raise Violation(f"n is {world.cells.numbers['n']}")

    clients = {"a": adds}
    for afterwards, schedules in (({"tens": tens, "adds": adds}, 1), ({"x": adds, "y": tens}, 1)):
        report = explore(
            world=memory, clients=clients, afterwards=afterwards, check=check, merge=merge
        )
        assert report.schedules == schedules
        assert report.broken == ("x" in afterwards)


def test_it_is_bounded_like_all_others():
    def spins(world):
        while not world.cells.read("never"):
            pass

    report = explore(
        world=memory, clients={"a": adds}, afterwards={"spins": spins}, check=nothing_to_check
    )
    assert report.violation == "spins is still going after 60 calls"


def test_it_may_wait_for_ever_which_is_a_deadlock(redis_client):
    from tests.raceproof.toys import Shop, empty

    case = dict(
        world=lambda: Shop(empty(redis_client)),
        clients={"worker": lambda world: world.redis.blpop("jobs", 0)},
        daemons=("worker",),
        check=nothing_to_check,
    )
    waits = {"after": lambda world: world.redis.blpop("nothing", 0)}
    assert explore(**case).holds
    assert explore(**case, afterwards=waits).violation.startswith("deadlock: after waits for ever")
    wakes = {"after": lambda world: world.redis.rpush("jobs", "a")}
    report = explore(**case, afterwards=wakes)
    assert report.holds
    assert report.schedules == 1
