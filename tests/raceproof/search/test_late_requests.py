"""A request whose sender has died or given up may still take effect later."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import redis
from tests.raceproof.toys import Shop, empty, in_full, memory, nothing_to_check

from raceproof import Clock, Journal, Violation, explore
from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import Call, Outcome, Performed


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
    full = in_full(**case, crashes=1, late=1)
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
    full = in_full(world=memory, clients=clients, check=check, crashes=2, late=2)
    assert (full.schedules, full.broken) == (report.schedules, report.broken)


def test_without_the_bound_nothing_is_late():
    report = explore(
        world=memory,
        clients={"a": lambda w: w.cells.write("x", 1)},
        check=nothing_to_check,
        crashes=1,
    )
    assert report.schedules == 3


@dataclass
class TimedShop:
    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


@pytest.mark.parametrize("bystander", [False, True])
def test_time_passes_while_only_a_late_request_is_underway(redis_client, bystander):
    def locks(world):
        world.redis.set("lock", "first", nx=True, ex=5)
        try:
            world.redis.set("lock", "second", nx=True, ex=5)
        except redis.ConnectionError:
            if world.redis.get("lock") == "first":
                world.journal.note("gave up, the first holds it")

    def check(world):
        if world.journal["locks"] and world.redis.get("lock") == "second":
            raise Violation("the late SET got the lock when it had expired")

    clients = {"locks": locks}
    if bystander:
        clients["bystander"] = lambda world: [world.redis.get("lock") for _ in range(3)]
    case = dict(
        world=lambda: TimedShop(empty(redis_client), Clock(ticks=(10,))),
        clients=clients,
        check=check,
        lost_replies=1,
        allow=(redis.ConnectionError,),
    )
    assert explore(**case).holds
    report = explore(**case, late=1)
    assert report.violation == "the late SET got the lock when it had expired"
    if not bystander:
        full = in_full(**case, late=1)
        assert (full.schedules, full.broken) == (report.schedules, report.broken)


class Sessions:
    """A store whose writes may hang on the connection: what one remembers, only it can use."""

    def __init__(self) -> None:
        self.value = ""
        self.remembered: dict[str, str] = {}

    def explore_adapter(self, store: str, clock: object) -> SessionsAdapter:
        return SessionsAdapter(store, self)


class SessionsAdapter(PlainAdapter):
    def __init__(self, store: str, sessions: Sessions) -> None:
        super().__init__(store)
        self.sessions = sessions

    def proxy(self, ask, tell):
        def call(verb, value="", holds=False):
            return ask(
                Call(self.store, (verb, value), f"{verb} {value}", (verb, value), holds=holds)
            )

        class Proxy:
            remember = staticmethod(lambda value: call("remember", value, holds=True))
            use = staticmethod(lambda: call("use"))
            look = staticmethod(lambda: call("look"))
            close = staticmethod(lambda: tell(Call(store, "close", "close", ("close", ""))))

        store = self.store
        return Proxy()

    def perform(self, actor, call):
        verb, value = call.data
        held = self.sessions.remembered
        if verb == "remember":
            held[actor] = value
        elif verb == "use":
            self.sessions.value = held.get(actor, "nothing")
        elif verb == "close":
            held.pop(actor, None)
        return Performed(Outcome.value(self.sessions.value, self.sessions.value))

    def detach(self, actor, call, late):
        self.sessions.remembered[late] = self.sessions.remembered.pop(actor)

    def leave(self, actor):
        self.sessions.remembered.pop(actor, None)

    def snapshot(self):
        return self.sessions.value, tuple(sorted(self.sessions.remembered.items()))


@dataclass
class Connected:
    sessions: Sessions


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
@pytest.mark.parametrize("fault", ["crashes", "lost_replies"])
def test_what_hangs_on_the_connection_of_a_late_request_stays_until_it_arrives(fault, merge):
    def client(world):
        world.sessions.remember("mine")
        try:
            world.sessions.use()
        except ConnectionError:
            world.sessions.close()

    ends = []

    def check(world):
        ends.append((world.sessions.value, dict(world.sessions.remembered)))

    report = explore(
        world=lambda: Connected(Sessions()),
        clients={"client": client, "other": lambda world: world.sessions.look()},
        check=check,
        allow=(ConnectionError,),
        late=1,
        merge=merge,
        **{fault: 1},
    )
    assert report.holds
    assert {value for value, _ in ends} == {"mine", ""}  # "nothing": its connection was closed
    assert all(held == {} for value, held in ends if value == "mine")


def test_one_that_would_have_to_wait_waits_at_the_server(redis_client):
    """It takes what comes later, although nobody hears of it; where nothing comes, it does not."""

    def takes(world):
        try:
            world.redis.blpop("q", timeout=3)
        except redis.ConnectionError:
            world.redis.rpush("q", "mine")
            world.journal.note(world.redis.llen("q"))

    def looks(world):
        world.redis.get("k")

    def check(world):
        told = world.journal["a"]
        if told and told[0] == 0:
            raise Violation("its own request took it")

    def world():
        return Shop(empty(redis_client))

    clients = {"a": takes, "b": looks}
    case = dict(world=world, clients=clients, check=check, lost_replies=1)
    assert explore(**case).holds
    merged, full = explore(**case, late=1), in_full(**case, late=1)
    assert merged.broken > 0
    assert (merged.schedules, merged.broken) == (full.schedules, full.broken)
    alone = dict(case, clients={"a": lambda world: world.redis.blpop("q", timeout=3)})
    assert explore(**{**alone, "allow": (redis.ConnectionError,)}, late=1).holds
