"""Time for the enumerator's Redis: a real server, and fakeredis, whose clock stands still.

Where the search writes expiries down anew and removes keys itself, nothing of that is done here:
the server is told another time, and its own expiry does the rest. A redis-server gets it from a
few lines of C, loaded before its libraries, that read a file; where no C compiler is found,
programs for which it matters are left out (and counted).
"""

from __future__ import annotations

import mmap
import re
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fakeredis._helpers
import fakeredis._socket._base
import fakeredis.commands_mixins.server_mixin
import fakeredis.model._stream
from tests.raceproof.fuzz.programs import Program

START = 1000.0  # what the clock of a world says first

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long long *micros;
static long long now(void) {
    if (!micros) {
        int file = open(getenv("TIME_OF_THE_TEST"), O_RDONLY);
        micros = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    }
    return *micros;
}
int gettimeofday(struct timeval *tv, void *zone) {
    tv->tv_sec = now() / 1000000; tv->tv_usec = now() % 1000000; return 0;
}
int clock_gettime(clockid_t id, struct timespec *ts) {
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
        return syscall(SYS_clock_gettime, id, ts);
    ts->tv_sec = now() / 1000000; ts->tv_nsec = now() % 1000000 * 1000; return 0;
}
time_t time(time_t *t) { if (t) *t = now() / 1000000; return now() / 1000000; }
"""
_MATTERS = re.compile(
    r"EXPIRE|TTL|'[PE]XAT'|'EX'|'PX'|SETEX|'TIME'|XADD|XPENDING|XCLAIM|XAUTOCLAIM"
)


def matters(program: Program) -> bool:
    """Whether the time of the server can be seen by a program."""
    return bool(program.ticks or _MATTERS.search(repr(program)))


class ServerTime:
    """The time that a redis-server of ours is told."""

    def __init__(self, home: Path) -> None:
        file, source, self._library = home / "now", home / "time.c", home / "time.so"
        file.write_bytes(bytes(8))
        source.write_text(_SOURCE)
        made = ["cc", "-shared", "-fPIC", "-O1", "-w", "-o", str(self._library), str(source)]
        subprocess.run(made, check=True, capture_output=True)
        with open(file, "r+b") as opened:
            self._now = mmap.mmap(opened.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(self._library), "TIME_OF_THE_TEST": str(file)}
        self.set(START)

    @staticmethod
    def possible() -> bool:
        """Whether a server can be told the time here."""
        return sys.platform == "linux" and shutil.which("cc") is not None

    def set(self, now: float | None) -> None:
        """Tell it the time, in seconds; None: nobody asks any more."""
        if now is not None:
            struct.pack_into("q", self._now, 0, round(now * 1_000_000))


class FakeTime:
    """The time that fakeredis is told: it stands in for the module `time` there."""

    def __init__(self) -> None:
        self._told: float | None = None
        for module in (
            fakeredis._helpers,
            fakeredis._socket._base,
            fakeredis.commands_mixins.server_mixin,
            fakeredis.model._stream,
        ):
            module.time = self  # type: ignore[attr-defined]

    def set(self, now: float | None) -> None:
        """Tell it the time, in seconds; None: the real one."""
        self._told = now

    def time(self) -> float:
        return time.time() if self._told is None else self._told

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
