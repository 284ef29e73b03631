"""Random Redis programs: two or three short clients that meet on the same few keys."""

from __future__ import annotations

from typing import Any

from tests.raceproof.fuzz.choices import Choices
from tests.raceproof.fuzz.programs import (
    Cmd,
    Forever,
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
from tests.raceproof.fuzz.redis_sizes import keep_small
from tests.raceproof.fuzz.redis_tables import FAMILIES, FIRST, SCRIPTS, TIMED_SCRIPTS, commands


class Generator:
    """Makes one program of choices."""

    def __init__(self, choices: Choices) -> None:
        self._choose = choices
        one = choices.one
        kinds = [
            ("strings",), ("lists",), ("hashes",), ("sets",), ("sorted",), ("streams",),
            ("blocking",), ("blocking2",), ("expiry",), ("strings", "lists"),
            ("strings", "hashes", "lists", "sets", "sorted"), ("lists", "blocking"), ("channels",),
            ("strings", "scripts"), ("lists", "scripts"), ("expiry", "timed"), ("fields",),
            ("channels",), ("streams",), ("expiry",), ("polling",),
        ]  # fmt: skip
        self._families = one(kinds)
        self._commands = commands(tuple(f for f in self._families if f in FAMILIES))

    def program(self, size: int) -> Program:
        """Return a program; most have between a few and some hundred schedules."""
        choose = self._choose
        count = choose.one((2, 2, 2, 2, 3, 3, 1))
        longest = {1: 4, 2: 4, 3: 2}[count]
        clients = {
            name: self._client(choose.number(1, longest)) for name in ("a", "b", "c")[:count]
        }
        bounds: dict[str, int] = {}
        faults = choose.number(0, 9)
        if faults in (3, 4, 8):
            bounds["crashes"] = 1
        if faults in (5, 6, 8):
            bounds["lost_replies"] = 1
        if faults in (4, 5):
            bounds["late"] = 1
        if bounds and choose.chance(15):
            bounds[choose.one(sorted(bounds))] = 2
        self._ticks: tuple[float, ...] = ()
        if {"expiry", "timed", "fields"} & set(self._families):
            self._ticks = choose.one(((6.0,), (11.0,), (6.0, 6.0), (6.0, 11.0)))
        elif choose.chance(30 if "streams" in self._families else 5):
            self._ticks = (11.0,)
        keep_small(clients, bounds, size, choose.chance(50), self._ticks)
        for name, operations in clients.items():
            if all(isinstance(op, Now | Sleep) for op in operations):
                clients[name] = (*operations, self._command())  # who makes no call is refused
        if choose.chance(15):
            bounds["preemptions"] = choose.number(0, 2)
        if choose.chance(15):
            bounds["timeouts"] = choose.one((0, 2))
        if "polling" in self._families:
            bounds |= {"polls": choose.one((1, 1, 2)), "calls": 7}
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
            ticks=self._ticks,
            options=options,
            daemons=("a",) if choose.chance(10) else (),
            wrong=choose.one((1, 1, 2, 5)),
            always=choose.one((3, 9)) if choose.chance(12) else 0,
            afterwards=(max(clients),) if len(clients) > 1 and choose.chance(12) else (),
        )

    def _setup(self) -> tuple[Any, ...]:
        choose = self._choose
        name = self._families[0]
        if name == "streams" and choose.chance(30):
            read = ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">")
            return (
                ("XADD", "k", "999000-1", "f", "x"), ("XADD", "k", "999000-2", "f", "y"),
                ("XGROUP", "CREATE", "k", "g", "0"), read,
            )  # fmt: skip
        if name in ("streams", "blocking2") and choose.chance(60):
            return (("XADD", "k", "999000-1", "f", "x"), ("XGROUP", "CREATE", "k", "g", "0"))
        return (FIRST[name],) if name in FIRST and choose.chance(50) else ()

    def _client(self, count: int) -> tuple[Any, ...]:
        if "channels" in self._families:
            return self._talker(count)
        if "polling" in self._families:
            return self._poller(count)
        operations: list[Any] = []
        for _ in range(count):
            operations.append(self._operation(len(operations)))
        if self._choose.chance(15):
            operations = [Try(tuple(operations)), self._command()]
        return tuple(operations)

    def _poller(self, count: int) -> tuple[Any, ...]:
        choose = self._choose
        lines = ["SET k 1", "SET k 0 NX", "DEL k", "INCR l", "GET k", "SET l 1", "DEL l", "GET l"]
        operations: list[Any] = [Cmd(tuple(choose.one(lines).split())) for _ in range(count)]
        if choose.chance(60):
            asks = choose.one(("GET k", "EXISTS k", "EXISTS k l", "GET l")).split()
            at = choose.number(0, len(operations))
            operations.insert(at, Forever(Cmd(tuple(asks), note=choose.chance(30))))
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
            return Until(self._command(), choose.one((2, 2, 4)))
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
            lines += [["PUBLISH", "c", "v"], ["PUBSUB", "NUMSUB", "c"], ["PUBSUB", "NUMPAT"]]
            words = [choose.one(lines) for _ in range(choose.number(1, 2))]
            sent = [Cmd(tuple(self._word(word, 0) if word == "v" else word for word in line))
                    for line in words]  # fmt: skip
            return (Pipe(tuple(sent)),) if choose.chance(20) else tuple(sent)
        operations: list[Any] = [Subscribe(("c",)) if choose.chance(75) else Subscribe(("c", "d"))]
        if choose.chance(20):
            operations = [Subscribe(("c*",), patterns=True)]
        ends = Subscribe(operations[0].names, operations[0].patterns, ends=True)
        for _ in range(count):
            nexts = Next(choose.one((1.0, 1.0, 0.0, None)))
            operations.append(nexts if choose.chance(80) else choose.one((Cmd(("GET", "k")), ends)))
        return (Try(tuple(operations)), operations[-1]) if choose.chance(15) else tuple(operations)


def redis_program(choices: Choices, on: str = "", size: int = 150) -> Program:
    """Return a random Redis program of about so many schedules at most."""
    return Generator(choices).program(size)
