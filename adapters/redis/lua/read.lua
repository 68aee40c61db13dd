#!lua flags=allow-oom
-- Reads what comes behind an id: first what was taken before and not acknowledged, then what is new.
-- Asked again with the same id, it returns the same again. Returns -1 to who has no lease, else
-- {1 if there may be more, {id, tries, {field, value, …}}, …}.
-- KEYS: lease, items, idle. ARGV: taker, epoch, id, how many.
local lease = redis.call('HMGET', KEYS[1], 'taker', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
	return -1
end
local most, found = tonumber(ARGV[4]), {0}
local pending = redis.call('XPENDING', KEYS[2], 'queue', '(' .. ARGV[3], '+', most)
if #pending > 0 then
	local ids, tries = {}, {}
	for i, p in ipairs(pending) do
		ids[i], tries[p[1]] = p[1], p[4] + 1
	end
	-- And not XREADGROUP with an id, which counts tries in memory only.
	for _, e in ipairs(redis.call('XCLAIM', KEYS[2], 'queue', 'taker', 0, unpack(ids))) do
		found[#found + 1] = {e[1], tries[e[1]], e[2]}
	end
end
local left = most - #pending
if left > 0 then
	local fresh = redis.call('XREADGROUP', 'GROUP', 'queue', 'taker', 'COUNT', left, 'STREAMS', KEYS[2], '>')
	if fresh then
		for _, e in ipairs(fresh[1][2]) do
			found[#found + 1] = {e[1], 1, e[2]}
			left = left - 1
		end
	end
end
if left == 0 then
	found[1] = 1
elseif redis.call('EXISTS', KEYS[3]) == 0 then -- and it is told of the next one
	redis.call('SET', KEYS[3], 1)
end
return found
