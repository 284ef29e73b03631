"""Ends a thread from outside, by an exception that it meets at its next line."""

from __future__ import annotations

import ctypes
import sys
import threading


def stop_thread(thread: threading.Thread, error: type[BaseException]) -> None:
    """Let a thread meet `error` at its next line; one that waits meets it when it goes on.

    CPython 3.11 raises a flag for all threads and lowers it when one of them meets its exception.
    While it is up, a thread with a profiler, a debugger or coverage never enters another Python
    function. So this thread meets one, too, and calls nothing but C until then.
    """
    send = ctypes.pythonapi.PyThreadState_SetAsyncExc
    theirs = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error)
    ours = ctypes.c_ulong(threading.get_ident()), ctypes.py_object(_Lowered)
    if sys.version_info[:2] > (3, 11):
        send(*theirs)
        return
    try:
        send(*theirs)
        send(*ours)
        while True:
            pass
    except _Lowered:
        return


class _Lowered(BaseException):
    pass
