"""Add a job to the total and acknowledge it, once, whoever calls again."""
# exercise: 02_queues exercise-3-answer

# %% right: acknowledge, and only then add, in a script
SCRIPT = """-- finish once
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then
    redis.call('INCRBY', KEYS[2], ARGV[1])
end
"""


def answer(server, pending, job):
    server.eval(SCRIPT, 2, pending, "total", job)


# %% right: WATCH the pending list
def answer(server, pending, job):
    with server.pipeline() as pipe:
        while True:
            try:
                pipe.watch(pending)
                if job not in pipe.lrange(pending, 0, -1):
                    return
                pipe.multi()
                pipe.incrby("total", int(job))
                pipe.lrem(pending, 1, job)
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% right: redis-py's own transaction loop
def answer(server, pending, job):
    def finish(pipe):
        there = pipe.lpos(pending, job) is not None
        pipe.multi()
        if there:
            pipe.lrem(pending, 1, job)
            pipe.incrby("total", job)

    server.transaction(finish, pending)


# %% right: a registered script that says whether it did it
SCRIPT = """-- add what could be removed
local removed = redis.call('LREM', KEYS[1], 0, ARGV[1])
if removed > 0 then redis.call('INCRBY', KEYS[2], tonumber(ARGV[1])) end
return removed
"""


def answer(server, pending, job):
    finish = server.register_script(SCRIPT)
    return bool(finish(keys=[pending, "total"], args=[int(job)]))


# %% right: a class with a rule for the sum
class Total:
    ADD = "local n = redis.call('LREM', KEYS[2], 1, ARGV[1]); redis.call('INCRBY', KEYS[1], n * ARGV[1])"

    def __init__(self, server, key="total"):
        self.server, self.key = server, key

    def add(self, pending, job):
        self.server.eval(self.ADD, 2, self.key, pending, job)


def answer(server, pending, job):
    Total(server).add(pending, job)


# %% right: a key for each job, in the same step
SCRIPT = """-- the job's key, the total and the acknowledgement in one
if redis.call('SADD', KEYS[3], ARGV[1]) == 1 then redis.call('INCRBY', KEYS[2], ARGV[1]) end
redis.call('LREM', KEYS[1], 1, ARGV[1])
"""


def answer(server, pending, job):
    server.eval(SCRIPT, 3, pending, "total", "finished", job)


# %% right: GET and SET inside the script
SCRIPT = """-- by hand
for _, other in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    if other == ARGV[1] then
        redis.call('LREM', KEYS[1], 1, other)
        local total = tonumber(redis.call('GET', KEYS[2]) or '0')
        redis.call('SET', KEYS[2], total + tonumber(other))
        return
    end
end
"""


def answer(server, pending, job):
    server.eval(SCRIPT, 2, pending, "total", job)


# %% wrong: adds, then acknowledges
# misconception: two steps
# why: A job that is handed on between the two steps is added by both workers.
# said: the total is \d+, not 12
def answer(server, pending, job):
    server.incrby("total", int(job))
    server.lrem(pending, 1, job)


# %% wrong: acknowledges, then adds
# misconception: two steps
# why: Who dies in between has removed the job and not added it.
# said: the total is \d+, not 12
def answer(server, pending, job):
    if server.lrem(pending, 1, job):
        server.incrby("total", int(job))


# %% wrong: acknowledges, then adds in any case
# misconception: two steps
# why: LREM says whether the job was still there; without looking, both workers add it.
# said: the total is \d+, not 12
def answer(server, pending, job):
    server.lrem(pending, 1, job)
    server.incrby("total", int(job))


# %% wrong: both in one transaction
# misconception: MULTI decides
# why: MULTI makes it one step, but adds also when there was nothing to acknowledge.
# said: the total is \d+, not 12
def answer(server, pending, job):
    with server.pipeline(transaction=True) as pipe:
        pipe.incrby("total", int(job))
        pipe.lrem(pending, 1, job)
        pipe.execute()


