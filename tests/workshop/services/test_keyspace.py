"""Which arguments of a command are keys: the server's word, checked against COMMAND GETKEYS."""

from __future__ import annotations

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop import services
from workshop.services import redis_service
from workshop.services.errors import NotOurs
from workshop.services.redis_keyspace import PrefixedKeyspace

pytestmark = pytest.mark.skipif(redis_service.binary() is None, reason="no redis-server")

COMMANDS = (
    """
GET k|SET k v EX 10|MSET a 1 b 2|MGET a b c|DEL a b|RENAME a b|BLMOVE a b LEFT RIGHT 0
BRPOPLPUSH a b 0|BRPOP a b c 0|BLPOP a 1|LMPOP 2 a b LEFT|BLMPOP 0 2 a b LEFT|SMOVE a b m
SINTERSTORE d a b|SINTERCARD 2 a b LIMIT 1|ZUNIONSTORE d 2 a b WEIGHTS 1 2|ZINTER 2 a b
ZRANGESTORE d s 0 -1
ZMPOP 1 a MIN|BZPOPMIN a b 0|EVAL script 2 a b x y|EVALSHA abc 1 a x|EVAL script 0 x|FCALL f 1 a x
XADD s * f v|XREAD COUNT 1 STREAMS a b 0 0|XREAD BLOCK 0 STREAMS streams $
XREADGROUP GROUP g c STREAMS a >
XGROUP CREATE s g $|XINFO STREAM s FULL|XAUTOCLAIM s g c 0 0|XACK s g 1-1
GEORADIUS k 1 1 1 m STORE d
SORT k BY w_* GET # STORE d|OBJECT ENCODING k|MEMORY USAGE k|BITOP AND d a b|PFMERGE d a b|COPY a b
HSET k f v g w|EXPIRE k 1|WATCH a b|LCS a b LEN|GETEX k EX 1|TOUCH a b|UNLINK a|DUMP k
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.fixture(scope="module")
def server(own_servers: None) -> redis.Redis:
    return services.redis("keyspace")


@pytest.fixture(scope="module")
def keyspace(server: redis.Redis) -> PrefixedKeyspace:
    connection = server.connection_pool.get_connection()
    connection.send_command("COMMAND")
    table = connection.read_response()
    server.connection_pool.release(connection)
    return PrefixedKeyspace("P-", 0, table)


@pytest.mark.parametrize("command", COMMANDS)
def test_keys_are_found_as_the_server_finds_them(
    server: redis.Redis, keyspace: PrefixedKeyspace, command: str
) -> None:
    words = command.split()
    keys = (
        [str(key) for key in server.command_getkeys(*words)]
        if "EVAL script 0" not in command
        else []
    )
    sent = [word.decode() for word in keyspace.outgoing(tuple(words), str.encode)]
    if words[0].startswith("EVAL"):  # the script is another, and is told the prefix
        assert sent.pop() == "P-"
        sent[1] = words[1]
    marked = [word.removeprefix("P-") for word in sent if word.startswith("P-")]
    patterns = [words[words.index("BY") + 1]] if "BY" in words else []
    assert sorted(marked) == sorted(keys + patterns)
    assert [word.removeprefix("P-") for word in sent] == words


def test_words_that_look_like_options(keyspace: PrefixedKeyspace) -> None:
    """A key may be called like an option: only the place counts."""

    def sent(*words: str) -> list[str]:
        return [word.decode() for word in keyspace.outgoing(words, str.encode)]

    assert sent("SCAN", "0") == ["SCAN", "0", "MATCH", "P-*"]
    assert sent("scan", "0", "count", "5", "match", "a*") == [
        "scan",
        "0",
        "count",
        "5",
        "match",
        "P-a*",
    ]
    assert sent("KEYS", "*") == ["KEYS", "P-*"]
    assert sent("SORT", "BY", "BY", "GET", "GET", "STORE") == [
        "SORT",
        "P-BY",
        "BY",
        "P-GET",
        "GET",
        "P-STORE",
    ]
    assert sent("XREAD", "STREAMS", "STREAMS", "0") == ["XREAD", "STREAMS", "P-STREAMS", "0"]
    assert sent("SET", "SET", "EX") == ["SET", "P-SET", "EX"]
    assert sent("SPUBLISH", "c", "m") == ["SPUBLISH", "P-c", "m"]
    assert sent("PUBSUB CHANNELS") == ["PUBSUB", "CHANNELS", "P-*"]
    assert sent("PSUBSCRIBE", "a*", "b") == ["PSUBSCRIBE", "P-a*", "P-b"]


text = st.text() | st.binary().map(lambda data: data.decode("latin-1"))


@given(st.recursive(text | st.none() | st.integers() | st.floats(), st.lists, max_leaves=10))
@settings(deadline=None)
def test_replies_without_the_prefix_are_left_as_they_are(
    keyspace: PrefixedKeyspace, reply: object
) -> None:
    mark = "btp-0123456789ab:main:"
    ours = PrefixedKeyspace(mark, 0, [])
    assert repr(ours.incoming(reply)) == repr(reply)
    assert ours.incoming([mark + "k", (mark.encode() + b"k",), {mark + "a": 1}]) == [
        "k", (b"k",), {"a": 1},
    ]  # fmt: skip


def test_an_old_server_is_refused() -> None:
    with pytest.raises(services.ServiceError, match="older than Redis 7"):
        PrefixedKeyspace("P-", 0, [["get", 2, [], 1, 1, 1, []]])


def test_a_script_that_holds_everybody_up_can_be_ended_and_the_others_stay(
    keyspace: PrefixedKeyspace,
) -> None:
    assert keyspace.outgoing(("SCRIPT", "KILL"), str.encode) == [b"SCRIPT", b"KILL"]
    with pytest.raises(NotOurs, match="SCRIPT FLUSH is refused"):
        keyspace.outgoing(("SCRIPT", "FLUSH"), str.encode)
