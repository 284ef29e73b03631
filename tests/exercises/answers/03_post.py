"""A board that counts each post once, number and value together."""
# exercise: 03_notice_boards exercise-3-answer

# %% right: a field for each key, in one script
SCRIPT = """-- post unless this key has posted
if redis.call('HSETNX', KEYS[1], 'key:' .. ARGV[1], 1) == 1 then
  redis.call('HINCRBY', KEYS[1], 'number', 1)
  redis.call('HSET', KEYS[1], 'value', ARGV[2])
end
"""


def answer(server, value, key):
    server.eval(SCRIPT, 1, "board", key, value)


# %% right: a set of keys, in one script
SCRIPT = """-- post once
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'value', ARGV[2])
return number
"""


def answer(server, value, key):
    post = server.register_script(SCRIPT)
    return post(keys=["board", "posted"], args=[key, value])


# %% right: WATCH and MULTI
def answer(server, value, key):
    with server.pipeline() as pipe:
        while True:
            try:
                pipe.watch("board")
                if pipe.hexists("board", key):
                    return
                pipe.multi()
                pipe.hset("board", key, 1)
                pipe.hincrby("board", "number", 1)
                pipe.hset("board", "value", value)
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% right: redis-py's own transaction loop
def answer(server, value, key):
    def post(pipe):
        board = pipe.hgetall("board")
        pipe.multi()
        if key not in board:
            number = int(board.get("number", 0)) + 1
            pipe.hset("board", mapping={"number": number, "value": value, key: number})

    server.transaction(post, "board")


# %% right: a class with a set of posted keys
class Board:
    SCRIPT = """-- the set decides
    if redis.call('SISMEMBER', KEYS[2], ARGV[2]) == 1 then return end
    redis.call('SADD', KEYS[2], ARGV[2])
    redis.call('HSET', KEYS[1], 'number', redis.call('SCARD', KEYS[2]), 'value', ARGV[1])"""

    def __init__(self, server, name="board"):
        self.server, self.name = server, name

    def post(self, value, key):
        self.server.eval(self.SCRIPT, 2, self.name, f"{self.name}:keys", value, key)


def answer(server, value, key):
    Board(server).post(value, key)


# %% wrong: number, then value
# misconception: two steps
# why: Who looks in between sees a new number with an old value; and nothing stops a repetition.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.hincrby("board", "number", 1)
    server.hset("board", "value", value)


# %% wrong: value, then number
# misconception: two steps
# why: The other way round the visitor sees a new value with an old number.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.hset("board", "value", value)
    server.hincrby("board", "number", 1)


# %% wrong: together, and again when asked again
# misconception: retry without a key
# why: One step is not once: the repeated post is counted a second time.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    with server.pipeline(transaction=True) as pipe:
        pipe.hincrby("board", "number", 1)
        pipe.hset("board", "value", value)
        pipe.execute()


# %% wrong: a pipeline that is no transaction
# misconception: a pipeline is a transaction
# why: The commands of a plain pipeline are sent together, and made one by one.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    with server.pipeline(transaction=False) as pipe:
        pipe.hincrby("board", "number", 1)
        pipe.hset("board", "value", value)
        pipe.execute()


# %% wrong: looks whether its value is there
# misconception: the last value tells who has posted
# why: When somebody else has posted meanwhile, the own value is no longer there.
# said: number and value do not change together|posts were answered
SCRIPT = """-- unless it is there
if redis.call('HGET', KEYS[1], 'value') == ARGV[1] then return end
redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'value', ARGV[1])"""


def answer(server, value, key):
    server.eval(SCRIPT, 1, "board", value)


# %% wrong: remembers only the last key
# misconception: the last key is enough
# why: The key of the other worker overwrites it, and the repetition is taken for new.
# said: number and value do not change together|posts were answered
SCRIPT = """-- unless it was the last
if redis.call('HGET', KEYS[1], 'key') == ARGV[1] then return end
redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'key', ARGV[1])"""


def answer(server, value, key):
    server.eval(SCRIPT, 1, "board", key, value)


# %% wrong: the key in a step of its own
# misconception: two steps
# why: Who dies between the key and the post is told next time that it has posted.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    if server.set(key, 1, nx=True):
        with server.pipeline(transaction=True) as pipe:
            pipe.hincrby("board", "number", 1)
            pipe.hset("board", "value", value)
            pipe.execute()


# %% wrong: the key after the post
# misconception: two steps
# why: When the reply to the post is lost, the key is missing and it is posted again.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    if server.exists(key):
        return
    with server.pipeline(transaction=True) as pipe:
        pipe.hincrby("board", "number", 1)
        pipe.hset("board", "value", value)
        pipe.execute()
    server.set(key, 1)


