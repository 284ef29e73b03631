-- Stands in for `redis` in a script on a server that is not ours: every key that the script names
-- by itself gets our prefix, and what reaches beyond our keys is refused. Which words are keys is
-- the server's own word. It is sent as one line before the script. It returns what to use as
-- `redis`, what every round of a loop calls, what stands in for `load`, and what the script's reply
-- goes through, so that a script that catches a refusal is refused all the same.
function(real, mark, refusal, most)
 local plain = {TIME=true, PING=true, ECHO=true, INFO=true, ROLE=true}
 local beyond = {MIGRATE=true, MOVE=true, SELECT=true}
 local skipped = {LIMIT=3, BY=2, GET=2, STORE=2}
 local rounds = 0
 local refused
 local function refuse(what)
  refused = 'Redis: ' .. what .. ' in a script ' .. refusal
  error(refused, 0)
 end
 local function round(worth)
  rounds = rounds + (worth or 1)
  if rounds > most then refuse('a loop of over ' .. string.format('%d', most) .. ' rounds') end
 end
 local function marked(name)
  name = tostring(name)
  return string.sub(name, 1, #mark) == mark and name or mark .. name
 end
 local function keys_of(a, n) return real.pcall('COMMAND', 'GETKEYS', unpack(a, 1, n)) end
 local function mark_keys(a, n, keys)
  local at = 2
  for _, key in ipairs(keys) do
   while at < n and tostring(a[at]) ~= key do at = at + 1 end
   a[at] = marked(a[at])
   at = at + 1
  end
  local now = keys_of(a, n)
  for i, key in ipairs(keys) do
   if now[i] ~= marked(key) then refuse(a[1] .. ' of a key that is not in KEYS') end
  end
 end
 local function ours(call, ...)
  round(20)
  local a, n = {...}, select('#', ...)
  local function word(at) return string.upper(tostring(a[at])) end
  local name = word(1)
  if name == 'PUBLISH' or name == 'SPUBLISH' or name == 'KEYS' then
   a[2] = a[2] and marked(a[2])
  elseif name == 'PUBSUB' and word(2) == 'NUMSUB' then
   for at = 3, n do a[at] = marked(a[at]) end
  elseif name == 'SCAN' then
   local at = 3
   while at < n and word(at) ~= 'MATCH' do at = at + 1 end
   if at >= n then
    at = n + 1
    n = n + 2
    a[at], a[n] = 'MATCH', '*'
   end
   a[at + 1] = marked(a[at + 1])
  elseif not plain[name] then
   local keys = keys_of(a, n)
   if string.find(keys.err or '', 'no key arguments') or beyond[name] then refuse(name) end
   local at = 3
   while name == 'COPY' and at < n do
    at = at + 1
    if word(at) == 'DB' then refuse('COPY with DB') end
   end
   at = 3
   while (name == 'SORT' or name == 'SORT_RO') and at < n do
    local option = word(at)
    if (option == 'BY' or option == 'GET') and a[at + 1] ~= '#' then
     a[at + 1] = marked(a[at + 1])
    end
    at = at + (skipped[option] or 1)
   end
   local named = false
   for _, key in ipairs(keys) do named = named or marked(key) ~= key end
   if named then mark_keys(a, n, keys) end
  end
  return call(unpack(a, 1, n))
 end
 local mine = {}
 for key, value in pairs(real) do mine[key] = value end
 mine.call = function(...) return ours(real.call, ...) end
 mine.pcall = function(...) return ours(real.pcall, ...) end
 local function no_code() refuse('loading of code') end
 local function reply(...)
  if refused then error(refused, 0) end
  return ...
 end
 return mine, round, no_code, reply
end
