-- The bucket of one portal. Grants a place for one request, or tells how long to wait for it.
--
-- Callers take turns, whatever servers they call at. The ticket of a caller's next request is one turn after
-- its last, but no earlier than the turn that is being served; so one that comes seldom goes first.
--
-- KEYS  level, leases, queue ("SERVER CALLER" -> ticket), waiting (server -> its callers in the queue), due, turns
-- ARGV  1 drained a second   2 capacity    3 level of a bucket that is new
--       4 server             5 lease id, empty to ask for no place           6 lease in ms
--       7 id of the bucket that the server knows, empty for none             8 id for a bucket that is new
--       9 "1" to fill it     10 how many of the requests that the server has made without asking the portal's
--                               bucket may still hold: they drained at the server's part of the rate
--       11 "1" to put the caller into the queue again that gets the place
--       12 now in ms, empty for the engine's clock
--       13 how many callers wait at the server   14... they, then the leases that are over
-- Returns  the caller that gets the place, or ""; ms until the server's next place; the bucket's id;
--          the server's callers in the queue, with a space between them
local LEVEL, LEASES, QUEUE, WAITING, DUE, TURNS = unpack(KEYS)
local rate, capacity = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local server, lease, callers = ARGV[4], ARGV[5], tonumber(ARGV[13])
local now = tonumber(ARGV[12])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local GRACE = 1000 -- ms by which a server may be late for its turn
local MOST = 200 -- callers of one server in the queue
local ARRIVALS = 1000000 -- a ticket is turn * ARRIVALS + arrival: within a turn, first come, first served

local kept = redis.call('HMGET', LEVEL, 'level', 'at', 'id', 'turn', 'arrivals')
local level, at, id = tonumber(kept[1]), tonumber(kept[2]), kept[3]
local turn, arrivals = tonumber(kept[4]) or 0, tonumber(kept[5]) or 0
if not level then
  level, at, id = tonumber(ARGV[3]), now, ARGV[8]
end

local function ticket(caller)
  return tonumber(redis.call('ZSCORE', QUEUE, server .. ' ' .. caller))
end

local function line_up(caller)
  local own = math.max(turn, tonumber(redis.call('ZSCORE', TURNS, caller)) or 0)
  arrivals = (arrivals + 1) % ARRIVALS
  redis.call('ZADD', QUEUE, own * ARRIVALS + arrivals, server .. ' ' .. caller)
  redis.call('ZADD', TURNS, own + 1, caller)
end

-- Takes a caller out without a place: the turn was not used.
local function leave(at_server, caller)
  if redis.call('ZREM', QUEUE, at_server .. ' ' .. caller) == 1 then
    redis.call('ZINCRBY', TURNS, -1, caller)
  end
end

local function in_queue(at_server)
  return string.gmatch(redis.call('HGET', WAITING, at_server) or '', '%S+')
end

-- Servers that did not ask again have gone; so have requests whose lease is over.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', now)) do
  for caller in in_queue(gone) do
    leave(gone, caller)
  end
  redis.call('HDEL', WAITING, gone)
end
redis.call('ZREMRANGEBYSCORE', DUE, '-inf', now)
redis.call('ZREMRANGEBYSCORE', LEASES, '-inf', now)
for i = 14 + callers, #ARGV do
  redis.call('ZREM', LEASES, ARGV[i])
end

-- What is under way does not drain: the portal counts a request when it arrives.
-- And while servers went on without the engine, theirs took half of what drained.
local alone = tonumber(ARGV[10])
local drained = math.max(now - at, 0) * rate * (alone > 0 and 0.5 or 1)
level = math.max(level - drained, redis.call('ZCARD', LEASES)) + alone
-- A server that knows another bucket has seen the engine lose its data: the portal's bucket may be full.
if ARGV[9] == '1' or (ARGV[7] ~= '' and ARGV[7] ~= id) then
  level = math.max(level, capacity)
end

-- Returns the caller who is first in the queue, and its ticket.
local function first_of(names)
  local first, lowest
  for _, caller in ipairs(names) do
    local own = ticket(caller)
    if not lowest or own < lowest then
      first, lowest = caller, own
    end
  end
  return first, lowest
end

local function excess(caller)
  return level + 1 + redis.call('ZRANK', QUEUE, server .. ' ' .. caller) - capacity
end

local granted, wait, own = '', 0, {}
if lease ~= '' then
  local known = {}
  for i = 14, 13 + callers do
    if not ticket(ARGV[i]) then
      line_up(ARGV[i])
    end
    known[ARGV[i]] = true
    own[#own + 1] = ARGV[i]
  end
  local first, lowest = first_of(own)
  -- Callers that were served and are expected again keep their place, until their turn passes.
  for caller in in_queue(server) do
    if not known[caller] then
      if #own >= MOST or ticket(caller) < lowest then
        leave(server, caller)
      else
        own[#own + 1] = caller
      end
    end
  end
  if excess(first) <= 0 then
    granted, level, turn = first, level + 1, math.max(turn, math.floor(lowest / ARRIVALS))
    redis.call('ZADD', LEASES, now + tonumber(ARGV[6]), lease)
    redis.call('ZREM', QUEUE, server .. ' ' .. first)
    if ARGV[11] == '1' then
      line_up(first)
      if excess(first) <= 0 then
        leave(server, first)
      end
    end
    local rest = {}
    for _, caller in ipairs(own) do
      if caller ~= first or ticket(caller) then
        rest[#rest + 1] = caller
      end
    end
    own = rest
  end
  if #own > 0 then
    wait = math.max(0, math.ceil(excess((first_of(own))) / rate))
    redis.call('ZADD', DUE, now + wait + GRACE, server)
    redis.call('HSET', WAITING, server, table.concat(own, ' '))
  else
    redis.call('ZREM', DUE, server)
    redis.call('HDEL', WAITING, server)
  end
  if granted == '' then
    wait = math.max(1, wait)
  end
end

redis.call('ZREMRANGEBYSCORE', TURNS, '-inf', turn) -- the same as those that never came
redis.call('HSET', LEVEL, 'level', string.format('%.6f', level), 'at', string.format('%d', now), 'id', id,
  'turn', string.format('%d', turn), 'arrivals', string.format('%d', arrivals))
redis.call('PEXPIRE', LEVEL, 86400000)
for i = 2, #KEYS do
  redis.call('PEXPIRE', KEYS[i], 3600000)
end
return { granted, wait, id, table.concat(own, ' ') }
