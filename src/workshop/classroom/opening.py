"""What makes a class this class: its codes and secrets, made once and kept in Redis."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass

from redis import Redis

KEY = "class:opening"
ENDED = "class:ended"  # by which request the class was erased
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: a code is no word


@dataclass(frozen=True)
class Opening:
    """One class. `secret` is the instructor's; `key` is known to the server alone."""

    id: str
    join_code: str
    helper_code: str
    secret: str
    key: str
    began: float

    def personal_code(self, user: str) -> str:
        """The code with which a learner joins again from another device; from nothing stored."""
        digest = hmac.digest(self.key.encode(), user.encode(), "sha256")
        return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:6])


def open_class(redis: Redis) -> Opening:
    """Return the class that is going on, or begin one; any number of servers may do so at once."""
    made = Opening(
        secrets.token_hex(6),
        _code(),
        _code(),
        secrets.token_urlsafe(24),
        secrets.token_hex(32),
        time.time(),
    )
    redis.set(KEY, json.dumps(asdict(made)), nx=True)
    found = opening_of(redis)
    assert found is not None
    return found


def opening_of(redis: Redis) -> Opening | None:
    """The class that is going on; None when it was erased."""
    text = redis.get(KEY)
    return None if text is None else Opening(**json.loads(str(text)))


def same_code(given: str, code: str) -> bool:
    """Whether a person typed this code, in any case and with any spaces and hyphens."""
    return hmac.compare_digest(_plain(given), _plain(code))


def digest_of(*parts: str) -> str:
    """A name for what must not be stored itself: tokens, codes, keys of a client's choice."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(code: str) -> bytes:
    return "".join(char for char in code.upper() if char.isalnum()).encode()


def _code() -> str:
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
