#!lua
-- Keeps a session, unless another node has it, or has saved it for nobody and this is a copy. Returns 1
-- if it is kept.
-- KEYS: session. ARGV: who saves, the node that has it or '', user, when it expires in ms, data.
local had = redis.call('HMGET', KEYS[1], 'by', 'node')
if had[1] and had[1] ~= ARGV[1] and (had[2] ~= '' or ARGV[2] ~= '') then
	return 0
end
redis.call('HSET', KEYS[1], 'v', 1, 'by', ARGV[1], 'node', ARGV[2], 'user', ARGV[3], 'expires', ARGV[4], 'data', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
return 1
