#!lua
-- Says how many partitions a queue has, for ever: as it was made, or now.
-- KEYS: layout. ARGV: partitions, if it is new.
local have = redis.call('HMGET', KEYS[1], 'version', 'partitions')
if not have[2] then
	redis.call('HSET', KEYS[1], 'version', 1, 'partitions', ARGV[1])
	return {'1', ARGV[1]}
end
return have
