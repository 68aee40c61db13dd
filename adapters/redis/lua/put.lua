#!lua
-- Adds items to a partition, all or none, and wakes its taker if that has read all.
-- KEYS: items, idle. ARGV: channel, partition, then key, id and data of each.
for i = 3, #ARGV, 3 do
	redis.call('XADD', KEYS[1], '*', 'k', ARGV[i], 'i', ARGV[i + 1], 'd', ARGV[i + 2])
end
if redis.call('DEL', KEYS[2]) == 1 then
	redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return 1
