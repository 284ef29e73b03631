"""Chance in a client's thread: fixed for each client, the same on every replay."""

from __future__ import annotations

import gc
import os
import random
import sys
import uuid
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from raceproof.search import stand_ins
from raceproof.search.stand_ins import Deterministic
from raceproof.wire.calls import Unsearchable

_OF_THE_MODULE = [
    name for name, value in vars(random).items() if getattr(value, "__self__", None) is random._inst
]


def _bytes(client: Deterministic, _: Any, count: int) -> bytes:
    return client.chance.randbytes(count)


def _of_its_own(name: str) -> Callable[..., Any]:
    def instead(client: Deterministic, _: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(client.chance, name)(*args, **kwargs)

    return instead


# Generators that clients made -> the chance of the client, which is one for each of its runs.
_makers: WeakKeyDictionary[random.Random, random.Random] = WeakKeyDictionary()


def _seed(client: Deterministic, real: Any, self: random.Random, a: Any = None, *rest: Any) -> None:
    """A generator that is given no seed takes one from the client's chance."""
    _makers[self] = client.chance
    real(self, client.chance.getrandbits(256) if a is None else a, *rest)


def _draw(client: Deterministic, real: Any, self: random.Random, *args: Any) -> Any:
    """Only generators of a client's own begin anew with each schedule."""
    if client.chance in (self, _makers.get(self)):
        return real(self, *args)
    raise _goes_on("a random.Random that it has not made itself")


def _numpy(client: Deterministic, _: Any, *args: Any, **kwargs: Any) -> Any:
    raise _goes_on("the generator that all users of numpy.random share")


def _goes_on(what: str) -> Unsearchable:
    return Unsearchable(
        f"a client uses {what}, which goes on from one schedule to the next and cannot be "
        "searched; make a generator in the client, with a seed or without"
    )


def _uuid(version: int) -> Callable[..., uuid.UUID]:
    """These are made of the time and of what the module remembers of the one before."""

    def instead(client: Deterministic, _: Any, *args: Any, **kwargs: Any) -> uuid.UUID:
        return uuid.UUID(int=client.chance.getrandbits(128), version=version)

    return instead


def replace() -> None:
    """Name what is replaced."""
    stand_ins.function(os, "urandom", _bytes)
    stand_ins.function(random, "_urandom", _bytes)
    stand_ins.method(random.Random, "seed", _seed)
    for name in ("random", "getrandbits"):
        stand_ins.method(random.Random, name, _draw)
    shared = getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None)
    for name, value in list(vars(sys.modules["numpy.random"]).items()) if shared else ():
        if getattr(value, "__self__", None) is shared:
            stand_ins.function(sys.modules["numpy.random"], name, _numpy)
    for name in _OF_THE_MODULE:
        stand_ins.function(random, name, _of_its_own(name))
    for version in (1, 6, 7):
        stand_ins.function(uuid, f"uuid{version}", _uuid(version))


def _put_off_collecting() -> Callable[[], None]:
    """Collect no cycles until the search is over: when Python does so is chance.

    A subscription that a client has left in a cycle (an exception with its traceback is one)
    would otherwise close now and then, and the client would go on with another connection.
    """
    was_on = gc.isenabled()
    gc.disable()
    return gc.enable if was_on else lambda: None


stand_ins.patch(_put_off_collecting)
