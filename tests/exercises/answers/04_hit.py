"""A hit that may be repeated: each request is counted once."""
# exercise: 04_counter_buffering exercise-3-answer

# %% right: a key for the request, in one script
SCRIPT = """-- count this request once
if redis.call('SET', KEYS[1], '', 'NX', 'EX', 86400) then
  redis.call('HINCRBY', KEYS[2], 'hits', 1)
end"""


def answer(server, request):
    server.eval(SCRIPT, 2, f"seen:{request}", "open")


# %% right: a set of requests, in one script
SCRIPT = "redis.call('HINCRBY', KEYS[2], 'hits', redis.call('SADD', KEYS[1], ARGV[1]))"


def answer(server, request):
    server.eval(SCRIPT, 2, "seen", "open", request)


# %% right: WATCH the request
def answer(server, request):
    with server.pipeline() as pipe:
        while True:
            try:
                pipe.watch("seen")
                if pipe.sismember("seen", request):
                    return
                pipe.multi()
                pipe.sadd("seen", request)
                pipe.hincrby("open", "hits", 1)
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% right: the request as a field, the counter made from it
SCRIPT = """-- the counter is the number of requests
redis.call('HSETNX', KEYS[1], ARGV[1], 1)
redis.call('HSET', KEYS[2], 'hits', redis.call('HLEN', KEYS[1]))"""


def answer(server, request):
    server.register_script(SCRIPT)(keys=["requests", "open"], args=[request])


# %% right: add the request, then write down how many there are, in MULTI and WATCH
def answer(server, request):
    def count(pipe):
        before = pipe.zcard("requests")
        new = pipe.zscore("requests", request) is None
        pipe.multi()
        pipe.zadd("requests", {request: 1})
        pipe.hset("open", "hits", before + new)

    server.transaction(count, "requests")


# %% wrong: counts every call
# misconception: retry without a key
# why: The call whose reply was lost was counted; the repetition is counted again.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    server.hincrby("open", "hits", 1)


# %% wrong: looks, then counts
# misconception: check, then act
# why: The same request from both sides looks twice before it counts once.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    if not server.sismember("seen", request):
        server.hincrby("open", "hits", 1)
        server.sadd("seen", request)


# %% wrong: remembers, then counts
# misconception: two steps
# why: Who dies in between has told everybody that the request was counted.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    if server.sadd("seen", request):
        server.hincrby("open", "hits", 1)


# %% wrong: counts, then remembers
# misconception: two steps
# why: Who gets no reply to the second step counts once more.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    if not server.exists(f"seen:{request}"):
        server.hincrby("open", "hits", 1)
        server.set(f"seen:{request}", "")


# %% wrong: both in one transaction, in any case
# misconception: MULTI decides
# why: MULTI makes one step of two, and counts also a request that was there.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    with server.pipeline(transaction=True) as pipe:
        pipe.sadd("seen", request)
        pipe.hincrby("open", "hits", 1)
        pipe.execute()


# %% wrong: one key for all requests
# misconception: wrong key
# why: The second sale finds the key of the first, and is not counted.
# said: requests: 2, answered: 2, counted: 1
SCRIPT = (
    "if redis.call('SET', KEYS[1], '', 'NX') then redis.call('HINCRBY', KEYS[2], 'hits', 1) end"
)


def answer(server, request):
    server.eval(SCRIPT, 2, "seen", "open")


# %% wrong: a key for each call
# misconception: wrong key
# why: A key that is new at each call recognises nothing.
# said: requests: \d, answered: \d, counted: \d
import random

SCRIPT = (
    "if redis.call('SET', KEYS[1], '', 'NX') then redis.call('HINCRBY', KEYS[2], 'hits', 1) end"
)


def answer(server, request):
    server.eval(SCRIPT, 2, f"seen:{random.random()}", "open")


