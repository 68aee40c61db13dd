#!lua
-- Takes from a bucket, or takes nothing. Returns after how many ns there is enough; 0: it was taken.
-- KEYS: bucket. ARGV: ns in which all comes back, ns in which what is wanted does.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local per, lacks = tonumber(ARGV[1]), 0
local had = redis.call('GET', KEYS[1])
if had then
	local debt, at = string.match(had, '^(%d+) (%d+)$')
	lacks = math.max(0, math.min(tonumber(debt), per) - math.max(0, now - at) * 1000)
end
lacks = lacks + ARGV[2]
if lacks > per then
	return lacks - per
end
redis.call('SET', KEYS[1], string.format('%.0f %.0f', lacks, now), 'PX', math.max(1, math.ceil(lacks / 1000000)))
return 0
