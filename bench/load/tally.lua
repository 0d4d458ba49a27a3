-- What the loads of this folder share: threads are counted together, the end is one JSON line.
local tally = {}
local threads = {}

function tally.setup(thread) table.insert(threads, thread) end

-- `wrong`: the global of a thread that counts answers with another status than the one expected.
function tally.print(summary, latency, wrong)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + (thread:get(wrong) or 0) end
  local e = summary.errors
  io.write(string.format('{"per_s":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"requests":%d,"%s":%d,"socket_errors":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.requests, wrong, bad, e.connect + e.read + e.write + e.timeout))
end

return tally
