"""The table of Redis commands is the server's own."""

from __future__ import annotations

import pytest
from benches.redis_commands import TABLE, lines, server, version

from raceproof.trace.redis_commands import COMMANDS, command_of
from workshop.services import redis_service


def test_the_table_is_what_the_server_says() -> None:
    binary = redis_service.binary()
    if binary is None:
        pytest.skip("there is no redis-server on this machine")
    with server(binary) as connection:
        head, *told = TABLE.read_text().splitlines()
        found = version(connection)
        if f" {found}:" in head:
            assert lines(connection) == told, "run benches/redis_commands.py"
            return
        # Another version has other commands and categories; what both have does the same.
        theirs = dict(line.split(": ", 1) for line in lines(connection))
    for name in theirs.keys() & COMMANDS.keys():
        for word in ("write", "readonly", "blocking"):
            here = word in COMMANDS[name].words
            assert here == (word in theirs[name].split()), f"{name} on Redis {found}: {word}"


@pytest.mark.parametrize(
    ("call", "is_so"),
    [
        ("HLEN", "reads"),
        ("ZCOUNT", "reads"),
        ("XINFO STREAM", "reads"),
        ("EVAL_RO", "reads runs_script"),
        ("LPUSH", "writes"),
        ("XGROUP CREATE", "writes"),
        ("XREADGROUP", "writes blocks"),
        ("XREAD", "reads blocks"),
        ("SPOP", "writes varies"),
        ("RANDOMKEY", "reads varies"),
        ("EVALSHA", "runs_script"),
        ("FCALL", "runs_script"),
        ("SCRIPT LOAD", ""),
        ("PUBLISH", "publishes"),
        ("PUNSUBSCRIBE", "subscribes"),
        ("PUBSUB CHANNELS", ""),
        ("PING", ""),
    ],
)
def test_what_a_command_does(call: str, is_so: str) -> None:
    command = COMMANDS[call]
    asked = ("reads", "writes", "blocks", "varies", "runs_script", "publishes", "subscribes")
    assert " ".join(word for word in asked if getattr(command, word)) == is_so


def test_a_call_names_its_command_in_any_case_and_as_bytes() -> None:
    for words, name in (
        (["lpush", "jobs", "a"], "LPUSH"),
        ([b"XGROUP", b"Create", b"jobs", b"workers", b"0"], "XGROUP CREATE"),
        (["XGROUP CREATE", "jobs"], "XGROUP CREATE"),
        (["GET", "create"], "GET"),
        (["PING"], "PING"),
    ):
        command = command_of(words)
        assert command is not None
        assert command.name == name
    for unknown in (["JSON.SET", "a"], [b"\xff"], []):
        assert command_of(unknown) is None
