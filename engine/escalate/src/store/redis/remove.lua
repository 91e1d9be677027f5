-- Removes a closed incident with its pages and history, if it still stands at the version seen.
-- KEYS: 1 incident 2 newest 3 by_time 4 timers 5 pages 6 paged 7 log 8 audit 9 delayed 10 open
-- ARGV: 1 id 2 version 3 monitor 4 closed ms: the shard's stream of entries is cut up to there
-- What still waits in an outbox is dropped when it is taken up: its record is gone.
local closed = tonumber(ARGV[4])
if not closed then return redis.error_reply('TOCSIN malformed removal') end
local known = redis.call('HMGET', KEYS[1], 'version', 'tally')
if known[1] ~= ARGV[2] or known[2] ~= '' then return 0 end
for _, page in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
  redis.call('HDEL', KEYS[5], page)
  redis.call('ZREM', KEYS[9], '0' .. page, '1' .. page)
end
redis.call('DEL', KEYS[1], KEYS[6], KEYS[7])
if redis.call('HGET', KEYS[2], ARGV[3]) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[3]) end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[10], ARGV[1])
redis.call('XTRIM', KEYS[8], 'MINID', string.format('%.0f', closed))
return 1
