#!lua
-- Renews the lease of a node by the server's clock: it ends so many microseconds from now. Returns 1 if the node had
-- one, over or not.
-- KEYS: leases. ARGV: node, µs.
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[2])
return 1 - redis.call('HSET', KEYS[1], ARGV[1], ends)
