"""Each helper's clients, and what must be true of what they were told.

A check returns how much was acknowledged, what of it is lost, and what is there twice, as text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from math import inf
from typing import Any

from patterns.counters import CounterBuffer, StreamCounter
from patterns.notice_boards import NoticeBoard
from patterns.pubsub import Room, StreamRoom
from patterns.queues import LeaseLost, ReliableQueue, StreamQueue

from .rounds import Helper, Life, Say
from .servers import Places

Told = list[list[Any]]
Verdict = tuple[int, list[str], list[str]]


def repeated(values: Any) -> list[str]:
    """Return what is there more than once."""
    return [f"{value} {n} times" for value, n in Counter(values).items() if n > 1]


def room(name: str, make: Callable[[Places], Any], keyed: bool, uses: tuple[str, ...]) -> Helper:
    """Two senders and two readers, who go on behind what they have said they saw."""

    def sender(life: Life, say: Say) -> None:
        made, n = make(life.places), len(life.told) if keyed else 0
        while True:
            text = f"{life.slot}:{n}" if keyed else f"{life.slot}:{life.number}:{n}"
            more = {"key": text} if keyed else {}
            say(text, made.send("soak", text, **more).number)
            n += 1

    def reader(life: Life, say: Say) -> None:
        after = life.told[-1][1] if life.told else 0
        for message in make(life.places).listen(60, after=after):
            say(message.text, message.number)

    def check(places: Places, told: Told) -> Verdict:
        stored = [(message.text, message.number) for message in make(places).history()]
        sent = [tuple(said) for slot in told[:2] for said in slot]
        lost = [f"{said} was sent" for said in set(sent) - set(stored)]
        twice = repeated(text for text, _ in stored)
        for slot in told[2:]:
            seen = [tuple(said) for said in slot]
            lost += [f"{m} not seen by a reader" for m in set(stored[: len(seen)]) - set(seen)]
            twice += repeated(seen)
            lost += [] if seen == stored[: len(seen)] else ["a reader saw another order"]
        return len(sent) + sum(map(len, told[2:])), lost, twice

    def prepare(places: Places) -> None:
        if keyed:
            make(places).install()

    return Helper(name, uses, [sender, sender, reader, reader], prepare, check)


def queue(kind: type) -> Helper:
    """Two who put, two who work. What was put and answered is finished; none is finished twice."""

    def make(places: Places) -> Any:
        return kind(places.redis(), "soak", lease=2.0, max_tries=10**6)

    def putter(life: Life, say: Say) -> None:
        made, n = make(life.places), 0
        while True:
            key = f"{life.slot}:{life.number}:{n}"
            say("put", made.put(key, key=key))
            n += 1

    def worker(life: Life, say: Say) -> None:
        made = make(life.places)
        while True:
            made.recover()
            if job := made.take(f"worker {life.slot}", timeout=1.0):
                say("begun", job.key)
                try:
                    made.done(job)
                except LeaseLost:
                    continue
                say("done", job.key)

    def check(places: Places, told: Told) -> Verdict:
        made, said = make(places), [tuple(line) for slot in told for line in slot]
        while sum(made.counts().values()):
            made.recover()
            if job := made.take("survivor", timeout=0.2):
                said.append(("begun", job.key))
                made.done(job)
                said.append(("done", job.key))
        put = {key for word, key in said if word == "put"}
        begun = {key for word, key in said if word == "begun"}
        done = [key for word, key in said if word == "done"]
        lost = [f"{key} was put" for key in put - begun]
        return len(put) + len(done), lost, repeated(done)

    return Helper(
        kind.__name__,
        ("redis-server",),
        [putter, putter, worker, worker],
        lambda places: None,
        check,
    )


def board() -> Helper:
    """Two who post, again with the same key until they know; two who watch."""

    def make(places: Places) -> NoticeBoard:
        return NoticeBoard(places.redis(), "soak", poll=0.5)

    def poster(life: Life, say: Say) -> None:
        made, n = make(life.places), len(life.told)
        while True:
            say([life.slot, n], made.post([life.slot, n], key=f"{life.slot}.{n}"))
            n += 1

    def watcher(life: Life, say: Say) -> None:
        made, after = make(life.places), life.told[-1][1] if life.told else None
        while True:
            if notice := made.watch(after, timeout=1.0):
                after = notice.version
                say(notice.value, after)

    def number(version: str) -> int:
        return int(version.partition("-")[0])

    def check(places: Places, told: Told) -> Verdict:
        made = make(places)
        posted = {version: value for slot in told[:2] for value, version in slot}
        count = sum(map(len, told[:2]))
        lost, twice = [], [] if len(posted) == count else ["two posts have one version"]
        last = made.read()
        if posted and (last is None or last.number < max(map(number, posted))):
            lost.append("the last post that was answered is not there, nor a later one")
        answered = [[number(version) for _, version in slot] for slot in told[:2]]
        for n in set(range(1, last.number if last else 1)) - set(chain(*answered)):
            # Stored, and not answered: its poster tried again, and was told this number, if not
            # a hundred others had posted meanwhile. We do not know which of the two it was.
            again = [next((after for after in slot if after > n), inf) for slot in answered]
            if max(again) - n <= 100:
                twice.append(f"post {n} was stored again as {again[0]} or {again[1]}")
        for slot in told[2:]:
            seen = [number(version) for _, version in slot]
            twice += [] if seen == sorted(set(seen)) else ["a watcher went back"]
            wrong = [v for value, v in slot if posted.get(v, value) != value]
            lost += [f"{version} was another's" for version in wrong]
            final = made.watch(slot[-1][1] if slot else None, timeout=0.1)
            if last and (final or last).version != last.version:
                lost.append("a watcher does not end with the last post")
        return count + sum(map(len, told[2:])), lost, twice

    return Helper(
        "NoticeBoard",
        ("redis-server",),
        [poster, poster, watcher, watcher],
        lambda places: None,
        check,
    )


def counter(kind: type, sql: str) -> Helper:
    """Two who hit, each hit with a key of its own, and two who flush."""

    def make(places: Places) -> Any:
        return kind(places.redis(), places.sql(sql), "soak", 3600)

    def hitter(life: Life, say: Say) -> None:
        made, n = make(life.places), 0
        while True:
            key = f"{life.slot}:{life.number}:{n}"
            made.hit(key, at=1000.0)
            say(key)
            n += 1

    def flusher(life: Life, say: Say) -> None:
        made = make(life.places)
        while True:
            say(made.flush().hits)

    def check(places: Places, told: Told) -> Verdict:
        made = make(places)
        made.flush()
        sums = {key: hits for (_, key), hits in made.counts().items()}
        hit = [key for slot in told[:2] for (key,) in slot]
        lost = [f"{key} was hit" for key in hit if key not in sums]
        return len(hit), lost, [f"{key} {hits} times" for key, hits in sums.items() if hits > 1]

    return Helper(
        kind.__name__,
        ("redis-server", sql),
        [hitter, hitter, flusher, flusher],
        lambda places: make(places).install(),
        check,
    )


def on_redis() -> list[Helper]:
    """The helpers that need Redis."""
    on_both = ("redis-server", "PostgreSQL")

    def in_sql(places: Places) -> Room:
        return Room(places.redis(), places.sql("PostgreSQL"), "soak", poll=0.5)

    def in_stream(places: Places) -> StreamRoom:
        return StreamRoom(places.redis(), "soak", poll=0.5)

    return [
        room("Room", in_sql, True, on_both),
        room("StreamRoom", in_stream, False, ("redis-server",)),
        queue(ReliableQueue),
        queue(StreamQueue),
        board(),
        counter(CounterBuffer, "PostgreSQL"),
        counter(StreamCounter, "SQLite"),
    ]
