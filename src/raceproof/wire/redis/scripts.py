"""Lua scripts: which are loaded, and time and chance inside them.

What is loaded is the world's own record, since a server keeps its scripts from one world to the
next; the server itself is always sent the whole script. Before it, on its first line, comes a
prelude that puts other functions in place of `redis.call` and `redis.pcall`: time is the world's,
and what cannot be searched is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from typing import Any

from raceproof.wire.calls import Unsearchable
from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import CHANCE, READS, SCANS, WRITES, Args, unsearchable
from raceproof.wire.redis.expiry import ASKS, EXPIRES, FAR, OPTIONS, SETS, UNITS, seconds_and_micros
from raceproof.wire.redis.streams import BEGIN, REAL, STRETCH

_MARK = "raceproof refuses"
_QUOTED = re.compile(rb"""call\s*\(\s*(['"])([A-Za-z]+)\1""")
_INSIDE = READS | WRITES | set(CHANCE) | {"PUBLISH", "SPUBLISH", "TIME", "PING", "ECHO"}
_INSIDE |= {"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP"}
_WORDS = {name.partition(" ")[0] for name in _INSIDE}


def _lua(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}={_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "{" + ",".join(_lua(item) for item in value) + "}"
    return str(value) if isinstance(value, int) else f"'{value}'"


# It takes from the end of ARGV the world's seconds and microseconds, and when the world began.
_PRELUDE = f"""
local redis = (function(real, far, expires, asks, options, units, sets, chance, scans, words)
 local start = tonumber(table.remove(ARGV))
 local micros, seconds = table.remove(ARGV), table.remove(ARGV)
 local now = seconds * 1000 + math.floor(micros / 1000 + 0.5)
 local function refuse(name) error('{_MARK} ' .. name, 0) end
 local function moment(value, unit, counts)
  local number = tonumber(value)
  if not number then return value end
  local at = number * unit + (counts and now or 0)
  return at > now and string.format('%.0f', far + at) or '1'
 end
 local function server_ms()
  local time = real.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
 end
 local function server_moment(ms)
  return string.format('%.0f', {BEGIN} + (ms - start) * {STRETCH})
 end
 local function server_idle(least)
  local ms = tonumber(least)
  if not ms or ms <= 0 then return least end
  return string.format('%.0f', server_ms() - server_moment(now - ms) - {STRETCH // 2})
 end
 local function world_idle(idle)
  local since = server_ms() - idle
  if since > {REAL} then return 0 end
  return now - start - math.floor((since - {BEGIN}) / {STRETCH} + 0.5)
 end
 local function left(reply, ask)
  if type(reply) == 'table' then
   for i, item in ipairs(reply) do reply[i] = left(item, ask) end
   return reply
  end
  if type(reply) ~= 'number' or reply < 0 then return reply end
  local ms = reply - far - (ask[3] and now or 0)
  return ask[2] == 1 and ms or math.floor((ms + ask[4]) / ask[2])
 end
 local function timed(call, ...)
  local a = {{...}}
  local name = string.upper(tostring(a[1]))
  if name == 'TIME' then return {{seconds, micros}} end
  if not words[name] or (name == 'COPY' and #a > 4) then refuse(name) end
  local pending = name == 'XPENDING' and #a > 3
  if name == 'XAUTOCLAIM' or name == 'XCLAIM' then a[5] = server_idle(a[5]) end
  if name == 'XCLAIM' then
   local given = false
   for i = 6, #a - 1 do
    local word = string.upper(tostring(a[i]))
    if word == 'IDLE' or word == 'TIME' then
     given, a[i] = true, 'TIME'
     a[i + 1] = server_moment(word == 'IDLE' and now - a[i + 1] or tonumber(a[i + 1]))
    end
   end
   if not given then a[#a + 1], a[#a + 2] = 'TIME', server_moment(now) end
  end
  if pending and string.upper(a[4]) == 'IDLE' then a[5] = server_idle(a[5]) end
  if name == 'XINFO' and (string.upper(a[2]) == 'CONSUMERS' or #a > 3) then refuse(name) end
  if chance[name] and real.call(chance[name], a[2]) > math.abs(tonumber(a[3]) or 1) then
   refuse(name)
  end
  if name == 'XADD' then
   for i = 3, #a do
    if a[i] == '*' and (#a - i) % 2 == 0 then
     local known = real.pcall('XINFO', 'STREAM', a[2])
     local last = 0
     for j = 1, #known, 2 do
      if known[j] == 'last-generated-id' then
       last = tonumber(string.match(known[j + 1], '^%d+'))
      end
     end
     a[i] = string.format('%.0f-*', math.max(now, last))
     break
    elseif string.match(a[i], '^%d+') and (#a - i) % 2 == 0 then
     break
    end
   end
  elseif expires[name] and a[3] then
   local to = expires[name]
   a[1], a[3] = to[1], moment(a[3], to[2], to[3])
  elseif sets[name] and #a == 4 and (tonumber(a[3]) or 0) > 0 then
   a = {{'SET', a[2], a[4], 'PXAT', moment(a[3], sets[name], true)}}
  elseif options[name] then
   for i = options[name] + 1, #a - 1 do
    local word = string.upper(tostring(a[i]))
    if word == 'FIELDS' then break end
    if units[word] then
     if (tonumber(a[i + 1]) or 0) > 0 then
      a[i + 1] = moment(a[i + 1], units[word][1], units[word][2])
      a[i] = 'PXAT'
     end
     break
    end
   end
  end
  local ask = asks[name]
  if ask then a[1] = ask[1] end
  local reply = call(unpack(a))
  if ask then return left(reply, ask) end
  if pending and not reply.err then
   for _, held in ipairs(reply) do held[3] = world_idle(held[3]) end
  end
  if name == 'KEYS' and not reply.err then table.sort(reply) end
  if scans[name] and not reply.err and reply[1] ~= '0' then refuse(name) end
  return reply
 end
 local mine = {{}}
 for key, value in pairs(real) do mine[key] = value end
 mine.call = function(...) return timed(real.call, ...) end
 mine.pcall = function(...) return timed(real.pcall, ...) end
 return mine
end)(redis, {FAR}, {_lua(EXPIRES)}, {_lua(ASKS)}, {_lua(OPTIONS)}, {_lua(UNITS)}, {_lua(SETS)},
 {_lua(CHANCE)}, {_lua(dict.fromkeys(SCANS, True))}, {_lua(dict.fromkeys(sorted(_WORDS), True))})
math.randomseed(0) """
PRELUDE = " ".join(_PRELUDE.split("\n")).encode()


class Scripts:
    """The scripts that are loaded in one world."""

    def __init__(self) -> None:
        self._loaded: dict[bytes, bytes] = {}

    def snapshot(self) -> Hashable:
        return tuple(sorted(self._loaded))

    def tell(self, name: str, args: Args) -> Any:
        """Return the reply to SCRIPT LOAD, EXISTS or FLUSH."""
        if name == "SCRIPT FLUSH":
            self._loaded.clear()
            return b"OK"
        if name == "SCRIPT LOAD":
            return self._load(args[2])
        return [int(sha.lower() in self._loaded) for sha in args[2:]]

    def whole(self, name: str, args: Args) -> Args | None:
        """Return EVALSHA as EVAL, None if its script is not there; note what EVAL loads."""
        if name.startswith("EVALSHA"):
            script = self._loaded.get(args[1].lower())
            if script is None:
                return None
        else:
            script = args[1]
            self._load(script)
        for _, word in _QUOTED.findall(script):
            if word.decode().upper() not in _WORDS:
                raise unsearchable(f"{word.decode().upper()} in a script")
        return (b"EVAL_RO" if name.endswith("_RO") else b"EVAL", script, *args[2:])

    def _load(self, script: bytes) -> bytes:
        sha = hashlib.sha1(script, usedforsecurity=False).hexdigest().encode()
        self._loaded[sha] = script
        return sha


def with_prelude(args: Args, clock: Clock, start: int) -> Args:
    """Return an EVAL as it is sent, in a world that began at `start` (ms)."""
    if args[1].startswith(b"#!"):
        raise Unsearchable("a script with a #! line cannot be searched: leave the line out")
    return (args[0], PRELUDE + args[1], *args[2:], *seconds_and_micros(clock), b"%d" % start)


def look_for_refusal(error: BaseException, script: bytes) -> None:
    """Raise Unsearchable where the prelude refused; else the error names the script's own sha."""
    text = str(error)
    if _MARK in text:
        raise unsearchable(text.split(_MARK)[1].split()[0].strip("'\".,:") + " in a script")
    sent = hashlib.sha1(PRELUDE + script, usedforsecurity=False).hexdigest()
    own = hashlib.sha1(script, usedforsecurity=False).hexdigest()
    error.args = (text.replace(sent, own),)
