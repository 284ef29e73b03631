"""What a server ties to one connection: WATCH, an open MULTI, a name."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import redis

from raceproof.wire.redis.channels import Key
from raceproof.wire.redis.commands import Args, name_of, unsearchable
from raceproof.wire.redis.expiry import depends_on_time
from raceproof.wire.redis.fakeredis_faults import watched_values
from raceproof.wire.redis.server import Server
from raceproof.wire.redis.translation import After, Translation, same

TIED = frozenset(("WATCH", "UNWATCH", "MULTI", "EXEC", "DISCARD", "CLIENT SETNAME"))


@dataclass
class TiedConnection:
    """A connection of its own for one connection of a client, once something is tied to it."""

    connection: Any
    watched: tuple[bytes, ...] = ()
    aborted: bool = False  # whether EXEC is refused from now on
    queued: list[tuple[Args, After]] | None = None  # the commands since MULTI
    failed: list[Any] = field(default_factory=list)  # those that the server would not queue
    since: list[Hashable] = field(default_factory=list)  # all that happened since MULTI
    name: bytes = b""
    values: list[Any] = field(default_factory=list)  # of the keys that fakeredis watches

    @property
    def clean(self) -> bool:
        """Whether nothing is tied to the connection, so that its end has no effect."""
        return not (self.watched or self.name or self.queued is not None)

    def view(self, server: Server) -> Hashable:
        """Return all that tells what this connection will be answered."""
        if self.queued is not None:
            return (self.watched, self.aborted, tuple(self.since), self.name)
        return (self.watched, bool(self.watched) and self.aborts(server), self.name)

    def aborts(self, server: Server) -> bool:
        """Return whether EXEC would be refused now; an empty one tells, and WATCH is renewed."""
        if not self.aborted:
            requests = [(b"MULTI",), (b"EXEC",), (b"WATCH", *self.watched)]
            self.aborted = server.ask(self.connection, requests)[1] is None
            self.aborted |= self.values != self._values_now(server)
        return self.aborted

    def watch(self, server: Server, keys: Sequence[bytes]) -> None:
        """Note that keys are watched from now on, beside those that were before."""
        self.watched += tuple(keys)
        self.values = self._values_now(server)

    def _values_now(self, server: Server) -> list[Any]:
        ask = partial(server.ask, self.connection)
        return watched_values(ask, self.watched) if server.fake else []

    def forget(self) -> None:
        """Nothing is watched any more, and no transaction is open."""
        self.watched, self.aborted, self.queued = (), False, None
        self.values.clear()
        self.since.clear()
        self.failed.clear()

    def request(
        self, server: Server, args: Args, translation: Translation
    ) -> tuple[Any, list[Args]]:
        """Make one request on this connection; return its reply, and the commands EXEC has run."""
        name, made = name_of(args), list[Args]()
        if self.queued is not None:
            _refuse_in_multi(name)
            if translation.time_passes and depends_on_time(args):
                raise unsearchable(
                    f"{name} in a MULTI that is sent request by request, where time may pass,",
                    "it counts from EXEC; send them together, as a pipeline does",
                )
        if name == "MULTI" and self.watched and self.queued is None:
            self.aborts(server)  # inside MULTI nobody can ask any more
        after: After = same
        if self.queued is not None and name == "EXEC":
            value = self.execute(server, self.failed)
        else:
            sent = args
            if name not in TIED:
                before = [other for other, _ in self.queued or ()]
                sent, after = translation.sent(args, before, queued=True)
            [value] = server.ask(self.connection, [sent])
        failed = isinstance(value, redis.ResponseError)
        if failed:
            self.failed.append(value)
        if isinstance(value, list) and self.queued is not None:
            value = [step(reply) for (_, step), reply in zip(self.queued, value, strict=True)]
            made = [other for other, _ in self.queued]
        if name in ("EXEC", "DISCARD") or (name == "UNWATCH" and self.queued is None):
            self.forget()
        elif name == "MULTI" and not failed:
            self.queued = []
        elif name == "WATCH" and not failed:
            self.watch(server, args[1:])
        elif self.queued is not None and not failed:
            self.queued.append((args, after))
        elif name == "CLIENT SETNAME" and not failed:
            self.name = args[2]
        return value, made

    def transaction(
        self, server: Server, commands: Sequence[Args], translation: Translation
    ) -> list[Any]:
        """Send MULTI, the commands and EXEC together; return all replies."""
        for args in commands:
            _refuse_in_multi(name_of(args))
        if self.values:
            self.aborts(server)
        translated = [
            translation.sent(args, commands[:at], queued=True) for at, args in enumerate(commands)
        ]
        requests = [(b"MULTI",), *(sent for sent, _ in translated)]
        if self.aborted:
            replies = server.ask(self.connection, requests)
            made = self.execute(server, replies)
        else:
            *replies, made = server.ask(self.connection, [*requests, (b"EXEC",)])
        if isinstance(made, list):
            made = [after(reply) for (_, after), reply in zip(translated, made, strict=True)]
        self.forget()
        return [*replies, made]

    def execute(self, server: Server, replies: Sequence[Any] = ()) -> Any:
        """Send EXEC, of which it may be known that it is refused; `replies` are those since MULTI.

        If one of them is an error, the server says so, and does nothing.
        """
        if self.aborted and not any(isinstance(reply, redis.ResponseError) for reply in replies):
            server.ask(self.connection, [(b"DISCARD",)])
            return None
        [reply] = server.ask(self.connection, [(b"EXEC",)])
        return reply


def _refuse_in_multi(name: str) -> None:
    if name == "CLIENT SETNAME":  # the connection may be that of all clients
        raise unsearchable(f"{name} in MULTI", "give the connection its name before")


class TiedConnections(dict[Key, TiedConnection]):
    """Those of one world; one that is asked for and not there yet is opened."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def __missing__(self, key: Key) -> TiedConnection:
        self[key] = TiedConnection(self._server.open())
        return self[key]

    def note(self, actor: str, request: Hashable) -> None:
        """Write a request that may have changed something down for each open MULTI."""
        for tied in self.values():
            if tied.queued is not None:
                tied.since.append((actor, request))

    def snapshot(self) -> Hashable:
        """Return all that tells what these connections will be answered."""
        server, tied = self._server, sorted(self.items())
        return tuple((key, one.view(server)) for key, one in tied if not one.clean)

    def put_back(self, views: Sequence[tuple[Key, Any]]) -> None:
        """Tie what a snapshot says, which has no open MULTI; the keys are as they were."""
        names = {key: name for key, (_, _, name) in views}
        for key, tied in list(self.items()):
            if tied.queued is not None or tied.name != names.get(key):
                self.close(key)
        for key, (watched, aborted, name) in views:
            tied = self[key]
            tied.watched, tied.aborted, tied.name = watched, aborted, name
            requests: list[Args] = [(b"UNWATCH",)]
            requests += [(b"WATCH", *watched)] if watched and not aborted else []
            requests += [(b"CLIENT", b"SETNAME", name)] if name else []
            self._server.ask(tied.connection, requests)
            tied.watch(self._server, ())

    def close(self, key: Key) -> None:
        """Close one, if it is there; what is tied to it ends."""
        tied = self.pop(key, None)
        if tied is not None:
            self._server.close(tied.connection, clean=tied.clean)

    def close_all(self, actor: str | None = None) -> None:
        """Close those of an actor; None: all."""
        for key in [key for key in self if actor in (None, key[0])]:
            self.close(key)
