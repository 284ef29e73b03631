"""A class in a process of its own, for a test: what `make class` prints, and its instructor."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import api_client


class AClass:
    """Runs `python -m workshop.classroom` on a folder; `stop` and `start` keep its port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.start()
        self._token = ""

    def start(self) -> None:
        """Start it, and read what it prints."""
        command = [sys.executable, "-m", "workshop.classroom", "--folder", str(self.folder)]
        command += ["--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url, self.code, self.link = (
            self.process.stdout.readline().split()[-1] for _ in range(3)
        )
        self.port = urlsplit(self.url).port or 0

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        assert self._ended() == 0

    def _ended(self) -> int:
        code = self.process.wait(300)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    @property
    def secret(self) -> str:
        """The instructor's secret."""
        return self.link.partition("#secret=")[2]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers to the instructor."""
        self._token = self._token or self._instructor()
        key = secrets.token_hex(8)
        return api_client.send(
            self.url, method, f"/api/v1/{path}", body, token=self._token, key=key
        )

    def row(self, name: str) -> dict[str, Any]:
        """The learner's row of the board; of each exercise solved or how often it was tried."""
        rows = [row for row in self.ask("GET", "board")["learners"] if row["name"] == name]
        assert len(rows) <= 1, rows
        return dict(rows[0]) if rows else {"solved": {}, "tried": {}}

    def times(self, name: str, exercise: str) -> int:
        """How often a learner tried an exercise in vain."""
        return int(self.row(name)["tried"].get(exercise, {"times": 0})["times"])

    def _instructor(self) -> str:
        """A token, by the authorization code and PKCE, as any client would."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {"response_type": "code", "client_id": "pages", "redirect_uri": f"{self.url}/teach"}
        asked |= {"scope": "instructor helper", "state": "s", "code_challenge_method": "S256"}
        asked["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        form = urlencode({"secret": self.secret}).encode()
        with build_opener(NoRedirect).open(
            Request(f"{self.url}/oauth/authorize?{urlencode(asked)}", form)
        ) as reply:
            [code] = parse_qs(urlsplit(reply.headers["Location"]).query)["code"]
        exchange = {"grant_type": "authorization_code", "code": code, "client_id": "pages"}
        exchange |= {"redirect_uri": asked["redirect_uri"], "code_verifier": verifier}
        tokens = api_client.send(self.url, "POST", "/oauth/token", form=exchange)
        return str(tokens["access_token"])


class ClassHere(AClass):
    """A class in this process, on the servers of this test run: for clients that kill nothing."""

    def __init__(self) -> None:
        self._running, self._token = fresh_class("clients").start(), ""
        self.url, self.port = self._running.url, self._running.port
        self.code, self.link = self._running.opening.join_code, self._running.instructor_link

    def stop(self) -> None:
        """End it; the servers go on."""
        self._running.stop()


class NoRedirect(HTTPRedirectHandler):
    """Hands a redirect back instead of following it."""

    def http_error_303(self, request: Any, reply: Any, *_: Any) -> Any:
        """Return the reply itself."""
        return reply


def as_text(value: object) -> str:
    """Everything that is in a value, for a search in it."""
    return json.dumps(value, ensure_ascii=False)
