"""Repair a flush that releases a batch it did not carry."""
# exercise: 04_counter_buffering exercise-2-answer

# %% right: releases only the batch that it carried
RELEASE = """-- release this batch
if redis.call('HGET', KEYS[1], 'name') == ARGV[1] then redis.call('DEL', KEYS[1]) end"""


def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        batch = dict(zip(fields[::2], fields[1::2], strict=True))
        apply_batch(site, batch)
        site.redis.eval(RELEASE, 1, "sealed", batch["name"])


# %% right: WATCH before it releases
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if not fields:
        return
    batch = dict(zip(fields[::2], fields[1::2]))
    apply_batch(site, batch)
    with site.redis.pipeline() as pipe:
        pipe.watch("sealed")
        if pipe.hget("sealed", "name") == batch["name"]:
            pipe.multi()
            pipe.delete("sealed")
            with suppress(redis.WatchError):
                pipe.execute()


# %% right: redis-py's own transaction loop
def answer(site):
    fields = iter(site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names"))
    batch = dict(zip(fields, fields))
    if not batch:
        return
    apply_batch(site, batch)

    def release(pipe):
        same = pipe.hget("sealed", "name") == batch["name"]
        pipe.multi()
        if same:
            pipe.unlink("sealed")

    site.redis.transaction(release, "sealed")


# %% right: the seal in Python, the release in a script
RELEASE = "return redis.call('HGET', KEYS[1], 'name') == ARGV[1] and redis.call('DEL', KEYS[1])"


class Flush:
    def __init__(self, site):
        self.site, self.redis = site, site.redis

    def batch(self):
        fields = self.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
        return {name: value for name, value in zip(fields[::2], fields[1::2])}

    def run(self):
        batch = self.batch()
        if batch:
            apply_batch(self.site, batch)
            self.redis.register_script(RELEASE)(keys=["sealed"], args=[batch["name"]])


def answer(site):
    Flush(site).run()


# %% right: the name is part of the key
SEAL = """-- one key for each batch
local names = redis.call('HGET', KEYS[2], 'first')
if not names and redis.call('EXISTS', KEYS[1]) == 1 then
  local name = redis.call('INCR', KEYS[3])
  redis.call('HSET', KEYS[2], 'first', name, 'hits', redis.call('HGET', KEYS[1], 'hits'))
  redis.call('DEL', KEYS[1])
end
return redis.call('HMGET', KEYS[2], 'first', 'hits')"""
RELEASE = "if redis.call('HGET', KEYS[1], 'first') == ARGV[1] then redis.call('DEL', KEYS[1]) end"


def answer(site):
    name, hits = site.redis.eval(SEAL, 3, "open", "waiting", "names")
    if name is not None:
        apply_batch(site, {"name": name, "hits": hits})
        site.redis.eval(RELEASE, 1, "waiting", name)


# %% wrong: releases whatever is there
# misconception: deletes without looking
# why: Meanwhile the other flusher may have released this batch and sealed the next one.
# said: hits, and SQL has \d+
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))
        site.redis.delete("sealed")


# %% wrong: looks, then deletes
# misconception: check, then act
# why: Between the look and the deletion the other flusher releases this batch and seals another.
# said: hits, and SQL has \d+
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        batch = dict(zip(fields[::2], fields[1::2]))
        apply_batch(site, batch)
        if site.redis.hget("sealed", "name") == batch["name"]:
            site.redis.delete("sealed")


# %% wrong: sleeps before it deletes
# misconception: sleep
# why: It gives the other flusher all the time that it needs to seal the next batch.
# said: hits, and SQL has \d+
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))
        time.sleep(1)
        site.redis.delete("sealed")


# %% wrong: deletes before it adds
# misconception: the order of two steps
# why: Who dies in between has taken the batch along; SQL has not heard of it.
# said: hits, and SQL has \d+
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        site.redis.delete("sealed")
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))


# %% wrong: never releases
# misconception: half of the task
# why: The first batch stays for ever, and no other is sealed behind it.
# said: hits, and SQL has 3
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))


# %% wrong: adds without the name
# misconception: retry without a key
# why: Who carries a batch again after a death adds it a second time.
# said: hits, and SQL has \d+
RELEASE = """-- release this batch
if redis.call('HGET', KEYS[1], 'name') == ARGV[1] then redis.call('DEL', KEYS[1]) end"""


def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        batch = dict(zip(fields[::2], fields[1::2]))
        with site.sql.begin() as tx:
            tx.execute(text("UPDATE stat SET hits = hits + :n"), {"n": int(batch["hits"])})
        site.redis.eval(RELEASE, 1, "sealed", batch["name"])


