#include "shared/redis/scripts.h"

#include <openssl/sha.h>

#include <array>

#include "shared/runtime/ids.h"

// A server out of memory refuses a script's first write that needs some, and nothing after a write
// that was let through: so DEL never comes first where what follows may be refused.
// Numbers above 2^47 go through '%.0f': Lua prints the others with 14 digits.
namespace millrace::redis {
namespace {

// Makes a record unless one stands, the fields of an append first (a short hash is searched in
// order).
// KEYS job, events. ARGV run, fingerprint, tenant, session, kind, created, deadline, acknowledged
// ('1' or ''), line of `queued` with its number 1, or '' for a record whose log was lost.
// -> {1} made; {0, state, acknowledged, fingerprint} stood.
constexpr std::string_view accept = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'ack', 'fp')
if r[1] then return {0, r[1], r[2] or '0', r[3] or ''} end
local line = ARGV[9]
local seq = line == '' and '0' or '1'
redis.call('HSET', KEYS[1], 'state', 'queued', 'token', '', 'seq', seq, 'run', ARGV[1],
  'cancel', '0', 'events', seq, 'bytes', #line, 'lease', '0', 'fp', ARGV[2],
  'tenant', ARGV[3], 'session', ARGV[4], 'kind', ARGV[5], 'created', ARGV[6], 'deadline', ARGV[7])
redis.call('DEL', KEYS[2])
if ARGV[8] == '1' then redis.call('HSET', KEYS[1], 'ack', '1') end
if line ~= '' then
  redis.call('XADD', KEYS[2], '1-0', 'e', string.sub(line, 3, -2))
  redis.call('PUBLISH', KEYS[2], line)
end
return {1}
)";

// KEYS job. A record that was lost meanwhile is not half made again.
constexpr std::string_view acknowledge = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'ack', '1') end
return 1
)";

// KEYS job, events. -> 1 removed, or nothing was there; 0 it is acknowledged or begun, and stays.
constexpr std::string_view withdraw = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'ack', 'attempt')
if not r[1] then return 1 end
if r[1] ~= 'queued' or r[2] or r[3] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
)";

// KEYS job, events. -> 1 removed, or nothing was there; 0 it has not ended, and stays.
constexpr std::string_view forget = R"(
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'queued' or state == 'running' or state == 'retrying' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
)";

// Takes or renews the lease.
// KEYS job. ARGV token, control channel, known, begun before, force, lease ms, run.
// -> {outcome, state before, seq, gap from or 0, errors, lost, cancel, busy ms}; outcome 0 granted,
// 1 busy, 2 terminal, 3 no record.
// The log is whole when it reaches what this holder knows and either the server never went away
// or the holder is the one that wrote last; a record of a server that has restarted may lack a
// tail that readers saw. After a loss numbering goes on at the server's clock in µs, above any
// number given before: nothing is said twice under another meaning. The jump is kept until the
// next event, so a begin that is sent again tells of it again.
// A holder that goes on (known > 0) and was replaced meanwhile is not let in again, even when the
// lease is free: it does not know what the other has written, and its numbers are given.
constexpr std::string_view begin = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'seq', 'errors', 'lost', 'cancel',
  'run', 'attempt', 'gap_at', 'gap_from', 'by')
if not r[1] then return {3} end
local state, holder, seq = r[1], r[2], tonumber(r[4])
local errors, lost, cancel = tonumber(r[5] or '0'), tonumber(r[6] or '0'), tonumber(r[7])
if state ~= 'queued' and state ~= 'running' and state ~= 'retrying' then
  return {2, state, seq, 0, errors, lost, cancel, 0}
end
local t = redis.call('TIME')
local ms = t[1] * 1000 + math.floor(t[2] / 1000)
local token, known = ARGV[1], tonumber(ARGV[3])
local mine = holder == token
if known > 0 and r[9] and r[12] ~= token then
  return {1, state, seq, 0, errors, lost, cancel, math.max(tonumber(r[3]) - ms, 0)}
end
if not mine and holder ~= '' then
  local left = tonumber(r[3]) - ms
  if left <= 0 then
    lost = lost + 1
  elseif ARGV[5] == '0' then
    return {1, state, seq, 0, errors, lost, cancel, left}
  end
end
local whole = seq >= known and (mine or r[8] == ARGV[7] or (not r[9] and ARGV[4] == '0'))
local from = r[10] == r[4] and tonumber(r[11]) or 0
if not whole then
  if from == 0 then from = seq + 1 end
  seq = math.max(t[1] * 1000000 + t[2], known + 1, seq + 1)
  redis.call('HSET', KEYS[1], 'gap_at', string.format('%.0f', seq),
    'gap_from', string.format('%.0f', from))
end
redis.call('HSET', KEYS[1], 'state', 'running', 'token', token, 'by', token, 'control', ARGV[2],
  'lease', string.format('%.0f', ms + ARGV[6]), 'seq', string.format('%.0f', seq), 'lost', lost,
  'run', ARGV[7], 'attempt', errors + lost + 1)
return {0, state, seq, from, errors, lost, cancel, 0}
)";

