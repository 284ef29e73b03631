"""Who waits by asking again and again is held back, and only who would ask for ever."""

from __future__ import annotations

import pytest
from tests.marks import forgets_scripts
from tests.raceproof.toys import Shop, empty, in_full, memory, nothing_to_check

from raceproof import Violation, explore

BOTH = pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])


def sets(world):
    world.cells.write("x", 1)


def nobody_gave_up(world):
    if "gave up" in world.journal["poller"]:
        raise Violation("the poller gave up")


@BOTH
@pytest.mark.parametrize("times", [1, 3, 5, 8])
def test_a_loop_that_gives_up_is_searched_to_its_end(times, merge):
    def poller(world):
        for _ in range(times):
            if world.cells.read("x"):
                return
        world.journal.note("gave up")

    report = explore(
        world=memory, clients={"poller": poller, "setter": sets}, check=nobody_gave_up, merge=merge
    )
    assert (report.schedules, report.broken) == (times + 1, 1)
    assert "in vain" not in report.sentence


@BOTH
@pytest.mark.parametrize("polls", [1, 2, 5])
def test_a_loop_that_would_ask_for_ever_is_held_back(polls, merge):
    def poller(world):
        while not world.cells.read("x"):
            pass

    clients = {"poller": poller, "setter": sets}
    report = explore(
        world=memory, clients=clients, check=nothing_to_check, merge=merge, polls=polls
    )
    assert report.holds
    assert report.schedules == polls + 1
    assert f"asking in vain at most {polls} time" in report.sentence


# --- the same, counted plainly: programs are functions from replies to the next call ----------


def waits_for(x_and_then, times=None):
    def program(replies):
        for at, reply in enumerate(replies):
            if reply and at % len(x_and_then) == 0:
                return None
        if times is not None and len(replies) >= times:
            return None
        return ("read", x_and_then[len(replies) % len(x_and_then)])

    return program


def writes(*names):
    return lambda replies: ("write", names[len(replies)]) if len(replies) < len(names) else None


def as_client(program):
    def client(world):
        replies = []
        while (call := program(replies)) is not None:
            verb, name = call
            replies.append(world.cells.read(name) if verb == "read" else world.cells.write(name, 1))

    return client


def asks_in_vain(program, replies, state, polls, calls):
    asked = [program(replies[:at]) for at in range(len(replies))]
    for period in (1, 2, 3):
        if len(asked) < polls * period:
            continue
        said = list(zip(asked, replies, strict=True))[-polls * period :]
        once = said[:period]
        if said != once * polls:
            continue
        if any(verb == "write" or state.get(name, 0) != reply for (verb, name), reply in once):
            continue
        alone = list(replies)
        for at in range(calls - len(replies)):
            if program(alone) != once[at % period][0]:
                break
            alone.append(once[at % period][1])
        else:
            return True
    return False


def plain_count(programs, polls, calls, state=None, heard=None):
    state, heard = state or {}, heard or [[] for _ in programs]
    alive = [i for i, p in enumerate(programs) if p(heard[i]) is not None]
    if not alive:
        return 1
    lively = alive
    if len(alive) > 1:
        lively = [
            i for i in alive if not asks_in_vain(programs[i], heard[i], state, polls, calls)
        ] or alive
    total = 0
    for i in alive:
        if len(heard[i]) >= calls:
            total += 1
        elif i in lively:
            verb, name = programs[i](heard[i])
            after = {**state, name: 1} if verb == "write" else state
            reply = state.get(name, 0) if verb == "read" else None
            told = [*heard[:i], [*heard[i], reply], *heard[i + 1 :]]
            total += plain_count(programs, polls, calls, after, told)
    return total


@pytest.mark.parametrize("polls", [1, 2, 3])
@pytest.mark.parametrize(
    "programs",
    [
        (waits_for("x"), writes("x")),
        (waits_for("x", times=7), writes("x")),
        (waits_for("xy"), writes("z", "x")),
        (waits_for("xyz"), writes("y", "x", "z")),
        (waits_for("x"), waits_for("xy"), writes("x")),
        (waits_for("x", times=4), waits_for("x"), writes("y", "x")),
    ],
    ids=["for ever", "seven times", "rounds of two", "of three", "two wait", "one gives up"],
)
def test_merged_full_and_a_plain_count_agree(programs, polls):
    case = dict(
        world=memory,
        clients={f"c{i}": as_client(program) for i, program in enumerate(programs)},
        check=nothing_to_check,
        polls=polls,
        calls=10,
    )
    merged = explore(**case).schedules
    assert merged == plain_count(programs, polls, 10)
    if merged < 500:
        assert in_full(**case).schedules == merged


@BOTH
def test_nobody_is_held_back_whose_asking_changes_something(merge):
    def counter(world):
        world.cells.write("tries", world.cells.read("tries") + 1)
        while not world.cells.read("x"):
            world.cells.write("y", 1 - world.cells.read("y"))

    clients = {"counter": counter, "setter": sets}
    report = explore(world=memory, clients=clients, check=nothing_to_check, merge=merge, calls=20)
    assert "asking in vain" not in report.sentence
    assert report.violation == "counter is still going after 20 calls"


def test_one_who_asks_in_vain_alone_is_still_a_finding():
    def poller(world):
        while not world.cells.read("x"):
            pass

    report = explore(world=memory, clients={"poller": poller}, check=nothing_to_check, calls=12)
    assert report.violation == "poller is still going after 12 calls"
    assert report.schedules == 1


@forgets_scripts
def test_calls_that_only_prepare_another_are_counted_too(redis_client):
    def world():
        redis_client.script_flush()
        return Shop(empty(redis_client))

    def client(world):
        script = world.redis.register_script("return 1")
        world.redis.set("x", 1)
        script()  # EVALSHA, SCRIPT LOAD, EVALSHA
        world.redis.set("x", 2)

    report = explore(world=world, clients={"c": client}, check=nothing_to_check, calls=2)
    assert report.violation == "c is still going after 2 calls"
