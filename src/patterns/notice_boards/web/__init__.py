"""The notice board's web page: a progress bar fed by long polling, and by Server-Sent Events.

    app = make_app(lambda: redis.asyncio.Redis(decode_responses=True))
    uvicorn.run(app)     # or any ASGI server: http://127.0.0.1:8000/boards/task/page

It needs starlette: the extra `web`. With httptools installed, uvicorn answers many who wait in
about half the time. Behind a proxy, let the proxy show out slow clients.
"""

from .app import make_app
from .watchers import SharedSubscription

__all__ = ["SharedSubscription", "make_app"]
