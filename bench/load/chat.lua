-- POSTs chat completions that are answered in one piece. Prints one JSON line.
local threads = {}
function setup(thread) table.insert(threads, thread) end

not_200 = 0
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"' .. os.getenv("MODEL") .. '","max_tokens":256,"messages":[' ..
  '{"role":"system","content":"You are a helpful assistant."},' ..
  '{"role":"user","content":"Please summarise the quarterly numbers by region and explain the two largest changes."}]}'

function response(status) if status ~= 200 then not_200 = not_200 + 1 end end

function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + (thread:get("not_200") or 0) end
  local e = summary.errors
  io.write(string.format('{"per_s":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"requests":%d,"not_200":%d,"socket_errors":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.requests, bad, e.connect + e.read + e.write + e.timeout))
end
