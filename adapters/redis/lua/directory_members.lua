#!lua flags=no-writes
-- Returns what is said of each member whose lease is not over.
-- KEYS: members, leases.
local time = redis.call('TIME')
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), '+inf')
if #ids == 0 then
	return {}
end
return redis.call('HMGET', KEYS[1], unpack(ids))
