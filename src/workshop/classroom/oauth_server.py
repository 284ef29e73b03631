"""OAuth 2, by Authlib: authorization code with PKCE, refresh, device flow, revocation.

Authlib has the protocol and its checks; here is what it asks of a server: who the clients are,
where tokens are kept, who is let in. One server object is made for each request.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError, grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from redis import Redis

from workshop.classroom import token_store as store
from workshop.classroom.joining import LEARNER, User, narrowed
from workshop.classroom.oauth_clients import CLIENTS, SCOPES
from workshop.classroom.oauth_requests import Answer, FormRequest
from workshop.classroom.opening import digest_of
from workshop.classroom.token_store import ACCESS, REFRESH, Grant, Lifetimes


class OAuthServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server on our Redis; `base` is the address at which it was asked.

    `old` is the refresh token that is exchanged in this request, if one is.
    """

    def __init__(self, redis: Redis, key: str, base: str, lifetimes: Lifetimes) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.redis, self.key, self.base, self.lifetimes = redis, key, base, lifetimes
        self.family, self.old = secrets.token_hex(8), ""
        tokens = BearerTokenGenerator(self._new(ACCESS), self._new(REFRESH), lifetimes.access)
        self.register_token_generator("default", tokens)
        self.register_grant(_CodeGrant, [_S256(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_grant(_DeviceGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_DeviceAuthorization(self))

    def query_client(self, client_id: str) -> Any:
        """The client of this name, which knows at which address this server was asked."""
        return replace(CLIENTS[client_id], base=self.base) if client_id in CLIENTS else None

    def generate_token(self, *args: Any, user: User, scope: str, **kwargs: Any) -> Any:
        """Tokens for what is asked for, and never more than the person was let in for."""
        allowed = narrowed(user, scope).scope
        return super().generate_token(*args, user=user, scope=allowed, **kwargs)

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Keep an access token and its refresh token, in a family with those before them."""
        now, lifetimes, more = time.time(), self.lifetimes, {"family": self.family}
        pair = {ACCESS: token["access_token"], REFRESH: token["refresh_token"]}
        for kind, seconds in ((ACCESS, lifetimes.access), (REFRESH, lifetimes.refresh)):
            user = replace(request.user, scope=token["scope"])
            grant = Grant(request.client.get_client_id(), user, now + seconds, kind, more)
            store.put(self.redis, "token", pair[kind], grant, seconds)
        store.keep_family(self.redis, self.family, lifetimes.refresh, is_new=not self.old)
        if self.old:
            store.replace_pair(self.redis, self.old, *pair.values())

    def _new(self, kind: str) -> Callable[..., str]:
        return lambda **_: store.mint(self.key, kind, self.family)

    def shown(self, token: str) -> Grant | None:
        """What a token stands for.

        A refresh token that stands for nothing any more was exchanged. Who shows it has stolen it,
        or was stolen from: all its family ends (RFC 9700, 4.14.2).
        """
        found = store.get(self.redis, "token", token)
        if found is None and store.is_made(self.key, REFRESH, token):
            store.end_family(self.redis, token)
        return found

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """The request is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """The answer, for the route to send."""
        return status, body, headers


class _S256(CodeChallenge):  # type: ignore[misc]
    """PKCE as OAuth 2.1 wants it: always, and never plain."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        given = grant.request.payload.data
        if given.get("code_challenge_method") != "S256" or not given.get("code_challenge"):
            raise InvalidRequestError("PKCE is required, with code_challenge_method=S256")
        super().validate_code_challenge(grant, redirect_uri)


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """The code that a page gets once a person was let in, and exchanges for tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code: str, request: Any) -> None:
        given = request.payload.data
        more = {name: given.get(name, "") for name in ("redirect_uri", "code_challenge")}
        seconds = self.server.lifetimes.code
        client = request.client.get_client_id()
        grant = Grant(client, request.user, time.time() + seconds, "code", more)
        store.put(self.server.redis, "code", code, grant, seconds)

    def query_authorization_code(self, code: str, client: Any) -> Grant | None:
        found = store.get(self.server.redis, "code", code)
        return found if found and found.check_client(client) and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code: Grant) -> None:
        """It is good for a minute more, for the client whose answer was lost: PKCE names it."""
        store.fade(self.server.redis, "code", self.request.form["code"])

    def authenticate_user(self, authorization_code: Grant) -> User | None:
        return authorization_code.user


class _RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """A new pair of tokens for a refresh token, which is good for a minute more, then gone."""

    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def authenticate_refresh_token(self, refresh_token: str) -> Grant | None:
        found: Grant | None = self.server.shown(refresh_token)
        if found is None or found.kind != REFRESH or found.is_expired():
            return None
        self.server.family, self.server.old = found.get("family"), refresh_token
        return found

    def authenticate_user(self, refresh_token: Grant) -> User | None:
        return refresh_token.user

    def revoke_old_credential(self, refresh_token: Grant) -> None:
        store.fade(self.server.redis, "token", self.request.form["refresh_token"])


class _DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]
    """Tokens for a device whose code a person has entered at /device."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_device_credential(self, device_code: str) -> Grant | None:
        return store.get(self.server.redis, "device", device_code)

    def query_user_grant(self, user_code: str) -> tuple[User | None, bool] | None:
        found = store.get(self.server.redis, "approved", user_code)
        if found is None:
            return None
        store.fade(self.server.redis, "device", self.request.payload.data["device_code"])
        return found.user, True

    def should_slow_down(self, credential: Grant) -> bool:
        name = f"class:polled:{digest_of(credential.get_user_code())}"
        return not self.server.redis.set(name, 1, nx=True, px=500)


class _DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """A code for a device, and one for its person."""

    CLIENT_AUTH_METHODS = ("none",)
    INTERVAL = 1

    def get_verification_uri(self) -> str:
        return f"{self.server.base}/device"

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        redis, seconds = self.server.redis, self.server.lifetimes.device
        more = {"user_code": data["user_code"], "scope": scope or LEARNER}
        grant = Grant(client_id, None, time.time() + seconds, "device", more)
        store.put(redis, "device", data["device_code"], grant, seconds)
        store.put(redis, "user-code", data["user_code"], grant, seconds)
        data["expires_in"] = seconds


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    """A token that is given back takes its family with it, also one that was exchanged."""

    CLIENT_AUTH_METHODS = ("none",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        return self.server.shown(token_string)

    def revoke_token(self, token: Grant, request: Any) -> None:
        store.end_family(self.server.redis, request.form["token"])
