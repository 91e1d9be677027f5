-- Replaces the record of a page, if nobody has written it since.
-- KEYS: 1 pages   ARGV: 1 page 2 record as read 3 record
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
