"""The live recorder: real clients do what they do without it, and it tells what they did."""

from __future__ import annotations

import io
import threading
import uuid
from types import SimpleNamespace
from typing import Any

import couchdb
import pytest
import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry

from raceproof.record import Session
from raceproof.trace.steps import Step


@pytest.fixture
def client(redis_client: redis.Redis) -> redis.Redis:
    """A client of each Redis that this machine has."""
    return redis_client


def told(session: Session) -> list[tuple[str, str, str]]:
    """Return who called what and what came back."""
    return [(step.actor, step.call, step.reply) for step in session.run().steps]


def test_commands_and_replies_in_the_order_of_the_replies(client: redis.Redis) -> None:
    session = Session("ann", "bob")
    ann, bob = session.redis("ann", client), session.redis("bob", client)
    assert ann.lpush("jobs", "two words") == 1
    assert bob.rpop("jobs") == "two words"
    assert bob.rpop("jobs") is None
    assert told(session) == [
        ("ann", 'LPUSH jobs "two words"', "(integer) 1"),
        ("bob", "RPOP jobs", '"two words"'),
        ("bob", "RPOP jobs", "(nil)"),
    ]
    assert session.run().actors == ("ann", "bob")
    assert session.run().stores == ("redis",)


def test_an_error_reply_is_recorded_and_raised(client: redis.Redis) -> None:
    session = Session("ann")
    ann = session.redis("ann", client)
    ann.set("k", "text")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        ann.lpush("k", "x")
    assert session.run().steps[-1].reply.startswith("ResponseError: WRONGTYPE")


def test_a_dead_connection_is_a_lost_reply_without_addresses() -> None:
    session = Session("ann")
    nobody = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    ann = session.redis("ann", nobody)
    with pytest.raises(redis.ConnectionError):
        ann.get("k")
    assert session.run().steps == (Step("ann", "redis", "GET k", "", "reply-lost"),)


def test_a_call_that_was_woken_comes_after_the_call_that_woke_it(client: redis.Redis) -> None:
    session = Session("ann", "bob")
    ann, bob = session.redis("ann", client), session.redis("bob", client)
    got: list[Any] = []
    waiter = threading.Thread(target=lambda: got.append(bob.brpop(["jobs"], timeout=20)))
    waiter.start()
    ann.lpush("jobs", "a")
    waiter.join(300)
    assert [tuple(item) for item in got] == [("jobs", "a")]
    assert [call for _, call, _ in told(session)] == ["LPUSH jobs a", "BRPOP jobs 20"]


def test_a_blocking_call_that_gives_up_says_so(client: redis.Redis) -> None:
    session = Session("ann")
    assert session.redis("ann", client).brpop(["empty"], timeout=0.05) is None
    assert session.run().steps[0].fate == "timed-out"


def test_messages_are_recorded_when_they_are_read(client: redis.Redis) -> None:
    session = Session("ann", "bob")
    ann, bob = session.redis("ann", client), session.redis("bob", client)
    with bob.pubsub() as inbox:
        inbox.subscribe("dogs")
        assert inbox.get_message(timeout=5)["type"] == "subscribe"
        assert ann.publish("dogs", "hello") == 1
        assert inbox.get_message(timeout=5)["data"] == "hello"
        ann.publish("dogs", "again")
        assert next(inbox.listen())["data"] == "again"
        assert inbox.get_message(timeout=0.01) is None
    assert told(session) == [
        ("bob", "SUBSCRIBE dogs", ""),
        ("bob", "subscribed to dogs", ""),
        ("ann", "PUBLISH dogs hello", "(integer) 1"),
        ("bob", 'message "hello"', ""),
        ("ann", "PUBLISH dogs again", "(integer) 1"),
        ("bob", 'message "again"', ""),
    ]
    assert [s.fate for s in session.run().steps][-1] == "delivery"
    assert '← message "hello"' in str(session)


def test_a_pipeline_is_one_call_and_what_it_asks_after_watch_another(client: redis.Redis) -> None:
    session = Session("ann")
    with session.redis("ann", client).pipeline() as pipe:
        pipe.watch("n")
        assert pipe.get("n") is None
        pipe.multi()
        pipe.set("n", 1)
        pipe.get("n")
        assert pipe.execute() == [True, "1"]
    assert [call for _, call, _ in told(session)] == [
        "WATCH n",
        "GET n",
        "MULTI; SET n 1; GET n; EXEC",
    ]


