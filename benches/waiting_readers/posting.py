"""What a post takes of the processor, here and in redis-server, beside bare PUBLISH."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import redis
from benches.compared.costs import Cost, cost

from patterns.notice_boards import NoticeBoard

BARE = "bare PUBLISH"
OURS = "NoticeBoard.post"
VALUE = {"done": 50, "of": 100}
# What a board with versions does at least: no key is looked for, none is kept, nothing expires.
LEAST = """local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'version', number, 'value', ARGV[1])
redis.call('PUBLISH', KEYS[1], number)
return number"""


def ways(client: redis.Redis) -> dict[str, Callable[[], object]]:
    """Return each way to post once."""
    board, text = NoticeBoard(client, "bench"), json.dumps(VALUE)
    least = client.register_script(LEAST)

    def in_multi() -> None:
        with client.pipeline() as pipe:
            pipe.set("bench:value", text)
            pipe.publish("bench:value", text)
            pipe.execute()

    return {
        BARE: lambda: client.publish("bench:value", text),
        "SET, PUBLISH in MULTI": in_multi,
        "a script: number, set, announce": lambda: least(keys=["bench:least"], args=[text]),
        OURS: lambda: board.post(VALUE),
    }


def trials(client: redis.Redis, posts: int) -> dict[str, Callable[[], Cost]]:
    """Return what measures each way once."""
    return {name: partial(cost, client, call, posts) for name, call in ways(client).items()}
