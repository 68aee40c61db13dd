#!lua flags=allow-oom
-- Counts a taker no more.
-- KEYS: takers. ARGV: taker.
return redis.call('ZREM', KEYS[1], ARGV[1])
