-- The provider asked for quiet on a lane: nothing leaves before.
-- KEYS: 1 marks   ARGV: 1 now ms, empty for the server's time 2 ms from now
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local span = tonumber(ARGV[2])
if not span then return redis.error_reply('TOCSIN malformed block') end
local known = tonumber(redis.call('HGET', KEYS[1], 'blocked') or '0')
if now + span > known then
  redis.call('HSET', KEYS[1], 'blocked', string.format('%.0f', now + span))
  redis.call('PEXPIRE', KEYS[1], math.ceil(span) + 3600000)
end
return 1
