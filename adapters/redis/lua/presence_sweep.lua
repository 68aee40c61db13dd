#!lua
-- Hands entries of nodes that do not live to another node, so many at most. Returns {1 if there may be more, fields
-- and entries in turn}.
-- KEYS: as for presence_put. ARGV: node, how many.
local heir, most = ARGV[1], tonumber(ARGV[2])
local swept = {0}
local time = now()
-- instant is a time as entries have it: 2^61 is 230584300 and 9213693952.
local function instant(micros)
	local low = 9213693952 + micros
	return string.format('%010.0f%010.0f', 230584300 + math.floor(low / 1e10), low % 1e10)
end
local at = instant(time)
-- handOver hands over what a node has, and returns whether that is all.
local function handOver(dead, ended)
	local left = most - (#swept - 1) / 2
	local of = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. dead .. '\0', '(' .. dead .. '\1', 'LIMIT', 0, left)
	for _, owned in ipairs(of) do
		local field = string.sub(owned, #dead + 2)
		local old = redis.call('HGET', KEYS[1], field)
		local low = tonumber(string.sub(old, 12, 21)) + 1
		local high = tonumber(string.sub(old, 2, 11)) + math.floor(low / 1e10)
		local since = string.sub(old, LEFT, LEFT + 19)
		if not string.find(since, '[1-9]') then
			since = instant(ended)
		end
		local entry = string.sub(old, 1, 1) .. string.format('%010.0f%010.0f0', high, low % 1e10) .. since .. at ..
			string.format('%05d', #heir) .. heir .. string.sub(old, NODE + #dead)
		keep(field, entry, old)
		redis.call('ZADD', KEYS[3], 0, heir .. '\0' .. field)
		table.insert(swept, field)
		table.insert(swept, entry)
	end
	return #of < left
end
local leases = redis.call('HGETALL', KEYS[5])
local known = {}
for i = 1, #leases, 2 do
	local node, ends = leases[i], tonumber(leases[i + 1])
	known[node] = true
	if node ~= heir and ends <= time then
		if not handOver(node, ends) then
			swept[1] = 1
			return swept
		end
		redis.call('HDEL', KEYS[5], node)
	end
end
local from = '-' -- the nodes that have entries, one after the other: some may have no lease
while true do
	local owned = redis.call('ZRANGEBYLEX', KEYS[3], from, '+', 'LIMIT', 0, 1)[1]
	if not owned then
		return swept
	end
	local node = string.sub(owned, 1, string.find(owned, '\0', 1, true) - 1)
	if node ~= heir and not known[node] and not handOver(node, time) then
		swept[1] = 1
		return swept
	end
	from = '[' .. node .. '\1'
end
