-- Asks for the targets of a file (one a line), one after the other, and says at the end what came of it as JSON.
local requests = {}
local at = 0

function init(args)
  if args[2] == "close" then wrk.headers["Connection"] = "close" end
  for target in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", target)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p99":%.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99) / 1000
  ))
end
