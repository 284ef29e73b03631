"""The notice board's web page: a progress bar fed by long polling, and by Server-Sent Events.

    app = make_app(lambda: redis.asyncio.Redis(decode_responses=True))
    uvicorn.run(app, http=Impatient)     # http://127.0.0.1:8000/boards/task/page

It needs starlette and uvicorn: the extra `web`.
"""

from .app import make_app
from .impatient import Impatient
from .watchers import SharedSubscription

__all__ = ["Impatient", "SharedSubscription", "make_app"]
