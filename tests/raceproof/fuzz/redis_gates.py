"""Real redis-py connections, to a real server or fakeredis, that stop before each request."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from typing import Any

import redis
from fakeredis._clients._sync import FakeRedisConnection
from redis.connection import UnixDomainSocketConnection
from tests.raceproof.fuzz.redis_requests import blocks, last_id, packed_words, parsed, would_answer
from tests.raceproof.fuzz.stepping import PATIENCE, Gate, Request

SUBSCRIBES = ("SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE")
_TIED = (*SUBSCRIBES, "WATCH")  # nothing is left of them without their connection


class Gated:
    """Mixed into redis-py's connections: each request is a step of the client's gate.

    `world` has `plain`, a client to look with, `now`, and `scripts`, sources by their SHA.
    """

    def __init__(self, *args: Any, gate: Gate, world: Any, **kwargs: Any) -> None:
        self._gate, self._world = gate, world
        self._answers: deque[Any] = deque()
        self._begins = self._granted = False
        self.asked: list[bytes] = []  # what is subscribed to and has not taken effect
        self._subscribed = False
        gate.closers.append(self.disconnect)
        super().__init__(*args, **kwargs)

    def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        self._begins = True
        try:
            super().connect_check_health(*args, **kwargs)  # type: ignore[misc]
        finally:
            self._begins = False

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        self._answers.clear()
        self.asked.clear()
        self._subscribed = self._granted = False
        super().disconnect(*args, **kwargs)  # type: ignore[misc]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        packed = command if isinstance(command, bytes) else b"".join(command)
        requests = parsed(packed)
        names = [request[0].upper().decode() for request in requests]
        if names[0] in SUBSCRIBES and self._begins:  # anew, on a new connection: no step
            self._ask_for(packed)
            return
        if self._begins:
            super().send_packed_command(command, check_health)  # type: ignore[misc]
            return
        if self._gate.dead:
            raise redis.ConnectionError("its client is dead")
        if self._sock is None:  # type: ignore[has-type]
            self.connect_check_health(check_health=False)  # type: ignore[attr-defined]
        if names[0] == "MULTI" and names[-1] == "EXEC":
            requests = [[b"MULTI", *[word for request in requests for word in request]]]
            self._answers += self._gate.step(self._request(packed, requests[0], len(names)))
        elif names[0] in ("UNSUBSCRIBE", "PUNSUBSCRIBE"):
            self._ask_for(packed)  # nobody awaits an answer: no step
        elif names[0] in SUBSCRIBES:
            self._gate.step(self._subscription(packed, requests[0]))
        else:
            for request in requests:
                request = self._resolved(request)
                self._answers += self._gate.step(self._request(packed_words(request), request, 1))

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        if self._begins or (self._subscribed and self._granted):
            self._granted = False
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        if self._subscribed:
            self._gate.step(self._taking(None))
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def can_read(self, timeout: float | None = 0) -> bool:
        if not self._subscribed:
            return False
        self._granted = self._gate.step(self._taking(timeout))
        return self._granted

    # --- requests ---------------------------------------------------------------------------

    def _resolved(self, words: list[bytes]) -> list[bytes]:
        """Take the step in which an XREAD arrives that waits for what comes after `$`."""
        if words[0].upper() != b"XREAD" or blocks(words) is None or b"$" not in words:
            return words

        def resolve() -> list[bytes]:
            keys = words[words.index(b"STREAMS") + 1 :]
            after = len(words) - len(keys) // 2
            last = [last_id(self._world.plain, key) for key in keys[: len(keys) // 2]]
            pairs = zip(words[after:], last, strict=True)
            return words[:after] + [end if id == b"$" else id for id, end in pairs]

        arrives = Request("XREAD arrives", resolve, self._break, late=lambda: lambda: None)
        resolved: list[bytes] = self._gate.step(arrives)
        return resolved

    def _request(self, packed: bytes, words: list[bytes], replies: int) -> Any:
        name = words[0].decode().upper()
        timeout = blocks(words)
        return Request(
            b" ".join(words).decode("latin-1"),
            lambda: self._exchange(packed, replies),
            self._break,
            None if timeout is None else lambda: would_answer(self._world.plain, words),
            timeout or None,
            [None],
            late=(lambda: self._leave_behind(packed)) if name not in _TIED else None,
            again=(lambda: self._exchange(packed, 1)) if name in ("GET", "EXISTS") else None,
        )

    def _subscription(self, packed: bytes, words: list[bytes]) -> Request:
        return Request(b" ".join(words).decode(), lambda: self._ask_for(packed), self._break)

    def _taking(self, timeout: float | None) -> Request:
        def ready() -> bool:
            return timeout == 0 or super(Gated, self).can_read(0)  # type: ignore[misc]

        def make() -> bool:
            return super(Gated, self).can_read(0)  # type: ignore[misc,no-any-return]

        return Request("next message", make, self._break, ready, timeout or None, False)

    def _ask_for(self, packed: bytes) -> None:
        self.asked.append(packed)
        self._subscribed = True

    def take_effect(self) -> None:
        """Let what is subscribed to take effect."""
        packed, self.asked = b"".join(self.asked), []
        super().send_packed_command([packed], check_health=False)  # type: ignore[misc]

    def _as_sent(self, packed: bytes) -> bytes:
        return packed

    def _exchange(self, packed: bytes, replies: int) -> list[Any]:
        super().send_packed_command([self._as_sent(packed)], check_health=False)  # type: ignore[misc]
        answers: list[Any] = []
        for _ in range(replies):
            try:
                answers.append(super().read_response())  # type: ignore[misc]
            except redis.exceptions.NoScriptError:
                sha = parsed(packed)[0][1]
                if sha not in self._world.scripts:
                    raise
                self._exchange(packed_words([b"SCRIPT", b"LOAD", self._world.scripts[sha]]), 1)
                return self._exchange(packed, 1)
            except (redis.ResponseError, UnicodeDecodeError) as error:
                answers.append(error)
        return answers

    def _break(self) -> BaseException:
        self.disconnect()
        return redis.ConnectionError("Connection reset by peer")

    def _leave_behind(self, packed: bytes) -> Callable[[], None]:
        sock, self._sock = self._sock, None  # type: ignore[has-type]

        def arrive() -> None:
            [words, *_] = parsed(packed)
            if blocks(words) is None or would_answer(self._world.plain, words):
                if words[0].upper() == b"EVALSHA" and words[1] in self._world.scripts:
                    self._world.plain.script_load(self._world.scripts[words[1]])
                sock.sendall(self._as_sent(packed))
                if not isinstance(self, FakeRedisConnection):
                    select.select([sock], [], [], PATIENCE)
            sock.close()

        return arrive


class GatedUnix(Gated, UnixDomainSocketConnection):
    """A connection to a private redis-server."""


class GatedFake(Gated, FakeRedisConnection):
    """A connection to fakeredis, which counts the patterns of a closed one unless told."""

    def _as_sent(self, packed: bytes) -> bytes:
        """Leave BLOCK out: it hands an entry out, and says that there is none."""
        [words, *more] = parsed(packed)
        if more or not words[0].startswith(b"XREAD") or blocks(words) is None:
            return packed
        at = words.index(b"BLOCK")
        return packed_words(words[:at] + words[at + 2 :])

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        if self._subscribed and self._sock is not None:
            self._sock.sendall(packed_words([b"UNSUBSCRIBE"]) + packed_words([b"PUNSUBSCRIBE"]))
        super().disconnect(*args, **kwargs)
