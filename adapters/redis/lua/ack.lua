#!lua flags=allow-oom
-- Forgets items, if the lease is still that under which they were taken.
-- KEYS: lease, items. ARGV: taker, epoch, ids.
local lease = redis.call('HMGET', KEYS[1], 'taker', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
	return 0
end
redis.call('XACK', KEYS[2], 'queue', unpack(ARGV, 3))
return redis.call('XDEL', KEYS[2], unpack(ARGV, 3))
