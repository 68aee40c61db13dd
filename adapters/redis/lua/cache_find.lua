#!lua flags=allow-oom
-- Returns a page. If there is none, returns {generation} under which one that is read now may be kept,
-- or {} while the channel may be written to. What another server has kept counts for nothing: this one
-- was its replica, or is itself before a restart, and may lack the last writes.
-- KEYS: pages, spans, writes. ARGV: query, a new generation, for how many ms.
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local have = redis.call('HMGET', KEYS[1], 'server', 'generation', ARGV[1])
if have[1] and have[1] ~= server then
	redis.call('DEL', KEYS[1], KEYS[2])
	have = {server, false, false}
end
if have[3] and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then -- or it was evicted, and nobody knows what the page is of
	return have[3]
end
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('EXISTS', KEYS[3]) == 1 then
	return {}
end
if not have[2] then
	have[2] = ARGV[2]
	redis.call('HSET', KEYS[1], 'server', server, 'generation', have[2])
	if redis.call('PTTL', KEYS[1]) < 0 then
		redis.call('PEXPIRE', KEYS[1], ARGV[3]) -- never later: so no page is older
	end
end
return {have[2]}
