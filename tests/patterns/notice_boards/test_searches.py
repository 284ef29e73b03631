"""Every schedule of posters and watchers, with faults, and with a board that goes and comes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis as redis_py

from patterns.notice_boards import NoticeBoard, notices
from raceproof import Clock, Journal, Report, Violation, explore
from workshop import services


@dataclass
class Hall:
    redis: redis_py.Redis
    clock: Clock = field(default_factory=Clock)
    journal: Journal = field(default_factory=Journal)


def a_board(hall: Hall, **options: Any) -> NoticeBoard:
    return NoticeBoard(hall.redis, "task", poll=2.0, **options)


def a_world(redis: redis_py.Redis, clock: Callable[[], Clock] = Clock) -> Callable[[], Hall]:
    def make() -> Hall:
        for key in redis.scan_iter():
            redis.delete(key)
        return Hall(redis, clock())

    return make


@pytest.fixture
def world() -> Callable[[], Hall]:
    return a_world(services.redis("search", fresh=True))


def poster(value: int, **options: Any) -> Callable[[Hall], None]:
    """Posts, and again with the same key if the connection breaks."""

    def client(hall: Hall) -> None:
        for _ in range(2):
            with suppress(redis_py.ConnectionError):
                a_board(hall, **options).post(value, key=f"key-of-{value}")
                hall.journal.note("posted")
                return

    return client


def watcher(hall: Hall) -> None:
    """Follows the board to the second post, or until nothing new comes.

    After a broken connection it goes on from the last version it has seen.
    """
    after = None
    for _ in range(6):
        with suppress(redis_py.ConnectionError):
            notice = a_board(hall).watch(after, timeout=4.0)
            if notice:
                after = notice.version
                hall.journal.note([notice.number, notice.value])
            if notice is None or notice.number == 2:
                hall.journal.note("leaves")
                return


WATCHERS = ("watcher", "late")


def all_end_with_the_last(hall: Hall) -> None:
    """Who watched to the end saw the last value last, and never one before it after it."""
    last = a_board(hall).read()
    for name in WATCHERS:
        notes = hall.journal[name]
        seen = [note for note in notes if note != "leaves"]
        if notes[-1:] == ["leaves"] and last and seen[-1:] != [[last.number, last.value]]:
            raise Violation(f"the board says {last.value}; the {name} saw {seen}")
        if seen != sorted(seen) or len({number for number, _ in seen}) != len(seen):
            raise Violation(f"the {name} went back: {seen}")


def each_post_once(hall: Hall) -> None:
    """The board counts each value once, and those that were answered for sure."""
    last = a_board(hall).read()
    count = last.number if last else 0
    answered = sum("posted" in hall.journal[name] for name in ("ann", "bob"))
    if not answered <= count <= 2:
        raise Violation(f"{answered} of 2 posts were answered; the board counts {count}")


def both(hall: Hall) -> None:
    all_end_with_the_last(hall)
    each_post_once(hall)


def late(hall: Hall) -> None:
    """Looks once."""
    notice = a_board(hall).watch(timeout=0.0)
    if notice:
        hall.journal.note([notice.number, notice.value])


CROWD = {"ann": poster(10), "bob": poster(20), "watcher": watcher, "late": late}


def searched(world: Callable[[], Hall], *names: str, **bounds: Any) -> Report:
    clients = {name: CROWD[name] for name in names or CROWD}
    return explore(world=world, clients=clients, check=both, timeouts=0, **bounds)


def test_two_posters_and_two_watchers(redis_client: redis_py.Redis) -> None:
    report = searched(a_world(redis_client))
    assert report.holds, str(report)


def test_with_a_crash(world: Callable[[], Hall]) -> None:
    report = searched(world, crashes=1)
    assert report.holds, str(report)


def test_two_posters_with_a_lost_reply(world: Callable[[], Hall]) -> None:
    report = searched(world, "ann", "bob", "late", lost_replies=1)
    assert report.holds, str(report)


def test_with_a_crash_and_a_lost_reply(world: Callable[[], Hall]) -> None:
    report = searched(world, "ann", "watcher", crashes=1, lost_replies=1)
    assert report.holds, str(report)


def test_a_lost_announcement_costs_one_poll(world: Callable[[], Hall]) -> None:
    """The poster's value reaches the key, and the channel nobody."""

    def silent(hall: Hall) -> None:
        script = notices.POST.replace("redis.call('PUBLISH', KEYS[1], version)", "")
        board = a_board(hall)
        hall.redis.eval(script, 2, *board.keys, "key", "0123456789abcdef", "20", "", "-")

    clients = {"ann": silent, "watcher": watcher}
    report = explore(world=world, clients=clients, check=all_end_with_the_last, timeouts=0)
    assert report.holds, str(report)


def again(
    goes: Callable[[Hall], None] | None, world: Callable[[], Hall], timeout: float = 4.0
) -> Report:
    """Ann posts 10 on a board that had a 10, which the watcher has seen, and which may go."""
    version = "1-0123456789abcdef"

    def make() -> Hall:
        hall = world()
        args = ["old-10", "0123456789abcdef", "10", "20000", "-"]
        assert hall.redis.eval(notices.POST, 2, *a_board(hall).keys, *args) == f"{version} -"
        return hall

    def ann(hall: Hall) -> None:
        a_board(hall).post(10, key="new-10")
        hall.journal.note("posted")

    def follow(hall: Hall) -> None:
        notice = a_board(hall).watch(version, timeout)
        hall.journal.note(notice.value if notice else None)

    def sees_the_new_one(hall: Hall) -> None:
        there = hall.redis.exists("board:{task}")
        if there and hall.journal["ann"] and hall.journal["watcher"] != [10]:
            raise Violation(f"10 was posted anew; the watcher saw {hall.journal['watcher']}")

    clients = {"ann": ann, "watcher": follow}
    if goes is not None:
        clients["janitor"] = goes  # type: ignore[assignment]
    return explore(world=make, clients=clients, check=sees_the_new_one, timeouts=0)


def test_a_board_that_is_removed_and_made_again(world: Callable[[], Hall]) -> None:
    report = again(lambda hall: a_board(hall).remove(), world)
    assert report.holds, str(report)


def test_a_board_that_expires_and_is_made_again() -> None:
    def clock() -> Clock:
        return Clock(ticks=(30.0,))

    # Longer than the tick, or the watcher would have left before the post.
    report = again(None, a_world(services.redis("search", fresh=True), clock), timeout=60.0)
    assert report.holds, str(report)
    assert report.schedules > 10
