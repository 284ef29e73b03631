"""The commands and scripts of random Redis programs.

k, l are keys, f a field, v a value, n a number, i an entry's id. A world begins at 1000 s, and its
clock goes on by 6 or 11 s: nothing expires at just that moment, where a real server keeps it for
one more millisecond.
"""

from __future__ import annotations

FAMILIES: dict[str, str] = {
    "strings": """GET k|SET k v|INCR k|INCRBY k n|APPEND k v|SETNX k v|GETSET k v|GETDEL k
        SET k v NX|SET k v XX GET|STRLEN k|DEL k|MGET k l|MSET k v l v|EXISTS k l|SETRANGE k 1 v
        GETRANGE k 0 1|DECR k|RENAME k l|COPY k l|TYPE k|MSETNX k v l v|UNLINK k|DBSIZE
        KEYS *|SETBIT k 1 1|BITCOUNT k|GETBIT k 1|PFADD k v|PFCOUNT k|INCRBYFLOAT k 0.5|RENAMENX k l
        TOUCH k""",
    "hashes": """HSET k f v|HGET k f|HGETALL k|HKEYS k|HDEL k f|HINCRBY k f n|HLEN k|HVALS k
        HSETNX k f v|HEXISTS k f|HMGET k f x|HSTRLEN k f|DEL k|HSET k f v x v""",
    "lists": """LPUSH k v|RPUSH k v|LPOP k|RPOP k|LRANGE k 0 -1|LLEN k|LREM k 0 v|LINDEX k 0
        LMOVE k l LEFT RIGHT|LSET k 0 v|RPOPLPUSH k l|LPOS k v|LTRIM k 0 0|LINSERT k BEFORE v v
        LPUSHX k v|DEL k|LPOP k 2|LMPOP 2 k l LEFT|RPUSH k v v|SORT k ALPHA""",
    "sets": """SADD k v|SREM k v|SMEMBERS k|SCARD k|SISMEMBER k v|SMOVE k l v|SINTER k l|SUNION k l
        SDIFFSTORE k k l|SMISMEMBER k v x|SUNIONSTORE k k l|SINTERCARD 2 k l|DEL k|SADD k v x""",
    "sorted": """ZADD k n v|ZINCRBY k n v|ZRANGE k 0 -1 WITHSCORES|ZREM k v|ZSCORE k v|ZCARD k
        ZPOPMIN k|ZPOPMAX k|ZRANK k v|ZCOUNT k 0 n|ZADD k NX n v|ZADD k GT CH n v
        ZRANGEBYSCORE k 0 n|ZREMRANGEBYSCORE k 0 n|DEL k|ZREVRANGE k 0 0|ZRANGESTORE k l 0 -1""",
    "streams": """XADD k * f v|XLEN k|XRANGE k - +|XREAD STREAMS k 0|XDEL k i|XTRIM k MAXLEN 1
        XGROUP CREATE k g 0 MKSTREAM|XREADGROUP GROUP g c COUNT 1 STREAMS k >|XACK k g i
        XREADGROUP GROUP g c STREAMS k 0|XPENDING k g|XCLAIM k g d 0 i|XINFO GROUPS k
        XGROUP CREATECONSUMER k g d|XGROUP DELCONSUMER k g c|XGROUP DESTROY k g|XREVRANGE k + -
        XAUTOCLAIM k g d 0 0|XADD k NOMKSTREAM * f v|XADD k MAXLEN 1 * f v|XSETID k 2000000-0
        XGROUP SETID k g $|DEL k|XREAD STREAMS k $|XAUTOCLAIM k g d 6000 0 JUSTID|XPENDING k g - + 9
        XPENDING k g IDLE 6000 - + 9 c|XCLAIM k g d 6000 i|XCLAIM k g d 0 i JUSTID|XACK k g i
        XREADGROUP GROUP g c NOACK STREAMS k >|XREADGROUP GROUP g d COUNT 1 STREAMS k >
        XADD k 999000-* f v|XREADGROUP GROUP g d STREAMS k l > >|XCLAIM k g d 0 i RETRYCOUNT 5""",
    "blocking": """BLPOP k 0|BRPOP k 1|BLMOVE k l LEFT RIGHT 1|BRPOPLPUSH k l 0|BLPOP k l 1
        RPUSH k v|LPUSH k v v|LPOP k|BLMPOP 1 2 k l LEFT
        BLMOVE k l LEFT RIGHT 0|RPUSH l v""",
    "blocking2": """BZPOPMIN k 0|BZPOPMAX k 1|BZMPOP 1 1 k MIN|ZADD k n v|ZPOPMIN k
        XREAD BLOCK 1000 STREAMS k 0|XREAD BLOCK 0 STREAMS k 0|XADD k * f v
        ZADD l n v|BZPOPMIN k l 1
        XREADGROUP GROUP g c COUNT 1 BLOCK 1000 STREAMS k >|XGROUP CREATE k g 0 MKSTREAM
        XREAD BLOCK 1000 STREAMS k $|XREAD BLOCK 0 STREAMS k l $ 0|XADD k * f v
        XREADGROUP GROUP g d BLOCK 0 STREAMS k >|XGROUP CREATE k g $ MKSTREAM""",
    "expiry": """SET k v EX 10|SET k v|SET k v KEEPTTL|EXPIRE k 10|PERSIST k|TTL k|GET k
        GETEX k EX 20
        EXPIRE k 20 NX|SETEX k 5 v|INCR k|SET k v NX EX 5|GETEX k PERSIST|EXISTS k
        EXPIRE k 20 XX|EXPIRE k 5 LT|EXPIRE k -1|RENAME k l|RPUSH l v|EXPIRE l 5|LLEN l|DEL k
        GETDEL k|PSETEX k 5000 v|COPY k l|EXPIRE k 20 GT|EXPIRE k 5 LT|PEXPIRE k 20000 GT
        EXPIREAT k 1015|PEXPIREAT k 1013000 NX|SET k v EXAT 1015|SET k v PXAT 1013000 GET
        GETEX k EXAT 1020|EXPIRETIME k|PTTL k|PEXPIRETIME k|SET k v PX 10000 XX|TIME|DBSIZE|KEYS *
        EXPIREAT k 990|SET k v EXAT 990|SETEX l 20 v|TTL l""",
    "fields": """HSET k f v|HEXPIRE k 10 FIELDS 1 f|HTTL k FIELDS 2 f g|HPERSIST k FIELDS 1 f
        HGET k f|HGETALL k|HEXPIRE k 20 NX FIELDS 1 f
        HEXPIRE k 20 GT FIELDS 2 f g|HEXPIRE k 5 XX FIELDS 1 f
        HPEXPIREAT k 1013000 FIELDS 2 f g|HSETEX k EX 10 FIELDS 1 f v|HGETEX k EX 20 FIELDS 1 f
        HGETDEL k FIELDS 1 f|HEXPIRETIME k FIELDS 1 f|HLEN k|HDEL k f|HPTTL k FIELDS 1 f|DEL k
        HEXPIRE k 5 LT FIELDS 1 f|HGETEX k PERSIST FIELDS 1 f|HSETEX k FNX PX 5000 FIELDS 1 f v
        HINCRBY k f n|HSETEX k KEEPTTL FIELDS 1 f v|EXPIRE k 10|HEXPIREAT k 990 FIELDS 1 f
        HKEYS k|COPY k l|HGETALL l|EXISTS k""",
}

