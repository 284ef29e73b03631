"""A send to a stream that may be repeated, from another process too, and adds one entry."""
# exercise: 01_pubsub exercise-3-answer

# %% right: the keys that have sent in a set, in one script
SCRIPT = """-- add unless this key has
if redis.call('SADD', KEYS[2], ARGV[2]) == 1 then
  redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])
end"""


def answer(server, message, key):
    server.eval(SCRIPT, 2, "room", "room:keys", message, key)


# %% right: a script that keeps the id under the key, in a class
class Room:
    SCRIPT = """-- the id of the entry, added now or before
    local id = redis.call('HGET', KEYS[2], ARGV[1])
    if not id then
      id = redis.call('XADD', KEYS[1], '0-*', 'key', ARGV[1], 'message', ARGV[2])
      redis.call('HSET', KEYS[2], ARGV[1], id)
    end
    return id"""

    def __init__(self, server, name="room"):
        self.keys = [name, f"{name}:ids"]
        self.add = server.register_script(self.SCRIPT)

    def send(self, message, key):
        return self.add(keys=self.keys, args=[key, message])


def answer(server, message, key):
    return Room(server).send(message, key)


# %% right: WATCH the stream, look, add in MULTI
def answer(server, message, key):
    with server.pipeline() as pipe:
        while True:
            pipe.watch("room")
            if key in [fields["key"] for _, fields in pipe.xrange("room")]:
                return
            pipe.multi()
            pipe.xadd("room", {"message": message, "key": key})
            with suppress(redis.WatchError):
                pipe.execute()
                return


# %% right: redis-py's own transaction loop, and a mark of its own for each key
def answer(server, message, key):
    mark = f"sent:{key}"

    def add(pipe):
        sent = pipe.exists(mark)
        pipe.multi()
        if not sent:
            pipe.set(mark, "yes")
            pipe.xadd("room", {"message": message, "key": key}, id="0-*")

    server.transaction(add, mark)


# %% right: the next id after what it has looked at, as a generator of tries
def answer(server, message, key):
    def tries():
        while True:
            entries = server.xrange("room")
            if key in (fields["key"] for _, fields in entries):
                return
            last = int(entries[-1][0].partition("-")[2]) if entries else 0
            yield f"0-{last + 1}"

    for id in tries():
        try:
            server.xadd("room", {"message": message, "key": key}, id=id)
            return
        except redis.ResponseError:
            pass


# %% right: looks at the whole stream, in one script
SCRIPT = """-- add unless an entry has this key
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'key' and entry[2][i + 1] == ARGV[2] then return entry[1] end
  end
end
return redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])"""


def answer(server, message, key):
    return server.eval(SCRIPT, 1, "room", message, key)


# %% wrong: adds it each time
# misconception: retry without a key
# why: The entry whose reply was lost is there; the repetition adds another.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    server.xadd("room", {"message": message, "key": key})


# %% wrong: looks, then adds
# misconception: check, then act
# why: Both writers of one message look, find nothing, and add.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    if not any(fields["key"] == key for _, fields in server.xrange("room")):
        server.xadd("room", {"message": message, "key": key})


# %% wrong: looks twice, with a pause, then adds
# misconception: sleep
# why: The pause makes it rarer that two look at the same time, and no more than that.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    for _ in range(2):
        if any(fields["key"] == key for _, fields in server.xrange("room")):
            return
        time.sleep(0.1)
    server.xadd("room", {"message": message, "key": key})


# %% wrong: looks at the last entry only
# misconception: the last key is enough
# why: When somebody else has sent meanwhile, the own entry is no longer the last.
# said: sent for sure: .*; in the stream:
SCRIPT = """-- add unless the last entry has this key
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last and last[2][4] == ARGV[2] then return end
redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])"""


def answer(server, message, key):
    server.eval(SCRIPT, 1, "room", message, key)


# %% wrong: marks the key, then adds
# misconception: two steps
# why: Who dies between the two, or gets no reply to the first, has marked and not added.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    if server.set(f"sent:{key}", "yes", nx=True):
        server.xadd("room", {"message": message, "key": key})


# %% wrong: adds, then marks the key
# misconception: two steps
# why: Who gets no reply to the first has added and not marked, and adds again.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    if not server.exists(f"sent:{key}"):
        server.xadd("room", {"message": message, "key": key})
        server.set(f"sent:{key}", "yes")


