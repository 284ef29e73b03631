"""What only a client's frames hold ends with the client, as with a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import fakeredis
import numpy
import pytest
import redis

from raceproof import Journal, Unsearchable, Violation, explore
from raceproof.search.histories import Situation


@dataclass
class World:
    redis: Any


@dataclass
class Told(World):
    journal: Journal = field(default_factory=Journal)


def world():
    return World(fakeredis.FakeRedis())


def holds_a_lock(world):
    world.redis.set("lock", "1")
    try:
        yield
    finally:
        world.redis.delete("lock")


def fails(world):
    holding = holds_a_lock(world)
    next(holding)
    world.redis.incr("n")
    raise ValueError("not handled")


def fails_while_it_handles(world):
    try:
        fails(world)
    except ValueError:
        raise KeyError("handled badly") from None


def no_lock_is_left(world):
    if world.redis.exists("lock"):
        raise Violation("the lock is left")


@pytest.mark.parametrize("client", [fails, fails_while_it_handles])
def test_a_generator_that_nobody_holds_any_more_is_closed(client):
    case = dict(world=world, clients={"a": client}, check=no_lock_is_left)
    report = explore(**case, allow=(ValueError, KeyError))
    assert report.holds
    assert report.schedules == 1


def test_its_last_call_is_a_step_of_the_client():
    def looks(world):
        if world.redis.get("n"):
            world.redis.exists("lock")

    clients = {"a": fails, "b": looks}
    report = explore(world=world, clients=clients, check=lambda world: None, allow=(ValueError,))
    assert report.schedules == 2 + 2 + 1  # b looks before INCR; before DEL and once more; after DEL


def test_who_dies_lets_go_of_nothing():
    case = dict(world=world, clients={"a": fails}, check=no_lock_is_left)
    assert explore(**case, crashes=1, allow=(ValueError,)).violation == "the lock is left"


class SoldOut(Exception):
    """Its text cannot be made."""

    def __str__(self) -> str:
        return {}["sold out"]


def sells(world):
    world.redis.get("left")
    raise SoldOut


def test_an_error_whose_text_cannot_be_made_is_named():
    found = explore(world=world, clients={"a": sells}, check=lambda world: None)
    assert found.violation == "a raises SoldOut"
    allowed = explore(world=world, clients={"a": sells}, check=lambda world: None, allow=(SoldOut,))
    assert allowed.verdict == "holds"


def test_a_violation_whose_text_cannot_be_made_is_one():
    class Wrong(SoldOut, Violation):
        pass

    def check(world):
        raise Wrong

    found = explore(world=world, clients={"a": lambda w: w.redis.get("x")}, check=check)
    assert found.violation == "the check failed"


def test_pytest_fail_in_a_check_is_a_violation():
    def check(world):
        if world.redis.get("n") == b"2":
            pytest.fail("two of them")

    def adds(world):
        world.redis.incr("n")

    found = explore(world=world, clients={"a": adds, "b": adds}, check=check)
    assert found.violation == "two of them"
    assert (found.verdict, found.broken) == ("broken", 2)


@pytest.mark.parametrize("raises", [pytest.skip, SystemExit, KeyboardInterrupt])
def test_what_else_a_check_raises_ends_the_search(raises):
    def check(world):
        raised = raises("not now")
        raise raised

    with pytest.raises(BaseException, match="not now"):
        explore(world=world, clients={"a": lambda w: w.redis.get("x")}, check=check)


def test_an_error_that_a_client_notes_is_the_same_each_time():
    def notes(world):
        try:
            world.redis.incr("name")
        except redis.ResponseError as error:
            world.journal.note(error)
        world.redis.incr("tries")

    def made():
        told = Told(fakeredis.FakeRedis())
        told.redis.flushall()
        told.redis.set("name", "ann")
        return told

    def check(told):
        if [str(error) for error in told.journal["a"]] == []:
            raise Violation("nothing was noted")

    found = explore(world=made, clients={"a": notes, "b": notes}, check=check)
    assert (found.verdict, found.schedules) == ("holds", 6)


def test_another_note_is_another():
    one, same, other = (Situation(None, (ValueError(text),)) for text in ("a", "a", "b"))
    assert one.same(same)
    assert not one.same(other)
    assert not one.same(Situation(None, (ValueError("a"),), ended="done"))


def test_where_an_object_is_that_a_client_notes_says_nothing():
    one, other = (Situation(None, (World(object()),)) for _ in range(2))
    assert one.same(other)


def test_an_error_of_the_check_itself_tells_the_schedule():
    def moves(world):
        if world.redis.delete("here"):
            world.redis.set("there", 1)

    def looks(world):
        world.redis.get("here")

    def made():
        fresh = world()
        fresh.redis.flushall()
        fresh.redis.set("here", 1)
        return fresh

    def check(world):
        int(world.redis.get("there"))  # which is not there if it died in between

    with pytest.raises(TypeError, match="NoneType") as failed:
        explore(world=made, clients={"a": moves, "b": looks}, check=check, crashes=1)
    [note] = failed.value.__notes__
    assert note.startswith("A check raised this after these steps:\n")
    assert "✗ dies" in note
    assert note.count("DEL here") == 1
    with pytest.raises(TypeError, match="NoneType") as failed:
        explore(world=made, clients={"a": moves}, check=lambda world: None, always=check)
    assert "> " not in failed.value.__notes__[0]  # before the first step


def test_a_check_that_is_refused_tells_no_schedule():
    def check(world):
        raise Unsearchable("not so")

    with pytest.raises(Unsearchable) as failed:
        explore(world=world, clients={"a": lambda w: w.redis.get("x")}, check=check)
    assert getattr(failed.value, "__notes__", []) == []


@pytest.mark.parametrize("note", [{("a", 1): 2}, {1: "a", "b": 2}, SoldOut(), object()])
def test_any_note_can_be_written_and_searched(note):
    def notes(told):
        told.journal.note(note)
        told.redis.incr("n")
        told.redis.incr("n")

    clients = {"a": notes, "b": notes}
    found = explore(
        world=lambda: Told(fakeredis.FakeRedis()), clients=clients, check=lambda told: None
    )
    assert (found.verdict, found.schedules) == ("holds", 6)


def test_a_note_of_an_array_is_one():
    one, other = (Situation(None, (numpy.array([1, 2]),)) for _ in range(2))
    assert one.same(other)
    assert not one.same(Situation(None, (numpy.array([1, 3]),)))
