-- Stands in for `redis` in a script: time is the world's, and what cannot be searched is refused.
-- Nor can a script swallow that: what catches errors in Lua lets a refusal through, and what
-- reaches the server's own functions past these is refused, too.
-- It is sent as one line before the script. It takes from the end of ARGV the world's seconds and
-- microseconds, when the world began (ms), and whether no pattern may hear what it publishes. What
-- it is called with is said in scripts.py.
function(real, far, begin, stretch, latest, mark, expires, asks, options, units, sets, chance, scans, words)
 local alone = table.remove(ARGV) == '1'
 local start = tonumber(table.remove(ARGV))
 local micros, seconds = table.remove(ARGV), table.remove(ARGV)
 local now = seconds * 1000 + math.floor(micros / 1000 + 0.5)
 local refusal
 local function refuse(name)
  refusal = mark .. ' ' .. name
  error(refusal, 0)
 end
 local function caught(...)
  if refusal then error(refusal, 0) end
  return ...
 end
 local function moment(value, unit, counts)
  local whole = type(value) == 'number' and value == math.floor(value)
  if not whole and not string.match(tostring(value), '^-?%d+$') then return value end
  local number = tonumber(value)
  local at = number * unit + (counts and now or 0)
  return at > now and string.format('%.0f', far + at) or '1'
 end
 local function server_ms()
  local time = real.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
 end
 local function server_moment(ms)
  return string.format('%.0f', begin + (ms - start) * stretch)
 end
 local function server_idle(least)
  local ms = tonumber(least)
  if not ms or ms <= 0 then return least end
  return string.format('%.0f', server_ms() - server_moment(now - ms) - stretch / 2)
 end
 local function world_idle(idle)
  local since = server_ms() - idle
  if since > latest then return 0 end
  return now - start - math.floor((since - begin) / stretch + 0.5)
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
  local a = {...}
  local name = string.upper(tostring(a[1]))
  if name == 'TIME' then return {seconds, micros} end
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
  for i = 5, name == 'XREADGROUP' and #a or 0 do
   local word = string.upper(tostring(a[i]))
   if word == 'STREAMS' then break end
   if word == 'CLAIM' then refuse(name) end
  end
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
   a = {'SET', a[2], a[4], 'PXAT', moment(a[3], sets[name], true)}
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
  if name == 'PUBLISH' and alone and type(reply) == 'number' then
   local heard = real.call('PUBSUB', 'NUMSUB', a[2])
   if reply ~= heard[2] then refuse('outsiders') end
  end
  if ask then return left(reply, ask) end
  if pending and not reply.err then
   for _, held in ipairs(reply) do held[3] = world_idle(held[3]) end
  end
  if name == 'KEYS' and not reply.err then table.sort(reply) end
  if scans[name] and not reply.err and reply[1] ~= '0' then refuse(name) end
  return reply
 end
 local mine = {}
 for key, value in pairs(real) do mine[key] = value end
 mine.call = function(...) return timed(real.call, ...) end
 mine.pcall = function(...) return timed(real.pcall, ...) end
 local threads = {}
 for key, value in pairs(coroutine or {}) do threads[key] = value end
 threads.resume = function(...) return caught(coroutine.resume(...)) end
 local function catch(...) return caught(pcall(...)) end
 local function past(name) return function() refuse(name) end end
 local all = setmetatable({}, {__index = past('_G'), __newindex = past('_G')})
 return mine, catch, function(...) return caught(xpcall(...)) end, threads,
  all, past('load'), past('loadstring'), past('getfenv'), past('setfenv'),
  setmetatable({}, {__index = past('os'), __newindex = past('os')})
end
