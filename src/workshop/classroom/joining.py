"""Who comes in: a code, a name that nobody else has, and what that makes of them."""

from __future__ import annotations

import hmac
import secrets
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import couchdb

from workshop.classroom import rate_limits
from workshop.classroom.opening import Opening, digest_of, opening_of, same_code
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import Rooms

LONGEST_NAME = 40
MOST_PEOPLE = 2000
LEARNER, HELPER, INSTRUCTOR = "learner", "helper", "instructor"
UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"  # letters, for Unicode, that show nothing
# Marks that show nothing themselves: at most they choose a form of what is before them. Keyboards
# send them with hearts and with Japanese or Mongolian names, so nobody is refused for them.
_FORMS = (0x34F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
UNMARKED = dict.fromkeys([*_FORMS, *range(0xE0100, 0xE01F0)])


@dataclass(frozen=True)
class User:
    """A person in the class: an id, the name of their choice, what they may do."""

    id: str
    name: str
    scope: str
    joined: float = 0.0  # seconds since 1970; the class had begun by then

    @property
    def scopes(self) -> frozenset[str]:
        """What they may do, as a set."""
        return frozenset(self.scope.split())


def admit(rooms: Rooms, form: Mapping[str, str], asked: str | None, address: str) -> User:
    """Let in who knows a code; raise a Problem for a wrong code, a bad name or a taken one.

    `form` has `join_code` and `name`, or `secret`. `asked` are the scopes that an app asks for:
    no others are given, and no name is taken if none is left. Who comes with the same `key`, a
    secret of the client's or of the form's, or with the name's `personal_code`, is the same person
    again. Wrong codes of an address are counted; the secret is too long to be guessed.
    """
    opening = opening_of(rooms.redis)
    if opening is None:
        raise Problem(410, "the class has ended")
    guesser = f"guesses {address}"
    secret = form.get("secret", "")
    if hmac.compare_digest(secret.encode(), opening.secret.encode()):
        return narrowed(User(INSTRUCTOR, "Instructor", f"{INSTRUCTOR} {HELPER}"), asked)
    _check_guesses(rooms, guesser)
    if secret:
        raise _wrong(rooms, guesser)
    code = form.get("join_code", "")
    is_helper = same_code(code, opening.helper_code)
    if not is_helper and not same_code(code, opening.join_code):
        raise _wrong(rooms, guesser)
    role = HELPER if is_helper else LEARNER
    name = checked_name(form.get("name", ""))
    narrowed(User("", name, role), asked)
    person = f"{role}:{digest_of(name.casefold())[:16]}"
    proof = digest_of("key", form.get("key") or secrets.token_urlsafe())
    if rooms.people >= MOST_PEOPLE and person not in rooms.couch:
        raise Problem(403, "the class is full")
    found = register(rooms.couch, person, name, proof)
    if found["proof"] != proof:
        _check_personal_code(rooms, opening, person, form.get("personal_code", ""), guesser)
    own = person.partition(":")[2] if role == LEARNER else person
    return User(own, found["name"], role, found["joined"])


def narrowed(user: User, asked: str | None) -> User:
    """The user with no more than is asked for; Problem 403 if nothing of that is theirs."""
    wanted = asked.split() if asked else user.scope.split()
    scope = " ".join(name for name in user.scope.split() if name in wanted)
    if not scope:
        raise Problem(403, f"this code lets you in as {user.scope}; the app asks for {asked}")
    return replace(user, scope=scope)


def register(couch: couchdb.Database, person: str, name: str, proof: str) -> dict[str, Any]:
    """Create the person's document, or return the one that is there.

    Create-if-absent decides who has a name: of two who want it at once, one gets it.
    """
    made = {"name": name, "proof": proof, "joined": time.time()}
    found = couch.get(person)
    if found is None:
        try:
            couch[person] = made
        except couchdb.http.ResourceConflict:
            found = couch[person]
    return dict(found or made)


def checked_name(given: str) -> str:
    """The name as it is shown: any letters, no control characters; Problem 400 if it is none.

    It is without marks that nobody sees, so that none of them makes a second person of a name.
    """
    try:
        given.encode()
    except UnicodeEncodeError:
        raise Problem(400, "a name is text that can be sent as UTF-8") from None
    name = " ".join(unicodedata.normalize("NFKC", given.translate(UNMARKED)).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Problem(400, f"a name has 1 to {LONGEST_NAME} characters")
    kinds = [unicodedata.category(char)[0] for char in name]
    if "C" in kinds or set(kinds) <= set("MZ") or any(char in UNSEEN for char in name):
        raise Problem(400, "a name has letters, not characters that cannot be seen")
    if name.casefold() == INSTRUCTOR:
        raise Problem(400, "this name is the instructor's: choose another")
    return name


def _check_personal_code(
    rooms: Rooms, opening: Opening, person: str, given: str, guesser: str
) -> None:
    if not given:
        raise Problem(409, "this name is taken: choose another, or give its personal code")
    _check_guesses(rooms, person)
    if not same_code(given, opening.personal_code(person)):
        rate_limits.count(rooms, person)
        raise _wrong(rooms, guesser)


def _check_guesses(rooms: Rooms, who: str) -> None:
    if rate_limits.count(rooms, who, by=0) >= rate_limits.GUESSES:
        raise rate_limits.too_many("too many wrong codes: wait a minute")


def _wrong(rooms: Rooms, guesser: str) -> Problem:
    rate_limits.count(rooms, guesser)
    return Problem(403, "this code is not right")
