-- An entry is text: a version of the rest, '1'; the entry's version in 20 digits; 1 if it is gone, else 0; when
-- it left and when it was made, in 20 digits each; five digits, so many bytes of its node; the rest.
-- What stands before the rest is the same in every version: nodes of two of them hand over each other's.
local LEFT = 23
local NODE = 68
local function nodeOf(entry)
	return string.sub(entry, NODE, NODE - 1 + tonumber(string.sub(entry, NODE - 5, NODE - 1)))
end
-- now is the server's time, in microseconds: a number has room for it.
local function now()
	local time = redis.call('TIME')
	return time[1] * 1000000 + time[2]
end
-- keep has an entry be the newest one of its field.
local function keep(field, entry, old)
	if old then
		redis.call('ZREM', KEYS[3], nodeOf(old) .. '\0' .. field)
	end
	if redis.call('HEXISTS', KEYS[6], 'cursor') == 0 then -- above what was before all was lost
		redis.call('HSET', KEYS[6], 'cursor', string.format('%.0f', now()))
	end
	redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[6], 'cursor', 1), field)
	redis.call('HSET', KEYS[1], field, entry)
end