def test_a_transaction_that_lost_its_race_says_so(client: redis.Redis) -> None:
    session = Session("ann", "bob")
    ann, bob = session.redis("ann", client), session.redis("bob", client)
    with ann.pipeline() as pipe:
        pipe.watch("n")
        bob.set("n", 5)
        pipe.multi()
        pipe.set("n", 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert told(session)[-1][2].startswith("WatchError")


def test_a_script_is_one_call_whether_or_not_the_server_knows_it(client: redis.Redis) -> None:
    session = Session("ann")
    ann = session.redis("ann", client)
    unheard_of = f"return redis.call('INCR', KEYS[1]) -- {uuid.uuid4()}"
    script = ann.register_script(unheard_of)
    assert script(keys=["n"]) == 1
    assert script(keys=["n"]) == 2
    assert [call for _, call, _ in told(session)] == ["EVALSHA script 1 n"] * 2


def test_a_sql_transaction_is_one_call() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    session = Session("ann")
    ann = session.sql("ann", engine)
    with engine.begin() as tx:
        tx.execute(sa.text("CREATE TABLE t (x TEXT)"))
    with ann.begin() as tx:
        tx.execute(sa.text("INSERT INTO t VALUES (:x)"), {"x": "a"})
        tx.execute(sa.text("UPDATE t SET x = 'b'"))
    with ann.connect() as tx:
        assert tx.execute(sa.text("SELECT x FROM t")).scalar() == "b"
    with ann.begin() as tx:
        tx.execute(sa.text("DELETE FROM t"))
        tx.rollback()
    assert told(session) == [
        ("ann", "INSERT INTO t VALUES ('a'); UPDATE t SET x = 'b'", "1 row"),
        ("ann", "SELECT x FROM t", ""),
        ("ann", "DELETE FROM t; ROLLBACK", ""),
    ]


class _Server:
    """Answers as CouchDB would."""

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        if "taken" in url:
            raise couchdb.ResourceConflict(("conflict", "Document update conflict."))
        return 201, SimpleNamespace(get=lambda name, other="": other), io.BytesIO(b"{}")


def test_a_couchdb_request_is_recorded_without_the_real_name_of_the_database() -> None:
    resource = couchdb.http.Resource("http://localhost:1/secret-name-123", _Server())
    session = Session("ann")
    bank = session.couch("ann", couchdb.Database(resource, "secret-name-123"), store="bank")
    bank.resource.put("alice:1", body={})
    with pytest.raises(couchdb.ResourceConflict):
        bank.resource.put("taken", body={})
    assert told(session) == [
        ("ann", "PUT /bank/alice:1", "201 created"),
        ("ann", "PUT /bank/taken", "409 conflict"),
    ]


def test_notes_belong_to_the_actors_last_call(client: redis.Redis) -> None:
    session = Session("ann", "bob")
    session.redis("ann", client).set("k", "v")
    session.redis("bob", client).get("k")
    session.note("ann", "wrote v")
    assert [s.said for s in session.run().steps] == [("wrote v",), ()]
    with pytest.raises(ValueError, match="did nothing yet"):
        Session("ann").note("ann", "too early")


def test_unknown_and_doubled_actors_are_refused(client: redis.Redis) -> None:
    with pytest.raises(ValueError, match="not an actor"):
        Session("ann").redis("bob", client)
    with pytest.raises(ValueError, match="a name of its own"):
        Session("ann", "ann")
    with pytest.raises(ValueError, match="needs actors"):
        Session()


def test_a_notebook_sees_the_transcript(client: redis.Redis) -> None:
    session = Session("ann")
    session.redis("ann", client).set("k", "v")
    assert session._repr_html_() == session.transcript()._repr_html_()
    assert repr(session) == str(session.transcript())
    assert "ann sends SET k v to redis" in session.diagram("One call").alt


def test_a_client_of_one_connection_is_recorded_too(client: redis.Redis) -> None:
    session = Session("ann")
    with session.redis("ann", client).client() as alone:
        assert alone.connection is not None
        alone.set("k", "1")
    assert told(session) == [("ann", "SET k 1", "OK")]
    assert alone.connection is None


@pytest.mark.parametrize("value", [None, 7, ["a"]])
def test_a_note_is_drawn_whatever_it_is(client: redis.Redis, value: object) -> None:
    session = Session("ann")
    session.redis("ann", client).set("k", "1")
    session.note("ann", value)
    assert str(value) in str(session.transcript())
