"""Tokens, codes and device codes in Redis, by hash: who reads the database cannot use them.

A token is `family.secret.mark`. All tokens that are exchanged one for the other are a family, and
end with it. The mark says, without a look into Redis, that this class has made the token.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from redis import Redis

from workshop.classroom.joining import User
from workshop.classroom.opening import digest_of

ACCESS, REFRESH = "access", "refresh"
GRACE = 60  # seconds in which a code or token that was used may be repeated: its reply was lost


@dataclass(frozen=True)
class Lifetimes:
    """How long, in seconds, what is given out is good for."""

    access: int = 3600
    refresh: int = 24 * 3600
    code: int = 120
    device: int = 600


@dataclass(frozen=True)
class Grant:
    """What a token, a code or a device code stands for; Authlib asks it by these methods."""

    client: str
    user: User | None
    expires: float
    kind: str = ""
    more: dict[str, str] | None = None

    def check_client(self, client: Any) -> bool:
        """Whether it was given to this client."""
        return bool(self.client == client.get_client_id())

    def get_client_id(self) -> str:
        """The client it was given to."""
        return self.client

    def get_scope(self) -> str:
        """What it allows."""
        return self.user.scope if self.user else self.get("scope")

    def get_redirect_uri(self) -> str:
        """Where the code was sent to."""
        return self.get("redirect_uri")

    def get_user_code(self) -> str:
        """The code that a person enters for a device."""
        return self.get("user_code")

    def is_expired(self) -> bool:
        """Whether it is good no more."""
        return time.time() >= self.expires

    @property
    def code_challenge(self) -> str:
        """The challenge of PKCE, always S256."""
        return self.get("code_challenge")

    @property
    def code_challenge_method(self) -> str:
        """How the challenge was made."""
        return "S256"

    def get(self, name: str) -> str:
        """One of the details that were kept with it; empty if it was not."""
        return (self.more or {}).get(name, "")


def put(
    redis: Redis, place: str, secret: str, grant: Grant, seconds: float, *, once: bool = False
) -> bool:
    """Keep what a secret stands for, for some seconds; `once`: False if it stands for something."""
    text, left = json.dumps(asdict(grant)), max(1, round(seconds * 1000))
    return bool(redis.set(_key(place, secret), text, px=left, nx=once))


def get(redis: Redis, place: str, secret: str) -> Grant | None:
    """What the secret stands for, if it is known; for a token, if its family has not ended."""
    text, family = redis.mget(_key(place, secret), _family(secret))
    found = _read(text)
    return None if found and found.get("family") and family is None else found


def fade(redis: Redis, place: str, secret: str) -> None:
    """Let the secret be good for GRACE seconds and no more."""
    redis.expire(_key(place, secret), GRACE, lt=True)


def mint(key: str, kind: str, family: str) -> str:
    """A new token of a family, which only who has the class's key can make."""
    text = f"{family}.{secrets.token_urlsafe(32)}"
    return f"{text}.{_mark(key, kind, text)}"


def is_made(key: str, kind: str, token: str) -> bool:
    """Whether the class has made this token, as one of this kind."""
    text, _, mark = token.rpartition(".")
    return hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(key, kind, text).encode())


def replace_pair(redis: Redis, old: str, *new: str) -> None:
    """Note the tokens that an old one was exchanged for; those of an earlier exchange are gone.

    They are in place already. So of two exchanges at once, or of one whose reply was lost and
    its repetition, the tokens of one are left, and who holds the others is found out.
    """
    keys = " ".join(_key("token", token) for token in new)
    if earlier := redis.set(_key("exchanged", old), keys, ex=2 * GRACE, get=True):
        redis.delete(*str(earlier).split())


def keep_family(redis: Redis, family: str, seconds: int, *, is_new: bool) -> None:
    """Let the tokens of a family be good for so long; an old one may have ended meanwhile."""
    redis.set(f"class:family:{family}", 1, ex=seconds, nx=is_new, xx=not is_new)


def end_family(redis: Redis, token: str) -> None:
    """End every token that was exchanged for this one, or this one for it, now and later."""
    redis.delete(_family(token))


def _read(text: Any) -> Grant | None:
    if text is None:
        return None
    found = json.loads(text)
    return Grant(**{**found, "user": User(**found["user"]) if found["user"] else None})


def _mark(key: str, kind: str, text: str) -> str:
    return hmac.digest(key.encode(), f"{kind} {text}".encode("utf-8", "replace"), "sha256").hex()[
        :32
    ]


def _family(token: str) -> str:
    return f"class:family:{token.partition('.')[0]}"


def _key(place: str, secret: str) -> str:
    return f"class:{place}:{digest_of(secret)}"
