-- Gives a lock up, unless its lease is over and another server holds it now.
-- KEYS lock   ARGV owner
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
