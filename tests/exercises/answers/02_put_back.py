"""A janitor for two lists: each job of a dead worker goes back into the right one."""
# exercise: 02_queues exercise-2-answer

# %% right: a script for one job
SCRIPT = """-- put one job back
local job = redis.call('LINDEX', KEYS[1], -1)
if not job then return 0 end
redis.call('LMOVE', KEYS[1], string.sub(job, 1, 1) == '!' and KEYS[2] or KEYS[3], 'RIGHT', 'LEFT')
return 1
"""


def answer(server):
    while server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs"):
        pass


# %% right: a script for all jobs at once
SCRIPT = """-- put all back
while true do
    local job = redis.call('RPOP', KEYS[1])
    if not job then return end
    if string.sub(job, 1, 1) == '!' then
        redis.call('LPUSH', KEYS[2], job)
    else
        redis.call('LPUSH', KEYS[3], job)
    end
end
"""


def answer(server):
    server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs")


# %% right: WATCH the list, move in MULTI
def answer(server):
    with server.pipeline() as pipe:
        while True:
            try:
                pipe.watch("pending:w1")
                job = pipe.lindex("pending:w1", -1)
                if job is None:
                    return
                pipe.multi()
                pipe.lmove("pending:w1", "urgent" if job[0] == "!" else "jobs", "RIGHT", "LEFT")
                pipe.execute()
            except redis.WatchError:
                continue


# %% right: WATCH, and the whole list in one transaction
def answer(server):
    def put_back(pipe):
        jobs = pipe.lrange("pending:w1", 0, -1)
        pipe.multi()
        for job in reversed(jobs):
            pipe.lpush("urgent" if job.startswith("!") else "jobs", job)
        pipe.delete("pending:w1")

    server.transaction(put_back, "pending:w1")


# %% right: remove, and push only what was there, in a script
SCRIPT = """-- move this one job, if it is still there
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then
    redis.call('LPUSH', KEYS[2], ARGV[1])
end
"""


def answer(server):
    move_one = server.register_script(SCRIPT)
    for job in server.lrange("pending:w1", 0, -1):
        move_one(keys=["pending:w1", "urgent" if job.startswith("!") else "jobs"], args=[job])


# %% right: a class, and a generator of jobs
class Janitor:
    SCRIPT = "return redis.call('LREM', KEYS[1], 0, ARGV[1]) > 0 and redis.call('RPUSH', KEYS[2], ARGV[1])"

    def __init__(self, server, pending):
        self.server, self.pending = server, pending

    def jobs(self):
        yield from self.server.lrange(self.pending, 0, -1)

    def list_of(self, job):
        return {"!": "urgent"}.get(job[:1], "jobs")

    def run(self):
        for job in self.jobs():
            self.server.eval(self.SCRIPT, 2, self.pending, self.list_of(job), job)


def answer(server):
    Janitor(server, "pending:w1").run()


# %% wrong: looks, then moves
# misconception: check, then act
# why: Between looking and moving another janitor moves the job that was looked at.
# said: job \S+ is lost, doubled or misplaced
def answer(server):
    while job := server.lindex("pending:w1", -1):
        server.lmove("pending:w1", "urgent" if job.startswith("!") else "jobs", "RIGHT", "LEFT")


# %% wrong: sleeps before it moves
# misconception: sleep
# why: A pause makes the bad order rarer; it also gives the other janitor more time.
# said: job \S+ is lost, doubled or misplaced
def answer(server):
    while job := server.lindex("pending:w1", -1):
        time.sleep(0.1)
        server.lmove("pending:w1", "urgent" if job.startswith("!") else "jobs", "RIGHT", "LEFT")


# %% wrong: pops, then pushes
# misconception: two steps for one move
# why: A janitor that dies between the steps has the job in its memory only.
# said: job \S+ is lost
def answer(server):
    while job := server.rpop("pending:w1"):
        server.lpush("urgent" if job.startswith("!") else "jobs", job)


# %% wrong: copies, then deletes
# misconception: two steps for one move
# why: Both janitors read the list before either deletes it, and each puts all jobs back.
# said: job \S+ is lost, doubled
def answer(server):
    for job in server.lrange("pending:w1", 0, -1):
        server.lpush("urgent" if job.startswith("!") else "jobs", job)
    server.delete("pending:w1")


# %% wrong: copies, then removes one by one
# misconception: two steps for one move
# why: The job is in two lists until it is removed, and a second janitor copies it again.
# said: job \S+ is lost, doubled
def answer(server):
    for job in server.lrange("pending:w1", 0, -1):
        server.lpush("urgent" if job.startswith("!") else "jobs", job)
        server.lrem("pending:w1", 1, job)


