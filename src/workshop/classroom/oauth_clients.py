"""The programs that may ask for tokens. All are public: none has a secret that it could keep."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workshop.classroom.joining import HELPER, INSTRUCTOR, LEARNER

SCOPES = (LEARNER, HELPER, INSTRUCTOR)
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?/[!-~]{0,500}")


@dataclass(frozen=True)
class _OAuthClient:
    """One program, as Authlib asks about it. `paths`: where codes may be sent, on this server.

    Without paths, it is to a port of the person's own machine, as RFC 8252 has it for apps.
    """

    name: str
    grants: tuple[str, ...]
    paths: tuple[str, ...] = ()
    base: str = ""

    def get_client_id(self) -> str:
        return self.name

    def get_default_redirect_uri(self) -> None:
        """There is none: a client says where to."""

    def get_allowed_scope(self, scope: str | None) -> str:
        asked = scope.split() if scope else SCOPES
        return " ".join(name for name in asked if name in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        if self.paths:
            return redirect_uri in [f"{self.base}{path}" for path in self.paths]
        return "authorization_code" in self.grants and bool(_LOOPBACK.fullmatch(redirect_uri))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grants


CODE = ("authorization_code", "refresh_token")
BY_DEVICE = (DEVICE, "refresh_token")
CLIENTS = {
    client.name: client
    for client in (
        _OAuthClient("pages", CODE, ("/", "/teach", "/projector")),
        _OAuthClient("notebook", BY_DEVICE),
        _OAuthClient("terminal", BY_DEVICE),
        _OAuthClient("app", (*CODE, DEVICE)),
    )
}
