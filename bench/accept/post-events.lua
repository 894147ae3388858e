-- wrk -s post-events.lua URL -- FILE RUN: posts the event in FILE again and again, each time with another eventID.
-- RUN makes those of one run different from another's. Ends with one line of JSON.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set('number', threads)
end

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  local body = file:read('*a')
  file:close()
  local before, after = body:match('^(.-)' .. ('#'):rep(16) .. '(.*)$')
  head = 'POST ' .. wrk.path .. ' HTTP/1.1\r\nHost: ' .. wrk.host .. '\r\nContent-Type: application/json\r\n'
    .. 'Content-Length: ' .. #body .. '\r\n\r\n' .. before .. ('%05d'):format(tonumber(args[2])) .. ('%02d'):format(number)
  tail = after
  count = 0
end

function request()
  count = count + 1
  return head .. ('%09d'):format(count) .. tail
end

function done(summary, latency)
  local errors = summary.errors
  print(('{"seconds":%f,"requests":%d,"refused":%d,"broken":%d,"p50Ms":%f,"p99Ms":%f}'):format(
    summary.duration / 1e6, summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
