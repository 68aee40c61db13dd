#!lua flags=allow-oom
-- Forgets a session, unless another node has it.
-- KEYS: session. ARGV: node.
local node = redis.call('HGET', KEYS[1], 'node')
if node == '' or node == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
return 1
