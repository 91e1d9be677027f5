-- Records what became of a claimed page. Only whoever holds the claim may, except that a delivery always counts and is
-- never overwritten.
-- KEYS: 1 stream of the claim 2 delayed 3 pages 4 dead
-- ARGV: 1 worker 2 entry id 3 page 4 record 5 status 6 ms it may leave again 7 1 when urgent
-- Returns 1 when recorded or delivered before, 0 when the claim was lost.
local GROUP = 'senders'
local again = tonumber(ARGV[6])
if not again then return redis.error_reply('TOCSIN malformed settlement') end
local stored = redis.call('HGET', KEYS[3], ARGV[3])
local delivered = stored and cjson.decode(stored)['status'] == 'delivered'
local holder = nil
if redis.call('EXISTS', KEYS[1]) == 1 and #redis.call('XINFO', 'GROUPS', KEYS[1]) > 0 then
  local pending = redis.call('XPENDING', KEYS[1], GROUP, ARGV[2], ARGV[2], 1)
  holder = pending[1] and pending[1][2]
end
if not delivered and ARGV[5] ~= 'delivered' and holder ~= ARGV[1] then return 0 end

if holder then redis.call('XACK', KEYS[1], GROUP, ARGV[2]) end
redis.call('XDEL', KEYS[1], ARGV[2])
if delivered then return 1 end
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
if ARGV[5] == 'pending' then
  redis.call('ZADD', KEYS[2], again, ARGV[7] .. ARGV[3])
elseif ARGV[5] == 'delivered' then
  -- Put back by another worker in between: it need not be sent again.
  redis.call('ZREM', KEYS[2], ARGV[7] .. ARGV[3])
elseif ARGV[5] == 'dead' then
  redis.call('XADD', KEYS[4], '*', 'page', ARGV[3])
end
return 1
