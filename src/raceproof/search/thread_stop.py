"""Ends a thread from outside, by an exception that it meets at its next line."""

from __future__ import annotations

import ctypes
import sys
import threading


def stop_thread(thread: threading.Thread, error: type[BaseException]) -> None:
    """Let a thread meet `error` at its next line; one that waits meets it when it goes on."""
    _send(thread.ident or 0, error)
    if sys.version_info < (3, 12):
        _lower_flag()


class _Lowered(BaseException):
    pass


def _send(ident: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))


def _lower_flag() -> None:
    """Lower the flag that says that some thread has an exception to meet.

    CPython 3.11 raises it for all threads and lowers it when one of them meets its own. While
    it is up, a thread with a profiler, a debugger or coverage never enters another function.
    """
    try:
        _send(threading.get_ident(), _Lowered)
        while True:
            pass
    except _Lowered:
        return
