"""What cannot be searched ends the search with its message, whoever swallows it."""

# ruff: noqa: SIM105  (this is how people swallow errors)
from __future__ import annotations

import threading

import pytest
from tests.raceproof.toys import Cells, CellsAdapter, memory, nothing_to_check

from raceproof import Clock, Journal, Unsearchable, Violation, explore
from raceproof.wire.calls import Call
from raceproof.wire.clock import the_clock

BZMPOP = "BZMPOP cannot be searched; use BZPOPMIN"


def search(client, check=nothing_to_check, **case):
    return explore(**{"world": memory, "clients": {"c": client}, "check": check, **case})


def refused(world):
    world.cells.read("x")
    raise Unsearchable(BZMPOP)


def swallowed(world):
    try:
        refused(world)
    except Exception:
        pass
    world.cells.write("x", 1)


def swallowed_bare(world):
    try:
        refused(world)
    except:  # noqa: E722
        pass


def swallowed_for_ever(world):
    while True:
        try:
            raise Unsearchable(BZMPOP)
        except BaseException:
            pass


def swallowed_in_finally(world):
    try:
        refused(world)
    finally:
        return  # noqa: B012


@pytest.mark.parametrize(
    "client", [refused, swallowed, swallowed_bare, swallowed_for_ever, swallowed_in_finally]
)
@pytest.mark.parametrize("merge", [True, False])
def test_a_refusal_in_a_client_ends_the_search(client, merge):
    with pytest.raises(Unsearchable) as ending:
        search(client, merge=merge)
    assert str(ending.value) == BZMPOP
    assert ending.value.__notes__ == ["(in client 'c')"]


def test_a_refusal_is_not_an_error_that_can_be_allowed():
    with pytest.raises(Unsearchable, match="BZMPOP"):
        search(refused, allow=(NotImplementedError,))


def test_a_refusal_of_an_adapter_ends_the_search():
    class Picky(CellsAdapter):
        def perform(self, actor: str, call: Call):
            if call.data[0] == "write":
                raise Unsearchable(BZMPOP)
            return super().perform(actor, call)

    class PickyCells(Cells):
        def explore_adapter(self, store: str, clock: object) -> CellsAdapter:
            return Picky(store, self)

    def client(world):
        try:
            world.cells.write("x", 1)
        except Exception:
            pass

    world = memory()
    with pytest.raises(Unsearchable) as ending:
        search(client, world=lambda: type(world)(PickyCells()))
    assert str(ending.value) == BZMPOP


def test_a_refusal_in_a_check_ends_the_search_also_when_it_is_swallowed():
    def check(world):
        try:
            raise Unsearchable(BZMPOP)
        except Exception:
            raise Violation("something else") from None

    with pytest.raises(Unsearchable, match="BZMPOP"):
        search(lambda world: world.cells.read("x"), check)


def test_calls_from_a_thread_of_the_clients_own_end_the_search():
    def client(world):
        world.cells.read("x")

        def helper():
            try:
                world.cells.write("x", 1)
            except Exception:
                pass

        thread = threading.Thread(target=helper)
        thread.start()
        thread.join()

    with pytest.raises(Unsearchable, match="'c' calls 'write x 1' from a thread of its own"):
        search(client)


def test_outside_a_search_a_refusal_is_an_ordinary_error():
    with pytest.raises(NotImplementedError, match="BZMPOP"):
        raise Unsearchable(BZMPOP)


def test_who_goes_through_a_journal_is_told_to_name_a_client():
    """Python would ask for journal[0], journal[1] and so on, for ever."""
    with pytest.raises(TypeError, match=r'journal\["reader"\]'):
        iter(Journal())


def test_a_world_has_one_clock():
    """Keys would expire by one, and time.time() show the other."""
    with pytest.raises(TypeError, match="one Clock at most"):
        the_clock([Clock(), "a client", Clock(ticks=(60.0,))])
    only = Clock(ticks=(60.0,))
    assert the_clock(["a client", only]) is only
