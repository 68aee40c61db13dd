#!lua
-- Keeps an entry, unless it is older than what is kept. Forgets what has been gone for an hour.
-- KEYS: entries, order, owners, graves, leases, state. ARGV: field, entry, its At in seconds.
local field, entry, at = ARGV[1], ARGV[2], tonumber(ARGV[3])
local old = redis.call('HGET', KEYS[1], field)
if old and string.sub(old, 2, 21) >= string.sub(entry, 2, 21) then
	return 0
end
keep(field, entry, old)
if string.sub(entry, 22, 22) == '1' then
	redis.call('ZADD', KEYS[4], at, field)
else
	redis.call('ZREM', KEYS[4], field)
	redis.call('ZADD', KEYS[3], 0, nodeOf(entry) .. '\0' .. field)
end
local latest = tonumber(redis.call('HGET', KEYS[6], 'latest') or '-inf')
if at > latest then
	latest = at
	redis.call('HSET', KEYS[6], 'latest', ARGV[3])
end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', latest - 3601), 'LIMIT', 0, 10)) do
	redis.call('HDEL', KEYS[1], over)
	redis.call('ZREM', KEYS[2], over)
	redis.call('ZREM', KEYS[4], over)
end
return 1
