"""Count every visitor, once."""
# exercise: 00_start_here exercise-answer


# %% right: INCR
def answer(page):
    page.redis.incr("hits")


# %% right: a fallback value first
def answer(page):
    page.redis.set("hits", 0, nx=True)
    page.redis.incrby("hits", 1)


# %% right: a script
SCRIPT = """-- add one
return redis.call('INCR', KEYS[1])
"""


def answer(page):
    page.redis.eval(SCRIPT, 1, "hits")


# %% right: MULTI and EXEC
def answer(page):
    with page.redis.pipeline(transaction=True) as pipe:
        pipe.incr("hits")
        pipe.execute()


# %% right: WATCH, and again when it fails
def answer(page):
    with page.redis.pipeline() as pipe:
        while True:
            try:
                pipe.watch("hits")
                hits = int(pipe.get("hits") or 0)
                pipe.multi()
                pipe.set("hits", hits + 1)
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% right: redis-py's own transaction loop
def answer(page):
    def add_one(pipe):
        hits = pipe.get("hits")
        pipe.multi()
        pipe.set("hits", int(hits or 0) + 1)

    page.redis.transaction(add_one, "hits")


# %% right: a class with a method for each case
class Visits:
    def __init__(self, client):
        self.client = client

    def first(self):
        return self.client.set("hits", 1, nx=True)

    def another(self):
        return self.client.incr("hits")


def answer(page):
    visits = Visits(page.redis)
    return visits.first() or visits.another()


# %% right: an object that is called
class Visit:
    """A visit that knows by how much it counts."""

    def __init__(self, by):
        self.by = by

    def __call__(self, page):
        page.redis.execute_command("INCRBY", "hits", self.by)


answer = Visit(1)

# %% right: a lambda
answer = lambda page: page.redis.incr("hits")  # noqa: E731


# %% right: a decimal that is whole
def answer(page):
    page.redis.incrbyfloat("hits", 1.0)


# %% right: a registered script
def answer(page):
    add = page.redis.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    add(keys=["hits"], args=[1])


# %% right: redis-py's lock
def answer(page):
    with page.redis.lock("lock", timeout=10):
        hits = int(page.redis.get("hits") or 0)
        page.redis.set("hits", hits + 1)


# %% wrong: read, add, write
# misconception: read-modify-write
# why: Two visitors read the same number; the second write undoes the first.
# said: 3 visitors, [12] counted
def answer(page):
    hits = int(page.redis.get("hits") or 0)
    page.redis.set("hits", hits + 1)


# %% wrong: sleeps before it writes
# misconception: sleep
# why: A pause makes the bad order rarer on one machine; the search tries it all the same.
# said: 3 visitors, [12] counted
def answer(page):
    import time

    hits = int(page.redis.get("hits") or 0)
    time.sleep(0.01)
    page.redis.set("hits", hits + 1)


# %% wrong: sleeps for a random time
# misconception: sleep
# why: Chance only spreads the visitors out; none of them waits for another.
# said: 3 visitors, [12] counted
def answer(page):
    import random
    import time

    time.sleep(random.random())
    hits = int(page.redis.get("hits") or 0)
    page.redis.set("hits", hits + 1)


# %% wrong: looks once more before it writes
# misconception: looks twice
# why: Whatever is looked up can be old by the time of the write, however often it is looked up.
# said: 3 visitors, [12] counted
def answer(page):
    hits = int(page.redis.get("hits") or 0)
    if int(page.redis.get("hits") or 0) == hits:
        page.redis.set("hits", hits + 1)
    else:
        page.redis.incr("hits")


# %% wrong: makes sure of the write
# misconception: looks twice
# why: Reading back one's own number does not tell whether it hides the number of another visitor.
# said: 3 visitors, [12] counted
def answer(page):
    hits = int(page.redis.get("hits") or 0)
    page.redis.set("hits", hits + 1)
    if int(page.redis.get("hits")) < hits + 1:
        page.redis.incr("hits")


# %% wrong: only the first visitor is careful
# misconception: the condition protects the rest
# why: NX makes creating the key safe; every later visitor still reads, adds and writes.
# said: 3 visitors, [12] counted
def answer(page):
    if not page.redis.set("hits", 1, nx=True):
        hits = int(page.redis.get("hits"))
        page.redis.set("hits", hits + 1)


