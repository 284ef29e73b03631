"""The application's own functions in every schedule: what a key, a solve and a call promise."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import couchdb
import pytest
import redis
import sqlalchemy

from patterns.queues import Job, ReliableQueue
from raceproof import Clock, Journal, Report, Violation, explore
from workshop import services
from workshop.classroom import calls_for_help, idempotency, own_calls
from workshop.classroom.attempts import TRIED, record_attempt
from workshop.classroom.first_version import post_solve
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import help_queue

SQL = sqlalchemy.create_engine("sqlite://")  # nothing connects to it
ADA, EXERCISE, KEY = "ada", "finish once", "the key of her attempt"
GONE = (OSError, redis.RedisError)


@dataclass
class Class:
    """What two servers of one class share."""

    redis: redis.Redis
    db: couchdb.Database
    journal: Journal = field(default_factory=Journal)


def a_class() -> Class:
    client = services.redis("classroom", fresh=True)
    return Class(client, services.couch("classroom", fresh=True))


def record(here: Class, at: float) -> float | None:
    return record_attempt(
        here.redis, SQL, here.db, ADA, EXERCISE, passed=True, at=at, key=KEY, verdict=""
    )


def post(here: Class, at: float) -> float | None:
    return post_solve(here.db, ADA, EXERCISE, at)


def server(at: float, solve: Callable[[Class, float], float | None]) -> Callable[[Class], None]:
    """A server that is sent the attempt; it answers, or the store's error is its answer."""

    def serve(here: Class) -> None:
        with suppress(*GONE):
            here.journal.note(solve(here, at))

    return serve


def search(solve: Callable[[Class, float], float | None], check: Any, **faults: int) -> Report:
    """Two servers get one attempt, repeated; whoever had no answer repeats it until there is."""
    return explore(
        world=a_class,
        clients={"server 1": server(101, solve), "server 2": server(102, solve)},
        afterwards={"once more": server(103, solve)},
        check=check,
        **faults,
    )


def solves(here: Class) -> list[Any]:
    docs = [row.doc for row in here.db.view("_all_docs", include_docs=True)]
    return [doc["at"] for doc in docs if doc.get("learner") == ADA]


def stored_once(here: Class) -> None:
    found = solves(here)
    if len(found) != 1:
        raise Violation(f"one solve, and {len(found)} are stored")
    said = {at for name in ("server 1", "server 2", "once more") for at in here.journal[name]}
    if said != set(found):
        raise Violation(f"told {sorted(said)}, and {found} is stored")


def counted_once(here: Class) -> None:
    stored_once(here)
    counts = [int(n) for n in here.redis.hgetall("counter:{attempts/60}:open").values()]
    noted = here.redis.xlen(TRIED)
    if counts != [1] or noted != 1:
        raise Violation(f"one attempt: the chart has {counts}, the grid {noted}")


def test_a_solve_counts_once_and_is_never_lost() -> None:
    report = search(record, counted_once, crashes=1, lost_replies=1)
    assert report.holds, str(report)
    assert report.schedules > 100_000


def test_the_search_breaks_the_first_version() -> None:
    report = search(post, stored_once)
    assert not report.holds
    assert "2 are stored" in str(report.violation)


@dataclass
class Writes:
    """What two servers know of the writes under one key."""

    redis: redis.Redis
    journal: Journal = field(default_factory=Journal)


def no_writes() -> Writes:
    return Writes(services.redis("classroom", fresh=True))


def sent(request: str, by: str) -> Callable[[Writes], None]:
    """A server that is sent this request, under the same key as all the others."""

    def serve(here: Writes) -> None:
        with suppress(*GONE, Problem):
            found = idempotency.claim(here.redis, ADA, KEY, request)
            if found is None:
                here.redis.hset("written", request, 1)
                found = idempotency.keep(here.redis, ADA, KEY, (201, by))
            here.journal.note([request, *found])

    return serve


SENT = {"first": sent("x", "a"), "repeated": sent("x", "b"), "another": sent("y", "c")}
SENT_AGAIN = {"once more": sent("x", "d"), "another once more": sent("y", "e")}


