"""The learners and the instructor of one class, on one event loop."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from contextlib import suppress
from typing import Any

import aiohttp
import httpx

from workshop.exercises.catalogue import NAMES as EXERCISES

from .measured import Measured

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GONE = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


class Crowd:
    """The learners and the instructor of one class, on one event loop."""

    def __init__(self, url: str, session: aiohttp.ClientSession, measured: Measured) -> None:
        self.url, self.session, self.measured = url, session, measured

    async def asked(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """One request, again until there is an answer that is no 5xx; its status and JSON."""
        while True:
            with suppress(*GONE):
                async with self.session.request(method, self.url + path, **more) as said:
                    self.measured.replies[f"{method} {path.partition('?')[0]} {said.status}"] += 1
                    if said.status < 500 and said.status != 429:
                        text = await said.text()
                        return said.status, json.loads(text) if text.startswith(
                            ("{", "[")
                        ) else None
            await asyncio.sleep(random.uniform(0.3, 0.8))

    async def join(self, code: str, name: str) -> dict[str, str]:
        """Join by the device flow; the header with the token."""
        asked = {"client_id": "notebook", "scope": "learner"}
        _, codes = await self.asked("POST", "/oauth/device", data=asked)
        form = {"user_code": codes["user_code"], "join_code": code, "name": name}
        form["key"] = f"the secret of {name}"  # asked again, it is the same learner
        await self.asked("POST", "/device", data=form, headers={"Accept": "application/json"})
        wanted = {"grant_type": DEVICE, "device_code": codes["device_code"]}
        wanted["client_id"] = "notebook"
        _, token = await self.asked("POST", "/oauth/token", data=wanted)
        return {"Authorization": f"Bearer {token['access_token']}"}

    async def solve(self, bearer: dict[str, str], name: str, ticks: int, seconds: float) -> None:
        """Report a solve now and then, each until it is acknowledged."""
        moments = sorted(random.uniform(0, seconds) for _ in range(ticks))
        began = time.monotonic()
        for exercise, moment in zip(EXERCISES, moments, strict=False):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            tick, headers = (name, exercise), {**bearer, "Idempotency-Key": secrets.token_hex(8)}
            self.measured.sent[tick] = time.monotonic()
            body = {"exercise": exercise, "passed": True}
            url = f"{self.url}/api/v1/attempts"
            while tick not in self.measured.told:
                with suppress(*GONE):
                    async with self.session.post(url, json=body, headers=headers) as said:
                        self.measured.replies[f"POST attempts {said.status}"] += 1
                        if said.status == 201:
                            told = await said.json()
                            self.measured.told[tick] = told["first_solved_at"]
                            break
                self.measured.again.add(tick)
                await asyncio.sleep(random.uniform(0.3, 0.8))

    async def poll(self, bearer: dict[str, str]) -> None:
        """Keep a poll of the board open, for ever."""
        tag = ""
        while True:
            with suppress(*GONE):
                headers = {**bearer, "If-None-Match": tag}
                url = f"{self.url}/api/v1/board?wait=25"
                async with self.session.get(url, headers=headers) as said:
                    self.measured.replies[f"GET board {said.status}"] += 1
                    tag = said.headers.get("ETag", tag)
                    await said.read()
                    if said.status < 400:
                        continue
            await asyncio.sleep(random.uniform(0.3, 0.8))

    async def watch(self, bearer: dict[str, str]) -> None:
        """Follow the instructor's stream, for ever, and note when each solve is shown."""
        while True:
            with suppress(*GONE):
                url = f"{self.url}/api/v1/events"
                async with self.session.get(url, headers=bearer) as stream:
                    async for line in stream.content:
                        if line.startswith(b"data: {") and b'"learners"' in line:
                            self.note(json.loads(line[6:]))
            await asyncio.sleep(0.1)

    def note(self, board: dict[str, Any]) -> None:
        """Note which solves are on the board for the first time."""
        now, shown = time.monotonic(), self.measured.shown
        for row in board["learners"]:
            for exercise in row["solved"]:
                shown.setdefault((row["name"], exercise), now)


def instructors_token(url: str, secret: str) -> dict[str, str]:
    """Let the instructor in by the device flow."""
    asked = {"client_id": "terminal", "scope": "instructor helper"}
    codes = httpx.post(f"{url}/oauth/device", data=asked, timeout=60).json()
    form = {"user_code": codes["user_code"], "secret": secret}
    httpx.post(f"{url}/device", data=form, timeout=60).raise_for_status()
    wanted = {"grant_type": DEVICE, "device_code": codes["device_code"], "client_id": "terminal"}
    token = httpx.post(f"{url}/oauth/token", data=wanted, timeout=60).json()
    return {"Authorization": f"Bearer {token['access_token']}"}
