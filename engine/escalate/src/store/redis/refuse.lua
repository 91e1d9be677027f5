-- Adds a refused command to its shard's chain, if the chain still ends where its hash says.
-- KEYS: 1 refused   ARGV: 1 number it must follow, 0 for an empty chain 2 entry 3 number kept
local last = redis.call('LINDEX', KEYS[1], -1)
local number = 0
if last then number = cjson.decode(last)['number'] end
if number ~= tonumber(ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
return 1