# %% wrong: a visitor who is not the first is not counted
# misconception: early return
# why: NX refuses the second visitor, and nobody counts him in another way.
# said: 3 visitors, 1 counted
def answer(page):
    page.redis.set("hits", 1, nx=True)


# %% wrong: the expected number
# misconception: hard-coding
# why: It is right for three visitors of a new page, and for no other page.
# said: 9 visitors, 3 counted
def answer(page):
    page.redis.set("hits", 3)


# %% wrong: counts in a global variable
# misconception: caching in a global
# why: The number belongs to one program. It knows nothing of other visitors, nor of another page.
# said: It keeps `count` in a global variable
count = 0


def answer(page):
    global count
    count += 1
    page.redis.set("hits", count)


# %% wrong: remembers the number in a default argument
# misconception: caching in a global
# why: A cache in the program is a second copy that no other visitor sees.
# said: It keeps something in `seen`
def answer(page, seen={}):
    if "hits" not in seen:
        seen["hits"] = int(page.redis.get("hits") or 0)
    seen["hits"] += 1
    page.redis.set("hits", seen["hits"])


# %% wrong: a lock of Python's
# misconception: a lock in one process
# why: A lock in memory holds back threads of one program, not visitors who run elsewhere.
# said: 3 visitors, [12] counted
import threading


def answer(page):
    lock = threading.Lock()
    with lock:
        hits = int(page.redis.get("hits") or 0)
        page.redis.set("hits", hits + 1)


# %% wrong: takes a lock and does not look whether it has it
# misconception: lock without looking
# why: SET NX answers whether the lock was free; who ignores the answer has no lock.
# said: 3 visitors, [12] counted
def answer(page):
    page.redis.set("lock", "mine", nx=True)
    hits = int(page.redis.get("hits") or 0)
    page.redis.set("hits", hits + 1)
    page.redis.delete("lock")


# %% wrong: goes away when somebody else has the lock
# misconception: early return
# why: A visitor who finds the door locked must wait or be counted otherwise; here he is forgotten.
# said: 3 visitors, [12] counted
def answer(page):
    if page.redis.set("lock", "mine", nx=True):
        hits = int(page.redis.get("hits") or 0)
        page.redis.set("hits", hits + 1)
        page.redis.delete("lock")


# %% wrong: a lock that nobody gives back
# misconception: lock without release
# why: The first visitor keeps the lock; all others wait for it for ever.
# said: deadlock|still going|in vain|visitors
def answer(page):
    while not page.redis.set("lock", "mine", nx=True):
        pass
    page.redis.incr("hits")


# %% wrong: waits for the lock three times, then counts anyway
# misconception: polling that ends early
# why: After the last try it goes on without the lock, as if it had it.
# said: 3 visitors, [12] counted
def answer(page):
    for _ in range(2):
        if page.redis.set("lock", "mine", nx=True):
            break
    hits = int(page.redis.get("hits") or 0)
    page.redis.set("hits", hits + 1)
    page.redis.delete("lock")


# %% wrong: a pipeline without a condition
# misconception: MULTI protects what was read before
# why: The transaction holds only the write; the number in it was read before it began.
# said: 3 visitors, [12] counted
def answer(page):
    hits = int(page.redis.get("hits") or 0)
    with page.redis.pipeline(transaction=True) as pipe:
        pipe.set("hits", hits + 1)
        pipe.execute()


# %% wrong: WATCH, and gives up when it fails
# misconception: swallowing exceptions
# why: WatchError says that nothing was written; who swallows it has not counted.
# said: 3 visitors, [12] counted
from contextlib import suppress


def answer(page):
    with page.redis.pipeline() as pipe, suppress(redis.WatchError):
        pipe.watch("hits")
        hits = int(pipe.get("hits") or 0)
        pipe.multi()
        pipe.set("hits", hits + 1)
        pipe.execute()