# %% wrong: swallows the lost reply
# misconception: swallowing exceptions
# why: Two different sales are right now and then; the same sale from both sides is counted twice.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    try:
        server.hincrby("open", "hits", 1)
    except redis.ConnectionError:
        pass


# %% wrong: takes back what may have been counted
# misconception: repairing afterwards
# why: After a lost reply nobody knows whether there is something to take back.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    try:
        server.hincrby("open", "hits", 1)
    except redis.ConnectionError:
        server.hincrby("open", "hits", -1)
        server.hincrby("open", "hits", 1)


# %% wrong: does nothing
# misconception: early return
# why: It is answered, and not counted.
# said: requests: \d, answered: \d, counted: 0|ended without a call
def answer(server, request):
    return


# %% wrong: always says that the connection broke
# misconception: hiding behind an error
# why: Nobody is answered, so nothing need be counted; also when nothing goes wrong.
# said: requests: \d, answered: 0, counted: 0|ended without a call
def answer(server, request):
    raise redis.ConnectionError


# %% wrong: counts up to the number in the request
# misconception: hard-coding
# why: It takes the largest number that it finds in a name; names need not have one.
# said: requests: \d, answered: \d, counted: \d|raises
SCRIPT = """-- the largest number
local number = tonumber(string.sub(ARGV[1], 6))
local counted = tonumber(redis.call('HGET', KEYS[1], 'hits') or '0')
if number > counted then redis.call('HSET', KEYS[1], 'hits', number) end"""


def answer(server, request):
    server.eval(SCRIPT, 1, "open", request)


# %% wrong: the expected number
# misconception: hard-coding
# why: Two requests are not always two.
# said: requests: 1, answered: \d, counted: 2
def answer(server, request):
    server.hset("open", "hits", 2)


# %% wrong: at most one
# misconception: hard-coding
# why: It is right for one request that comes twice, and loses the second of two.
# said: requests: 2, answered: 2, counted: 1
def answer(server, request):
    server.hset("open", "hits", 1)


# %% wrong: a list of requests that is looked through
# misconception: check, then act
# why: Reading the list and writing it are two steps.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    if request not in server.lrange("seen", 0, -1):
        with server.pipeline(transaction=True) as pipe:
            pipe.rpush("seen", request)
            pipe.hincrby("open", "hits", 1)
            pipe.execute()


# %% wrong: remembers in the program
# misconception: caching in a global
# why: The same request can come to another program.
# said: It keeps `seen` in a global variable
seen = set()


def answer(server, request):
    if request not in seen:
        seen.add(request)
        server.hincrby("open", "hits", 1)


# %% wrong: reads, adds one, writes
# misconception: read-modify-write
# why: Two visitors read the same number, and one hit is gone.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    if server.set(f"seen:{request}", "", nx=True):
        server.hset("open", "hits", int(server.hget("open", "hits") or 0) + 1)


# %% wrong: a lock that it does not give back
# misconception: lock without expiry
# why: The second visitor waits for ever.
# said: still going|in vain
def answer(server, request):
    while not server.set("lock", "mine", nx=True):
        pass
    if server.sadd("seen", request):
        server.hincrby("open", "hits", 1)


# %% wrong: sleeps before it looks
# misconception: sleep
# why: A pause does not make one step of two.
# said: requests: \d, answered: \d, counted: \d
def answer(server, request):
    time.sleep(0.5)
    if not server.sismember("seen", request):
        server.sadd("seen", request)
        server.hincrby("open", "hits", 1)


# %% wrong: remembers a request for a second
# misconception: key with expiry
# why: An hour may pass before the request comes again; by then it is forgotten.
# said: requests: \d, answered: \d, counted: \d
SCRIPT = """-- count this request once a second
if redis.call('SET', KEYS[1], '', 'NX', 'EX', 1) then
  redis.call('HINCRBY', KEYS[2], 'hits', 1)
end"""


def answer(server, request):
    server.eval(SCRIPT, 2, f"seen:{request}", "open")
