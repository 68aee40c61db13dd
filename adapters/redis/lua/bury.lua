#!lua flags=allow-oom
-- Moves items among the dead, if the lease is still that under which they were taken. Done twice, it is done once.
-- KEYS: lease, items, dead. ARGV: taker, epoch, why, ids.
local lease = redis.call('HMGET', KEYS[1], 'taker', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
	return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 4, #ARGV do
	local there = redis.call('XRANGE', KEYS[2], ARGV[i], ARGV[i])
	if there[1] and redis.call('XACK', KEYS[2], 'queue', ARGV[i]) == 1 then
		redis.call('XADD', KEYS[3], '*', 'w', ARGV[3], 't', now, unpack(there[1][2]))
		redis.call('XDEL', KEYS[2], ARGV[i])
	end
end
return 1
