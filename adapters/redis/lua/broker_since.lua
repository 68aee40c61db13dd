#!lua flags=no-writes
-- Returns {epoch, offset, records behind a position, oldest first, each as {id, {'r', record}}}.
-- KEYS: head, events. ARGV: offset, how many at most.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
return {tonumber(head[1] or 0), tonumber(head[2] or 0), redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])}
