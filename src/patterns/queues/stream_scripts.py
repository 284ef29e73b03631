"""The steps of StreamQueue that must be one: each a Lua script, which Redis runs alone.

KEYS: the stream, entries by job key, the jobs set aside. ARGV of all but PUT: the group, the
entry, the worker, its try. An entry is still mine if it is pending with me, for that try.
"""

PUT = """-- add a job, once for each key
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry then
    entry = redis.call('XADD', KEYS[1], '0-*', 'key', ARGV[1], 'payload', ARGV[2])
    redis.call('HSET', KEYS[2], ARGV[1], entry)
end
return redis.call('XRANGE', KEYS[1], entry, entry)[1][2][4]
"""
COUNTS = """-- count at one moment
return {redis.call('XLEN', KEYS[1]), redis.call('XPENDING', KEYS[1], ARGV[1])[1],
    redis.call('HLEN', KEYS[3])}
"""
MINE = """local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)[1]
if not held or held[2] ~= ARGV[3] or held[4] ~= tonumber(ARGV[4]) then return 0 end
"""
RENEW = f"""-- renew the lease, if the job is still mine
{MINE}redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[2], 'JUSTID')
return 1
"""
GIVE_BACK = f"""-- give the job back, if it is still mine
{MINE}redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[2], 'IDLE', ARGV[5], 'JUSTID')
return 1
"""
FORGET = f"""{MINE}redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[5])
"""
DONE = f"""-- finish the job, if it is still mine
{FORGET}return 1
"""
SET_ASIDE = f"""-- set the job aside, if it is still mine
{FORGET}redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
return 1
"""