# %% wrong: looks, then a transaction
# misconception: check, then act
# why: Without WATCH the job can be handed on between the look and the transaction.
# said: the total is \d+, not 12
def answer(server, pending, job):
    if job in server.lrange(pending, 0, -1):
        with server.pipeline(transaction=True) as pipe:
            pipe.incrby("total", int(job))
            pipe.lrem(pending, 1, job)
            pipe.execute()


# %% wrong: WATCH, and gives up when it fails
# misconception: swallowing exceptions
# why: WATCH fails when anything in the list changes; then the job is neither added nor removed.
# said: the total is \d+, not 12|not acknowledged
from contextlib import suppress


def answer(server, pending, job):
    with server.pipeline() as pipe, suppress(redis.WatchError):
        pipe.watch("total")
        pipe.multi()
        pipe.incrby("total", int(job))
        pipe.lrem(pending, 1, job)
        pipe.execute()


# %% wrong: watches the total, not the job
# misconception: watches the wrong key
# why: The total has not changed, so the transaction holds; but the job has another worker now.
# said: the total is \d+, not 12
def answer(server, pending, job):
    with server.pipeline() as pipe:
        while True:
            try:
                pipe.watch("total")
                total = int(pipe.get("total") or 0)
                pipe.multi()
                pipe.set("total", total + int(job))
                pipe.lrem(pending, 1, job)
                pipe.execute()
                return
            except redis.WatchError:
                continue


# %% wrong: the expected total
# misconception: hard-coding
# why: It is right for the jobs 7 and 5, and for no others.
# said: the total is 12, not 30
def answer(server, pending, job):
    with server.pipeline(transaction=True) as pipe:
        pipe.set("total", 12)
        pipe.lrem(pending, 1, job)
        pipe.execute()


# %% wrong: a script that sets the expected total
# misconception: hard-coding
# why: Two jobs with other numbers have another sum.
# said: the total is 12, not 30
def answer(server, pending, job):
    script = "redis.call('LREM', KEYS[1], 0, ARGV[1]) redis.call('SET', KEYS[2], 12)"
    server.eval(script, 2, pending, "total", job)


# %% wrong: never acknowledges
# misconception: half of the task
# why: The total is right as long as nobody hands the job out again; it stays pending.
# said: not acknowledged
def answer(server, pending, job):
    script = "if redis.call('SADD', KEYS[1], ARGV[1]) == 1 then redis.call('INCRBY', KEYS[2], ARGV[1]) end"
    server.eval(script, 2, "finished", "total", job)


# %% wrong: never adds
# misconception: half of the task
# why: Acknowledged and not done: the job is lost.
# said: the total is 0, not 12
def answer(server, pending, job):
    server.lrem(pending, 1, job)


# %% wrong: does nothing
# misconception: early return
# why: It is called, and returns.
# said: the total is 0, not 12|ended without a call
def answer(server, pending, job):
    return


# %% wrong: a key in a step of its own
# misconception: two steps
# why: A worker that dies after it set the key has told everybody that the job was added.
# said: the total is \d+, not 12
def answer(server, pending, job):
    if server.sadd("finished", job):
        server.incrby("total", int(job))
    server.lrem(pending, 1, job)


# %% wrong: the key after the effect
# misconception: two steps
# why: Between the effect and its key the job can be handed on, and is added again.
# said: the total is \d+, not 12
def answer(server, pending, job):
    if not server.sismember("finished", job):
        server.incrby("total", int(job))
        server.sadd("finished", job)
    server.lrem(pending, 1, job)


# %% wrong: a key that expires
# misconception: key with expiry
# why: Whoever comes back after the hour finds no key, and adds the job again.
# said: the total is \d+, not \d+
SCRIPT = """-- with a key for half an hour
if redis.call('SET', KEYS[3], 1, 'NX', 'EX', 1800) then redis.call('INCRBY', KEYS[2], ARGV[1]) end
redis.call('LREM', KEYS[1], 1, ARGV[1])
"""


def answer(server, pending, job):
    server.eval(SCRIPT, 3, pending, "total", f"finished:{job}", job)


