"""The steps of StreamQueue that must be one: each a Lua script, which Redis runs alone.

KEYS: the stream, entries by job key, the jobs set aside. ARGV of all but PUT: the group, the
worker, its lease in ms, the entry, its try, its key. It is mine if it is pending with me for it.
"""

PUT = """-- add jobs, each once for its key, up to one whose key has another payload
for i = 1, #ARGV, 2 do
    local entry = redis.call('HGET', KEYS[2], ARGV[i])
    if not entry then
        entry = redis.call('XADD', KEYS[1], '0-*', 'key', ARGV[i], 'payload', ARGV[i + 1])
        redis.call('HSET', KEYS[2], ARGV[i], entry)
    elseif redis.call('XRANGE', KEYS[1], entry, entry)[1][2][4] ~= ARGV[i + 1] then
        return ARGV[i]
    end
end
"""
COUNTS = """-- count at one moment
return {redis.call('XLEN', KEYS[1]), redis.call('XPENDING', KEYS[1], ARGV[1])[1],
    redis.call('HLEN', KEYS[3])}
"""
COUNT_LATE = """-- count those that have outlived their lease
return #redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', 100)
"""
TAKE = """local late = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', 1)[1]
local entry = late and redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, late[1])[1]
if entry then return {entry[1], entry[2], late[4] + 1} end
local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
if not new then return false end
local read = (new[2] or new[1][2])[1] -- fakeredis and RESP3: without the outer list
return {read[1], read[2], 1}
"""
CLAIM = f"-- claim the first entry that no worker touched for a lease, or take a new one\n{TAKE}"
MINE = """local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4], ARGV[4], 1)[1]
if not held or held[2] ~= ARGV[2] or held[4] ~= tonumber(ARGV[5]) then return 0 end
"""
SET_IDLE = f"""-- set how long ago its lease began, if the job is still mine
{MINE}redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[4], 'IDLE', ARGV[7], 'JUSTID')
return 1
"""
FORGET = f"""{MINE}redis.call('XACK', KEYS[1], ARGV[1], ARGV[4])
redis.call('XDEL', KEYS[1], ARGV[4])
redis.call('HDEL', KEYS[2], ARGV[6])
"""
DONE = f"-- finish the job, if it is still mine\n{FORGET}return 1\n"
DONE_AND_CLAIM = f"-- finish the job, if it is still mine, and take the next\n{FORGET}{TAKE}"
SET_ASIDE = f"""-- set the job aside, if it is still mine
{FORGET}redis.call('HSET', KEYS[3], ARGV[6], ARGV[7])
return 1
"""
