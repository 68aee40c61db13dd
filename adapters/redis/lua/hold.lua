#!lua flags=allow-oom
-- Renews the lease of a partition under the epoch that the taker knows, also when it has run out if
-- nobody has taken it since; or, when asked to, takes one that is free, if its last epoch was that.
-- So a call that comes late, when others have been made since, does nothing. Returns {1: it is the
-- taker's, 0: free, -1: somebody else's; epoch}.
-- KEYS: lease, items. ARGV: taker, for how many ms, epoch, 1 to take it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[1], 'taker', 'epoch', 'until')
local epoch = lease[2] or '0'
local ours = lease[1] == ARGV[1]
if not (ours and epoch == ARGV[3] and ARGV[4] == '0') then
	if not ours and lease[1] and lease[1] ~= '' and tonumber(lease[3]) > now then
		return {-1, tonumber(epoch)}
	end
	if ARGV[4] == '0' or epoch ~= ARGV[3] then
		return {0, tonumber(epoch)}
	end
	-- The time too, so that an epoch is not given twice when a failover has lost the last ones.
	epoch = math.max(epoch + 1, time[1] * 1000000 + time[2])
end
redis.call('HSET', KEYS[1], 'taker', ARGV[1], 'epoch', epoch, 'until', now + ARGV[2])
redis.pcall('XGROUP', 'CREATE', KEYS[2], 'queue', '0', 'MKSTREAM') -- it fails when it is there
return {1, tonumber(epoch)}
