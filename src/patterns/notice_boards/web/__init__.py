"""The notice board's web page: a progress bar fed by long polling, and by Server-Sent Events.

    with PageServer(lambda: services.redis_async("page")) as server:
        server.url("task")               # the page of the board "task", on loopback
        show(server, "task")             # the same, inside a notebook

`python -m patterns.notice_boards.web` serves the boards of a Redis until it is interrupted.
"""

from .app import make_app
from .inline import show
from .server import PageServer
from .watchers import Hub

__all__ = ["Hub", "PageServer", "make_app", "show"]
