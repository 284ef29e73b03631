"""Time and chance that a test has set stay as it set them; who sets all time is refused."""

from __future__ import annotations

import os
import random
import sys
import time
import types
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from tests import forking
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import Report, Unsearchable, Violation, explore
from raceproof.search import stand_ins
from raceproof.search.determinism import deterministic

real_time = time.time


def searched(client: Callable[[Any], object], seen: object) -> Report:
    def check(world: Memory) -> None:
        if world.cells.numbers["seen"] != seen:
            raise Violation(f"it is {world.cells.numbers['seen']}")

    return explore(world=memory, clients={"a": client, "b": client}, check=check)


def sees(ask: Callable[[], Any]) -> Callable[[Memory], None]:
    return lambda world: world.cells.write("seen", ask())


@pytest.mark.parametrize("name", ["time", "monotonic", "perf_counter", "time_ns"])
def test_time_that_a_test_has_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(time, name, lambda: 1_700_000_000)
    searched(sees(lambda: getattr(time, name)()), 1_700_000_000).assert_holds()


@pytest.mark.parametrize("name", ["random", "randint", "choice"])
def test_chance_that_a_test_has_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(random, name, lambda *_: 7)
    searched(sees(lambda: getattr(random, name)(1, 9)), 7).assert_holds()


def test_a_mock_that_a_test_has_set() -> None:
    with patch("uuid.uuid4", return_value=7):
        searched(sees(lambda: uuid.uuid4()), 7).assert_holds()


def test_who_holds_the_real_one_has_the_worlds_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 7.0)
    searched(sees(lambda: real_time()), 0.0).assert_holds()


ALONE = """
from tests.raceproof.search import test_patched
with test_patched.patch("time.time", lambda: 7.0):
    test_patched.searched(test_patched.sees(lambda: test_patched.real_time()), 0.0).assert_holds()
"""


def test_also_where_no_search_has_seen_it_in_its_place_before() -> None:
    done = forking.run(ALONE, dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_what_is_replaced_already_is_not_replaced_again() -> None:
    with deterministic():
        before = time.time
        stand_ins.once_more()
        assert time.time is before
    with deterministic():
        assert time.time is before


def test_afterwards_time_is_the_worlds_again() -> None:
    with patch("time.time", return_value=7):
        searched(sees(lambda: time.time()), 7).assert_holds()
    searched(sees(lambda: time.time()), 0.0).assert_holds()


LIBRARIES = {"freezegun": ("api", "freeze_factories"), "time_machine": ("", "coordinates_stack")}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_sets_all_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, where = LIBRARIES[name]
    full = f"{name}.{module}".strip(".")
    made = types.ModuleType(full)
    monkeypatch.setitem(sys.modules, full, made)
    client = sees(lambda: time.time())
    setattr(made, where, [])
    searched(client, 0.0).assert_holds()
    setattr(made, where, ["2026-01-01"])
    with pytest.raises(Unsearchable, match=f"time is set by {name}"):
        searched(client, 0.0)
    assert not stand_ins._restore
    assert time.time is real_time
    setattr(made, where, [])
    searched(client, 0.0).assert_holds()


def test_nothing_else_that_a_test_has_set_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    before = time.sleep

    def client(world: Memory) -> None:
        time.sleep(3600)
        world.cells.write("x", 1)

    found = explore(world=memory, clients={"a": client}, check=nothing_to_check)
    assert (found.schedules, time.sleep) == (1, before)
