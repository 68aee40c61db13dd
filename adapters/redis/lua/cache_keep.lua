#!lua
-- Keeps a page, if nothing was written since cache_find gave the generation, and makes room for it.
-- KEYS: pages, spans. ARGV: generation, query, span, page, how many pages there may be.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
	return 0
end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[5]) then
	local any = redis.call('HRANDFIELD', KEYS[2])
	redis.call('HDEL', KEYS[1], any)
	redis.call('HDEL', KEYS[2], any)
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
return 1
