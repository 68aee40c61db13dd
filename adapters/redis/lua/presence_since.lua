#!lua
-- Returns {cursor of the last, fields, entries} of what has changed after a cursor, oldest change first. A cursor
-- that was not reached yet is one of before all was lost, or a failover that has lost the newest changes: then all has.
-- KEYS: entries, order, state. ARGV: cursor, how many at most.
local last = tonumber(redis.call('HGET', KEYS[3], 'cursor') or 0)
local cursor = tonumber(ARGV[1])
if cursor > last then
	local time = redis.call('TIME')
	last = math.max(cursor + 1, time[1] * 1000000 + time[2]) -- above all that was ever given
	redis.call('HSET', KEYS[3], 'cursor', string.format('%.0f', last))
	cursor = 0
end
local fields = redis.call('ZRANGEBYSCORE', KEYS[2], string.format('(%.0f', cursor), '+inf', 'LIMIT', 0, ARGV[2])
if #fields == 0 then
	return {last, {}, {}}
end
if #fields == tonumber(ARGV[2]) then
	last = tonumber(redis.call('ZSCORE', KEYS[2], fields[#fields]))
end
return {last, fields, redis.call('HMGET', KEYS[1], unpack(fields))}
