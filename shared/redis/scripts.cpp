#include "shared/redis/scripts.h"

#include <openssl/sha.h>

#include <array>

#include "shared/runtime/ids.h"

namespace millrace::redis {
namespace {

// KEYS job, events. ARGV run, fingerprint, tenant, session, kind, created, deadline, event.
// -> {1} made; {0, state, acknowledged, fingerprint} stood.
constexpr std::string_view accept = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'ack', 'fp')
if r[1] then return {0, r[1], r[2] or '0', r[3] or ''} end
redis.call('HSET', KEYS[1], 'state', 'queued', 'seq', '1', 'run', ARGV[1], 'fp', ARGV[2],
  'tenant', ARGV[3], 'session', ARGV[4], 'kind', ARGV[5], 'created', ARGV[6], 'deadline', ARGV[7])
redis.call('XADD', KEYS[2], '1-0', 'e', ARGV[8])
return {1}
)";

// KEYS job. A record that was lost meanwhile is not half made again.
constexpr std::string_view acknowledge = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'ack', '1') end
return 1
)";

// KEYS job, events. -> 1 removed, 0 it is wanted.
constexpr std::string_view withdraw = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'ack', 'attempt')
if r[1] ~= 'queued' or r[2] or r[3] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
)";

// KEYS job, events. ARGV token, worker, known, begun before, force, lease ms, run, tenant, session,
// kind, created, deadline. -> {outcome, state before, seq, gap from or 0, errors, lost, cancel,
// busy ms}; outcome 0 granted, 1 busy, 2 terminal.
// After a loss numbering goes on at the server's clock in µs, above any number given before: what
// readers saw of the lost tail is not said twice under another meaning.
constexpr std::string_view begin = R"(
local t = redis.call('TIME')
local ms = t[1] * 1000 + math.floor(t[2] / 1000)
local jump = string.format('%.0f', t[1] * 1000000 + t[2])
local token, known = ARGV[1], tonumber(ARGV[3])
local lease = string.format('%.0f', ms + ARGV[6])
local r = redis.call('HMGET', KEYS[1], 'state', 'token', 'lease', 'seq', 'errors', 'lost', 'cancel', 'run')
if not r[1] then
  local seq, gap = '0', '0'
  if known > 0 or ARGV[4] == '1' then seq, gap = jump, string.format('%.0f', known + 1) end
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'state', 'running', 'token', token, 'by', token, 'worker', ARGV[2],
    'lease', lease, 'seq', seq, 'run', ARGV[7], 'ack', '1', 'attempt', '1', 'tenant', ARGV[8],
    'session', ARGV[9], 'kind', ARGV[10], 'created', ARGV[11], 'deadline', ARGV[12])
  return {0, 'queued', seq, gap, 0, 0, 0, 0}
end
local state, holder, seq = r[1], r[2] or '', r[4]
local errors, lost = tonumber(r[5] or '0'), tonumber(r[6] or '0')
local cancel = tonumber(r[7] or '0')
if state ~= 'queued' and state ~= 'running' and state ~= 'retrying' then
  return {2, state, seq, 0, errors, lost, cancel, 0}
end
local mine = holder == token
if not mine and holder ~= '' and ARGV[5] == '0' then
  local left = tonumber(r[3] or '0') - ms
  if left > 0 then return {1, state, seq, 0, errors, lost, cancel, left} end
  lost = lost + 1
end
local gap = '0'
local other_server = (r[8] or '') ~= ARGV[7] and state ~= 'queued'
if tonumber(seq) < known or (other_server and not (mine and tonumber(seq) >= known)) then
  gap = string.format('%.0f', tonumber(seq) + 1)
  seq = jump
end
redis.call('HSET', KEYS[1], 'state', 'running', 'token', token, 'by', token, 'worker', ARGV[2],
  'lease', lease, 'seq', seq, 'lost', lost, 'run', ARGV[7], 'attempt', errors + lost + 1)
return {0, state, seq, gap, errors, lost, cancel, 0}
)";

// KEYS job, events. ARGV token, expected, count, run, lease ms, new state or '', ttl s, lines.
// -> {0, cancel}, with tenant and session after a terminal state; {1} fenced; {2} lost. Live
// readers get the lines in one message.
constexpr std::string_view append = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'token', 'seq', 'run', 'cancel', 'by')
if not r[1] then return {2} end
local token, seq = ARGV[1], tonumber(r[3])
local after = ARGV[2] + ARGV[3]
if r[2] ~= token then
  if r[6] == token and seq == after and (r[2] or '') == '' then return {0, r[5] or '0'} end
  return {1}
end
if seq == after and ARGV[3] ~= '0' then return {0, r[5] or '0'} end
if seq ~= tonumber(ARGV[2]) or r[4] ~= ARGV[4] then return {2} end
if r[1] ~= 'running' then return {1} end
local lines, pos = ARGV[8], 1
for i = 1, tonumber(ARGV[3]) do
  local stop = string.find(lines, '\n', pos, true)
  local space = string.find(lines, ' ', pos, true)
  redis.call('XADD', KEYS[2], string.sub(lines, pos, space - 1) .. '-0', 'e', string.sub(lines, space + 1, stop - 1))
  pos = stop + 1
end
local state = ARGV[6]
local t = redis.call('TIME')
local lease = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[5])
local last = string.format('%.0f', after)
if state == '' then
  redis.call('HSET', KEYS[1], 'seq', last, 'lease', lease)
elseif state == 'queued' then
  redis.call('HSET', KEYS[1], 'seq', last, 'state', state, 'token', '')
elseif state == 'retrying' then
  redis.call('HSET', KEYS[1], 'seq', last, 'state', state, 'token', '')
  redis.call('HINCRBY', KEYS[1], 'errors', 1)
else
  redis.call('HSET', KEYS[1], 'seq', last, 'state', state)
  redis.call('EXPIRE', KEYS[1], ARGV[7])
  redis.call('EXPIRE', KEYS[2], ARGV[7])
  redis.call('PUBLISH', KEYS[2], lines)
  local of = redis.call('HMGET', KEYS[1], 'tenant', 'session')
  return {0, r[5] or '0', of[1] or '', of[2] or ''}
end
redis.call('PUBLISH', KEYS[2], lines)
return {0, r[5] or '0'}
)";

// KEYS job. ARGV job id. -> 1 marked, 0 no record. Whoever holds the job is woken.
constexpr std::string_view cancel = R"(
local r = redis.call('HMGET', KEYS[1], 'state', 'worker', 'token')
if not r[1] then return 0 end
if r[1] == 'queued' or r[1] == 'running' or r[1] == 'retrying' then
  redis.call('HSET', KEYS[1], 'cancel', '1')
  if r[2] and (r[3] or '') ~= '' then redis.call('PUBLISH', 'mr:worker:' .. r[2], ARGV[1]) end
end
return 1
)";

// KEYS live. ARGV job id, created ms, most. -> 1 in, 0 full.
constexpr std::string_view join = R"(
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
)";

constexpr std::array<std::string_view, script_count> sources{accept, acknowledge, withdraw, begin,
                                                             append, cancel,      join};

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