def one_request(here: Writes) -> None:
    """Of two requests one is written, and answered the same each time; the other never is."""
    answers = [told for name in (*SENT, *SENT_AGAIN) for told in here.journal[name]]
    if not answers or any(told != answers[0] for told in answers):
        raise Violation(f"one key, and the answers are {answers}")
    if (written := here.redis.hkeys("written")) != answers[0][:1]:
        raise Violation(f"{answers[0]} is the answer, and {written} are written")


def test_a_key_has_one_request_and_one_answer() -> None:
    report = explore(
        world=no_writes,
        clients=SENT,
        afterwards=SENT_AGAIN,
        check=one_request,
        crashes=1,
        lost_replies=1,
    )
    assert report.holds, str(report)
    assert report.schedules > 5_000


def test_what_is_kept_of_a_write_goes_in_a_day(redis_client: redis.Redis) -> None:
    idempotency.claim(redis_client, ADA, "its server died", "a request")
    idempotency.keep(redis_client, ADA, "the class was erased", (201, None))
    [died, erased] = [redis_client.ttl(key) for key in redis_client.scan_iter("class:write:*")]
    assert 0 < died <= idempotency.KEPT
    assert 0 < erased <= idempotency.KEPT


@dataclass
class Help:
    """The list of calls, and the time by which leases end."""

    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


def a_list() -> Help:
    client = services.redis("classroom", fresh=True)
    return Help(client, Clock(ticks=(60.0,)))


def caller(here: Help) -> None:
    """A server that a learner asks, and asks again when there was no answer."""
    with suppress(*GONE):
        calls_for_help.ask(here.redis, ADA, "Ada", "help", KEY)


def helper(name: str) -> Callable[[Help], None]:
    def take(here: Help) -> None:
        with suppress(*GONE):
            found = calls_for_help.take(here.redis, name, lease=30)
            if found:
                here.journal.note(found["call"])
                calls_for_help.renew(here.redis, name, found["call"], lease=30)

    return take


def one_helper(here: Help) -> None:
    """No call is with two helpers; and none is lost: when the leases end, one more gets it."""
    handed = [set(here.journal[name]) for name in ("hal", "hub")]
    if here.clock.ticks and handed[0] & handed[1]:
        raise Violation(f"two living helpers have {handed[0] & handed[1]}")
    here.clock.now += 60
    found = calls_for_help.take(here.redis, "survivor", lease=30)
    if found is None:
        raise Violation("the call is lost")
    calls_for_help.finish(here.redis, "survivor", found["call"])
    calls_for_help.finish(here.redis, "survivor", found["call"])  # its reply was lost
    if any(help_queue(here.redis).counts().values()):
        raise Violation("there was one call, and it is finished")


def test_a_call_for_help_has_one_living_helper() -> None:
    clients = {"ada": caller, "hal": helper("hal"), "hub": helper("hub")}
    report = explore(
        world=a_list,
        clients=clients,
        afterwards={"ada again": caller},
        check=one_helper,
        allow=(Problem,),  # "not yours any more", to who was too slow
        crashes=1,
        lost_replies=1,
    )
    assert report.holds, str(report)


def pressed(text: str) -> Callable[[Help], None]:
    def press(here: Help) -> None:
        with suppress(*GONE):
            here.journal.note(own_calls.ask(here.redis, ADA, "Ada", text))

    return press


def helps(here: Help) -> None:
    """A server whose helper takes a call and finishes it."""
    with suppress(*GONE):
        if found := calls_for_help.take(here.redis, "hal", lease=30):
            here.journal.note(found["call"])
            calls_for_help.finish(here.redis, "hal", found["call"])


def one_open_call(here: Help) -> None:
    """Any number of presses is one call; once it is finished, the next is another."""
    calls = help_queue(here.redis)
    if sum(calls.counts().values()) != 1:
        raise Violation(f"one learner has {calls.counts()}")
    handed = {call.partition("-")[0] for call in here.journal["hal"]}
    here.clock.now += 60
    found = calls_for_help.take(here.redis, "survivor")
    assert found is not None
    call, _, tries = found["call"].partition("-")
    if call in handed and tries == "1":
        raise Violation("the next call has the name of one that was finished")
    calls_for_help.finish(here.redis, "survivor", found["call"])
    if own_calls.ask(here.redis, ADA, "Ada", "again") in handed | {call}:
        raise Violation("the next call has the name of the last")


