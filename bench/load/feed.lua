-- wrk: GET, so many times on each connection: wrk -s feed.lua URL -- REQUESTS
-- wrk has no request of one connection: of each so many, one asks that its connection be closed.
local plain, last, every, count

function init(args)
  every = tonumber(args[1])
  count = 0
  plain = wrk.format("GET")
  last = wrk.format("GET", nil, { ["Connection"] = "close" })
end

function request()
  count = count + 1
  return count % every == 0 and last or plain
end
