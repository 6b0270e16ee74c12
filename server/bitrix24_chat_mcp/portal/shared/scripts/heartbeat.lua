-- Notes that a server runs. Returns how many do, and which part of the rate is to be left free for those that
-- have fallen silent without leaving: they may be alive and use it, without the engine. In millionths.
--
-- KEYS  servers (-> last heartbeat), counts (-> how many there were, as that server knew)
-- ARGV  1 server   2 how many there are, as it knows   3 ms after which one is silent
--       4 ms for which a silent one may use half of its share; then ever less   5 now, empty for the clock
local SERVERS, COUNTS = unpack(KEYS)
local FORGOTTEN = 86400000 -- ms after which a silent one uses nothing worth counting
local MOST = 1000
local now = tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
redis.call('ZADD', SERVERS, now, ARGV[1])
redis.call('HSET', COUNTS, ARGV[1], ARGV[2])

local running, free = 0, 0
local known = redis.call('ZREVRANGE', SERVERS, 0, -1, 'WITHSCORES')
for i = 1, #known, 2 do
  local age = now - tonumber(known[i + 1])
  if age > FORGOTTEN or i > MOST * 2 then
    redis.call('ZREM', SERVERS, known[i])
    redis.call('HDEL', COUNTS, known[i])
  elseif age > tonumber(ARGV[3]) then
    local count = tonumber(redis.call('HGET', COUNTS, known[i])) or 1
    free = free + math.min(1, tonumber(ARGV[4]) / age) / count / 2
  else
    running = running + 1
  end
end
redis.call('PEXPIRE', SERVERS, FORGOTTEN)
redis.call('PEXPIRE', COUNTS, FORGOTTEN)
return { running, math.floor(free * 1000000) }