// Writes numbered events under the lease: all or none, the same append twice is one.
// KEYS job, events. ARGV token, expected, last, run, lease ms or '', new state or '', ttl ms, most
// events, most bytes, lines (checked by the caller: expected + 1 to last).
// -> 0 or more: 1 cancel is wanted, 2 the log is too long; -1 fenced; -2 lost; after a terminal
// state {the same number, tenant, session}. Live readers get the lines in one message.
constexpr std::string_view append = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'token', 'seq', 'run', 'cancel', 'events', 'bytes')
if not r[1] then return -2 end
local token, last, state, lines = ARGV[1], ARGV[3], ARGV[6], ARGV[10]
local said = tonumber(r[5])
local ends = state ~= '' and state ~= 'queued' and state ~= 'retrying'
local function told()
  if not ends then return said end
  local of = redis.call('HMGET', KEYS[1], 'tenant', 'session')
  return {said, of[1] or '', of[2] or ''}
end
local same = r[3] == last and (last ~= ARGV[2] or r[1] == state)
if r[2] ~= token then
  if same and r[2] == '' and r[1] == state and redis.call('HGET', KEYS[1], 'by') == token then
    return told()
  end
  return -1
end
if same and (state == '' or r[1] == state) then return told() end
if r[4] ~= ARGV[4] then return -2 end
if r[1] ~= 'running' then return -1 end
if r[3] ~= ARGV[2] then return -2 end
local pos, count = 1, 0
while pos <= #lines do
  local space = string.find(lines, ' ', pos, true)
  local stop = string.find(lines, '\n', space, true)
  redis.call('XADD', KEYS[2], string.sub(lines, pos, space - 1) .. '-0', 'e',
    string.sub(lines, space + 1, stop - 1))
  pos, count = stop + 1, count + 1
end
local events, bytes = r[6] + count, r[7] + #lines
if state == '' then
  if ARGV[5] == '' then
    redis.call('HSET', KEYS[1], 'seq', last, 'events', events, 'bytes', bytes)
  else
    local t = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'seq', last, 'events', events, 'bytes', bytes,
      'lease', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[5]))
  end
  if events > tonumber(ARGV[8]) or bytes > tonumber(ARGV[9]) then said = said + 2 end
elseif ends then
  redis.call('HSET', KEYS[1], 'seq', last, 'state', state)
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
else
  redis.call('HSET', KEYS[1], 'seq', last, 'events', events, 'bytes', bytes, 'state', state,
    'token', '')
  if state == 'retrying' then redis.call('HINCRBY', KEYS[1], 'errors', 1) end
end
if count > 0 then redis.call('PUBLISH', KEYS[2], lines) end
return told()
)";

// Replaces what is older than `from` by the lines given, whose numbers are all below it.
// KEYS job, events. ARGV token, from, lines. -> 1 done, 0 the lease is another's.
constexpr std::string_view compact = R"(
local r = redis.call('HMGET', KEYS[1], 'token', 'state')
if r[1] ~= ARGV[1] or r[2] ~= 'running' then return 0 end
local tail = redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', '+')
redis.call('DEL', KEYS[2])
local lines, pos, events, bytes = ARGV[3], 1, #tail, #ARGV[3]
while pos <= #lines do
  local space = string.find(lines, ' ', pos, true)
  local stop = string.find(lines, '\n', space, true)
  redis.call('XADD', KEYS[2], string.sub(lines, pos, space - 1) .. '-0', 'e',
    string.sub(lines, space + 1, stop - 1))
  pos, events = stop + 1, events + 1
end
for _, entry in ipairs(tail) do
  redis.call('XADD', KEYS[2], entry[1], 'e', entry[2][2])
  bytes = bytes + #entry[1] + #entry[2][2]
end
redis.call('HSET', KEYS[1], 'events', events, 'bytes', bytes)
return 1
)";

// Marks the wish; whoever holds the job is woken.
// KEYS job. ARGV job id. -> 1 there is a record, 0 there is none.
constexpr std::string_view cancel = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'control', 'token')
if not r[1] then return 0 end
if r[1] == 'queued' or r[1] == 'running' or r[1] == 'retrying' then
  redis.call('HSET', KEYS[1], 'cancel', '1')
  if r[2] and r[3] ~= '' then redis.call('PUBLISH', r[2], ARGV[1]) end
end
return 1
)";

// As TokenBucket::take (shared/runtime/token_bucket.h) does it, by the server's clock. A bucket
// that is full again is one that is not there. KEYS bucket. ARGV tokens a second, burst, wanted. ->
// {taken, left in thousandths, ms to the next}
constexpr std::string_view take = R"(
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local r = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if r[1] then
  local past = math.max(us - tonumber(r[2]), 0)
  tokens = math.min(burst, tonumber(r[1]) + past * rate / 1000000)
end
local taken = math.min(wanted, math.floor(tokens + 0.000001))
tokens = math.max(tokens - taken, 0)
if taken > 0 then
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', us))
  redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
end
local wait = tokens + 0.000001 >= 1 and 0 or math.ceil((1 - tokens) / rate * 1000)
return {taken, math.floor(tokens * 1000), wait}
)";

// Puts a job among the live ones of its session if it is the only one.
// KEYS session's live jobs. ARGV created ms, job id, ms kept. -> 1 it is in, 0 others are.
constexpr std::string_view join_idle = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then return 1 end
if redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
)";

constexpr std::array<std::string_view, script_count> sources{
    accept, acknowledge, withdraw, forget, begin, append, compact, cancel, take, join_idle};

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace

std::string_view source(Script script) {
  return sources[static_cast<std::size_t>(script)];
}

const std::string& digest(Script script) {
  static const auto digests = [] {
    std::array<std::string, script_count> made;
    for (std::size_t i = 0; i < script_count; ++i) made[i] = sha1_hex(sources[i]);
    return made;
  }();
  return digests[static_cast<std::size_t>(script)];
}

}  // namespace millrace::redis
