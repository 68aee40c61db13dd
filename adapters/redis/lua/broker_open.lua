#!lua
-- Says how many partitions a broker has, for ever, and how many records each keeps: as it was made, as
-- asked for now, or the default. Returns {version, partitions, records}.
-- KEYS: layout. ARGV: partitions if it is new, records if they change or '', records if it is new.
local have = redis.call('HMGET', KEYS[1], 'version', 'partitions', 'records')
if have[1] and have[1] ~= '1' then
	return have
end
have = {'1', have[2] or ARGV[1], ARGV[2] ~= '' and ARGV[2] or have[3] or ARGV[3]}
redis.call('HSET', KEYS[1], 'version', have[1], 'partitions', have[2], 'records', have[3])
return have
