-- Takes due timers by moving them to the end of the lease: a worker that dies gives them back by itself.
-- KEYS: 1 timers   ARGV: 1 now ms, empty for the server's time 2 limit 3 lease ms
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]))
for _, id in ipairs(due) do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), id)
end
table.insert(due, 1, string.format('%.0f', now))
return due