# %% wrong: remembers in the program what it has added
# misconception: caching in a global
# why: The other worker is another program, and so is the survivor.
# said: It keeps `added` in a global variable
added = set()


def answer(server, pending, job):
    if job not in added:
        added.add(job)
        server.incrby("total", int(job))
    server.lrem(pending, 1, job)


# %% wrong: swallows the lost reply
# misconception: swallowing exceptions
# why: A lost reply does not tell whether the call was done; going on as if it was loses it.
# said: the total is \d+, not 12
def answer(server, pending, job):
    try:
        server.incrby("total", int(job))
        server.lrem(pending, 1, job)
    except redis.ConnectionError:
        pass


# %% wrong: tries each step again
# misconception: retry without a key
# why: The step whose reply was lost was done; doing it again adds the job twice.
# said: the total is \d+, not 12
def answer(server, pending, job):
    for step in (lambda: server.incrby("total", int(job)), lambda: server.lrem(pending, 1, job)):
        try:
            step()
        except redis.ConnectionError:
            step()


# %% wrong: reads the total, adds, writes it back
# misconception: read-modify-write
# why: Two workers read the same total, and one addition is gone.
# said: the total is \d+, not 12
def answer(server, pending, job):
    total = int(server.get("total") or 0)
    server.set("total", total + int(job))
    server.lrem(pending, 1, job)


# %% wrong: sleeps, so that the janitor is through
# misconception: sleep
# why: Nobody knows how long the janitor takes.
# said: the total is \d+, not 12
def answer(server, pending, job):
    time.sleep(1)
    if server.lpos(pending, job) is not None:
        server.incrby("total", int(job))
        server.lrem(pending, 1, job)


# %% wrong: a lock that is never given back
# misconception: lock without expiry
# why: The next one to finish waits for ever, be it the survivor.
# said: still going|in vain|does not end|waits for ever
def answer(server, pending, job):
    while not server.setnx("lock", "mine"):
        pass
    if server.lrem(pending, 1, job):
        server.incrby("total", int(job))


# %% wrong: a lock without expiry
# misconception: lock without expiry
# why: A worker that dies with the lock stops all others, and the survivor.
# said: still going|in vain|does not end|waits for ever|the total is
def answer(server, pending, job):
    while not server.set("lock", "mine", nx=True):
        pass
    if server.lrem(pending, 1, job):
        server.incrby("total", int(job))
    server.delete("lock")


# %% wrong: a lock that expires
# misconception: lock with expiry
# why: Its holder can die between the two steps that it protects; the lock goes, the half stays.
# said: still going|in vain|does not end|the total is
def answer(server, pending, job):
    while not server.set("lock", "mine", nx=True, ex=10):
        time.sleep(1)
    if server.lrem(pending, 1, job):
        server.incrby("total", int(job))
    server.delete("lock")


# %% wrong: empties the list
# misconception: sabotage of the table
# why: Deleting the pending list throws away whatever else is in it, and adds a job twice.
# said: the total is \d+, not 12
def answer(server, pending, job):
    with server.pipeline(transaction=True) as pipe:
        pipe.incrby("total", int(job))
        pipe.delete(pending)
        pipe.execute()


# %% wrong: looks for the job in its own list only
# misconception: wrong key
# why: The job is in the list that is handed over; `pending:w1` is one of several.
# said: the total is \d+, not 12|not acknowledged
SCRIPT = """-- finish once
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then
    redis.call('INCRBY', KEYS[2], ARGV[1])
end
"""


def answer(server, pending, job):
    server.eval(SCRIPT, 2, "pending:w1", "total", job)


# %% wrong: adds in floats
# misconception: float
# why: INCRBYFLOAT rounds from the seventeenth digit on; here it adds in any case, as well.
# said: the total is|cannot read
def answer(server, pending, job):
    with server.pipeline(transaction=True) as pipe:
        pipe.incrbyfloat("total", float(job))
        pipe.lrem(pending, 1, job)
        pipe.execute()
