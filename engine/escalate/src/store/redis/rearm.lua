-- Sets or clears the timer of an incident that still stands at the version seen.
-- KEYS: 1 incident 2 timers   ARGV: 1 id 2 version 3 due ms, empty for none 4 `missing`: only if there is no timer
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
if ARGV[4] == 'missing' and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('ZADD', KEYS[2], tonumber(ARGV[3]), ARGV[1])
return 1
