#!lua
-- Keeps an entry, unless it is older than what is kept. Forgets what has been gone for an hour.
-- KEYS: entries, order, owners, graves, leases, state. ARGV: field, entry.
local field, entry = ARGV[1], ARGV[2]
local old = redis.call('HGET', KEYS[1], field)
if old and string.sub(old, 2, 21) >= string.sub(entry, 2, 21) then
	return 0
end
keep(field, entry, old)
local time = now()
if string.sub(entry, 22, 22) == '1' then
	redis.call('ZADD', KEYS[4], string.format('%.0f', time), field)
else
	redis.call('ZREM', KEYS[4], field)
	redis.call('ZADD', KEYS[3], 0, nodeOf(entry) .. '\0' .. field)
end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', time - 3601e6), 'LIMIT', 0, 10)) do
	redis.call('HDEL', KEYS[1], over)
	redis.call('ZREM', KEYS[2], over)
	redis.call('ZREM', KEYS[4], over)
end
return 1
