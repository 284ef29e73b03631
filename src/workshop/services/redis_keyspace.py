"""A part of somebody else's Redis that is only ours: every key and channel gets a prefix.

The prefix is put on and taken off in the connection, so that the code above it, pipelines,
scripts and pub-sub included, runs unchanged. Which arguments are keys is the server's own word
(`COMMAND`, Redis 7). Whatever has no key and is not known to be harmless is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .errors import NotOurs, ServiceError
from .redis_scripts import REFUSAL, PrefixedScripts, refused

WORDS = """auth hello ping echo quit reset multi exec discard unwatch time wait waitaof info role
    command script|load script|exists script|kill config|get client|setinfo client|setname
    client|getname client|id client|info client|list client|no-touch client|no-evict client|reply
    client|maint_notifications
    acl|whoami pubsub|numpat"""  # SCRIPT KILL ends only what holds up everybody for five seconds
HARMLESS = frozenset(WORDS.split())
CHANNELS = frozenset(
    {"publish", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "pubsub|numsub"}
)
ELSEWHERE = frozenset({"migrate", "move"})
Spec = Callable[[list[bytes]], Iterator[int]]


class PrefixedKeyspace:
    """Which arguments of which commands are keys, and the prefix that makes them ours."""

    def __init__(self, prefix: str, db: int, commands: list[Any]) -> None:
        self.prefix = prefix
        self.mark = prefix.encode()
        self.db = db
        self.scripts = PrefixedScripts()
        self.specs: dict[str, list[Spec]] = {}
        for entry in commands:
            if len(entry) < 10:
                raise ServiceError("Redis: REDIS_URL names a server older than Redis 7")
            for one in (entry, *entry[9]):
                found = [_spec(_pairs(spec)) for spec in one[8]]
                self.specs[_text(one[0]).lower()] = [spec for spec in found if spec]

    def outgoing(self, args: tuple[Any, ...], encode: Callable[[Any], bytes]) -> list[bytes]:
        """The command to send instead of the one given; NotOurs for one that must not be sent."""
        given = encode(args[0]).split() + [bytes(encode(arg)) for arg in args[1:]]
        name = given[0].decode(errors="replace").lower()
        if len(given) > 1 and f"{name}|{given[1].decode(errors='replace').lower()}" in (
            self.specs.keys() | HARMLESS | CHANNELS
        ):
            name = f"{name}|{given[1].decode(errors='replace').lower()}"
        return self._script(name, self._ours(name, given))

    def _script(self, name: str, args: list[bytes]) -> list[bytes]:
        if name in ("eval", "eval_ro", "script|load"):
            at = 2 if name == "script|load" else 1
            args[at : at + 1] = map(self.scripts.source, args[at : at + 1])
        elif name == "script|exists":
            args[2:] = map(self.scripts.digest, args[2:])
        elif name.startswith("evalsha"):
            args[1:2] = map(self.scripts.digest, args[1:2])
        return [*args, self.mark] if name.startswith("eval") and len(args) > 2 else args

    def _ours(self, name: str, args: list[bytes]) -> list[bytes]:
        upper = [arg.upper() for arg in args]
        if name in CHANNELS:
            positions = [1] if name == "publish" else range(name.count("|") + 1, len(args))
        elif name in ("keys", "pubsub|channels"):
            args += [b"*"] if name != "keys" and len(args) == 2 else []
            positions = [len(args) - 1]
        elif name == "scan":
            if b"MATCH" not in upper[2:]:
                args += [b"MATCH", b"*"]
                upper += [b"MATCH", b"*"]
            positions = [upper.index(b"MATCH", 2) + 1]
        else:
            if self._refused(name, args, upper):
                said = name.upper().replace("|", " ")
                raise NotOurs(f"Redis: {said} {REFUSAL}")
            positions = sorted({at for spec in self.specs.get(name, ()) for at in spec(args)})
            positions += list(_sorting(upper)) if name.startswith("sort") else []
        for at in set(positions):
            args[at] = self.mark + args[at]
        return args

    def _refused(self, name: str, args: list[bytes], upper: list[bytes]) -> bool:
        if name == "select":
            return args[1:] != [str(self.db).encode()]
        if name == "client|kill":
            return len(args) != 4 or upper[2] != b"ID"
        if name in HARMLESS:
            return False
        if name == "copy" and b"DB" in upper[3:]:
            return True
        return name in ELSEWHERE or not self.specs.get(name)

    def incoming(self, reply: Any) -> Any:
        """The reply with our prefix taken off wherever it stands; NotOurs if a script was refused.

        It holds twelve random digits, so it stands nowhere but where we have put it.
        """
        if isinstance(reply, str):
            return self.scripts.given(reply).replace(self.prefix, "")
        if isinstance(reply, bytes):
            return self.scripts.given(reply.replace(self.mark, b""))
        if isinstance(reply, list):
            return [self.incoming(item) for item in reply]
        if isinstance(reply, dict):
            return {self.incoming(key): self.incoming(item) for key, item in reply.items()}
        if isinstance(reply, (tuple, set)):
            return type(reply)(self.incoming(item) for item in reply)
        if isinstance(reply, Exception):
            if found := refused(str(reply)):
                raise NotOurs(found)
            reply.args = tuple(map(self.scripts.heard, self.incoming(reply.args)))
        return reply


class Packer:
    """What redis-py packs commands with, the keys made ours first."""

    def __init__(
        self, keyspace: PrefixedKeyspace, inner: Any, encode: Callable[[Any], bytes]
    ) -> None:
        self.keyspace, self.inner, self.encode = keyspace, inner, encode

    def pack(self, *args: Any) -> Any:
        """The bytes to send."""
        first, *rest = self.keyspace.outgoing(args, self.encode)
        return self.inner.pack(first, *rest)


def _sorting(upper: list[bytes]) -> Iterator[int]:
    """Where SORT has patterns of keys and its goal: the one command whose table is incomplete."""
    at = 2
    while at < len(upper) - 1:
        if upper[at] in (b"BY", b"GET", b"STORE") and upper[at + 1] != b"#":
            yield at + 1
        at += {b"LIMIT": 3, b"BY": 2, b"GET": 2, b"STORE": 2}.get(upper[at], 1)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _pairs(flat: Any) -> dict[str, Any]:
    items = iter(flat)
    return {_text(key): value for key, value in zip(items, items, strict=True)}


def _spec(spec: dict[str, Any]) -> Spec | None:
    """A function from a command's words to the places of its keys; see Redis, "key specs"."""
    begin, find = _pairs(spec["begin_search"]), _pairs(spec["find_keys"])
    kinds = _text(begin["type"]), _text(find["type"])
    if "unknown" in kinds:
        return None
    start, many = _pairs(begin["spec"]), _pairs(find["spec"])

    def first(args: list[bytes]) -> int | None:
        if kinds[0] == "index":
            return int(start["index"])
        word, at = _text(start["keyword"]).upper().encode(), int(start["startfrom"])
        places = range(at, len(args)) if at > 0 else range(len(args) + at, 0, -1)
        return next((place + 1 for place in places if args[place].upper() == word), None)

    def keys(args: list[bytes]) -> Iterator[int]:
        at = first(args)
        if at is None or at >= len(args):
            return
        if kinds[1] == "keynum":
            number = args[at + int(many["keynumidx"])]
            at += int(many["firstkey"])
            last = at + (int(number) if number.isdigit() else 0) * int(many["keystep"]) - 1
        else:
            last = int(many["lastkey"])
            if last >= 0:
                last += at
            elif int(many["limit"]) > 1:
                last = at + (len(args) - at) // int(many["limit"]) - 1
            else:
                last += len(args)
        yield from range(at, min(last, len(args) - 1) + 1, int(many.get("keystep", 1)))

    return keys
