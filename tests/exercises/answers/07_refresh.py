"""Rotate a refresh token, for requests that are repeated after a lost reply."""
# exercise: 07_one_api exercise-2-answer


# %% right: the first decides, the others carry it out
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"next:{old}", new, nx=True, ex=3600)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% right: SETNX and GET in one command
def answer(redis, old, new):
    if (learner := redis.get(f"refresh:{old}")) is None:
        return None
    chosen = redis.set(f"next:{old}", new, nx=True, get=True) or new
    redis.set(f"refresh:{chosen}", learner, ex=86400)
    redis.expire(f"refresh:{old}", 60, lt=True)
    return chosen


# %% right: a script
def answer(redis, old, new):
    script = """-- one successor for each token
    local learner = redis.call('GET', KEYS[1])
    if not learner then return false end
    redis.call('SET', KEYS[2], ARGV[1], 'NX')
    local chosen = redis.call('GET', KEYS[2])
    redis.call('SET', 'refresh:' .. chosen, learner)
    redis.call('EXPIRE', KEYS[1], 60)
    return chosen
    """
    return redis.eval(script, 2, f"refresh:{old}", f"next:{old}", new)


# %% right: a hash of successors
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if not learner:
        return None
    redis.hsetnx("successors", old, new)
    chosen = redis.hget("successors", old)
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 30)
    return chosen


# %% right: WATCH and MULTI
def answer(redis, old, new):
    from redis import WatchError

    while True:
        with redis.pipeline() as pipe:
            pipe.watch(f"next:{old}")
            learner, chosen = pipe.get(f"refresh:{old}"), pipe.get(f"next:{old}")
            if learner is None:
                return None
            if chosen:
                return chosen
            pipe.multi()
            pipe.set(f"next:{old}", new).set(f"refresh:{new}", learner)
            pipe.expire(f"refresh:{old}", 60)
            try:
                pipe.execute()
            except WatchError:
                continue
            return new


# %% wrong: the starting code
# misconception: take, then act
# why: What is taken is gone; the repeated request finds nothing, and the learner is thrown out.
# said: Ada is thrown out
def answer(redis, old, new):
    learner = redis.getdel(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"refresh:{new}", learner)
    return new


# %% wrong: stores the new one first, and then takes the old
# misconception: take, then act
# why: What is taken is gone; the repeated request finds nothing, and the learner is thrown out.
# said: Ada is (thrown out|given new-1 and new-2)
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"refresh:{new}", learner)
    redis.delete(f"refresh:{old}")
    return new


# %% wrong: RENAME
# misconception: one step is enough
# why: One step cannot be halved, but it can be repeated: the second request finds nothing.
# said: Ada is thrown out
def answer(redis, old, new):
    from redis import ResponseError

    try:
        redis.rename(f"refresh:{old}", f"refresh:{new}")
    except ResponseError:
        return None
    return new


# %% wrong: MULTI and EXEC
# misconception: one step is enough
# why: One step cannot be halved, but it can be repeated: the second request finds nothing.
# said: Ada is (thrown out|given new-1 and new-2)
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.pipeline().set(f"refresh:{new}", learner).delete(f"refresh:{old}").execute()
    return new


# %% wrong: every request gets a token of its own
# misconception: a repeat is a new request
# why: The repeated request is the same one: it must get the same answer, or there are two lines.
# said: Ada is given new-1 and new-2
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"refresh:{new}", learner)
    redis.expire(f"refresh:{old}", 60)
    return new


# %% wrong: remembers the successor, and returns its own
# misconception: answers what it made
# why: The first server decides; the others must say what is stored, not what they have made.
# said: Ada is given new-1 and new-2
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    if redis.set(f"next:{old}", new, nx=True):
        redis.set(f"refresh:{new}", learner)
        redis.expire(f"refresh:{old}", 60)
    return new


