-- The same work as ../fastapi_peer.py, in nginx's own process: each event's id seen once, two hash
-- writes for each event, one pipeline.
local cjson = require "cjson"
local redis = require "nginx.redis"

local seen_seconds, pool_milliseconds, pool_size = 86400, 60000, 128

ngx.req.read_body()
local batch = cjson.decode(ngx.req.get_body_data())
local link = redis:new()
local ok, problem = link:connect("unix:" .. ngx.var.redis_socket)
if not ok then
    ngx.log(ngx.ERR, "redis: ", problem)
    return ngx.exit(502)
end
local visitor, seen = "v:" .. batch.d, "seen:" .. batch.w .. ":"
link:init_pipeline(3 * #batch.e)
for _, event in ipairs(batch.e) do
    link:set(seen .. event.n, 1, "EX", seen_seconds, "NX")
    link:hset(visitor, "last", event.t)
    link:hincrby(visitor, "events", 1)
end
local answers, failure = link:commit_pipeline()
if not answers then
    ngx.log(ngx.ERR, "redis: ", failure)
    return ngx.exit(502)
end
link:set_keepalive(pool_milliseconds, pool_size)
return ngx.exit(204)
