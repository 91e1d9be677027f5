-- One change of one incident, whole: known operation? expected version? then state, indexes, timer, pages, history.
-- Everything is checked before the first write, since Redis does not roll a script back.
-- KEYS: 1 incident 2 newest 3 by_time 4 open 5 tally 6 timers 7 outbox:high 8 outbox 9 delayed 10 pages 11 paged
--       12 audit 13 log 14 op
-- ARGV: 1 id 2 expected version 3 incident 4 monitor 5 opened ms 6 tally word, empty when closed 7 due ms, empty for
--       none 8 audit entry 9 now ms 10 seconds to remember the operation 11 number of pages, then of each: id, record,
--       ms it may leave or -1 when it left before a failover, 1 when urgent
local known = redis.call('HMGET', KEYS[1], 'version', 'json', 'tally')
if redis.call('EXISTS', KEYS[14]) == 1 then
  return {'already', known[2] or ''}
end
local expected, opened, now, ttl, pages =
  tonumber(ARGV[2]), tonumber(ARGV[5]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local due = nil
if ARGV[7] ~= '' then due = tonumber(ARGV[7]) end
if not (expected and opened and now and ttl and pages) or (ARGV[7] ~= '' and not due) or #ARGV ~= 11 + 4 * pages then
  return redis.error_reply('TOCSIN malformed commit')
end
for i = 0, pages - 1 do
  if not tonumber(ARGV[12 + 4 * i + 2]) then return redis.error_reply('TOCSIN malformed page') end
end
if tonumber(known[1] or '0') ~= expected then
  return {'conflict', known[2] or ''}
end

redis.call('HSET', KEYS[1], 'version', expected + 1, 'json', ARGV[3], 'tally', ARGV[6])
redis.call('SET', KEYS[14], ARGV[1], 'EX', ttl)
if expected == 0 then
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[1])
  redis.call('ZADD', KEYS[3], opened, ARGV[1])
end
if known[3] and known[3] ~= '' then
  redis.call('HINCRBY', KEYS[5], known[3], -1)
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[4], opened, ARGV[1])
  redis.call('HINCRBY', KEYS[5], ARGV[6], 1)
else
  redis.call('ZREM', KEYS[4], ARGV[1])
end
if due then
  redis.call('ZADD', KEYS[6], due, ARGV[1])
else
  redis.call('ZREM', KEYS[6], ARGV[1])
end
for i = 0, pages - 1 do
  local base = 12 + 4 * i
  local page, ready = ARGV[base], tonumber(ARGV[base + 2])
  if redis.call('HSETNX', KEYS[10], page, ARGV[base + 1]) == 1 then
    redis.call('RPUSH', KEYS[11], page)
    if ready > now then
      redis.call('ZADD', KEYS[9], ready, ARGV[base + 3] .. page)
    elseif ready >= 0 then
      local outbox = KEYS[8]
      if ARGV[base + 3] == '1' then outbox = KEYS[7] end
      redis.call('XADD', outbox, '*', 'page', page, 'at', ready)
    end
  end
end
redis.call('XADD', KEYS[12], '*', 'incident', ARGV[1], 'version', expected + 1, 'entry', ARGV[8])
redis.call('RPUSH', KEYS[13], ARGV[8])
return {'applied', ''}
