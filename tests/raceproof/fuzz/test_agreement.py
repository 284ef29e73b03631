"""Random programs with fixed seeds: the search, merged and in full, finds what enumeration finds.

More of them: `make fuzz`. The enumeration itself is held against numbers known without it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from math import comb

import pytest
from tests.raceproof.fuzz.compare import compare
from tests.raceproof.fuzz.found import FOUND
from tests.raceproof.fuzz.places import STEPPED, source_of, use_database
from tests.raceproof.fuzz.plan import KINDS, planned
from tests.raceproof.fuzz.programs import Cmd, Program, Watch
from tests.raceproof.fuzz.schedules import enumerate_schedules
from tests.raceproof.fuzz.shrink import shrink

from raceproof.search import service_states
from raceproof.search.determinism import deterministic
from workshop.services import environment

SEEDS = {"redis": 100, "sql": 40, "couch": 8}
MOST = 20  # schedules of a program: a larger one is left to `make fuzz`
# The seeds of those that are larger, or take long: only a search would tell.
LARGE = {
    "redis": {0, 4, 24, 55, 71, 78},
    "sql": {0, 4, 5, 7, 11, 15, 18, 19, 23, 35, 37, 49, 50, 52, 55},
    "couch": set[int](),
}
MADE_FOR_REAL = 30  # schedules of a program that once disagreed, at most
PLACES = [(kind, on) for kind, (_, servers) in KINDS.items() for on in servers]


@pytest.fixture(autouse=True)
def searched_quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Programs are small: states are written from the first time on, where they can be.

    What stands for functions of Python does so once for all programs of a test.
    """
    monkeypatch.setattr(service_states, "REMADE_FIRST", 0)
    with deterministic():
        yield


@pytest.fixture
def there(request: pytest.FixtureRequest) -> str:
    """The name of a server that this machine has and that is ours."""
    name = str(request.param)
    if environment.redis_url() or environment.couchdb_url() or environment.database_url():
        pytest.skip("random programs run on servers of our own")
    if name == "postgresql":
        use_database("postgresql", request.getfixturevalue("postgresql_url"))
    if name == "redis-server" and (environment.only_fakeredis() or not _binary()):
        pytest.skip("no redis-server here")
    return name


def _binary() -> str | None:
    from workshop.services import redis_service

    return redis_service.binary()


def increment(key: str) -> tuple[Cmd, ...]:
    return (Cmd(("GET", key)), Cmd(("INCR", key)), Cmd(("GET", key)))


KNOWN = {
    "own keys": (Program({"a": increment("x"), "b": increment("y")}), comb(6, 3)),
    # Before it is sent, or after it was taken; or neither.
    "one crash": (Program({"a": (Cmd(("INCR", "x")),)}, bounds={"crashes": 1}), 3),
    "one lost reply": (Program({"a": (Cmd(("INCR", "x")),)}, bounds={"lost_replies": 1}), 3),
    "late": (Program({"a": (Cmd(("INCR", "x")),)}, bounds={"crashes": 1, "late": 1}), 4),
    # The pop has to come after the push.
    "waiting": (Program({"a": (Cmd(("BLPOP", "x", 0)),), "b": (Cmd(("LPUSH", "x", 1)),)}), 1),
    # It may give up before the push, and then the push is still to come; or be answered after it.
    "a time-out": (Program({"a": (Cmd(("BLPOP", "x", 1)),), "b": (Cmd(("LPUSH", "x", 1)),)}), 2),
    "no preemption": (
        Program({"a": increment("x"), "b": increment("y")}, bounds={"preemptions": 0}),
        2,
    ),
    "a tick": (Program({"a": increment("x")}, ticks=(5.0,)), 3 + 1),
    # It runs when the other has ended: there is no other order.
    "afterwards": (
        Program({"a": increment("x"), "b": increment("x")}, afterwards=("b",)),
        1,
    ),
    # The first look finds it wrong: there is no step.
    "always": (Program({"a": increment("x"), "b": increment("x")}, always=1), 1),
    "WATCH alone": (Program({"a": (Watch(("x",), (), (Cmd(("INCR", "x")),)),)}), 1),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_enumeration_counts_what_can_be_counted_by_hand(name):
    program, schedules = KNOWN[name]
    source = source_of("fakeredis")
    found = enumerate_schedules(program, lambda p: STEPPED["redis"](source, p))
    assert found.schedules == schedules


def test_the_enumeration_finds_the_lost_update():
    read_and_write = (Watch(("x",), (Cmd(("GET", "x")),), (Cmd(("INCR", "x")),)),)
    program = Program({"a": read_and_write, "b": read_and_write})
    source = source_of("fakeredis")
    found = enumerate_schedules(program, lambda p: STEPPED["redis"](source, p))
    lost = sum(n for words, n in found.ends.items() if words and "WatchError" in words)
    assert (found.schedules, lost) == (20, 18)  # all but one after the other


@pytest.mark.parametrize(("kind", "there"), PLACES, indirect=["there"])
def test_random_programs_agree(kind, there):
    verdicts, differing = Counter(), []
    seeds = (seed for seed in itertools.count() if seed not in LARGE[kind])
    for seed in itertools.islice(seeds, SEEDS[kind]):
        for plan in planned(kind, seed, "test", small=True):
            if plan.on == there:
                made = compare(plan.program, there, MOST, MOST * plan.full, plan.replays)
                verdicts[made.verdict] += 1
                if made.verdict == "differ":
                    differing.append(f"{made.words}\n{made.program}")
    assert not differing, "\n".join(differing)
    assert verdicts["agree"] > verdicts.total() / 2, verdicts


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("there", ["fakeredis", "redis-server", "postgresql"], indirect=True)
def test_what_once_disagreed_agrees(name, there):
    program, servers = FOUND[name]
    if there in servers:
        made = compare(program, there, full=MADE_FOR_REAL)
        assert made.verdict == "agree", made.words


def test_shrinking_keeps_what_fails_and_nothing_else():
    program = Program({"a": increment("x"), "b": increment("y")}, bounds={"crashes": 1})
    small = shrink(program, lambda p: "INCR" in repr(p))
    assert small == Program({"b": (Cmd(("INCR", "y")),)})
