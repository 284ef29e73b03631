"""What Room and StreamRoom promise: examples, bad input, dropped connections, many at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import fakeredis
import pytest
import redis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.patterns.conftest import waits_of

from patterns.pubsub import KeyAlreadyUsed, MalformedMessage, Message, Room, StreamRoom

POLL = 0.1  # seconds; how long a lost wake-up may cost in these tests
PATIENCE = 20  # seconds a reader of these tests waits at most: only a failure waits so long

AnyRoom = Room | StreamRoom
Make = Callable[..., AnyRoom]


KINDS = ["table", pytest.param("stream", marks=pytest.mark.every_pair)]  # conftest.py: one SQL


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, redis_client: redis.Redis, sql_engine: sa.Engine) -> Make:
    """A maker of rooms, of either kind, that share their servers."""

    def a_room(name: str = "dogfacts", **options: Any) -> AnyRoom:
        options = {"poll": POLL, **options}
        if request.param == "table":
            return Room(redis_client, sql_engine, name, **options).install()
        return StreamRoom(redis_client, name, **options)

    return a_room


@pytest.fixture(params=KINDS)
def make_here(request: pytest.FixtureRequest) -> Make:
    """A maker of rooms in this process alone, for what is refused before any server is asked."""
    client = fakeredis.FakeRedis(decode_responses=True, version=(8,))
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)

    def a_room(name: str = "dogfacts", **options: Any) -> AnyRoom:
        if request.param == "table":
            return Room(client, engine, name, **options).install()
        return StreamRoom(client, name, **options)

    return a_room


@pytest.fixture
def room(redis_client: redis.Redis, sql_engine: sa.Engine) -> Room:
    return Room(redis_client, sql_engine, "dogfacts", poll=POLL).install()


def texts(messages: Iterator[Message] | list[Message]) -> list[str]:
    return [message.text for message in messages]


class Reader(threading.Thread):
    """A reader in a thread of its own that stops at the `last` message, by its text."""

    def __init__(self, room: AnyRoom, last: str, after: int = 0) -> None:
        super().__init__(daemon=True)
        self.room, self.last, self.after = room, last, after
        self.seen: list[Message] = []
        self.errors: list[Exception] = []
        self.failure: BaseException | None = None
        self.first = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            for message in self.room.listen(PATIENCE, self.after, on_error=self.errors.append):
                self.seen.append(message)
                self.first.set()
                if message.text == self.last:
                    return
        except BaseException as error:
            self.failure = error

    def result(self) -> list[Message]:
        self.join(2 * PATIENCE)
        assert not self.is_alive()
        assert self.failure is None
        return self.seen


# --- what it is -------------------------------------------------------------------------------


def test_a_message_has_a_number_an_author_and_a_text(make: Make) -> None:
    assert make().send("ann", "Dogs dream.") == Message(1, "ann", "Dogs dream.")


def test_the_numbers_of_a_room_are_one_two_three(make: Make) -> None:
    room = make()
    sent = [room.send("ann", text) for text in "abc"]
    assert [message.number for message in sent] == [1, 2, 3]
    assert room.history() == sent


def test_rooms_do_not_hear_each_other(make: Make) -> None:
    here, there = make("here"), make("there")
    here.send("ann", "a")
    there.send("bob", "b")
    assert here.history() == [Message(1, "ann", "a")]
    assert list(there.listen(0)) == [Message(1, "bob", "b")]


def test_history_begins_after_the_message_that_was_named(make: Make) -> None:
    room = make()
    for text in "abc":
        room.send("ann", text)
    assert texts(room.history(after=2)) == ["c"]
    assert room.history(after=3) == []


def test_listen_gives_the_history_first_and_then_what_is_new(make: Make) -> None:
    room = make()
    room.send("ann", "before")
    reader = Reader(room, last="after")
    assert reader.first.wait(PATIENCE)
    room.send("bob", "after")
    assert texts(reader.result()) == ["before", "after"]


def test_a_reader_that_resumes_continues_after_the_last_message_it_saw(make: Make) -> None:
    room = make()
    for text in "abcd":
        room.send("ann", text)
    first = next(stream := room.listen(0))
    stream.close()  # type: ignore[attr-defined]
    assert texts(room.listen(0, after=first.number)) == ["b", "c", "d"]


def test_a_new_object_is_the_same_room(make: Make) -> None:
    make().send("ann", "a")
    assert texts(make().history()) == ["a"]


def test_listen_ends_after_the_timeout_without_a_message(make: Make) -> None:
    start = time.monotonic()
    assert list(make().listen(0.25)) == []
    assert time.monotonic() - start >= 0.25


def test_the_timeout_counts_from_the_last_message(make: Make) -> None:
    room = make()
    reader = room.listen(0.5)
    room.send("ann", "a")
    assert next(reader).text == "a"
    time.sleep(0.6)  # a slow reader: its own work is not waiting
    room.send("ann", "b")
    assert next(reader).text == "b"


def test_a_timeout_of_zero_gives_what_is_there(make: Make) -> None:
    room = make()
    room.send("ann", "a")
    assert texts(room.listen(0)) == ["a"]


def test_who_wants_what_is_there_does_not_wait(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(room, "_wait", lambda ears, seconds, on_error: waits.append(seconds))
    assert list(room.listen(0)) == []
    assert waits == [0.0]


def test_a_stream_is_asked_to_wait_for_a_poll(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(streams: object, **how: object) -> None:
        raise LookupError(f"{how['block']} ms")

    monkeypatch.setattr(redis_client, "xread", asked)
    with pytest.raises(LookupError, match="1000 ms"):
        next(StreamRoom(redis_client, "lobby", poll=1.0).listen(5))


# --- a wake-up is no message ------------------------------------------------------------------


@pytest.mark.parametrize("error", [redis.ConnectionError, redis.TimeoutError])
def test_a_lost_wake_up_costs_time_and_no_message(
    room: Room, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def lost(channel: str, payload: int) -> int:
        raise error("gone")

    room.send("ann", "a")
    reader = Reader(room, last="b")
    assert reader.first.wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(room.redis, "publish", lost)
        assert room.send("ann", "b") == Message(2, "ann", "b")
    assert texts(reader.result()) == ["a", "b"]


def test_a_wake_up_arrives_long_before_the_poll(
    redis_client: redis.Redis, sql_engine: sa.Engine
) -> None:
    room = Room(redis_client, sql_engine, "dogfacts", poll=PATIENCE).install()
    room.send("ann", "a")
    reader = Reader(room, last="b")
    assert reader.first.wait(PATIENCE)
    time.sleep(0.05)  # it waits now
    start = time.monotonic()
    room.send("ann", "b")
    assert texts(reader.result()) == ["a", "b"]
    assert time.monotonic() - start < PATIENCE / 2


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("hello", id="a-text"),
        pytest.param("", id="empty"),
        pytest.param('{"number": 1}', id="json"),
        pytest.param("{'message': 'hello'}", id="a-dict-as-a-string"),
        pytest.param("-1", id="negative"),
        pytest.param("NaN", id="nan"),
        pytest.param("٣", id="a-digit-of-another-script"),
        pytest.param("1\n", id="newline"),
        pytest.param("\0", id="nul"),
        pytest.param("x" * 1_000_000, id="1-MB"),
        pytest.param(b"\xff\xfe", id="not-utf-8"),
    ],
)
def test_a_malformed_message_is_reported_and_skipped(room: Room, payload: str | bytes) -> None:
    room.send("ann", "a")
    reader = Reader(room, last="b")
    assert reader.first.wait(PATIENCE)
    while not room.redis.publish(room.channel, payload):  # until somebody hears it
        time.sleep(0.01)
    while not reader.errors and reader.is_alive():
        time.sleep(0.01)
    room.send("ann", "b")
    assert texts(reader.result()) == ["a", "b"]
    assert [type(error) for error in reader.errors] == [MalformedMessage]
    assert len(str(reader.errors[0])) < 150
    assert "room:dogfacts" in str(reader.errors[0])


def test_without_a_hook_a_malformed_message_goes_to_the_log(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    reader = room.listen(PATIENCE)
    room.send("ann", "a")
    next(reader)
    room.redis.publish(room.channel, "rubbish")
    room.send("ann", "b")
    assert next(reader).text == "b"
    while "rubbish" not in caplog.text:
        room.send("ann", "c")
        next(reader)
    assert caplog.records[0].name == "patterns.pubsub"
    assert "MalformedMessage" in caplog.text


def test_a_hook_that_raises_ends_the_listening(room: Room) -> None:
    def strict(error: Exception) -> None:
        raise error

    reader = room.listen(PATIENCE, on_error=strict)
    room.send("ann", "a")
    next(reader)
    room.redis.publish(room.channel, "rubbish")
    with pytest.raises(MalformedMessage, match="rubbish"):
        next(reader)


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        pytest.param("0-7", {"words": "hello"}, id="other-fields"),
        pytest.param("0-7", {"author": "eve"}, id="a-field-is-missing"),
        pytest.param("7-7", {"author": "eve", "text": "hi"}, id="an-id-of-another-kind"),
        pytest.param("0-7", {"author": "eve", "text": b"caf\xe9"}, id="a-text-that-is-not-UTF-8"),
        pytest.param("0-7", {"author": b"\xe9", "text": "hi"}, id="an-author-that-is-not-UTF-8"),
        pytest.param("0-7", {b"\xe9": "hi"}, id="a-field-that-is-not-UTF-8"),
    ],
)
def test_a_malformed_entry_of_a_stream_is_reported_once_and_skipped(
    redis_client: redis.Redis, entry: str, fields: dict[Any, Any]
) -> None:
    room = StreamRoom(redis_client, "dogfacts", poll=POLL)
    room.send("ann", "a")
    redis_client.xadd(room.stream, fields, id=entry)
    sent = ["a"] if entry == "7-7" else ["a", room.send("bob", "b").text]  # Redis refuses 0-8 then
    for after in (0, 1, None):
        errors: list[Exception] = []
        hook = errors.append
        live = after is not None
        found = room.listen(3 * POLL, after, hook) if live else room.history(on_error=hook)
        assert texts(found) == sent[after:]
        assert [type(error) for error in errors] == [MalformedMessage]
        assert entry in str(errors[0])


# --- dropped connections ----------------------------------------------------------------------


def test_a_reader_survives_its_connection(
    make: Make, redis_client: redis.Redis, own_connections: Callable[[redis.Redis], Any]
) -> None:
    room = make()
    room.send("ann", "a")
    reader = Reader(room, last="c")
    assert reader.first.wait(PATIENCE)
    for text in "bc":
        for client in own_connections(redis_client):
            if "pubsub" in client["name"] or client["cmd"] in ("subscribe", "xread"):
                redis_client.client_kill_filter(_id=client["id"])
        room.send("ann", text)
    assert texts(reader.result()) == ["a", "b", "c"]


def test_a_reader_keeps_reading_while_redis_is_gone(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object) -> None:
        raise redis.ConnectionError("no Redis today")

    monkeypatch.setattr(room.redis, "pubsub", gone)
    monkeypatch.setattr(room.redis, "publish", gone)
    room.send("ann", "a")
    reader = Reader(room, last="b")
    assert reader.first.wait(PATIENCE)
    room.send("ann", "b")
    assert texts(reader.result()) == ["a", "b"]
    assert {str(error) for error in reader.errors} == {"no Redis today"}


def test_a_stream_reader_reports_a_lost_connection_and_goes_on(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = StreamRoom(redis_client, "dogfacts", poll=POLL)
    room.send("ann", "a")
    real, calls = redis_client.xread, []

    def flaky(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise redis.ConnectionError("dropped")
        return real(*args, **kwargs)

    monkeypatch.setattr(redis_client, "xread", flaky)
    errors: list[Exception] = []
    assert texts(room.listen(3 * POLL, on_error=errors.append)) == ["a"]
    assert [str(error) for error in errors] == ["dropped"]


# --- sending again ----------------------------------------------------------------------------


def test_a_send_repeated_with_its_key_is_stored_once(room: Room) -> None:
    first = room.send("ann", "a", key="k1")
    room.send("bob", "b")
    assert room.send("ann", "a", key="k1") == first
    assert texts(room.history()) == ["a", "b"]


def test_the_same_words_without_a_key_are_two_messages(make: Make) -> None:
    room = make()
    room.send("ann", "a")
    room.send("ann", "a")
    assert texts(room.history()) == ["a", "a"]


@pytest.mark.parametrize("other", [("ann", "b"), ("bob", "a")], ids=["text", "author"])
def test_a_key_cannot_name_two_messages(room: Room, other: tuple[str, str]) -> None:
    room.send("ann", "a", key="k1")
    with pytest.raises(KeyAlreadyUsed, match="'k1' names message 1"):
        room.send(*other, key="k1")
    assert texts(room.history()) == ["a"]


def test_a_key_belongs_to_its_room(redis_client: redis.Redis, sql_engine: sa.Engine) -> None:
    for name in ("here", "there"):
        assert (
            Room(redis_client, sql_engine, name).install().send("ann", name, key="k1").number == 1
        )


def test_simultaneous_sends_with_one_key_are_stored_once(room: Room) -> None:
    found: list[Message] = []
    threads = [
        threading.Thread(target=lambda: found.append(room.send("ann", "a", key="k1")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Message(1, "ann", "a")] * 6
    assert len(room.history()) == 1


# --- many at once -----------------------------------------------------------------------------


def test_all_readers_see_every_message_once_in_one_order(make: Make) -> None:
    room = make()
    readers = [Reader(room, last="end") for _ in range(3)]

    def write(name: str) -> None:
        for number in range(15):
            room.send(name, f"{name} {number}")

    writers = [threading.Thread(target=write, args=(name,)) for name in ("ann", "bob", "cid")]
    for thread in writers:
        thread.start()
    late = Reader(room, last="end")
    for thread in writers:
        thread.join()
    room.send("ann", "end")
    history = room.history()
    assert [message.number for message in history] == list(range(1, 47))
    for reader in (*readers, late):
        assert reader.result() == history
        assert reader.errors == []


def test_on_postgresql_a_number_becomes_visible_only_after_all_smaller_ones(room: Room) -> None:
    """The trap of a sequence: PostgreSQL gives an id before the commit that shows it."""
    row = {"room": room.name, "key": "slow", "author": "slow", "text": "first"}
    with room.sql.begin() as slow:
        slow.execute(Room._ADD, row)  # number 1, not yet committed
        quick = threading.Thread(target=room.send, args=("quick", "second"))
        quick.start()
        quick.join(0.5)
        assert room.history() == []
    quick.join(PATIENCE)
    assert room.history() == [Message(1, "slow", "first"), Message(2, "quick", "second")]


def test_rooms_made_at_the_same_moment_share_one_table(
    redis_client: redis.Redis, sql_engine: sa.Engine
) -> None:
    barrier, failures = threading.Barrier(6), []

    def make() -> None:
        barrier.wait()
        try:
            Room(redis_client, sql_engine, "dogfacts").install().send("ann", "a")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(Room(redis_client, sql_engine, "dogfacts").history()) == 6


@pytest.mark.parametrize(("timeout", "longest"), [(None, 0.1), (5, 0.1), (0.1, 0.05)])
def test_a_stream_waits_half_as_long_as_the_socket(
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    timeout: float | None,
    longest: float,
) -> None:
    waits = waits_of(redis_client, monkeypatch, timeout)
    assert list(StreamRoom(redis_client, "dogfacts", poll=POLL).listen(0.5)) == []
    assert max(waits) == longest


# --- what goes in -----------------------------------------------------------------------------

NOT_TEXT = [
    pytest.param(None, id="None"),
    pytest.param(True, id="bool"),
    pytest.param(7, id="int"),
    pytest.param(1.5, id="float"),
    pytest.param(b"a", id="bytes"),
    pytest.param({"message": "hello"}, id="a-dict-is-not-a-payload"),
    pytest.param(["a"], id="list"),
]
NOT_STORABLE = [
    pytest.param("a\0b", "NUL", id="NUL"),
    pytest.param("\0", "NUL", id="only-NUL"),
    pytest.param("\ud800", "surrogate", id="lone-high-surrogate"),
    pytest.param("a\udfffb", "surrogate", id="lone-low-surrogate"),
]
STORED = [
    pytest.param("", id="empty"),
    pytest.param(" ", id="blank"),
    pytest.param("two\r\nlines\n", id="newlines"),
    pytest.param("a:b:{c}:{}", id="colons-and-braces"),
    pytest.param("'; DROP TABLE room_messages; --", id="quotes"),
    pytest.param(":room %s %(x)s ?", id="placeholders"),
    pytest.param("Ærøskøbing 🐕 \u202e e\u0301", id="unicode"),
    pytest.param("NaN", id="NaN"),
    pytest.param("x" * 1_000_000, id="1-MB"),
]


@pytest.mark.parametrize("text", STORED)
def test_a_text_is_stored_exactly(make: Make, text: str) -> None:
    room = make()
    assert room.send("ann", text) == Message(1, "ann", text)
    assert list(room.listen(0)) == [Message(1, "ann", text)]


@pytest.mark.parametrize("name", [param for param in STORED if 0 < len(param.values[0]) <= 200])
def test_any_name_is_a_room_of_its_own(make: Make, name: str) -> None:
    make(name).send(name, "a")
    assert make(name).history() == [Message(1, name, "a")]
    assert make(name + "x").history() == []


@pytest.mark.parametrize("value", NOT_TEXT)
@pytest.mark.parametrize("what", ["author", "text"])
def test_what_is_not_text_is_refused(make_here: Make, what: str, value: Any) -> None:
    room = make_here()
    with pytest.raises(TypeError, match=f"{what} must be a str, not {type(value).__name__}"):
        room.send(**{"author": "ann", "text": "a", what: value})
    assert room.history() == []


@pytest.mark.parametrize(("value", "why"), NOT_STORABLE)
@pytest.mark.parametrize("what", ["author", "text"])
def test_what_not_every_database_can_store_is_refused(
    make_here: Make, what: str, value: str, why: str
) -> None:
    room = make_here()
    with pytest.raises(ValueError, match=f"{what} contains .*{why}"):
        room.send(**{"author": "ann", "text": "a", what: value})
    assert room.history() == []


@pytest.mark.parametrize("value", [p for p in NOT_TEXT if p.id != "None"])
def test_a_key_that_is_not_text_is_refused(make_here: Make, value: Any) -> None:
    if not isinstance(room := make_here(), Room):
        return  # a stream takes no key
    with pytest.raises(TypeError, match="key must be a str"):
        room.send("ann", "a", key=value)
    assert room.history() == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 201, id="201"),
        pytest.param("x" * 10**6, id="1-MB"),
    ],
)
def test_names_have_1_to_200_characters(make_here: Make, value: str) -> None:
    with pytest.raises(ValueError, match="name must have 1 to 200 characters"):
        make_here(value)
    room = make_here()
    with pytest.raises(ValueError, match="author must have 1 to 200 characters"):
        room.send(value, "a")
    if isinstance(room, Room):
        with pytest.raises(ValueError, match="key must have 1 to 200 characters"):
            room.send("ann", "a", key=value)
    assert room.history() == []


def test_a_name_of_200_wide_characters_is_stored(room: Room) -> None:
    long = Room(room.redis, room.sql, "🐕" * 200)
    long.send("🐕" * 200, "a", key="🐕" * 200)
    assert long.history() == [Message(1, "🐕" * 200, "a")]


@pytest.mark.parametrize("value", NOT_TEXT)
def test_a_name_that_is_not_text_is_refused(make_here: Make, value: Any) -> None:
    with pytest.raises(TypeError, match="name must be a str"):
        make_here(value)


@pytest.mark.parametrize(("value", "why"), NOT_STORABLE)
def test_a_name_not_every_database_can_store_is_refused(
    make_here: Make, value: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        make_here(value)


@pytest.mark.parametrize(
    ("after", "error"),
    [
        pytest.param(None, TypeError, id="None"),
        pytest.param(True, TypeError, id="bool"),
        pytest.param(1.0, TypeError, id="float"),
        pytest.param(math.nan, TypeError, id="NaN"),
        pytest.param("1", TypeError, id="str"),
        pytest.param(Message(1, "ann", "a"), TypeError, id="a-message"),
        pytest.param(-1, ValueError, id="negative"),
        pytest.param(2**63, ValueError, id="huge"),
    ],
)
def test_after_is_the_number_of_a_message(
    make_here: Make, after: Any, error: type[Exception]
) -> None:
    room = make_here()
    for read in (lambda: room.history(after), lambda: room.listen(0, after)):
        with pytest.raises(error, match="after must be the number of a message"):
            read()


def test_after_may_lie_in_the_future(make: Make) -> None:
    room = make()
    room.send("ann", "a")
    assert room.history(2**63 - 1) == []
    assert list(room.listen(0, 2**63 - 1)) == []


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        pytest.param(None, TypeError, id="None"),
        pytest.param(True, TypeError, id="bool"),
        pytest.param("1", TypeError, id="str"),
        pytest.param(math.nan, ValueError, id="NaN"),
        pytest.param(-0.1, ValueError, id="negative"),
    ],
)
def test_timeout_is_a_number_of_seconds(
    make_here: Make, timeout: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="timeout must be"):
        make_here().listen(timeout)


@pytest.mark.parametrize(
    ("poll", "error"),
    [
        pytest.param(None, TypeError, id="None"),
        pytest.param(True, TypeError, id="bool"),
        pytest.param(0, ValueError, id="zero"),
        pytest.param(0.0009, ValueError, id="less-than-a-millisecond"),
        pytest.param(-1, ValueError, id="negative"),
        pytest.param(math.nan, ValueError, id="NaN"),
        pytest.param(math.inf, ValueError, id="infinite"),
    ],
)
def test_poll_is_a_time_between_two_looks(
    make_here: Make, poll: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="poll must be"):
        make_here(poll=poll)


def test_listen_may_wait_for_ever(make: Make) -> None:
    room = make()
    room.send("ann", "a")
    assert next(room.listen(math.inf)).text == "a"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    author=st.text(st.characters(), min_size=1, max_size=20),
    text=st.text(st.characters(), max_size=300),
)
def test_any_text_is_stored_exactly_or_refused(make: Make, author: str, text: str) -> None:
    room = make("any")
    before = room.history()
    after = before[-1].number if before else 0
    try:
        sent = room.send(author, text)
    except ValueError:
        assert any(c == "\0" or "\ud800" <= c <= "\udfff" for c in author + text)
        assert room.history(after) == []
    else:
        assert room.history(after) == [sent] == [Message(after + 1, author, text)]
