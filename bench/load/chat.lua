-- POSTs chat completions that are answered in one piece. Prints one JSON line.
local tally = dofile(debug.getinfo(1, "S").source:match("^@(.-)[^/]*$") .. "tally.lua")
setup = tally.setup

not_200 = 0
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"' .. os.getenv("MODEL") .. '","max_tokens":256,"messages":[' ..
  '{"role":"system","content":"You are a helpful assistant."},' ..
  '{"role":"user","content":"Please summarise the quarterly numbers by region and explain the two largest changes."}]}'

function response(status) if status ~= 200 then not_200 = not_200 + 1 end end

function done(summary, latency) tally.print(summary, latency, "not_200") end
