-- Ends a write of a user: what was read before is no answer any more.
-- KEYS epoch   ARGV life in ms
local epoch = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return epoch
