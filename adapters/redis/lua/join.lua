#!lua flags=allow-oom
-- Counts a taker among those that are there. Returns its place among them, from 0, and how many they are.
-- KEYS: takers. ARGV: taker, for how many ms, channel.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1]) == 1 then
	redis.call('PUBLISH', ARGV[3], 'look')
end
local all = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(all)
for i, taker in ipairs(all) do
	if taker == ARGV[1] then
		return {i - 1, #all}
	end
end
