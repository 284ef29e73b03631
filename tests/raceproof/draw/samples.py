"""Runs made by hand, such as a search finds them."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from raceproof.trace.steps import Fate, Run, Step

LOST_JOB = Run(
    actors=("producer", "worker", "janitor"),
    stores=("redis",),
    steps=(
        Step("producer", "redis", "LPUSH jobs a", "(integer) 1", ended="done"),
        Step("worker", "redis", "BRPOP jobs 0", '["jobs", "a"]', fate="crash-after"),
        Step("janitor", "redis", "LRANGE jobs 0 -1", "[]", said=("found nothing",), ended="done"),
    ),
    violation="job a was queued and never done: 0 of 1 jobs ran",
    breaks_at=1,
)

DEAD_WRITER = Run(
    actors=("writer", "reader"),
    stores=("sql", "redis"),
    steps=(
        Step("reader", "redis", "SUBSCRIBE room:dogs", ""),
        Step("reader", "redis", "SUBSCRIBE room:dogs", fate="subscribed"),
        Step("reader", "sql", "SELECT * FROM messages WHERE room = 'dogs' ORDER BY id", "[]"),
        Step(
            "writer",
            "sql",
            "INSERT INTO messages (room, author, text) VALUES ('dogs', 'ann', 'hello')",
            "1 row",
        ),
        Step("writer", "redis", "PUBLISH room:dogs hello", fate="crash-before"),
    ),
    violation='the reader never saw "hello", which is in the history',
    breaks_at=4,
    waiting=(("reader", "a message on room:dogs"),),
)

PUBSUB = Run(
    actors=("producer", "consumer 1", "consumer 2"),
    stores=("redis",),
    steps=(
        Step("consumer 1", "redis", "SUBSCRIBE #dogfacts", '["subscribe", "#dogfacts", 1]'),
        Step("consumer 2", "redis", "SUBSCRIBE #dogfacts", '["subscribe", "#dogfacts", 1]'),
        Step("producer", "redis", "PUBLISH #dogfacts hello", "(integer) 2", ended="done"),
        Step("consumer 1", "redis", 'message "hello"', fate="delivery", said=("saw hello",)),
        Step("consumer 2", "redis", 'message "hello"', fate="delivery", said=("saw hello",)),
    ),
)

DOUBLE_COUNT = Run(
    actors=("visitor", "flusher"),
    stores=("redis", "sql"),
    steps=(
        Step("visitor", "redis", "INCR hits:12", "(integer) 1"),
        Step("visitor", "redis", "INCR hits:12", "(integer) 2", fate="reply-lost"),
        Step("visitor", "redis", "INCR hits:12", "(integer) 3", ended="done"),
        Step("flusher", "redis", "GETDEL hits:12", '"3"'),
        Step("flusher", "sql", "UPDATE hits SET n = n + 3 WHERE hour = 12", "", "request-lost"),
        Step("clock", "", "30 s pass", fate="tick"),
        Step("flusher", "redis", "BRPOP wake 30", "(nil)", fate="timed-out"),
        Step("flusher", "sql", "UPDATE hits SET n = n + 3 WHERE hour = 12", "", fate="late"),
    ),
    violation="the page was hit 2 times, SQL says 3",
    breaks_at=1,
)

DEADLOCK = Run(
    actors=("left", "right"),
    stores=("redis",),
    steps=(
        Step("left", "redis", "SET lock:a left NX", "OK"),
        Step("right", "redis", "SET lock:b right NX", "OK"),
    ),
    violation="nobody can move: left waits for lock:b, right waits for lock:a",
    breaks_at=1,
    waiting=(("left", "BLPOP freed:b 0"), ("right", "BLPOP freed:a 0")),
)

_ALICE = "GET /bank/_design/bank/_view/balance?key=%22alice%22"
LONG = Run(
    actors=("alice", "bob", "carol", "resolver"),
    stores=("couch",),
    steps=tuple(
        step
        for turn in range(5)
        for step in (
            Step("alice", "couch", _ALICE, '{"rows": [{"key": null, "value": 100}]}'),
            Step("bob", "couch", f"PUT /bank/bob:{turn}", '{"ok": true, "rev": "1-967a00dff5e0"}'),
            Step("carol", "couch", f"PUT /bank/bob:{turn}", "409 conflict", said=("again",)),
            Step("resolver", "couch", "GET /bank/_all_docs", f'{{"total_rows": {turn}}}'),
            Step("alice", "couch", f"PUT /bank/alice:{turn}", '{"ok": true}'),
        )
    ),
    violation="alice's balance is -60: two transfers of 80 were told yes, from a balance of 100",
    breaks_at=21,
)

SAMPLES = {
    "lost job": LOST_JOB,
    "dead writer": DEAD_WRITER,
    "pubsub": PUBSUB,
    "double count": DOUBLE_COUNT,
    "deadlock": DEADLOCK,
    "long": LONG,
}


def any_run() -> st.SearchStrategy[Run]:
    """Runs of every shape, with words of every kind, some of them long."""
    # A mark over a letter that the font does not have is drawn as a high box: left out.
    letters = st.characters(exclude_categories=["Cs", "Mn", "Me"])
    long = ["GET $x$", "日本語", "x" * 70, "a b " * 30]
    word = st.text(letters, max_size=12) | st.sampled_from(long)
    name = st.sampled_from(["ann", "bob", "consumer 1", "a very long name for an actor", "日本"])
    actors = st.lists(name, min_size=1, max_size=5, unique=True)
    stores = st.lists(st.sampled_from(["redis", "sql", "couch"]), max_size=3, unique=True)

    def fill(names: tuple[list[str], list[str]]) -> st.SearchStrategy[Run]:
        who, where = tuple(names[0]), tuple(names[1])
        step = st.builds(
            Step,
            actor=st.sampled_from([*who, "clock"]),
            store=st.sampled_from([*where, ""]),
            call=word.map(lambda call: f"GET {call}"),
            reply=word,
            fate=st.sampled_from(get_args(Fate)),
            said=st.lists(word, max_size=2).map(tuple),
            ended=st.sampled_from(["", "", "done", "raises ValueError"]),
        )
        return st.lists(step, max_size=8).flatmap(
            lambda steps: st.builds(
                Run,
                actors=st.just(who),
                stores=st.just(where),
                steps=st.just(tuple(steps)),
                violation=st.none() | word.map(lambda text: f"broken {text}"),
                breaks_at=st.none() | st.integers(0, len(steps) - 1) if steps else st.none(),
                waiting=st.lists(st.tuples(st.sampled_from(who), word), max_size=2).map(tuple),
            )
        )

    return st.tuples(actors, stores).flatmap(fill)
