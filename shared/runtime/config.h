#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shared/runtime/limits.h"
#include "shared/runtime/model_prices.h"
#include "shared/runtime/time.h"

namespace millrace {

/// What a model turn does with the text of a run that was cut short.
enum class LlmContinue : std::uint8_t { rewind, prefill };

/// Everything that can be set, read once at start. Each setting is a flag (`--kafka-brokers`),
/// an environment variable (`KAFKA_BROKERS`, also from a `.env` file found from the working
/// folder upwards) and a TOML key (`kafka_brokers`, file named by `--config`); the flag wins over
/// the environment, the environment over `.env`, that over TOML, that over the default.
struct Config {
  // where to listen
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;      ///< of the edge
  std::uint16_t worker_port = 0;  ///< of a worker's /metrics, /livez, /readyz; 0: none
  std::uint16_t sim_port = 0;     ///< of llm-sim; 0: any free
  std::uint32_t edge_threads = 1;
  std::uint32_t worker_threads = 1;
  std::string cors_origins;
  std::string allowed_hosts;  ///< names an edge without keys is asked by; comma-separated, `*`: any
  /// `on`: routes want an API key; `off`: none does; `auto`: from the first key made on, and before
  /// it a loopback address alone.
  std::string auth = "auto";
  std::string address_rate;           ///< requests of one address, a TokenRate; empty: no limit
  std::string trusted_proxies;        ///< addresses and ranges whose X-Forwarded-For is believed
  std::uint32_t tenant_jobs_max = 0;  ///< jobs of one tenant that have not ended; 0: no limit

  // the outside world
  std::string kafka_brokers;
  std::map<std::string, std::string> kafka_properties;  ///< librdkafka names, from KAFKA_*
  std::string topic_prefix = "millrace";
  std::string group = "millrace-workers";
  std::string redis_url;  ///< redis://[user:password@]host[:port][/db]
  /// A path, without `sqlite:`, or a Postgres URL; never empty: by default a file in `data`.
  std::string database_url;
  std::string data = "./millrace-data";
  std::string secret;  ///< signs links; comma-separated: first signs,
                       ///< all are accepted

  // the model
  std::string llm_server_url;        ///< base without trailing `/` and `/v1`; empty: none
  std::string llm_api_key;           ///< LLM_API_KEY, OPENAI_API_KEY or OPENROUTER_API_KEY
  std::string model_id = "default";  ///< for jobs that name none
  std::uint32_t default_max_tokens = 256;
  double default_temperature = 0.7;
  LlmContinue llm_continue = LlmContinue::rewind;
  std::string llm_prefill_body;  ///< JSON object merged into a prefilled request
  ModelPrices model_prices;      ///< for the cost of an answer in `chat_history`
  Duration llm_connect_timeout = 10s;
  Duration llm_first_token_timeout = 60s;
  Duration llm_idle_timeout = 30s;
  Duration llm_turn_timeout = 15min;

  // how jobs run
  std::uint32_t jobs_in_flight = 1000;  ///< a process
  std::uint32_t job_attempts = 5;
  Duration drain_grace = 30s;
  Duration events_ttl = 24h;
  Duration unkept_ttl = 5min;      ///< a job that is not to be kept goes so long after its end
  Duration session_timeout = 24h;  ///< since its last access; SESSION_TIMEOUT_HOURS
  std::string features;  ///< names that a question's features may have, with commas; empty: any
  std::string context_compression = "off";  ///< on: older messages go to the model as a summary
  std::uint32_t max_context_messages = 10;  ///< of a conversation that go to the model
  Duration jobs_ttl = limits::job_kept_default;  ///< of ended jobs with their results

  // webhooks
  std::string webhook_allow;       ///< addresses and ranges beside the public ones
  Duration webhook_timeout = 15s;  ///< of one request

  // the command line
  std::string url;       ///< of the edge to talk to; empty: the one at `port` of this host
  std::string api_key;   ///< that the commands show the edge; empty: none
  std::string no_color;  ///< not empty: no colours (no-color.org)

  std::string log_level = "info";   ///< debug, info, warn, error
  std::string log_format = "auto";  ///< auto (text on a terminal), json, text

  /// By key, what was given of settings that belong to parts which are not there yet (tools, S3,
  /// Bedrock): their form is checked, nothing heeds them, and `millrace config` says so.
  std::map<std::string, std::string> not_used_yet;
};

/// One setting as `millrace config` shows it.
struct ConfigLine {
  std::string key;  ///< TOML name
  std::string env;
  std::string value;  ///< secrets are masked
  /// `default`, `flag --port`, `env PORT`, `.env PORT (path line 3)`, `path.toml line 3`
  std::string origin;
  bool used = true;  ///< false: it belongs to a part that is not there yet
};

struct LoadedConfig {
  Config config;
  std::vector<ConfigLine> lines;
  /// A sentence each: of names in `.env` that are no settings and look like one, of its lines that
  /// could not be read, of a `.env` that is no file.
  std::vector<std::string> doubts;
};

/// Reads the configuration. `flags` are `--key value`, `--key=value` or `--key` for true; what is
/// left over is an error. Throws std::invalid_argument with a message that names the setting,
/// its origin, what is wrong and what is allowed. An unknown flag or TOML key is an error, and so
/// is an unknown MILLRACE_… in `.env`; each names the nearest there is. Other names in `.env` and
/// the environment are other programs' affair. No value holds bad UTF-8 or control characters, but
/// line ends in `llm_prefill_body` and in librdkafka's.
LoadedConfig load_config(const std::vector<std::string>& flags);

}  // namespace millrace
