-- Takes pages that may leave: held-back ones whose time has come join the streams first; then what this worker held
-- before a restart, what other workers let lapse, and what is new; urgent ones before the rest.
-- KEYS: 1 outbox:high 2 outbox 3 delayed 4 pages   ARGV: 1 worker 2 limit 3 lease ms 4 now ms, empty for the server's
--       time 5 `resume` at a worker's first claim
-- Returns for each: 1 when urgent else 0, entry id, times taken, record.
local GROUP = 'senders'
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local room = tonumber(ARGV[2])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 1000)) do
  local stream = KEYS[2]
  if string.sub(member, 1, 1) == '1' then stream = KEYS[1] end
  local at = redis.call('ZSCORE', KEYS[3], member)
  redis.call('XADD', stream, '*', 'page', string.sub(member, 2), 'at', at)
  redis.call('ZREM', KEYS[3], member)
end

local claims = {}
local function take(stream, urgent, entries)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    local record = fields and redis.call('HGET', KEYS[4], fields[2])
    -- a page settled under another entry, after its lease had lapsed, does not leave again
    local read, page = pcall(cjson.decode, record or '')
    if record and not (read and page.status ~= 'pending') then
      local pending = redis.call('XPENDING', stream, GROUP, entry[1], entry[1], 1)
      local taken = pending[1] and pending[1][4] or 1
      table.insert(claims, {urgent, entry[1], tostring(taken), record})
      room = room - 1
    else
      redis.call('XACK', stream, GROUP, entry[1])
      redis.call('XDEL', stream, entry[1])
    end
  end
end

for i, stream in ipairs({KEYS[1], KEYS[2]}) do
  local urgent = i == 1 and '1' or '0'
  if redis.call('EXISTS', stream) == 1 then
    if #redis.call('XINFO', 'GROUPS', stream) == 0 then
      redis.call('XGROUP', 'CREATE', stream, GROUP, '0')
    end
    if room > 0 and ARGV[5] == 'resume' then
      local read = redis.call('XREADGROUP', 'GROUP', GROUP, ARGV[1], 'COUNT', room, 'STREAMS', stream, '0')
      if read then take(stream, urgent, read[1][2]) end
    end
    if room > 0 then
      local lapsed = redis.call('XAUTOCLAIM', stream, GROUP, ARGV[1], tonumber(ARGV[3]), '0', 'COUNT', room)
      take(stream, urgent, lapsed[2])
    end
    if room > 0 then
      local read = redis.call('XREADGROUP', 'GROUP', GROUP, ARGV[1], 'COUNT', room, 'STREAMS', stream, '>')
      if read then take(stream, urgent, read[1][2]) end
    end
  end
end
return claims
