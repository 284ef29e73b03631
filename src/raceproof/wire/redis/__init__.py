"""Redis: a real redis-py client for each client of the search, over connections of ours.

connection.py   what the client holds: redis-py's own classes, whose connections ask the search
requests.py     requests as calls of the search
commands.py     what each command is, and what is refused
clients.py      the classes that the client holds
adapter.py      each request made for real on the world's server
looking.py      what a check may do
server.py       the connections to it
sessions.py     what a server ties to one connection: WATCH, MULTI, a name
channels.py     pub-sub
translation.py  what is sent in place of a request: time, chance, scripts
expiry.py       expiries by the world's clock
streams.py      streams by the world's clock
scripts.py      Lua
keyspace.py     all that can be seen
"""
