"""The class in a notebook: after `join`, the verdicts of `mark` are reported in the background.

    from workshop import classroom
    classroom.join("ABC-123", name="Ada", at="http://127.0.0.1:8017")

A verdict is written to a file and sent by a thread, now or when the network is back, by this
kernel or a later one. `mark` waits for no network, and raises nothing of this.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time

from raceproof.draw.front_end import live_front_end

from . import api_client, membership
from .api_client import NotJoined, Refused, Unreachable
from .membership import Membership

LONGEST_PAUSE = 30.0  # seconds between two tries while the class cannot be reached
LONGEST_WAIT = 300.0  # seconds until the next try, whatever the class asks for
FOR_EVER = (400, 403, 413, 415, 422)  # a report that the class refuses so is never taken

_there_is_one = threading.Event()
_starting = threading.Lock()
_joined_here = False
_sender: threading.Thread | None = None


def join(
    code: str, *, name: str | None = None, at: str | None = None, personal_code: str = ""
) -> None:
    """Join the class of a join code, at an address, under a name of your choice.

    A name that has joined before, on a phone say, is yours if you give its personal code.
    Says what is sent from now on. Joining again with the same three things changes nothing.
    Raises Refused or Unreachable, in one line, if the class does not take you.
    """
    global _joined_here
    from workshop.services import environment

    at = (at or environment.classroom_url()).rstrip("/")
    name = (name if name is not None else input("Your name in the class: ")).strip()
    member = membership.read()
    if member is None or (member.at, member.code, member.asked) != (at, code, name) or not _good():
        member = api_client.join(at, code, name, "notebook", personal_code)
    _joined_here = True
    _send_in_background()
    print(_said(member))


def leave() -> None:
    """Leave the class: nothing is sent any more, and what was not sent yet is dropped."""
    api_client.leave()
    print("You have left the class. Nothing is sent any more.")


def report(exercise: str, passed: bool) -> None:
    """Keep a verdict for the class, if its user joined one, and return at once; never raises."""
    with contextlib.suppress(Exception):
        if not (_joined_here or live_front_end()):
            return
        member = membership.read()
        if member is not None:
            membership.keep(member, exercise, passed)
            _send_in_background()


def _good() -> bool:
    """Whether the class still knows this machine; True if it cannot be asked now."""
    try:
        api_client.call("GET", "me")
    except NotJoined:
        return False
    except (Refused, Unreachable):
        pass
    return True


def _said(member: Membership) -> str:
    return (
        f"You are {member.name} in the class at {member.at}, which is a page too: on a phone,\n"
        f"join it as {member.name} with your personal code {member.personal_code}, "
        "which is for you alone.\n"
        "After each `mark`, here and in the other notebooks that you open on this machine, three\n"
        "things are sent: your name, the exercise, and whether it passed. Never the programs that\n"
        "you write.\n"
        "`classroom.leave()` ends it; by itself it ends with the class, or after a day."
    )


def _send_in_background() -> None:
    global _sender
    with _starting:
        if _sender is None or not _sender.is_alive():  # a forked child has no thread of its own
            _sender = threading.Thread(target=_send_all, name="class reports", daemon=True)
            _sender.start()
    _there_is_one.set()


def _send_all() -> None:
    pause = 0.5
    while True:
        _there_is_one.clear()
        try:
            _send_what_waits()
            pause = 0.5
            _there_is_one.wait()
        except NotJoined:
            _there_is_one.wait()
        except Exception as error:  # whatever it is: the file is there, and is tried again
            time.sleep(_seconds(pause, error))
            pause = min(2 * pause, LONGEST_PAUSE)


def _seconds(pause: float, error: Exception) -> float:
    """How long to wait after an error: what the class asks for, within reason."""
    return min(max(pause, getattr(error, "wait", 0)), LONGEST_WAIT)


def _send_what_waits() -> None:
    for path in membership.waiting():
        member = membership.read()
        try:
            said = json.loads(path.read_text("utf-8"))
            body = {"exercise": said["exercise"], "passed": said["passed"]}
            whose = said["member"]
        except FileNotFoundError:
            continue  # another kernel has sent it
        except (ValueError, LookupError, TypeError):
            whose = None  # the disk lost what was in it
        if member is not None and whose == member.id:
            try:
                got = api_client.call("POST", "attempts", body, key=path.stem.rpartition("-")[2])
                if not isinstance(got, dict) or "first_solved_at" not in got:
                    raise Unreachable("something else answers at the address of the class")
            except Refused as refused:
                if refused.status not in FOR_EVER:
                    raise
        path.unlink(missing_ok=True)
