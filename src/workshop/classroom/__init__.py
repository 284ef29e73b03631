"""The class, live: who has solved what, calls for help, announcements; one API for all clients.

make class                                   starts it: address, join code, instructor's link
operations.py      every route of the API, once: what it takes, who may, what it answers
app.py             the routes as an ASGI application
start.py           the application on a folder, in a thread or as a command
"""
