-- Replaces a token if its generation is the expected one.
-- KEYS token   ARGV expected generation (empty: there must be none), new generation, sealed text, life in ms
if (redis.call('HGET', KEYS[1], 'generation') or '') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'sealed', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
