-- Creates a new group with every request. Each thread and each run has ids of its own. The second argument is an
-- API key; without it, requests have none.
local thread_count = 0

function setup(thread)
  thread:set('thread_id', thread_count)
  thread_count = thread_count + 1
end

function init(args)
  prefix = args[1] .. '-' .. thread_id .. '-'
  count = 0
  headers = { ['Content-Type'] = 'application/json', ['Authorization'] = args[2] and 'Bearer ' .. args[2] }
end

function request()
  count = count + 1
  return wrk.format('POST', '/v1/group', headers, '{"groupId":"' .. prefix .. count .. '"}')
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d\n', summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
