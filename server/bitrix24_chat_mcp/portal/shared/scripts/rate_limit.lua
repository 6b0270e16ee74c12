-- The bucket of one portal. Grants a place for one request, or tells how long to wait for it.
--
-- KEYS  level, leases, queue, due
-- ARGV  1 drained a second   2 capacity    3 level of a bucket that is new
--       4 server             5 lease id, empty to ask for no place           6 lease in ms
--       7 id of the bucket that the server knows, empty for none             8 id for a bucket that is new
--       9 "1" to fill it     10 "1" to wait for the next place after this one
--       11 now in ms, empty for the engine's clock                           12... leases that are over
-- Returns  granted (1 or 0), ms until the server's next place, the bucket's id
local rate, capacity = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local server, lease = ARGV[4], ARGV[5]
local now = tonumber(ARGV[11])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local GRACE = 1000 -- ms by which a server may be late for its turn

-- Servers that did not ask again have gone; so have requests whose lease is over.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now)) do
  redis.call('ZREM', KEYS[3], gone)
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for i = 12, #ARGV do
  redis.call('ZREM', KEYS[2], ARGV[i])
end

-- What is under way does not drain: the portal counts a request when it arrives.
local kept = redis.call('HMGET', KEYS[1], 'level', 'at', 'id')
local level, at, id = tonumber(kept[1]), tonumber(kept[2]), kept[3]
if not level then
  level, at, id = tonumber(ARGV[3]), now, ARGV[8]
end
level = math.max(level - math.max(now - at, 0) * rate, redis.call('ZCARD', KEYS[2]))
-- A server that knows another bucket has seen the engine lose its data: the portal's bucket may be full.
if ARGV[9] == '1' or (ARGV[7] ~= '' and ARGV[7] ~= id) then
  level = math.max(level, capacity)
end

local function line_up()
  if not redis.call('ZSCORE', KEYS[3], server) then
    local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
    redis.call('ZADD', KEYS[3], (tonumber(last[2]) or 0) + 1, server)
  end
  return level + 1 + redis.call('ZRANK', KEYS[3], server) - capacity
end

local granted, wait = 0, 0
if lease ~= '' then
  local excess = line_up()
  if excess <= 0 then
    granted, level = 1, level + 1
    redis.call('ZADD', KEYS[2], now + tonumber(ARGV[6]), lease)
    redis.call('ZREM', KEYS[3], server)
    excess = ARGV[10] == '1' and line_up() or 0
  end
  if excess > 0 then
    wait = math.max(1, math.ceil(excess / rate))
    redis.call('ZADD', KEYS[4], now + wait + GRACE, server)
  else
    redis.call('ZREM', KEYS[3], server)
    redis.call('ZREM', KEYS[4], server)
  end
end

redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%d', now), 'id', id)
redis.call('PEXPIRE', KEYS[1], 86400000)
redis.call('PEXPIRE', KEYS[2], 3600000)
redis.call('PEXPIRE', KEYS[3], 3600000)
redis.call('PEXPIRE', KEYS[4], 3600000)
return { granted, wait, id }