# %% wrong: removes, then pushes if it removed something
# misconception: two steps for one move
# why: LREM decides well who has the job; who dies before the push takes it along.
# said: job \S+ is lost
def answer(server):
    for job in server.lrange("pending:w1", 0, -1):
        if server.lrem("pending:w1", 1, job):
            server.lpush("urgent" if job.startswith("!") else "jobs", job)


# %% wrong: deletes first
# misconception: two steps for one move
# why: From the deletion to the last push the jobs are in no list.
# said: job \S+ is lost
def answer(server):
    jobs = server.lrange("pending:w1", 0, -1)
    server.delete("pending:w1")
    for job in jobs:
        server.lpush("urgent" if job.startswith("!") else "jobs", job)


# %% wrong: moves the first to urgent and the second to jobs
# misconception: hard-coding
# why: It knows one order of two jobs, and no other.
# said: job \S+ is lost, doubled or misplaced
def answer(server):
    server.lmove("pending:w1", "urgent", "RIGHT", "LEFT")
    server.lmove("pending:w1", "jobs", "RIGHT", "LEFT")


# %% wrong: knows the names of the jobs
# misconception: hard-coding
# why: Jobs that it has never heard of stay where they are.
# said: still pending
SCRIPT = """-- two jobs
if redis.call('LREM', KEYS[1], 1, '!a') == 1 then redis.call('LPUSH', KEYS[2], '!a') end
if redis.call('LREM', KEYS[1], 1, 'b') == 1 then redis.call('LPUSH', KEYS[3], 'b') end
"""


def answer(server):
    server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs")


# %% wrong: a script that moves two jobs
# misconception: hard-coding
# why: A list may have any length; this one stops after two.
# said: still pending
SCRIPT = """-- put one job back
local job = redis.call('LINDEX', KEYS[1], -1)
if not job then return 0 end
redis.call('LMOVE', KEYS[1], string.sub(job, 1, 1) == '!' and KEYS[2] or KEYS[3], 'RIGHT', 'LEFT')
return 1
"""


def answer(server):
    for _ in range(2):
        server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs")


# %% wrong: all into jobs
# misconception: half of the task
# why: No job is lost, and the urgent one waits behind the others.
# said: job !a is lost, doubled or misplaced
def answer(server):
    while server.lmove("pending:w1", "jobs", "RIGHT", "LEFT"):
        pass


# %% wrong: only the urgent ones
# misconception: half of the task
# why: The others stay with the dead worker.
# said: still pending
SCRIPT = """-- urgent jobs only
for _, job in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    if string.sub(job, 1, 1) == '!' then
        redis.call('LREM', KEYS[1], 1, job)
        redis.call('LPUSH', KEYS[2], job)
    end
end
"""


def answer(server):
    server.eval(SCRIPT, 2, "pending:w1", "urgent")


# %% wrong: one job only
# misconception: early return
# why: It puts one job back, and goes.
# said: still pending
SCRIPT = """-- put one job back
local job = redis.call('LINDEX', KEYS[1], -1)
if not job then return 0 end
redis.call('LMOVE', KEYS[1], string.sub(job, 1, 1) == '!' and KEYS[2] or KEYS[3], 'RIGHT', 'LEFT')
return 1
"""


def answer(server):
    server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs")


# %% wrong: does nothing
# misconception: early return
# why: A janitor that touches nothing breaks nothing, and helps nobody.
# said: still pending|ended without a call
def answer(server):
    return


# %% wrong: swallows every exception
# misconception: swallowing exceptions
# why: The script is wrong, the error says so, and nobody reads it.
# said: still pending
def answer(server):
    try:
        server.eval("return redis.call('LMOVE', KEYS[1])", 1, "pending:w1")
    except Exception:
        pass


# %% wrong: a lock without expiry
# misconception: lock without expiry
# why: A janitor that dies with the lock keeps it; no other ever gets in.
# said: still going|in vain|waits for ever
def answer(server):
    while not server.set("lock", "mine", nx=True):
        pass
    while job := server.lindex("pending:w1", -1):
        server.lmove("pending:w1", "urgent" if job.startswith("!") else "jobs", "RIGHT", "LEFT")
    server.delete("lock")


# %% wrong: a lock that expires while it is held
# misconception: lock with expiry
# why: A janitor that is slow still moves when its lock has expired and another has it.
# said: job \S+ is lost, doubled or misplaced|still going
def answer(server):
    while not server.set("lock", "mine", nx=True, ex=30):
        time.sleep(1)
    while job := server.lindex("pending:w1", -1):
        server.lmove("pending:w1", "urgent" if job.startswith("!") else "jobs", "RIGHT", "LEFT")
    server.delete("lock")


