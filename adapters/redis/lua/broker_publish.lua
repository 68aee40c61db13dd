#!lua
-- Appends a record and tells those who follow its topic, unless it was appended already: the id says so
-- when a call is made again of which nobody knows what became. Returns {epoch, offset}.
-- More ARGV: id, record, channel of the topic, how many records to keep.
local had = redis.call('ZSCORE', KEYS[3], ARGV[3])
if had then
	return {epoch, tonumber(had)}
end
offset = offset + 1
local at = string.format('%.0f', offset)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], at .. '-0', 'r', ARGV[4])
redis.call('HSET', KEYS[1], 'offset', at)
redis.call('ZADD', KEYS[3], at, ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - ARGV[6])
redis.call('SPUBLISH', ARGV[5], string.format('%.0f', epoch) .. ' ' .. at .. ' ' .. ARGV[4])
return {epoch, offset}
