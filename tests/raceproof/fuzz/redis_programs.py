"""Random Redis programs: two or three short clients that meet on the same few keys."""

from __future__ import annotations

import math
from typing import Any

from tests.raceproof.fuzz.choices import Choices
from tests.raceproof.fuzz.programs import (
    Cmd,
    If,
    Next,
    Now,
    Pipe,
    Program,
    Reply,
    Script,
    Sleep,
    Subscribe,
    Sum,
    Try,
    Until,
    Watch,
)

# Commands by family; k, l are keys, f a field, v a value, n a number, i an entry's id. Not here:
# what a stepped client cannot be given by the world's clock, since its keys expire in real time
# (EXPIRE … GT of the same moment, TIME in a script, idle times); and KEYS, whose order is chance.
FAMILIES: dict[str, str] = {
    "strings": """GET k|SET k v|INCR k|INCRBY k n|APPEND k v|SETNX k v|GETSET k v|GETDEL k
        SET k v NX|SET k v XX GET|STRLEN k|DEL k|MGET k l|MSET k v l v|EXISTS k l|SETRANGE k 1 v
        GETRANGE k 0 1|DECR k|RENAME k l|COPY k l|TYPE k|MSETNX k v l v|UNLINK k|DBSIZE
        SETBIT k 1 1|BITCOUNT k|GETBIT k 1|PFADD k v|PFCOUNT k|INCRBYFLOAT k 0.5|RENAMENX k l
        TOUCH k""",
    "hashes": """HSET k f v|HGET k f|HGETALL k|HKEYS k|HDEL k f|HINCRBY k f n|HLEN k|HVALS k
        HSETNX k f v|HEXISTS k f|HMGET k f x|HSTRLEN k f|DEL k|HSET k f v x v""",
    "lists": """LPUSH k v|RPUSH k v|LPOP k|RPOP k|LRANGE k 0 -1|LLEN k|LREM k 0 v|LINDEX k 0
        LMOVE k l LEFT RIGHT|LSET k 0 v|RPOPLPUSH k l|LPOS k v|LTRIM k 0 0|LINSERT k BEFORE v v
        LPUSHX k v|DEL k|LPOP k 2|LMPOP 2 k l LEFT|RPUSH k v v|SORT k ALPHA""",
    "sets": """SADD k v|SREM k v|SMEMBERS k|SCARD k|SISMEMBER k v|SMOVE k l v|SINTER k l|SUNION k l
        SDIFFSTORE k k l|SMISMEMBER k v x|SUNIONSTORE k k l|SINTERCARD 2 k l|DEL k|SADD k v x""",
    "sorted": """ZADD k n v|ZINCRBY k n v|ZRANGE k 0 -1 WITHSCORES|ZREM k v|ZSCORE k v|ZCARD k
        ZPOPMIN k|ZPOPMAX k|ZRANK k v|ZCOUNT k 0 n|ZADD k NX n v|ZADD k GT CH n v
        ZRANGEBYSCORE k 0 n|ZREMRANGEBYSCORE k 0 n|DEL k|ZREVRANGE k 0 0|ZRANGESTORE k l 0 -1""",
    "streams": """XADD k * f v|XLEN k|XRANGE k - +|XREAD STREAMS k 0|XDEL k i|XTRIM k MAXLEN 1
        XGROUP CREATE k g 0 MKSTREAM|XREADGROUP GROUP g c COUNT 1 STREAMS k >|XACK k g i
        XREADGROUP GROUP g c STREAMS k 0|XPENDING k g|XCLAIM k g d 0 i|XINFO GROUPS k
        XGROUP CREATECONSUMER k g d|XGROUP DELCONSUMER k g c|XGROUP DESTROY k g|XREVRANGE k + -
        XAUTOCLAIM k g d 0 0|XADD k NOMKSTREAM * f v|XADD k MAXLEN 1 * f v|XSETID k 2000000-0
        XGROUP SETID k g $|DEL k""",
    "blocking": """BLPOP k 0|BRPOP k 1|BLMOVE k l LEFT RIGHT 1|BRPOPLPUSH k l 0|BLPOP k l 1
        RPUSH k v|LPUSH k v v|LPOP k|BLMPOP 1 2 k l LEFT
        BLMOVE k l LEFT RIGHT 0|RPUSH l v""",
    "blocking2": """BZPOPMIN k 0|BZPOPMAX k 1|BZMPOP 1 1 k MIN|ZADD k n v|ZPOPMIN k
        XREAD BLOCK 1000 STREAMS k 0|XREAD BLOCK 0 STREAMS k 0|XADD k * f v
        ZADD l n v|BZPOPMIN k l 1
        XREADGROUP GROUP g c COUNT 1 BLOCK 1000 STREAMS k >|XGROUP CREATE k g 0 MKSTREAM""",
    "expiry": """SET k v EX 10|SET k v|SET k v KEEPTTL|EXPIRE k 10|PERSIST k|TTL k|GET k
        GETEX k EX 20
        EXPIRE k 20 NX|SETEX k 5 v|INCR k|SET k v NX EX 5|GETEX k PERSIST|EXISTS k
        EXPIRE k 20 XX|EXPIRE k 5 LT|EXPIRE k -1|RENAME k l|RPUSH l v|EXPIRE l 5|LLEN l|DEL k
        GETDEL k|PSETEX k 5000 v|COPY k l""",
}