@pytest.mark.parametrize(
    ("who", "faults"), [("once twice", 1), ("once hal", 1), ("once twice hal", 0)]
)
def test_a_learner_has_one_open_call_and_the_next_is_another(who: str, faults: int) -> None:
    clients = {"once": pressed("help"), "twice": pressed("help me"), "hal": helps}
    report = explore(
        world=a_list,
        clients={name: clients[name] for name in who.split()},
        afterwards={"again": pressed("help!")},
        check=one_open_call,
        crashes=faults,
        lost_replies=faults,
    )
    assert report.holds, str(report)
    assert report.schedules > 10_000


def test_a_helper_who_was_too_slow_is_told(redis_client: redis.Redis) -> None:
    call = calls_for_help.ask(redis_client, ADA, "Ada", "help", KEY)
    first = calls_for_help.take(redis_client, "hal", lease=0.001)
    assert first["call"] == f"{call}-1"
    redis_client.delete("queue:{help}:alive:hal")
    assert calls_for_help.take(redis_client, "hub")["call"] == f"{call}-2"
    for late in (calls_for_help.renew, calls_for_help.finish, calls_for_help.give_back):
        with pytest.raises(Problem, match="not yours any more"):
            late(redis_client, "hal", first["call"])
    calls_for_help.give_back(redis_client, "hub", f"{call}-2")
    assert calls_for_help.take(redis_client, "hal")["call"] == f"{call}-3"


def test_a_helper_who_asks_again_has_the_same_call_with_a_new_lease(
    redis_client: redis.Redis,
) -> None:
    """Two pages of one helper show it under one name, and either can keep or finish it."""
    call = calls_for_help.ask(redis_client, ADA, "Ada", "help", KEY)
    first = calls_for_help.take(redis_client, "hal")
    redis_client.pexpire("queue:{help}:alive:hal", 60_000)
    assert calls_for_help.take(redis_client, "hal") == first
    assert redis_client.pttl("queue:{help}:alive:hal") > 60_000
    assert first["call"] == f"{call}-1"
    calls_for_help.renew(redis_client, "hal", first["call"])
    calls_for_help.finish(redis_client, "hal", first["call"])
    assert calls_for_help.take(redis_client, "hal") is None


def test_a_call_that_is_handed_on_while_its_helper_asks_again_is_not_theirs(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls_for_help.ask(redis_client, ADA, "Ada", "help", KEY)
    had = calls_for_help.take(redis_client, "hal")
    renewed = ReliableQueue.renew

    def too_late(queue: ReliableQueue, job: Job) -> None:
        monkeypatch.undo()
        calls_for_help.give_back(redis_client, "hal", had["call"])
        assert calls_for_help.take(redis_client, "hub") is not None
        renewed(queue, job)

    monkeypatch.setattr(ReliableQueue, "renew", too_late)
    assert calls_for_help.take(redis_client, "hal") is None


def test_what_another_program_gave_a_helper_is_a_call_or_is_set_aside(
    redis_client: redis.Redis,
) -> None:
    redis_client.lpush("queue:{help}:pending:hal", "no call")
    redis_client.hset("queue:{help}:tries", "no call", 1)
    assert calls_for_help.take(redis_client, "hal") is None
    assert help_queue(redis_client).counts()["aside"] == 1
    call = calls_for_help.ask(redis_client, ADA, "Ada", "help", KEY)
    redis_client.lmove("queue:{help}", "queue:{help}:pending:hal", "RIGHT", "LEFT")
    assert calls_for_help.take(redis_client, "hal")["call"] == f"{call}-1"


def test_a_call_that_was_handed_out_often_still_comes_back(redis_client: redis.Redis) -> None:
    call = calls_for_help.ask(redis_client, ADA, "Ada", "help", KEY)
    redis_client.hset("queue:{help}:tries", call, 999_999)
    for _ in range(2):
        found = calls_for_help.take(redis_client, "hal")
        calls_for_help.give_back(redis_client, "hal", found["call"])
    assert help_queue(redis_client).counts() == {"waiting": 1, "held": 0, "aside": 0}
