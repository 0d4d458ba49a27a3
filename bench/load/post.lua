-- POSTs jobs of about 400 bytes over 500 sessions; STYLE=millrace or peer. Prints one JSON line.
local millrace = os.getenv("STYLE") == "millrace"
local tally = dofile(debug.getinfo(1, "S").source:match("^@(.-)[^/]*$") .. "tally.lua")
setup = tally.setup

local sent = 0
not_202 = 0
local pad = "The quick brown fox jumps over the lazy dog; please summarise the quarterly numbers by region and explain the two largest changes."
local messages = string.format('[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"%s"}]', pad)
-- Jobs that are not due for an hour: what is measured is taking them, not running them.
local not_before = os.getenv("NOT_BEFORE") and '"not_before":"' .. os.getenv("NOT_BEFORE") .. '",' or ""
local form = millrace
  and '{' .. not_before .. '"session":"s-%04d","kind":"chat","model":"sim-50ms-200tok-10gap","max_tokens":256,"metadata":{"stream":true},"input":%s}'
  or '{"session_id":"s-%04d","kind":"chat","model":"sim-50ms-200tok-10gap","max_tokens":256,"stream":true,"messages":%s}'
local path = millrace and "/v1/jobs" or "/jobs"
local headers = {["Content-Type"] = "application/json"}

function request()
  sent = sent + 1
  return wrk.format("POST", path, headers, string.format(form, sent % 500, messages))
end

function response(status) if status ~= 202 then not_202 = not_202 + 1 end end

function done(summary, latency) tally.print(summary, latency, "not_202") end