# %% wrong: leaves when another has the lock
# misconception: early return
# why: Who has the lock may be dead; then nobody puts anything back.
# said: still pending
def answer(server):
    if server.set("lock", "mine", nx=True):
        while job := server.lindex("pending:w1", -1):
            server.lmove("pending:w1", "urgent" if job.startswith("!") else "jobs", "RIGHT", "LEFT")
        server.delete("lock")


# %% wrong: a transaction without WATCH
# misconception: MULTI protects what was read before
# why: MULTI makes the writes one step; the job was looked up before it.
# said: job \S+ is lost, doubled
def answer(server):
    jobs = server.lrange("pending:w1", 0, -1)
    with server.pipeline(transaction=True) as pipe:
        for job in jobs:
            pipe.lpush("urgent" if job.startswith("!") else "jobs", job)
        pipe.delete("pending:w1")
        pipe.execute()


# %% wrong: WATCH, and gives up when it fails
# misconception: swallowing exceptions
# why: Who is disturbed has moved nothing; the other one may be dead.
# said: still pending
def answer(server):
    with server.pipeline() as pipe:
        try:
            while True:
                pipe.watch("pending:w1")
                job = pipe.lindex("pending:w1", -1)
                if job is None:
                    return
                pipe.multi()
                pipe.lmove("pending:w1", "urgent" if job[0] == "!" else "jobs", "RIGHT", "LEFT")
                pipe.execute()
        except redis.WatchError:
            return


# %% wrong: moves, looks, and corrects
# misconception: repairing afterwards
# why: Between the move and the correction the job is in the wrong list, and there a death leaves it.
# said: job \S+ is lost, doubled or misplaced
def answer(server):
    while job := server.lmove("pending:w1", "jobs", "RIGHT", "LEFT"):
        if job.startswith("!"):
            server.lrem("jobs", 1, job)
            server.lpush("urgent", job)


# %% wrong: remembers what it has moved
# misconception: caching in a global
# why: What this program remembers, the other janitor does not know.
# said: It keeps `moved` in a global variable
moved = set()


def answer(server):
    for job in server.lrange("pending:w1", 0, -1):
        if job not in moved:
            moved.add(job)
            server.lpush("urgent" if job.startswith("!") else "jobs", job)
            server.lrem("pending:w1", 1, job)


# %% wrong: empties the list when all is done
# misconception: sabotage of the table
# why: Nothing is pending when everything is thrown away.
# said: is lost
def answer(server):
    server.delete("pending:w1")


# %% wrong: writes what the check wants to see
# misconception: sabotage of the table
# why: What stands in the lists is made up; other jobs are lost.
# said: is lost, doubled
def answer(server):
    with server.pipeline(transaction=True) as pipe:
        pipe.delete("pending:w1", "urgent", "jobs")
        pipe.lpush("urgent", "!a")
        pipe.lpush("jobs", "b")
        pipe.execute()


# %% wrong: polls three times
# misconception: polling that ends early
# why: It waits for the other janitor to do the work, and stops waiting.
# said: still pending
def answer(server):
    for _ in range(3):
        if not server.llen("pending:w1"):
            return


# %% wrong: moves the other end
# misconception: looks at one end, moves the other
# why: LINDEX 0 is the left end, and LMOVE takes the right one: another job.
# said: job \S+ is lost, doubled or misplaced
SCRIPT = """-- put one job back
local job = redis.call('LINDEX', KEYS[1], 0)
if not job then return 0 end
redis.call('LMOVE', KEYS[1], string.sub(job, 1, 1) == '!' and KEYS[2] or KEYS[3], 'RIGHT', 'LEFT')
return 1
"""


def answer(server):
    while server.eval(SCRIPT, 3, "pending:w1", "urgent", "jobs"):
        pass


# %% wrong: a script that sets a global name
# misconception: Lua is not Python
# why: A name in Lua is global unless `local` stands before it, and Redis forbids global names.
# said: Attempt to modify a readonly table|Script attempted to set global variables
def answer(server):
    script = """
    job = redis.call('LINDEX', KEYS[1], -1)
    if not job then return 0 end
    redis.call('LMOVE', KEYS[1], string.sub(job, 1, 1) == '!' and KEYS[2] or KEYS[3], 'RIGHT', 'LEFT')
    return 1
    """
    while server.eval(script, 3, "pending:w1", "urgent", "jobs"):
        pass


# %% wrong: a script in Python's words
# misconception: Lua is not Python
# why: Lua says `if … then … end` and `not job`; Python's `if …:` and `is None` it cannot read.
# said: 'then' expected near 'is'
def answer(server):
    script = """
    local job = redis.call('LINDEX', KEYS[1], -1)
    if job is None: return 0
    redis.call('LMOVE', KEYS[1], KEYS[2] if job[0] == '!' else KEYS[3], 'RIGHT', 'LEFT')
    return 1
    """
    while server.eval(script, 3, "pending:w1", "urgent", "jobs"):
        pass
