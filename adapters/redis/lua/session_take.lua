#!lua flags=allow-oom
-- Gives a session to a node if nobody has it, or that node, or the one that the caller knows to be dead.
-- Returns {} if there is none; {''} if a newer version has saved it; {node, user} if another has it; else {node, user, expires, data} as it was.
-- KEYS: session. ARGV: node, a dead one or ''.
local had = redis.call('HMGET', KEYS[1], 'node', 'user', 'expires', 'data', 'v')
if not had[1] then
	return {}
end
if had[5] ~= '1' then
	return {''}
end
if had[1] ~= '' and had[1] ~= ARGV[1] and had[1] ~= ARGV[2] then
	return {had[1], had[2]}
end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'by', ARGV[1])
return {had[1], had[2], had[3], had[4]}
