-- A page that was settled before a failover and waits again is settled again; its entry in a stream goes with its next claim.
-- KEYS: 1 pages   ARGV: 1 page 2 record
-- Returns 1 when it waited.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored or cjson.decode(stored)['status'] ~= 'pending' then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
