"""The notice board's web page: a progress bar fed by long polling, and by Server-Sent Events.

    with PageServer(lambda: services.redis_async("page")) as server:
        server.url("task")               # the page of the board "task", on loopback
        show(server, "task")             # the same, inside a notebook

`python -m patterns.web` serves the boards of a Redis until it is interrupted.
"""

from patterns.web.app import make_app
from patterns.web.hub import Hub
from patterns.web.inline import show
from patterns.web.server import PageServer

__all__ = ["Hub", "PageServer", "make_app", "show"]