# %% wrong: looks for a successor, then stores one
# misconception: check, then act
# why: Between the look and the SET the other server stores its own: SET with nx=True is one step.
# said: Ada is given new-1 and new-2
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    chosen = redis.get(f"next:{old}")
    if chosen is None:
        chosen = new
        redis.set(f"next:{old}", chosen)
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% wrong: the last one wins
# misconception: check, then act
# why: Without nx=True the second server overwrites what the first has already answered.
# said: Ada is given new-1 and new-2
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"next:{old}", new)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% wrong: who comes second gets nothing
# misconception: a repeat is an attack
# why: The client repeats because it heard nothing: refused, it has no token at all.
# said: Ada is thrown out
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None or not redis.set(f"next:{old}", new, nx=True):
        return None
    redis.set(f"refresh:{new}", learner)
    redis.expire(f"refresh:{old}", 60)
    return new


# %% wrong: a lock that is never given back
# misconception: a lock is an answer
# why: A lock says who goes first, not what the other is to answer.
# said: Ada is thrown out
def answer(redis, old, new):
    if not redis.set(f"lock:{old}", 1, nx=True, ex=10):
        return None
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        redis.delete(f"lock:{old}")
        return None
    redis.set(f"refresh:{new}", learner)
    redis.expire(f"refresh:{old}", 60)
    return new


# %% wrong: only the winner stores the token
# misconception: the winner will finish
# why: The winner can die in between: who finds its decision must carry it out.
# said: Ada is given new-\d, which stands for None
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    if redis.set(f"next:{old}", new, nx=True):
        redis.set(f"refresh:{new}", learner)
        redis.expire(f"refresh:{old}", 60)
    return redis.get(f"next:{old}")


# %% wrong: the old token ends at once
# misconception: the old one must go now
# why: The client that has heard nothing has no other token: leave it a while.
# said: Ada is thrown out
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"next:{old}", new, nx=True)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    redis.delete(f"refresh:{old}")
    return chosen


# %% wrong: the old token never ends
# misconception: no end
# why: A token that was stolen stays good for as long as it did before: nothing rotates.
# said: the old token is good for longer than 60 seconds more
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"next:{old}", new, nx=True)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    return chosen


# %% wrong: an hour more
# misconception: no end
# why: The old token needs as long as a repeated request may take, and that is seconds.
# said: the old token is good for longer than 60 seconds more
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    redis.set(f"next:{old}", new, nx=True)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 3600)
    return chosen


# %% wrong: the old one again
# misconception: no rotation
# why: A token that is given again is not a new one: who has stolen it keeps it.
# said: Ada is given 'old', which no server has made
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    return learner and old


# %% wrong: the next one is made from the old one
# misconception: a token that can be computed
# why: Who has stolen the old token can compute the new one as well.
# said: Ada is given 'old-next', which no server has made
def answer(redis, old, new):
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    chosen = f"{old}-next"
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% wrong: does not look whether the token is good
# misconception: trusts the text
# why: A text that says it is a token is a token only if it was given out: look it up.
# said: a forged token
def answer(redis, old, new):
    redis.set(f"next:{old}", new, nx=True)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", redis.get(f"refresh:{old}") or "ada")
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% wrong: decides before it looks
# misconception: trusts the text
# why: A forged token is refused too late: what it left behind stays, for every one that is tried.
# said: a forged token leaves \['next:forged'\] behind
def answer(redis, old, new):
    redis.set(f"next:{old}", new, nx=True)
    learner = redis.get(f"refresh:{old}")
    if learner is None:
        return None
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", learner)
    redis.expire(f"refresh:{old}", 60)
    return chosen


# %% wrong: forgets whose it is
# misconception: whose token
# why: The token stands for a learner; a new one that does not name them opens the class to nobody.
# said: which stands for 1
def answer(redis, old, new):
    if not redis.exists(f"refresh:{old}"):
        return None
    redis.set(f"next:{old}", new, nx=True)
    chosen = redis.get(f"next:{old}")
    redis.set(f"refresh:{chosen}", 1)
    redis.expire(f"refresh:{old}", 60)
    return chosen
