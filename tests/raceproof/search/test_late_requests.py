"""A request whose sender has died or given up may still take effect later."""

from __future__ import annotations

from tests.raceproof.toys import memory, nothing_to_check

from raceproof import Violation, explore


def test_a_late_write_of_a_dead_client_overwrites_a_newer_value():
    def old(world):
        world.cells.write("x", 1)

    def new(world):
        if world.cells.read("x") == 0:
            world.cells.write("x", 2)
            world.journal.note("x is 2 from now on")

    def check(world):
        if world.journal["new"] and world.cells.numbers["x"] != 2:
            raise Violation(f"x is {world.cells.numbers['x']}")

    case = dict(world=memory, clients={"old": old, "new": new}, check=check)
    dies_early = explore(**case, crashes=1, preemptions=0)
    assert dies_early.broken  # new comes first, old second: no fault needed
    late = explore(**case, crashes=1, late=1)
    assert late.broken > explore(**case, crashes=1).broken
    full = explore(**case, crashes=1, late=1, merge=False)
    assert (full.schedules, full.broken, full.run) == (late.schedules, late.broken, late.run)
    assert "up to 1 crash, up to 1 late request" in late.sentence


def test_a_late_request_after_a_retry_counts_twice():
    def add(world):
        for _ in range(2):
            try:
                return world.cells.write("n", world.cells.read("n") + 1)
            except ConnectionError:
                continue
        return None

    def check(world):
        if world.cells.numbers.get("n", 0) > 1:
            raise Violation(f"n is {world.cells.numbers['n']}")

    def blind(world):
        for value in (1, 2):
            try:
                return world.cells.write("n", value)
            except ConnectionError:
                continue
        return None

    def went_back(world):
        if world.journal["blind"] == ["wrote 2"] and world.cells.numbers["n"] == 1:
            raise Violation("n went back to 1")

    def blind_says(world):
        blind(world)
        world.journal.note("wrote 2" if world.cells.read("n") == 2 else "wrote")

    clients = {"blind": blind_says}
    assert explore(world=memory, clients=clients, check=went_back, lost_replies=1).holds
    report = explore(world=memory, clients=clients, check=went_back, lost_replies=1, late=1)
    assert report.violation == "n went back to 1"


def test_a_late_request_always_arrives():
    def one(world):
        world.cells.write("x", 1)

    def check(world):
        if not world.cells.numbers.get("x"):
            raise Violation("never arrived")

    report = explore(world=memory, clients={"one": one}, check=check, crashes=1, late=1)
    # Answered; dead before (never arrives); dead after; dead before and late.
    assert (report.schedules, report.broken) == (4, 1)


def test_two_late_requests_arrive_in_any_order():
    def writer(value):
        return lambda world: world.cells.write("x", value)

    def check(world):
        if world.cells.numbers.get("x") == 1:
            raise Violation("1 came last")

    clients = {"one": writer(1), "two": writer(2)}
    report = explore(world=memory, clients=clients, check=check, crashes=2, late=2)
    assert report.violation == "1 came last"
    full = explore(world=memory, clients=clients, check=check, crashes=2, late=2, merge=False)
    assert (full.schedules, full.broken) == (report.schedules, report.broken)


def test_without_the_bound_nothing_is_late():
    report = explore(
        world=memory,
        clients={"a": lambda w: w.cells.write("x", 1)},
        check=nothing_to_check,
        crashes=1,
    )
    assert report.schedules == 3
