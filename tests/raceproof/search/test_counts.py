"""The search counts what it covers: exactly the multinomials for independent clients."""

from __future__ import annotations

import dataclasses

import pytest
from tests.raceproof.toys import in_full, memory, nothing_to_check

from raceproof import explore


def writer(name, count):
    def write(world):
        for value in range(count):
            world.cells.write(name, value + 1)

    return write


def independent(*counts):
    return {f"client{i}": writer(f"cell{i}", count) for i, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("counts", "schedules"),
    [((1,), 1), ((1, 1), 2), ((4, 4), 70), ((2, 3, 1), 60), ((3, 3, 3), 1_680)],
    ids=str,
)
def test_independent_clients_give_the_multinomial(counts, schedules):
    case = dict(world=memory, clients=independent(*counts), check=nothing_to_check)
    for report in [explore(**case), *([in_full(**case)] if schedules < 100 else [])]:
        assert report.schedules == schedules
        assert report.holds


def test_merging_looks_at_each_state_once():
    report = explore(world=memory, clients=independent(4, 4, 4), check=nothing_to_check)
    assert report.schedules == 34_650
    assert report.states == 5**3


def test_one_client_with_one_crash_dies_before_or_after_each_call():
    clients = independent(3)
    assert explore(world=memory, clients=clients, check=nothing_to_check).calls == 3
    report = explore(world=memory, clients=clients, check=nothing_to_check, crashes=1)
    assert report.schedules == 1 + 2 * 3


def test_one_client_with_one_lost_reply_gives_up_at_each_call():
    def write(world):
        for value in range(3):
            try:
                world.cells.write("n", value)
            except ConnectionError:
                return

    report = explore(
        world=memory, clients={"writer": write}, check=nothing_to_check, lost_replies=1
    )
    assert report.schedules == 1 + 2 * 3


def test_preemption_bound_zero_runs_the_clients_in_every_order():
    report = explore(
        world=memory, clients=independent(3, 3, 3), check=nothing_to_check, preemptions=0
    )
    assert report.schedules == 6
    assert "up to 0 preemptions" in report.sentence


def test_a_search_cut_short_says_so_and_holds_nothing():
    report = explore(world=memory, clients=independent(4, 4), check=nothing_to_check, states=10)
    assert not report.complete
    assert not report.holds
    assert "cut short" in report.sentence


def test_a_search_out_of_time_says_so():
    report = explore(world=memory, clients=independent(4, 4), check=nothing_to_check, seconds=1e-9)
    assert not report.complete
    assert not report.holds


@pytest.mark.parametrize("crashes", [-1, True, 1.0, "1"])
def test_bounds_that_are_no_counts_are_refused(crashes):
    with pytest.raises(ValueError, match="crashes"):
        explore(world=memory, clients=independent(1), check=nothing_to_check, crashes=crashes)


def test_no_clients_are_refused():
    with pytest.raises(ValueError, match="clients"):
        explore(world=memory, clients={}, check=nothing_to_check)


def test_a_world_with_a_shared_list_is_refused():
    from dataclasses import dataclass

    @dataclass
    class Shared:
        seen: list[str]

    with pytest.raises(TypeError, match="Journal"):
        explore(world=lambda: Shared([]), clients={"a": lambda world: None}, check=nothing_to_check)


def test_what_a_search_has_found_cannot_be_changed():
    report = explore(world=memory, clients=independent(1), check=nothing_to_check)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report._graph.root.places[0].alive = False
