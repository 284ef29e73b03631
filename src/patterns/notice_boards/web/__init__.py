"""The notice board's web page: a progress bar fed by long polling, and by Server-Sent Events.

    with PageServer(lambda: redis.asyncio.Redis(decode_responses=True)) as server:
        server.url("task")               # the page of the board "task", on loopback

It needs starlette and uvicorn: the extra `web`.
"""

from .app import make_app
from .server import PageServer
from .watchers import SharedSubscription

__all__ = ["PageServer", "SharedSubscription", "make_app"]