# %% wrong: takes the counter away in one step
# misconception: atomic is exactly once
# why: HGETALL and DEL in one transaction take the hits into a memory that can die.
# said: hits, and SQL has \d+
def answer(site):
    with site.redis.pipeline(transaction=True) as pipe:
        pipe.hget("open", "hits")
        pipe.delete("open")
        hits, _ = pipe.execute()
    if hits:
        with site.sql.begin() as tx:
            tx.execute(text("UPDATE stat SET hits = hits + :n"), {"n": int(hits)})


# %% wrong: one transaction around both
# misconception: a transaction of SQL covers Redis
# why: SQL can roll back what it has done, and nothing of what Redis has done.
# said: hits, and SQL has \d+|deadlock
def answer(site):
    with site.sql.begin() as tx:
        hits = int(site.redis.hget("open", "hits") or 0)
        tx.execute(text("UPDATE stat SET hits = hits + :n"), {"n": hits})
        site.redis.hincrby("open", "hits", -hits)


# %% wrong: reads, adds, deletes
# misconception: read-modify-write
# why: A hit that comes between the read and the deletion is deleted unread.
# said: hits, and SQL has \d+
def answer(site):
    hits = int(site.redis.hget("open", "hits") or 0)
    with site.sql.begin() as tx:
        tx.execute(text("UPDATE stat SET hits = hits + :n"), {"n": hits})
    site.redis.delete("open")


# %% wrong: subtracts what it has read
# misconception: subtracting heals
# why: Two flushers read the same count and both add it; a death after the addition leaves it.
# said: hits, and SQL has \d+
def answer(site):
    hits = int(site.redis.hget("open", "hits") or 0)
    with site.sql.begin() as tx:
        tx.execute(text("UPDATE stat SET hits = hits + :n"), {"n": hits})
    site.redis.hincrby("open", "hits", -hits)


# %% wrong: the expected number
# misconception: hard-coding
# why: Where three hits wait and one is made it is four; where five wait it is five.
# said: hits, and SQL has \d+
def answer(site):
    with site.sql.begin() as tx:
        tx.execute(text("UPDATE stat SET hits = 4"))


# %% wrong: sets the sum to what is in Redis
# misconception: overwriting the sum
# why: What was carried before is overwritten with what is new.
# said: hits, and SQL has \d+
def answer(site):
    hits = int(site.redis.hget("open", "hits") or 0)
    with site.sql.begin() as tx:
        tx.execute(text("UPDATE stat SET hits = :n"), {"n": hits})
    site.redis.delete("open")


# %% wrong: does nothing
# misconception: early return
# why: The hits stay in Redis.
# said: 4 hits, and SQL has 0|3 hits, and SQL has 0|ended without a call
def answer(site):
    return


# %% wrong: flushes only when nobody else does
# misconception: lock without expiry
# why: Who dies with the lock keeps it, and nobody flushes any more.
# said: hits, and SQL has \d+
def answer(site):
    if not site.redis.set("lock", "mine", nx=True):
        return
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))
        site.redis.delete("sealed")
    site.redis.delete("lock")


# %% wrong: a lock that it waits for
# misconception: lock without expiry
# why: The holder dies, and all others ask for ever; nothing is flushed.
# said: still going|in vain|does not end
def answer(site):
    while not site.redis.set("lock", "mine", nx=True):
        pass
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))
        site.redis.delete("sealed")
    site.redis.delete("lock")


# %% wrong: lets the sealed batch expire
# misconception: key with expiry
# why: A batch that expires before it is carried is lost; until then no other is sealed.
# said: hits, and SQL has \d+|cannot be searched
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        apply_batch(site, dict(zip(fields[::2], fields[1::2])))
        site.redis.expire("sealed", 60)


# %% wrong: swallows what goes wrong
# misconception: swallowing exceptions
# why: The batch is released even when SQL has refused it.
# said: hits, and SQL has \d+
def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if fields:
        try:
            apply_batch(site, dict(zip(fields[::2], fields[2::2])))
        except Exception:
            pass
        site.redis.delete("sealed")


# %% wrong: remembers the batch in the program
# misconception: caching in a global
# why: A program that dies forgets; and the other flusher is another program.
# said: It keeps `carried` in a global variable
carried = set()


def answer(site):
    fields = site.redis.eval(SEAL_BATCH, 3, "open", "sealed", "names")
    if not fields:
        return
    batch = dict(zip(fields[::2], fields[1::2]))
    if batch["name"] not in carried:
        carried.add(batch["name"])
        apply_batch(site, batch)
    site.redis.delete("sealed")