SCRIPTS = (
    "return redis.call('INCR', KEYS[1])",
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    "local n = tonumber(redis.call('GET', KEYS[1]) or '0') "
    "if n < 2 then redis.call('SET', KEYS[1], n + 1) return n end return redis.error_reply('FULL')",
    "redis.call('RPUSH', KEYS[2], ARGV[1]) return redis.call('LRANGE', KEYS[2], 0, -1)",
    "redis.call('SET', KEYS[1], ARGV[1]) redis.call('LPOP', KEYS[1]) return 1",
    "redis.call('PUBLISH', 'c', ARGV[1]) return redis.pcall('INCR', KEYS[1])",
)
TIMED_SCRIPTS = (
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', 10) return redis.call('TTL', KEYS[1])",
    "return redis.call('EXPIRE', KEYS[1], 5)",
)


def commands(families: tuple[str, ...]) -> list[list[str]]:
    """Return the commands of some families, as words."""
    lines = [line for name in families for line in FAMILIES[name].replace("\n", "|").split("|")]
    return [line.split() for line in lines if line.strip()]


class Generator:
    """Makes one program of choices."""

    def __init__(self, choices: Choices) -> None:
        self._choose = choices
        one = choices.one
        kinds = [
            ("strings",), ("lists",), ("hashes",), ("sets",), ("sorted",), ("streams",),
            ("blocking",), ("blocking2",), ("expiry",), ("strings", "lists"),
            ("strings", "hashes", "lists", "sets", "sorted"), ("lists", "blocking"), ("channels",),
            ("strings", "scripts"), ("lists", "scripts"), ("expiry", "timed"),
        ]  # fmt: skip
        self._families = one(kinds)
        self._commands = commands(tuple(f for f in self._families if f in FAMILIES))

    def program(self, size: int) -> Program:
        """Return a program; most have between a few and some hundred schedules."""
        choose = self._choose
        count = choose.one((2, 2, 2, 3))
        longest = {2: 3, 3: 2}[count]
        clients = {
            name: self._client(choose.number(1, longest)) for name in ("a", "b", "c")[:count]
        }
        bounds: dict[str, int] = {}
        faults = choose.number(0, 9)
        if faults in (3, 4, 8):
            bounds["crashes"] = 1
        if faults in (5, 6, 8) and not self._follows():
            bounds["lost_replies"] = 1
        if faults in (4, 5) and not self._holds(clients):
            bounds["late"] = 1
        _keep_small(clients, bounds, size, choose.chance(50))
        if choose.chance(15):
            bounds["preemptions"] = choose.number(0, 2)
        if choose.chance(15):
            bounds["timeouts"] = choose.one((0, 2))
        ticks: tuple[float, ...] = ()
        if {"expiry", "timed"} & set(self._families):
            ticks = choose.one(((5.0,), (10.0,), (5.0, 5.0)))
        elif choose.chance(5):
            ticks = (10.0,)
        options: dict[str, Any] = {}
        if choose.chance(20):
            options["retries"] = choose.number(1, 2)
        if choose.chance(10):
            options["decode"] = False
        if choose.chance(15):
            options["protocol"] = 3
        return Program(
            clients,
            setup=self._setup(),
            bounds=bounds,
            ticks=ticks,
            options=options,
            daemons=("a",) if choose.chance(10) else (),
            wrong=choose.one((1, 1, 2, 5)),
        )

    def _follows(self) -> bool:
        return "channels" in self._families

    def _holds(self, clients: dict[str, tuple[Any, ...]]) -> bool:
        text = repr(clients)
        return "Watch(" in text or "Subscribe(" in text or "multi=False" in text

    def _setup(self) -> tuple[Any, ...]:
        choose = self._choose
        first = {
            "strings": ("SET", "k", "1"), "lists": ("RPUSH", "k", "x", "y"),
            "hashes": ("HSET", "k", "f", "1"), "sets": ("SADD", "k", "x", "1"),
            "sorted": ("ZADD", "k", "1", "x"), "expiry": ("SET", "k", "1"),
            "blocking": ("RPUSH", "k", "x"),
        }  # fmt: skip
        name = self._families[0]
        if name in ("streams", "blocking2") and choose.chance(60):
            return (("XADD", "k", "999000-1", "f", "x"), ("XGROUP", "CREATE", "k", "g", "0"))
        return (first[name],) if name in first and choose.chance(50) else ()

    def _client(self, count: int) -> tuple[Any, ...]:
        if "channels" in self._families:
            return self._talker(count)
        operations: list[Any] = []
        for _ in range(count):
            operations.append(self._operation(len(operations)))
        if self._choose.chance(15):
            operations = [Try(tuple(operations)), self._command()]
        return tuple(operations)

    def _operation(self, before: int) -> Any:
        choose = self._choose
        kind = choose.number(0, 99)
        if {"scripts", "timed"} & set(self._families) and kind < 40:
            return self._script()
        if kind < 62 or "blocking" in str(self._families):
            return self._command(before)
        if kind < 70:
            return Pipe((self._command(), self._command()), multi=choose.chance(60))
        if kind < 80:
            return Watch(("k",), (self._command(),), (self._command(1),), choose.number(1, 2))
        if kind < 92:
            return If((self._command(before),), (self._command(before),))
        if kind < 96:
            return Until(self._command(), 2)
        return Now() if kind < 98 else Sleep()

    def _command(self, before: int = 0) -> Cmd:
        choose = self._choose
        line = choose.one(self._commands)
        note = choose.chance(70)
        return Cmd(tuple(self._word(word, before) for word in line), note=note)

    def _word(self, word: str, before: int) -> Any:
        choose = self._choose
        if word == "v":
            if before and choose.chance(30):
                return choose.one((Reply(before - 1), Sum(before - 1)))
            return choose.one(("1", "2", "x"))
        if word == "n":
            return choose.one(("1", "2"))
        if word == "f":
            return choose.one(("f", "g"))
        if word in ("k", "l"):
            return word if choose.chance(85) else choose.one(("k", "l"))
        if word in ("c", "d"):
            return choose.one(("c", "d"))
        return "999000-1" if word == "i" else word

    def _script(self) -> Any:
        choose = self._choose
        source = choose.one(TIMED_SCRIPTS if "timed" in self._families else SCRIPTS)
        if choose.chance(60):
            return Cmd(("EVAL", source, "2", "k", "l", choose.one(("1", "x"))))
        return Script(source, ("k", "l"), (choose.one(("1", "x")),))

    def _talker(self, count: int) -> tuple[Any, ...]:
        choose = self._choose
        if choose.chance(50):
            lines = [["PUBLISH", "c", "v"], ["PUBLISH", "d", "v"], ["SET", "k", "v"]]
            words = [choose.one(lines) for _ in range(choose.number(1, 2))]
            sent = [Cmd(tuple(self._word(word, 0) if word == "v" else word for word in line))
                    for line in words]  # fmt: skip
            return (Pipe(tuple(sent)),) if choose.chance(20) else tuple(sent)
        operations: list[Any] = [Subscribe(("c",)) if choose.chance(75) else Subscribe(("c", "d"))]
        if choose.chance(20):
            operations = [Subscribe(("c*",), patterns=True)]
        for _ in range(count):
            operations.append(
                Next(choose.one((1.0, 1.0, None))) if choose.chance(80) else Cmd(("GET", "k"))
            )
        return tuple(operations)


