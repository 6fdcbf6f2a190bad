-- Reads groups that a create run of the same prefix made, in random order. wrk asks for one request that it never
-- sends, so the first id was not created. The third argument is an API key; without it, requests have none.
function init(args)
  prefix = args[1] .. '-0-'
  highest = tonumber(args[2])
  headers = { ['Authorization'] = args[3] and 'Bearer ' .. args[3] }
  math.randomseed(7)
end

function request()
  return wrk.format('GET', '/v1/group/' .. prefix .. math.random(2, highest), headers)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d\n', summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
