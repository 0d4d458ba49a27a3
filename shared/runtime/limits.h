#pragma once
#include <cstddef>
#include <cstdint>

#include "shared/runtime/time.h"

/// Every bound of the product, with its unit, and how the bounds hang together.
namespace millrace::limits {

// --- a job
inline constexpr std::size_t input_bytes_max = 256 * 1024;  ///< of JSON, in the envelope
/// Of what was said before in a session; what is older than that does not go to the model.
inline constexpr std::size_t context_bytes_max = 1024 * 1024;
inline constexpr std::size_t metadata_bytes_max = 16 * 1024;
inline constexpr std::size_t name_bytes_max = 200;  ///< model, session, tenant, keys
inline constexpr std::uint32_t job_attempts_max = 5;
inline constexpr std::uint32_t lost_runs_before_quiet = 2;  ///< then it runs alone
inline constexpr auto deadline_default = 24h;
inline constexpr auto deadline_max = 7 * 24h;
inline constexpr auto retry_wait_first = 500ms;
inline constexpr auto retry_wait_max = 60s;
inline constexpr std::size_t session_jobs_max = 1000;  ///< live jobs of one session

inline constexpr auto job_kept_default = 30 * 24h;  ///< after its end
/// So long a queue may deliver a job again: its row is what says that it has ended.
inline constexpr auto job_kept_min = deadline_max + 7 * 24h;

// --- a lease
inline constexpr auto lease_for = 10s;
inline constexpr auto lease_renew_every = 3s;
inline constexpr auto lease_left_to_act = 3s;  ///< no model call or effect starts with less left
static_assert(3 * lease_renew_every < lease_for, "two lost renewals must not cost the lease");
static_assert(lease_renew_every + lease_left_to_act < lease_for,
              "a holder whose renewals arrive may always act");

// --- the event log
inline constexpr std::size_t log_events_max = 100'000;
inline constexpr std::size_t log_bytes_max = 16 * 1024 * 1024;
inline constexpr auto log_kept_after_end = 24h;
inline constexpr std::size_t log_page_events = 512;
inline constexpr std::size_t append_events_max = 512;  ///< joined into one write
inline constexpr std::size_t append_bytes_max = 256 * 1024;
inline constexpr auto log_command_timeout = 2s;                  ///< on the total, retries included
inline constexpr std::size_t held_event_bytes_max = 256 * 1024;  ///< while the log is away
inline constexpr auto held_event_time_max = 60s;
inline constexpr auto silent_job_check = 15s;

// --- the queue
inline constexpr std::size_t jobs_in_flight_max = 1000;
inline constexpr std::int64_t offset_window = 1'000'000;  ///< beyond the committed prefix
inline constexpr std::size_t commit_metadata_bytes_max = 4000;
inline constexpr auto redeliver_after = 1s;
inline constexpr auto retry_in_memory_max = 30s;
inline constexpr std::size_t queue_memory_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t queue_jobs_in_memory_max = 10'000;  ///< embedded, beside those in hand
static_assert(queue_jobs_in_memory_max / 2 > 4 * jobs_in_flight_max,
              "what waits behind the jobs in hand must leave room for what can run");
inline constexpr auto produce_timeout = 10s;
inline constexpr int partitions = 12;

// --- cancel and drain
inline constexpr auto cancel_answer_max = 1s;
inline constexpr auto cancel_holder_wait = 700ms;  ///< then the edge ends the job itself
inline constexpr auto drain_grace = 30s;
static_assert(cancel_holder_wait < cancel_answer_max);

// --- HTTP
inline constexpr std::size_t header_bytes_max = 32 * 1024;
inline constexpr std::size_t url_bytes_max = 8 * 1024;
inline constexpr std::size_t body_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t json_depth_max = 64;
inline constexpr auto header_timeout = 10s;
inline constexpr auto body_idle_timeout = 30s;
inline constexpr auto keep_alive_idle = 75s;
inline constexpr auto wait_preference_max = 60s;

// --- streams to clients
inline constexpr auto heartbeat_every = 15s;
inline constexpr std::size_t reader_bytes_max = 1024 * 1024;  ///< behind by more: cut
inline constexpr auto reader_stall_max = 30s;                 ///< one write may take
inline constexpr std::size_t jobs_per_stream_max = 100;
inline constexpr auto stream_url_valid = 1h;

// --- the model
inline constexpr auto model_connect_timeout = 10s;
inline constexpr auto model_first_token_timeout = 60s;
inline constexpr auto model_idle_timeout = 30s;
inline constexpr auto model_turn_timeout = 15min;
inline constexpr std::size_t model_line_bytes_max = 1024 * 1024;
inline constexpr std::size_t model_text_bytes_max = 8 * 1024 * 1024;

// --- the store
inline constexpr std::size_t store_batch_rows_max = 512;
inline constexpr std::size_t store_queue_rows_max = 100'000;
inline constexpr std::size_t store_queue_bytes_max = 128 * 1024 * 1024;
inline constexpr auto store_timeout = 10s;

// --- objects
inline constexpr std::size_t object_key_bytes_max = 1024;
inline constexpr std::size_t object_piece_bytes_max = 128 * 1024;  ///< in hand between two waits
inline constexpr std::uint32_t object_list_max = 1000;
inline constexpr auto object_timeout = 10s;  ///< on each piece, however large the object
/// How long a large input outlives its job's deadline: a dead letter is kept for 30 days, and what
/// it is sent again as may live as long as a job may.
inline constexpr auto large_input_kept = 30 * 24h + deadline_max;
inline constexpr std::size_t large_inputs_bytes_max = 64 * 1024 * 1024;  ///< running, of one loop
static_assert(large_inputs_bytes_max >= 4 * body_bytes_max,
              "no large input may hold up all others");

}  // namespace millrace::limits
