-- Whether a message may leave on a lane now: a sliding window for each limit, the provider's own block, and precedence
-- for urgent messages. Same rules as throttle::Record.
-- KEYS: 1 sorted set of what left 2 marks: blocked, urgent, number
-- ARGV: 1 now ms, empty for the server's time 2 1 when urgent 3 precedence ms, then of each limit: count, window ms
-- Returns -1 when admitted, else milliseconds to wait.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local urgent, precedence = ARGV[2] == '1', tonumber(ARGV[3])
if not precedence or #ARGV % 2 == 0 then return redis.error_reply('TOCSIN malformed admission') end
local longest = 0
for i = 4, #ARGV, 2 do
  local count, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if not (count and window) then return redis.error_reply('TOCSIN malformed limit') end
  if window > longest then longest = window end
end
local marks = redis.call('HMGET', KEYS[2], 'blocked', 'urgent')
local blocked = tonumber(marks[1] or '0')
local until_ms = blocked
if not urgent then until_ms = math.max(until_ms, tonumber(marks[2] or '0')) end
for i = 4, #ARGV, 2 do
  local count, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local within = redis.call('ZRANGE', KEYS[1], string.format('(%.0f', now - window), '+inf', 'BYSCORE', 'WITHSCORES')
  local number = #within / 2
  if number >= count then
    -- the place that comes free next
    until_ms = math.max(until_ms, tonumber(within[2 * (number - count) + 2]) + window)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
if until_ms > now then
  if urgent and until_ms > blocked then
    redis.call('HSET', KEYS[2], 'urgent', string.format('%.0f', until_ms + precedence))
    redis.call('PEXPIRE', KEYS[2], math.ceil(math.max(until_ms + precedence, blocked) - now + longest))
  end
  return string.format('%.0f', until_ms - now)
end
local number = redis.call('HINCRBY', KEYS[2], 'number', 1)
redis.call('ZADD', KEYS[1], now, string.format('%.0f:%d', now, number))
redis.call('PEXPIRE', KEYS[1], longest + 1000)
redis.call('PEXPIRE', KEYS[2], longest + 1000)
return '-1'
