#!lua flags=allow-oom
-- Returns {epoch, offset}, and says it on a feed's own channel, behind all that was published before.
-- More ARGV: channel, a number that the feed knows it by.
redis.call('SPUBLISH', ARGV[3], string.format('%s %.0f %.0f', ARGV[4], epoch, offset))
return {epoch, offset}