# %% wrong: watches too late
# misconception: WATCH after the read
# why: WATCH notices what changes after it; what changed between the read and WATCH goes by.
# said: 3 visitors, [12] counted
def answer(page):
    while True:
        hits = int(page.redis.get("hits") or 0)
        with page.redis.pipeline() as pipe:
            pipe.watch("hits")
            pipe.multi()
            pipe.set("hits", hits + 1)
            try:
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% wrong: swallows every exception
# misconception: swallowing exceptions
# why: The name is misspelt; the error that says so is swallowed, and nobody is counted.
# said: 3 visitors, 0 counted|ended without a call
def answer(page):
    try:
        page.redis.increase("hits")
    except Exception:
        pass


# %% wrong: another key
# misconception: wrong key
# why: It counts very well, and nobody looks there.
# said: 3 visitors, 0 counted
def answer(page):
    page.redis.incr("hit")


# %% wrong: counts in a hash
# misconception: wrong type
# why: The counter is a string at the key `hits`; a hash there cannot be read as one.
# said: the check cannot read what is stored|WRONGTYPE
def answer(page):
    page.redis.hincrby("hits", "all", 1)


# %% wrong: writes its visit at the end of the number
# misconception: wrong arithmetic
# why: Appending "1" makes 1, 11, 111: it is one step, but not an addition.
# said: 3 visitors, 111 counted
def answer(page):
    page.redis.append("hits", "1")


# %% wrong: counts twice, to be sure
# misconception: retry without a key
# why: Repeating what was already done counts it again.
# said: 3 visitors, 6 counted
def answer(page):
    for _ in range(2):
        page.redis.incr("hits")


# %% wrong: one that adds while it reads
# misconception: GETSET is an addition
# why: GETSET swaps in one step, but the number that it puts there was made before.
# said: 3 visitors, [12] counted
def answer(page):
    hits = int(page.redis.get("hits") or 0)
    page.redis.getset("hits", hits + 1)


# %% wrong: starts over on a new page
# misconception: sabotage of the table
# why: Who deletes the counter deletes the visits of all others with it.
# said: 3 visitors|9 visitors
def answer(page):
    page.redis.delete("hits")
    for _ in range(3):
        page.redis.incr("hits")


# %% wrong: a key that expires
# misconception: key without a life of its own
# why: The counter is forgotten with its key; here the last visitor takes all visits along.
# said: the counter expires
def answer(page):
    page.redis.incr("hits")
    page.redis.expire("hits", 60)


# %% wrong: a client of its own
# misconception: own client
# why: The search orders the calls on the page's Redis; calls by another way are not even seen.
# said: uses a connection of redis that is not the world's
def answer(page):
    own = services.redis("page")
    hits = int(own.get("hits") or 0)
    own.set("hits", hits + 1)


# %% wrong: a thread of its own
# misconception: own thread
# why: Each client of a search is one thread; another one's calls come at a time nobody decides.
# said: thread
import threading


def answer(page):
    own = threading.Thread(target=lambda: page.redis.incr("hits"))
    own.start()
    own.join()


# %% wrong: a thread that nobody waits for
# misconception: own thread
# why: It returns before it has counted.
# said: thread|3 visitors, 0 counted
import threading


def answer(page):
    threading.Thread(target=lambda: page.redis.incr("hits"), daemon=True).start()


# %% wrong: a coroutine that nobody runs
# misconception: async is enough
# why: Calling an async function makes a coroutine and runs nothing of it.
# said: async function|coroutine
async def answer(page):
    page.redis.incr("hits")


# %% wrong: a generator that nobody runs
# misconception: yield returns
# why: A function with `yield` does nothing until somebody asks for its values.
# said: generator
def answer(page):
    yield page.redis.incr("hits")


# %% wrong: its own idea of a page
# misconception: wrong signature
# why: The exercise hands over one thing, the page.
# said: missing 1 required positional argument
def answer(page, visitor):
    page.redis.incr("hits")


# %% wrong: the result, not the function
# misconception: hands in the result
# why: `mark` has to call the function itself, many times.
# said: Hand in your function itself
answer = 3


# %% wrong: an endless loop
# misconception: endless loop
# why: It never comes to its end, so nothing can be said of it.
# said: still going|without calling
def answer(page):
    page.redis.incr("hits")
    while True:
        pass


# %% wrong: asks for ever
# misconception: endless loop
# why: It waits for a number that nobody is going to write.
# said: still going|in vain|waits for ever
def answer(page):
    page.redis.incr("hits")
    while page.redis.get("hits") != "ready":
        pass
