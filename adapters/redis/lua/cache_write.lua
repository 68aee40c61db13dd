#!lua flags=allow-oom
-- Says that messages may be written to for so many ms, or that they have been (0): forgets every page
-- that this changes, and ends the generation, so that none is kept that is being read.
-- KEYS: pages, spans, writes. ARGV: write, ms, its lowest and its highest id, in 16 digits each.
if ARGV[2] == '0' then
	redis.call('ZREM', KEYS[3], ARGV[1])
else
	local time = redis.call('TIME')
	redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
	if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[2]) then
		redis.call('PEXPIRE', KEYS[3], ARGV[2])
	end
end
redis.call('HDEL', KEYS[1], 'generation')
local spans = redis.call('HGETALL', KEYS[2])
for i = 1, #spans, 2 do
	if string.sub(spans[i + 1], 1, 16) <= ARGV[4] and ARGV[3] <= string.sub(spans[i + 1], 17) then
		redis.call('HDEL', KEYS[1], spans[i])
		redis.call('HDEL', KEYS[2], spans[i])
	end
end
return 1