# %% wrong: a mark that expires
# misconception: key with expiry
# why: A repetition that comes later than that finds no mark, and adds again.
# said: sent for sure: .*; in the stream:
SCRIPT = """-- add unless this key has in the last minute
if redis.call('SET', KEYS[2], 1, 'NX', 'EX', 60) then
  redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])
end"""


def answer(server, message, key):
    server.eval(SCRIPT, 2, "room", f"sent:{key}", message, key)


# %% wrong: one mark for all
# misconception: wrong key
# why: The second message finds the mark of the first, and is not added.
# said: sent for sure: hello \(a1\), then hi \(b1\); in the stream: \w+ \(\w\w\)\.
SCRIPT = """-- add unless sent
if redis.call('SETNX', KEYS[2], 1) == 1 then
  redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])
end"""


def answer(server, message, key):
    server.eval(SCRIPT, 2, "room", "room:sent", message, key)


# %% wrong: takes two equal messages for one
# misconception: wrong key
# why: Somebody may say the same again; what tells a repetition is the key.
# said: sent for sure: hello \(a1\), then hello \(b1\); in the stream: hello \(\w\w\)\.
SCRIPT = """-- add unless this message is there
if redis.call('SADD', KEYS[2], ARGV[1]) == 1 then
  redis.call('XADD', KEYS[1], '*', 'message', ARGV[1], 'key', ARGV[2])
end"""


def answer(server, message, key):
    server.eval(SCRIPT, 2, "room", "room:messages", message, key)


# %% wrong: both in MULTI, in any case
# misconception: MULTI decides
# why: MULTI makes one step of two; that SET was refused does not keep XADD from being done.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    with server.pipeline(transaction=True) as pipe:
        pipe.set(f"sent:{key}", "yes", nx=True)
        pipe.xadd("room", {"message": message, "key": key})
        pipe.execute()


# %% wrong: a pipeline that is no transaction
# misconception: a pipeline is a transaction
# why: The commands of a plain pipeline are made one by one, and nothing depends on the first.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    with server.pipeline(transaction=False) as pipe:
        pipe.sadd("keys", key)
        pipe.xadd("room", {"message": message, "key": key})
        pipe.execute()


# %% wrong: WATCH, and gives up when it fails
# misconception: swallowing exceptions
# why: WatchError says that somebody was quicker; it was not the same message.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    with server.pipeline() as pipe, suppress(redis.WatchError):
        pipe.watch("room")
        if key not in [fields["key"] for _, fields in pipe.xrange("room")]:
            pipe.multi()
            pipe.xadd("room", {"message": message, "key": key})
            pipe.execute()


# %% wrong: takes a refused id for a repetition
# misconception: swallowing exceptions
# why: The id can be taken by another message; look again.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    entries = server.xrange("room")
    if not any(fields["key"] == key for _, fields in entries):
        last = int(entries[-1][0].removeprefix("0-")) if entries else 0
        with suppress(redis.ResponseError):
            server.xadd("room", {"message": message, "key": key}, id=f"0-{last + 1}")


# %% wrong: swallows the lost reply
# misconception: swallowing exceptions
# why: A lost reply can be a lost request: it says that it has sent what is not there.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    with suppress(redis.ConnectionError):
        server.xadd("room", {"message": message, "key": key})


# %% wrong: always says that the connection broke
# misconception: hiding behind an error
# why: Nobody is told that it is sent, so nothing need be there; also when nothing goes wrong.
# said: never sent anything
def answer(server, message, key):
    server.ping()
    raise redis.ConnectionError


# %% wrong: a lock that does not expire
# misconception: lock without expiry
# why: Who dies with the lock leaves the other waiting for ever.
# said: still going|in vain|waits for ever
def answer(server, message, key):
    while not server.set("lock", "taken", nx=True):
        time.sleep(0.1)
    if not any(fields["key"] == key for _, fields in server.xrange("room")):
        server.xadd("room", {"message": message, "key": key})
    server.delete("lock")


# %% wrong: a lock that expires
# misconception: lock with expiry
# why: The lock can be over before the work is; then two are at it.
# said: Cannot release a lock that's no longer owned
def answer(server, message, key):
    with server.lock("lock", timeout=10):
        if not any(fields["key"] == key for _, fields in server.xrange("room")):
            server.xadd("room", {"message": message, "key": key})


