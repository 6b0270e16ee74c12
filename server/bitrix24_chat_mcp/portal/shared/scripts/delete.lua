-- Deletes a token if its generation is the expected one; one that is not there is deleted already.
-- KEYS token   ARGV expected generation
local generation = redis.call('HGET', KEYS[1], 'generation')
if generation and generation ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