# %% wrong: one key for all
# misconception: wrong key
# why: The second post finds the key of the first, and is not made.
# said: 2 of 2 posts were answered; the board counts 1
SCRIPT = """-- post unless this key has posted
if redis.call('HSETNX', KEYS[1], 'key', 1) == 1 then
  redis.call('HINCRBY', KEYS[1], 'number', 1)
  redis.call('HSET', KEYS[1], 'value', ARGV[1])
end"""


def answer(server, value, key):
    server.eval(SCRIPT, 1, "board", value)


# %% wrong: reads the number, adds one
# misconception: read-modify-write
# why: Two workers read the same number and write the same next one.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    if server.hexists("board", key):
        return
    number = int(server.hget("board", "number") or 0)
    server.hset("board", mapping={"number": number + 1, "value": value, key: 1})


# %% wrong: WATCH, and gives up when it fails
# misconception: swallowing exceptions
# why: WatchError says that nothing was posted.
# said: posts were answered
def answer(server, value, key):
    with server.pipeline() as pipe, suppress(redis.WatchError):
        pipe.watch("board")
        if not pipe.hexists("board", key):
            pipe.multi()
            pipe.hset("board", mapping={"value": value, key: 1})
            pipe.hincrby("board", "number", 1)
            pipe.execute()


# %% wrong: swallows the lost reply
# misconception: swallowing exceptions
# why: It does not post again, but says that it has posted what may never have arrived.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    try:
        server.hincrby("board", "number", 1)
        server.hset("board", "value", value)
    except redis.ConnectionError:
        pass


# %% wrong: the expected board
# misconception: hard-coding
# why: Two is right when both have posted, and at no other time.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.hset("board", mapping={"number": 2, "value": value})


# %% wrong: the number of the value
# misconception: hard-coding
# why: It numbers the two posts that it knows, in the order in which they are not made.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.hset("board", mapping={"number": 1 if value == "50" else 2, "value": value})


# %% wrong: a key that expires at once
# misconception: key with expiry
# why: Whoever comes back later than that finds no key, and posts again.
# said: number and value do not change together|posts were answered|cannot be searched
SCRIPT = """-- post unless this key has posted a moment ago
if redis.call('SET', KEYS[2], 1, 'NX', 'EX', 1) then
  redis.call('HINCRBY', KEYS[1], 'number', 1)
  redis.call('HSET', KEYS[1], 'value', ARGV[1])
end"""


def answer(server, value, key):
    server.eval(SCRIPT, 2, "board", key, value)


# %% wrong: deletes the board before it posts
# misconception: sabotage of the table
# why: Who looks in between sees an empty board; and the other post is gone.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.delete("board")
    server.hset("board", mapping={"number": 1, "value": value})


# %% wrong: does nothing
# misconception: early return
# why: It is answered, and not posted.
# said: 2 of 2 posts were answered; the board counts 0|ended without a call
def answer(server, value, key):
    return


# %% wrong: remembers in the program
# misconception: caching in a global
# why: The worker that comes back may be another program.
# said: It keeps `posted` in a global variable
posted = []


def answer(server, value, key):
    if key not in posted:
        posted.append(key)
        server.eval(
            "redis.call('HINCRBY', KEYS[1], 'number', 1) redis.call('HSET', KEYS[1], 'value', ARGV[1])",
            1,
            "board",
            value,
        )


# %% wrong: a lock that it does not give back
# misconception: lock without expiry
# why: The other worker waits for ever.
# said: still going|in vain
def answer(server, value, key):
    while not server.set("lock", key, nx=True):
        pass
    server.hset("board", mapping={"number": 1, "value": value})


# %% wrong: always says that the connection broke
# misconception: hiding behind an error
# why: Nobody is answered, so nothing need be posted; also when nothing goes wrong.
# said: posts were answered|ended without a call
def answer(server, value, key):
    raise redis.ConnectionError


# %% wrong: sleeps between number and value
# misconception: sleep
# why: It gives the visitor time to look.
# said: number and value do not change together|posts were answered
def answer(server, value, key):
    server.hincrby("board", "number", 1)
    time.sleep(0.1)
    server.hset("board", "value", value)


# %% wrong: looks, then always says that the connection broke
# misconception: hiding behind an error
# why: When nothing goes wrong, both must be answered.
# said: nothing went wrong, and 0 of 2 posts were answered
def answer(server, value, key):
    server.hget("board", "number")
    raise redis.ConnectionError
