"""Lua scripts for the steps of ReliableQueue that must be atomic: Redis runs each alone.

KEYS: the waiting list, the worker's pending list, payloads by key, tries by key, the workers'
names, the worker's lease, the jobs set aside. ARGV of all but PUT: the worker, its lease in ms, the
job's key, its try. A job is still mine if it is in my list and no worker has been handed it since.
"""

PUT = """-- put jobs, each once for its key, up to one whose key has another payload
for i = 1, #ARGV, 2 do
    if redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[i + 1]) == 1 then
        redis.call('LPUSH', KEYS[1], ARGV[i])
    elseif redis.call('HGET', KEYS[3], ARGV[i]) ~= ARGV[i + 1] then
        return ARGV[i]
    end
end
"""
TAKE = """redis.call('SADD', KEYS[5], ARGV[1])
redis.call('SET', KEYS[6], 'alive', 'PX', ARGV[2])
local key = redis.call('LINDEX', KEYS[2], -1)
    or redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
if not key then return false end
return {key, redis.call('HGET', KEYS[3], key), redis.call('HINCRBY', KEYS[4], key, 1)}
"""
CLAIM = f"-- begin a lease, take a job\n{TAKE}"
RENEW = """-- renew the lease, if the job is still mine
if redis.call('HGET', KEYS[4], ARGV[3]) ~= ARGV[4]
    or not redis.call('LPOS', KEYS[2], ARGV[3]) then return 0 end
redis.call('SET', KEYS[6], 'alive', 'PX', ARGV[2])
return 1
"""
LET_GO = """if redis.call('HGET', KEYS[4], ARGV[3]) ~= ARGV[4]
    or redis.call('LREM', KEYS[2], 1, ARGV[3]) == 0 then return 0 end
"""
FORGET = f"""{LET_GO}redis.call('HDEL', KEYS[3], ARGV[3])
redis.call('HDEL', KEYS[4], ARGV[3])
"""
DONE = f"-- finish the job, if it is still mine\n{FORGET}return 1\n"
DONE_AND_CLAIM = f"-- finish the job, if it is still mine, and take the next\n{FORGET}{TAKE}"
GIVE_BACK = f"""-- give the job back, if it is still mine
{LET_GO}redis.call('LPUSH', KEYS[1], ARGV[3])
return 1
"""
SET_ASIDE = f"""-- set the job aside, if it is still mine
{FORGET}redis.call('HSET', KEYS[7], ARGV[3], ARGV[5])
return 1
"""
COUNTS = """-- count at one moment
return {redis.call('LLEN', KEYS[1]), redis.call('HLEN', KEYS[3]), redis.call('HLEN', KEYS[7])}
"""
RECOVER = """-- put back the jobs of a worker whose lease has run out
local count = 0
if redis.call('EXISTS', KEYS[6]) == 0 then
    while redis.call('LMOVE', KEYS[2], KEYS[1], 'LEFT', 'RIGHT') do count = count + 1 end
end
return count
"""
