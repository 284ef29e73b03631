"""The class, live: who has solved what, calls for help, announcements; one API for all clients.

make class                                   starts it: address, join code, instructor's link
from workshop import classroom
classroom.join("ABCD-EFGH", name="Ada")      the verdicts of `mark` are reported from then on

operations.py      every route of the API, once: what it takes, who may, what it answers
app.py             the routes as an ASGI application
start.py           the application on a folder, in a thread or as a command
pages              the web pages, which are clients of the API like any other
notebook_client.py, terminal.py              the other clients
"""

from .notebook_client import join, leave

__all__ = ["join", "leave"]
