"""Objects of the standard library: how to see what is in one, and how to bring it back."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import queue
import random
import threading
from collections import ChainMap, UserDict, UserList
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

_LOCK = type(threading.Lock())
_QUEUES = (queue.Queue, queue.LifoQueue, queue.PriorityQueue)
_QUEUES_OF_ASYNCIO = (asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue)
_SEMAPHORES = (
    threading.Semaphore,
    threading.BoundedSemaphore,
    asyncio.Semaphore,
    asyncio.BoundedSemaphore,
)
_EVENTS = (threading.Event, asyncio.Event)
_FILES = (io.StringIO, io.BytesIO)

PEEKS: dict[type, Callable[[Any], Iterable[Any]]] = {
    ChainMap: attrgetter("maps"),
    MappingProxyType: lambda view: [*view, *view.values()],
    UserDict: lambda of: [of.data],
    UserList: lambda of: [of.data],
    WeakKeyDictionary: lambda weak: [*weak, *weak.values()],
    WeakSet: list,
    WeakValueDictionary: lambda weak: [*weak, *weak.values()],
    _LOCK: lambda lock: [lock.locked()],
    asyncio.Lock: lambda lock: [lock.locked()],
    ContextVar: lambda var: [*gc.get_referents(var), var.get(None)],
    random.Random: lambda generator: [generator.getstate()],
    argparse.Namespace: lambda names: [vars(names)],
    queue.SimpleQueue: lambda held: [held.qsize()],
    threading.Condition: lambda condition: [condition._lock],
    asyncio.Condition: lambda condition: [condition._lock],
    **dict.fromkeys(_QUEUES, lambda held: [held.queue]),
    **dict.fromkeys(_QUEUES_OF_ASYNCIO, lambda held: [held._queue]),
    **dict.fromkeys(_SEMAPHORES, lambda semaphore: [semaphore._value]),
    **dict.fromkeys(_EVENTS, lambda event: [event.is_set()]),
    **dict.fromkeys(_FILES, lambda file: [] if file.closed else [file.getvalue(), file.tell()]),
}


def bring_back(value: Any, contents: list[Any]) -> None:
    """Let one of these be again as it was seen; what is in a container, that container gives."""
    kind = type(value)
    if kind is _LOCK or kind is asyncio.Lock:
        if value.locked() and not contents[0]:
            value.release()
    elif kind in _EVENTS:
        (value.set if contents[0] else value.clear)()
    elif kind in _SEMAPHORES:
        value._value = contents[0]
    elif kind is random.Random:
        value.setstate(contents[0])
    elif kind is queue.SimpleQueue:
        held = [value.get_nowait() for _ in range(value.qsize())]
        for one in held[: contents[0]]:
            value.put(one)
    elif kind in _FILES and contents and not value.closed:
        value.seek(0)
        value.truncate()
        value.write(contents[0])
        value.seek(contents[1])