# %% wrong: takes a number first, adds under it later
# misconception: a number is a place
# why: A stream takes ids in rising order only: who is slower with the smaller number is refused.
# said: sent for sure: .*; in the stream:|raises ResponseError
def answer(server, message, key):
    if not server.hexists("numbers", key):
        server.hsetnx("numbers", key, server.incr("number"))
    number = server.hget("numbers", key)
    with suppress(redis.ResponseError):
        server.xadd("room", {"message": message, "key": key}, id=f"0-{number}")


# %% wrong: the numbers of the two messages that it knows
# misconception: hard-coding
# why: "hi" has number 2, and "hello" is refused when it comes after it.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    number = {"hello": 1, "hi": 2}[message]
    with suppress(redis.ResponseError):
        server.xadd("room", {"message": message, "key": key}, id=f"0-{number}")


# %% wrong: adds, then deletes what is there twice
# misconception: repairing afterwards
# why: Until it is deleted it is there twice, and for good when the writer dies.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    server.xadd("room", {"message": message, "key": key})
    own = [id for id, fields in server.xrange("room") if fields["key"] == key]
    for id in own[1:]:
        server.xdel("room", id)


# %% wrong: keeps the last entry only
# misconception: sabotage of the table
# why: What is there once was there with others, which are gone.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    server.xadd("room", {"message": message, "key": key}, maxlen=1, approximate=False)


# %% wrong: begins the stream anew
# misconception: sabotage of the table
# why: A stream with one entry has nothing twice, and not what the others sent.
# said: sent for sure: .*; in the stream:
def answer(server, message, key):
    with server.pipeline(transaction=True) as pipe:
        pipe.delete("room")
        pipe.xadd("room", {"message": message, "key": key})
        pipe.execute()


# %% wrong: a hash in place of the stream
# misconception: wrong shape
# why: A hash has each key once, and neither order nor anybody who waits for the next.
# said: 'room' is not a stream
def answer(server, message, key):
    server.hset("room", key, message)


# %% wrong: publishes it
# misconception: PUBLISH keeps what it sends
# why: Nothing is stored: who is not there does not get it.
# said: sent for sure: .*; in the stream: nothing
def answer(server, message, key):
    server.publish("room", message)


# %% wrong: another name for the field
# misconception: wrong shape
# why: Those who read look for the field that was agreed on.
# said: an entry of the stream has no field 'message'
SCRIPT = """-- add unless this key has
if redis.call('SADD', KEYS[2], ARGV[2]) == 1 then
  redis.call('XADD', KEYS[1], '*', 'text', ARGV[1], 'key', ARGV[2])
end"""


def answer(server, message, key):
    server.eval(SCRIPT, 2, "room", "room:keys", message, key)


# %% wrong: remembers in the program
# misconception: caching in a global
# why: The repetition may come from another process, which remembers nothing.
# said: It keeps `sent` in a global variable
sent = set()


def answer(server, message, key):
    if key not in sent:
        sent.add(key)
        server.xadd("room", {"message": message, "key": key})


# %% wrong: does nothing
# misconception: early return
# why: It is told that it is sent, and nothing is.
# said: ended without a call|sent for sure: .*; in the stream: nothing
def answer(server, message, key):
    return


# %% wrong: a connection of its own
# misconception: own client
# why: What goes past the search cannot be searched; and the server was handed over.
# said: a connection of redis that is not the world's
def answer(server, message, key):
    mine = services.redis("chat")
    mine.xadd("room", {"message": message, "key": key})


# %% wrong: a thread that sends
# misconception: own thread
# why: It returns before the message is sent; and the search knows nothing of a thread.
# said: thread
def answer(server, message, key):
    sends = threading.Thread(target=server.xadd, args=("room", {"message": message, "key": key}))
    sends.start()
    sends.join()


# %% wrong: tries for ever
# misconception: endless loop
# why: It does not stop when the message is there.
# said: still going after 60 calls
def answer(server, message, key):
    while True:
        if not any(fields["key"] == key for _, fields in server.xrange("room")):
            server.xadd("room", {"message": message, "key": key})