# What there may be when the clients begin.
FIRST: dict[str, tuple[str, ...]] = {
    "strings": ("SET", "k", "1"), "lists": ("RPUSH", "k", "x", "y"),
    "hashes": ("HSET", "k", "f", "1"), "sets": ("SADD", "k", "x", "1"),
    "sorted": ("ZADD", "k", "1", "x"), "expiry": ("SET", "k", "1"),
    "blocking": ("RPUSH", "k", "x"), "fields": ("HSET", "k", "f", "1", "g", "2"),
}  # fmt: skip

SCRIPTS = (
    "return redis.call('INCR', KEYS[1])",
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    "local n = tonumber(redis.call('GET', KEYS[1]) or '0') "
    "if n < 2 then redis.call('SET', KEYS[1], n + 1) return n end return redis.error_reply('FULL')",
    "redis.call('RPUSH', KEYS[2], ARGV[1]) return redis.call('LRANGE', KEYS[2], 0, -1)",
    "redis.call('SET', KEYS[1], ARGV[1]) redis.call('LPOP', KEYS[1]) return 1",
    "redis.call('PUBLISH', 'c', ARGV[1]) return redis.pcall('INCR', KEYS[1])",
)
TIMED_SCRIPTS = (
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', 10) return redis.call('TTL', KEYS[1])",
    "return redis.call('EXPIRE', KEYS[1], 5)",
    "return redis.call('TIME')[1]",
    "redis.call('SET', KEYS[1], ARGV[1], 'PXAT', 1013000) return redis.call('PTTL', KEYS[1])",
    "return redis.call('EXPIRE', KEYS[1], 20, 'GT')",
    "return {redis.call('EXPIRETIME', KEYS[1]), redis.call('EXPIREAT', KEYS[1], 1015, 'NX')}",
    "return redis.call('GETEX', KEYS[1], 'EX', 20)",
    "redis.call('XADD', KEYS[2], '*', 'f', ARGV[1]) return redis.call('XLEN', KEYS[2])",
)


def commands(families: tuple[str, ...]) -> list[list[str]]:
    """Return the commands of some families, as words."""
    lines = [line for name in families for line in FAMILIES[name].replace("\n", "|").split("|")]
    return [line.split() for line in lines if line.strip()]
