-- Where a partition is. What its server lacks of what the caller knows of, a failover has lost, or a
-- server that forgot everything: then an epoch begins, so that nobody takes what is appended now for
-- what had its offset.
-- KEYS: head, events, ids. ARGV: epoch and offset of the newest record that is known of; 0 0: of none.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local epoch, offset = tonumber(head[1] or 0), tonumber(head[2] or 0)
local knows, newest = tonumber(ARGV[1]), tonumber(ARGV[2])
if epoch == 0 or knows > epoch or knows == epoch and newest > offset then
	if epoch == 0 then
		redis.call('DEL', KEYS[2], KEYS[3])
	end
	local time = redis.call('TIME')
	epoch = math.max(epoch + 1, knows + 1, time[1] * 1000000 + time[2])
	redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'offset', string.format('%.0f', offset))
end