def _keep_small(
    clients: dict[str, tuple[Any, ...]], bounds: dict[str, int], most: int, length: bool
) -> None:
    """Take away until there are about so many schedules; with `length`, faults go first."""
    while _schedules(clients, bounds) > most:
        if bounds and length:
            bounds.pop(next(reversed(bounds)))
            continue
        longest = max(clients, key=lambda name: sum(map(_requests, clients[name])))
        if len(clients[longest]) > 1:
            clients[longest] = clients[longest][:-1]
        elif bounds:
            bounds.pop(next(reversed(bounds)))
        elif len(clients) > 2:
            clients.popitem()
        else:
            return


def _schedules(clients: dict[str, tuple[Any, ...]], bounds: dict[str, int]) -> float:
    """Guess how many schedules there are."""
    counts = [sum(map(_requests, operations)) for operations in clients.values()]
    total = sum(counts)
    guess = math.factorial(total) / math.prod(map(math.factorial, counts))
    for _ in bounds:
        guess *= 1 + total
    return guess


def _requests(operation: Any) -> int:
    if isinstance(operation, Watch):
        return 3 * operation.tries
    if isinstance(operation, Try):
        return sum(map(_requests, operation.body))
    if isinstance(operation, Pipe):
        return 1 if operation.multi else len(operation.commands)
    return 2 if isinstance(operation, Until | Subscribe) else 1


def redis_program(choices: Choices, on: str = "", size: int = 150) -> Program:
    """Return a random Redis program of about so many schedules at most."""
    return Generator(choices).program(size)
