#!lua flags=allow-oom
-- Frees a partition and has the other takers look for it.
-- KEYS: lease. ARGV: taker, epoch, channel.
local lease = redis.call('HMGET', KEYS[1], 'taker', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
	return 0
end
redis.call('HSET', KEYS[1], 'taker', '', 'until', 0)
redis.call('PUBLISH', ARGV[3], 'look')
return 1
