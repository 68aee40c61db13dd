#!lua
-- Hands entries of nodes whose leases have ended to another node, so many at most. Returns {1 if there may be
-- more, fields and entries in turn}.
-- KEYS: as for presence_put. ARGV: node, now, how many.
local most = tonumber(ARGV[3])
local swept = {0}
local leases = redis.call('HGETALL', KEYS[5])
for i = 1, #leases, 2 do
	local dead, ended = leases[i], leases[i + 1]
	if dead ~= ARGV[1] and ended < ARGV[2] then
		local left = most - (#swept - 1) / 2
		local of = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. dead .. '\0', '(' .. dead .. '\1', 'LIMIT', 0, left)
		for _, owned in ipairs(of) do
			local field = string.sub(owned, #dead + 2)
			local old = redis.call('HGET', KEYS[1], field)
			local low = tonumber(string.sub(old, 12, 21)) + 1
			local high = tonumber(string.sub(old, 2, 11)) + math.floor(low / 1e10)
			local since = string.sub(old, LEFT, LEFT + 19)
			if not string.find(since, '[1-9]') then
				since = ended
			end
			local entry = string.sub(old, 1, 1) .. string.format('%010.0f%010.0f0', high, low % 1e10) .. since .. ARGV[2] ..
				string.format('%05d', #ARGV[1]) .. ARGV[1] .. string.sub(old, NODE + #dead)
			keep(field, entry, old)
			redis.call('ZADD', KEYS[3], 0, ARGV[1] .. '\0' .. field)
			table.insert(swept, field)
			table.insert(swept, entry)
		end
		if #of >= left then
			swept[1] = 1
			return swept
		end
		redis.call('HDEL', KEYS[5], dead)
	end
end
return swept
