-- Sends requests that were written to a file beforehand, one a line: METHOD, PATH and BODY, separated by spaces. Nothing is
-- computed for a request, so that no side pays for how its bodies are made. When all are sent, `again` begins anew, and `once`
-- asks for a path that nobody has: it counts as an error.
function init(args)
  prepared = {}
  local headers = { ['Content-Type'] = 'application/json' }
  for line in io.lines(args[1]) do
    local method, path, body = line:match('^(%S+) (%S+) ?(.*)$')
    if body == '' then
      prepared[#prepared + 1] = wrk.format(method, path)
    else
      prepared[#prepared + 1] = wrk.format(method, path, headers, body)
    end
  end
  exhausted = args[2] == 'once' and wrk.format('GET', '/all-prepared-requests-are-sent') or nil
  count = #prepared
  sent = 0
end

function request()
  sent = sent + 1
  if sent <= count then return prepared[sent] end
  return exhausted or prepared[(sent - 1) % count + 1]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d\n', summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
