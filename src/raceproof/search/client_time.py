"""Time in a client's thread: the world's clock, the client's stopwatch, and sleeping as a step.

A check does not sleep either: nothing would happen meanwhile.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import selectors
import sys
import time
from collections.abc import Callable
from types import BuiltinMethodType
from typing import Any

from raceproof.search import stand_ins
from raceproof.search.onlooking import Onlooker
from raceproof.search.stand_ins import Deterministic
from raceproof.wire.calls import Unsearchable

# Modules that stamp what they make with the time and show it to nobody: no step, no reading.
_STAMPS = ("logging", "sqlalchemy.pool.base", "sqlalchemy.pool.impl")
# Libraries that measure how long a request takes, and do the same whatever that is; but for these.
_INDIFFERENT = {"redis", "raceproof", "sqlalchemy", "psycopg", "couchdb", "fakeredis", "logging"}
_INDIFFERENT |= {"asyncio", "concurrent", "queue", "selectors", "threading"}
_MEASURING = {"redis.lock", "redis.asyncio.lock"}
# Libraries that set the time of a whole process, and where they keep that they do.
_FREEZING = {"freezegun.api": "freeze_factories", "time_machine": "coordinates_stack"}


def _now(client: Deterministic, _: Any) -> float:
    caller = sys._getframe(2).f_globals.get("__name__")
    return 0.0 if caller in _STAMPS else client.wall_clock()


def _now_ns(client: Deterministic, _: Any) -> int:
    return int(client.wall_clock() * 1e9)


def _elapsed(client: Deterministic, _: Any) -> float:
    frame: Any = sys._getframe(2)
    if frame.f_globals.get("__name__") == "asyncio.base_events":
        frame = frame.f_back  # whoever asks the event loop what time it is
    caller = str(frame.f_globals.get("__name__"))
    return client.stopwatch(caller.partition(".")[0] not in _INDIFFERENT or caller in _MEASURING)


def _elapsed_ns(client: Deterministic, _: Any) -> int:
    return int(client.stopwatch() * 1e9)


def _sleep(client: Deterministic, real: Callable[[float], None], seconds: float) -> None:
    if seconds < 0:
        real(seconds)  # raises, as ever
    client.sleep(seconds)


def _skip(onlooker: Onlooker, real: Callable[[float], None], seconds: float) -> None:
    real(min(seconds, 0))  # raises, as ever, if it is negative
    onlooker.slept += seconds


def _later(onlooker: Onlooker, real: Callable[[], float]) -> float:
    return real() + onlooker.slept


def _later_ns(onlooker: Onlooker, real: Callable[[], int]) -> int:
    return real() + int(onlooker.slept * 1e9)


def _clock(client: Deterministic, _: Any, which: int) -> float:
    realtime = which == getattr(time, "CLOCK_REALTIME", None)
    return client.wall_clock() if realtime else client.stopwatch()


def _clock_ns(client: Deterministic, real: Any, which: int) -> int:
    return int(_clock(client, real, which) * 1e9)


def _calendar(client: Deterministic, real: Callable[..., Any], seconds: Any = None) -> Any:
    return real(client.wall_clock() if seconds is None else seconds)


def _format(client: Deterministic, real: Callable[..., str], form: str, *when: Any) -> str:
    return real(form, *when or (time.localtime(client.wall_clock()),))


def _text(client: Deterministic, real: Callable[..., str], *when: Any) -> str:
    return real(*when or (time.localtime(client.wall_clock()),))


def replace() -> None:
    """Name what is replaced; raise Unsearchable where others have replaced all of it."""
    for name, frozen in _FREEZING.items():
        if getattr(sys.modules.get(name), frozen, None):
            raise Unsearchable(
                f"time is set by {name.partition('.')[0]}, which clients of a search would not "
                "see: give the world a Clock(start), and search without"
            )
    for name in ("monotonic", "perf_counter"):
        stand_ins.function(time, name, _elapsed, _later)
        stand_ins.function(time, f"{name}_ns", _elapsed_ns, _later_ns)
    for name in ("process_time", "thread_time"):
        stand_ins.function(time, name, _elapsed)
        stand_ins.function(time, f"{name}_ns", _elapsed_ns)
    for name in ("gmtime", "localtime", "ctime"):
        stand_ins.function(time, name, _calendar)
    stand_ins.function(time, "time", _now, _later)
    stand_ins.function(time, "time_ns", _now_ns, _later_ns)
    stand_ins.function(time, "sleep", _sleep, _skip)
    stand_ins.function(time, "clock_gettime", _clock)
    stand_ins.function(time, "clock_gettime_ns", _clock_ns)
    stand_ins.function(time, "strftime", _format)
    stand_ins.function(time, "asctime", _text)
    _event_loops()


# --- datetime: date.today() asks time.time(), these two ask the operating system ---------------

_DATETIME = datetime.datetime  # a test may put a class of its own in its place, which stays
_ASKING = ("now", "utcnow")


def _in_place() -> Callable[[], None]:
    """Replace `now` and `utcnow` inside the class, so that the class stays the same object.

    Another class in its place would break pickling, and `type(x) is datetime`.
    """
    methods = gc.get_referents(_DATETIME.__dict__)[0]
    real = {name: methods[name] for name in _ASKING}

    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> Any:
        client = stand_ins.current()
        if client is None:
            return real["now"].__get__(None, cls)(tz)
        return cls.fromtimestamp(client.wall_clock(), tz)

    def utcnow(cls: type[datetime.datetime]) -> Any:
        client = stand_ins.current()
        if client is None:
            return real["utcnow"].__get__(None, cls)()
        return cls.fromtimestamp(client.wall_clock(), datetime.UTC).replace(tzinfo=None)

    def put(found: dict[str, Any]) -> None:
        methods.update(found)
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(_DATETIME))

    put({"now": classmethod(now), "utcnow": classmethod(utcnow)})
    return lambda: put(real)


def _as_replaced(value: Any) -> Any:
    """Return a method as it is in datetime now, for one that somebody has taken from it."""
    taken = type(value) is BuiltinMethodType and value.__self__ is _DATETIME
    return getattr(_DATETIME, value.__name__) if taken else None


stand_ins.patch(_in_place)
stand_ins.bound(_as_replaced)


# --- asyncio: what an event loop waits for ------------------------------------------------------


def _select(
    client: Deterministic, real: Callable[..., Any], selector: Any, timeout: float | None = None
) -> Any:
    """Look what is ready without waiting; if nothing is, sleep, which is a step."""
    ready = real(selector, 0)
    if ready or (timeout is not None and timeout <= 0):
        return ready
    if timeout is None:
        raise Unsearchable(
            "an event loop waits for something that is not a step of the search (another thread, "
            "a connection that is not the world's, or an asyncio.Lock, Event or Queue that more "
            "than one client uses), which cannot be searched"
        )
    client.sleep(timeout)
    return real(selector, 0)


def _event_loops() -> None:
    for cls in vars(selectors).values():
        if isinstance(cls, type) and "select" in vars(cls) and cls.__name__ != "BaseSelector":
            stand_ins.method(cls, "select", _select)
    windows = sys.modules.get("asyncio.windows_events")
    if windows is not None:
        stand_ins.method(windows.IocpProactor, "select", _select)
