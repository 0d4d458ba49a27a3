#include "shared/runtime/config_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "shared/runtime/config_value.h"
#include "shared/runtime/ip_address.h"
#include "shared/runtime/token_bucket.h"

namespace millrace {
namespace {

namespace value = config_value;

using Names = std::vector<std::string_view>;

Setting text(std::string_view key, Names env, std::string Config::* member) {
  return {key, env, "any text",
          [member](Config& config, const std::string& given) {
            config.*member = given;
            return true;
          },
          [member](const Config& config) { return config.*member; }};
}

Setting secret(std::string_view key, Names env, std::string Config::* member) {
  Setting setting = text(key, std::move(env), member);
  setting.show = [member](const Config& config) {
    return std::string((config.*member).empty() ? std::string_view() : value::mask);
  };
  return setting;
}

/// Text that a predicate must like.
Setting checked(std::string_view key, Names env, std::string Config::* member, std::string allowed,
                std::function<bool(std::string_view)> right) {
  Setting setting = text(key, std::move(env), member);
  setting.allowed = std::move(allowed);
  setting.read = [member, right](Config& config, const std::string& given) {
    config.*member = given;
    return right(given);
  };
  return setting;
}

/// Text that cannot be left out.
Setting some_text(std::string_view key, Names env, std::string Config::* member) {
  return checked(key, std::move(env), member, "any text but an empty one",
                 [](std::string_view given) { return !given.empty(); });
}

/// Text that is kept in its one normal form.
Setting normalised(std::string_view key, Names env, std::string Config::* member,
                   std::string allowed,
                   std::function<std::optional<std::string>(std::string_view)> normal_form) {
  Setting setting = text(key, std::move(env), member);
  setting.allowed = std::move(allowed);
  setting.read = [member, normal_form](Config& config, const std::string& given) {
    const auto normal = normal_form(given);
    if (normal) config.*member = *normal;
    return normal.has_value();
  };
  return setting;
}

Setting choice(std::string_view key, Names env, std::string Config::* member, Names choices) {
  return checked(key, std::move(env), member, fmt::format("{}", fmt::join(choices, ", ")),
                 [choices](std::string_view given) {
                   return std::find(choices.begin(), choices.end(), given) != choices.end();
                 });
}

template <class N>
Setting whole(std::string_view key, Names env, N Config::* member, std::uint64_t least,
              std::uint64_t most = std::numeric_limits<N>::max()) {
  return {key, env, fmt::format("a whole number from {} to {}", least, most),
          [=](Config& config, const std::string& given) {
            const auto number = value::whole_number(given);
            if (!number || *number < least || *number > most) return false;
            config.*member = static_cast<N>(*number);
            return true;
          },
          [member](const Config& config) { return std::to_string(config.*member); }};
}

Setting number(std::string_view key, Names env, double Config::* member, double least,
               double most) {
  return {key, env, fmt::format("a number from {} to {}", least, most),
          [=](Config& config, const std::string& given) {
            const auto number = value::number(given);
            if (!number || *number < least || *number > most) return false;
            config.*member = *number;
            return true;
          },
          [member](const Config& config) { return value::to_text(config.*member); }};
}

Setting time(std::string_view key, Names env, Duration Config::* member, Duration least,
             Duration most) {
  return {key, env,
          fmt::format("a time from {} to {}, such as 500ms, 30s, 15min, 24h or 7d; "
                      "a bare number is seconds",
                      value::to_text(least), value::to_text(most)),
          [=](Config& config, const std::string& given) {
            const auto read = value::duration(given);
            if (!read || *read < least || *read > most) return false;
            config.*member = *read;
            return true;
          },
          [member](const Config& config) { return value::to_text(config.*member); }};
}

/// A number of hours, more than none.
Setting hours(std::string_view key, Names env, Duration Config::* member, int most) {
  return {key, env, fmt::format("a number of hours, more than 0 and at most {}", most),
          [=](Config& config, const std::string& given) {
            const auto number = value::number(given);
            if (!number || *number <= 0 || *number > most) return false;
            config.*member = std::chrono::duration_cast<Duration>(
                std::chrono::duration<double, std::ratio<3600>>(*number));
            return true;
          },
          [member](const Config& config) {
            return value::to_text(
                std::chrono::duration<double, std::ratio<3600>>(config.*member).count());
          }};
}

Setting continue_setting() {
  return {"llm_continue",
          {"LLM_CONTINUE"},
          "rewind, prefill",
          [](Config& config, const std::string& given) {
            config.llm_continue = given == "prefill" ? LlmContinue::prefill : LlmContinue::rewind;
            return given == "prefill" || given == "rewind";
          },
          [](const Config& config) {
            return std::string(config.llm_continue == LlmContinue::prefill ? "prefill" : "rewind");
          }};
}

Setting prefill_setting() {
  Setting setting = checked(
      "llm_prefill_body", {"LLM_PREFILL_BODY"}, &Config::llm_prefill_body, "a JSON object",
      [](std::string_view given) { return given.starts_with('{') && given.ends_with('}'); });
  setting.many_lines = true;
  return setting;
}

Setting prices_setting() {
  return {"model_prices",
          {"MODEL_PRICES"},
          "model=prompt/completion for each, separated by commas: the prices of a million tokens, "
          "from 0 to 1000000 with at most six decimals; a name that ends in * is a beginning",
          [](Config& config, const std::string& given) {
            const auto prices = ModelPrices::read(given);
            if (prices) config.model_prices = *prices;
            return prices.has_value();
          },
          [](const Config& config) { return config.model_prices.str(); }};
}

/// Another word for `log_level=debug`; a log level that is set wins.
Setting debug_setting() {
  return {"debug",
          {"DEBUG"},
          "true or false",
          [](Config& config, const std::string& given) {
            const auto wanted = value::truth(given);
            if (wanted.value_or(false)) config.log_level = "debug";
            return wanted.has_value();
          },
          [](const Config& config) { return config.log_level == "debug" ? "true" : "false"; },
          true};
}

/// A setting that users have already, of a part that is not there yet.
Setting later(std::string_view key, std::string_view env, std::string allowed,
              bool (*right)(std::string_view), bool hidden = false) {
  return {key,
          {env},
          std::move(allowed),
          [key, right](Config& config, const std::string& given) {
            if (!right(given)) return false;
            config.not_used_yet[std::string(key)] = given;
            return true;
          },
          [key, hidden](const Config& config) {
            const auto found = config.not_used_yet.find(std::string(key));
            if (found == config.not_used_yet.end()) return std::string();
            return hidden ? std::string(value::mask) : found->second;
          },
          false,
          false};
}

bool some_words(std::string_view given) {
  return !given.empty();
}

bool web_address(std::string_view given) {
  return value::model_server_url(given).has_value();
}

bool truth_value(std::string_view given) {
  return value::truth(given).has_value();
}

bool kafka_name(std::string_view name) {
  constexpr auto letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 200 && name.find_first_not_of(letters) == name.npos;
}

}  // namespace

const std::vector<Setting>& settings() {
  using C = Config;
  static const std::vector<Setting> table{
      normalised("host", {"HOST"}, &C::host,
                 "an IPv4 or IPv6 address of this machine, or localhost", value::listen_address),
      whole("port", {"PORT"}, &C::port, 0),
      whole("worker_port", {"MILLRACE_WORKER_PORT"}, &C::worker_port, 0),
      whole("sim_port", {"MILLRACE_SIM_PORT"}, &C::sim_port, 0),
      whole("edge_threads", {"MILLRACE_EDGE_THREADS"}, &C::edge_threads, 1, 256),
      whole("worker_threads", {"MILLRACE_WORKER_THREADS"}, &C::worker_threads, 1, 256),
      checked("cors_origins", {"CORS_ORIGINS"}, &C::cors_origins,
              "* or origins such as https://example.com, separated by commas", value::origin_list),
      checked("allowed_hosts", {"ALLOWED_HOSTS"}, &C::allowed_hosts,
              "* or host names without a port such as jobs.example.com, separated by commas",
              value::host_list),
      choice("auth", {"AUTH"}, &C::auth, {"auto", "on", "off"}),
      checked("address_rate", {"ADDRESS_RATE"}, &C::address_rate,
              "a rate such as 10/s, 600/min or 1000/h, with what may come at once behind a colon "
              "(10/s:50)",
              [](std::string_view given) { return TokenRate::parse(given).has_value(); }),
      checked("trusted_proxies", {"TRUSTED_PROXIES"}, &C::trusted_proxies,
              "addresses and ranges of proxies such as 10.0.0.0/8, separated by commas",
              [](std::string_view given) {
                const auto ranges = parse_ip_ranges(given);
                return ranges && !ranges->empty();
              }),
      whole("tenant_jobs_max", {"TENANT_JOBS_MAX"}, &C::tenant_jobs_max, 0, 1'000'000'000),

      checked("kafka_brokers", {"KAFKA_BROKERS"}, &C::kafka_brokers,
              "host:port, several separated by commas", value::broker_list),
      checked("topic_prefix", {"MILLRACE_TOPIC_PREFIX"}, &C::topic_prefix,
              "1 to 200 letters, digits, dots, dashes and underscores", kafka_name),
      checked("group", {"MILLRACE_GROUP"}, &C::group,
              "1 to 200 letters, digits, dots, dashes and underscores", kafka_name),
      checked("redis_url", {"REDIS_URL"}, &C::redis_url,
              "redis://[user:password@]host[:port][/db]; rediss:// needs hiredis 1.0, which this "
              "build has not: put a TLS tunnel such as stunnel in front",
              value::redis_url),
      normalised("database_url", {"DATABASE_URL"}, &C::database_url,
                 "a path, sqlite:PATH or postgres://[user[:password]@]host[:port]/database",
                 value::database_url),
      some_text("data", {"MILLRACE_DATA"}, &C::data),
      secret("secret", {"MILLRACE_SECRET"}, &C::secret),

      normalised("llm_server_url", {"LLM_SERVER_URL"}, &C::llm_server_url,
                 "http(s)://host[:port][/path], with or without /v1 at its end",
                 value::model_server_url),
      secret("llm_api_key", {"LLM_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"},
             &C::llm_api_key),
      some_text("model_id", {"MODEL_ID"}, &C::model_id),
      whole("default_max_tokens", {"DEFAULT_MAX_TOKENS"}, &C::default_max_tokens, 1, 10'000'000),
      number("default_temperature", {"DEFAULT_TEMPERATURE"}, &C::default_temperature, 0, 2),
      continue_setting(),
      prefill_setting(),
      prices_setting(),
      time("llm_connect_timeout", {"LLM_CONNECT_TIMEOUT"}, &C::llm_connect_timeout, 1ms, 1h),
      time("llm_first_token_timeout", {"LLM_FIRST_TOKEN_TIMEOUT"}, &C::llm_first_token_timeout, 1ms,
           24h),
      time("llm_idle_timeout", {"LLM_IDLE_TIMEOUT"}, &C::llm_idle_timeout, 1ms, 24h),
      time("llm_turn_timeout", {"LLM_TURN_TIMEOUT"}, &C::llm_turn_timeout, 1ms, 24h),

      whole("jobs_in_flight", {"MILLRACE_JOBS_IN_FLIGHT"}, &C::jobs_in_flight, 1, 100'000),
      whole("job_attempts", {"MILLRACE_JOB_ATTEMPTS"}, &C::job_attempts, 1, 1000),
      time("drain_grace", {"MILLRACE_DRAIN_GRACE"}, &C::drain_grace, 0ms, 1h),
      time("events_ttl", {"EVENTS_TTL"}, &C::events_ttl, 1s, 365 * 24h),
      time("unkept_ttl", {"UNKEPT_TTL"}, &C::unkept_ttl, 1s, 24h),
      hours("session_timeout_hours", {"SESSION_TIMEOUT_HOURS"}, &C::session_timeout, 24 * 3650),
      whole("max_context_messages", {"MAX_CONTEXT_MESSAGES"}, &C::max_context_messages, 1, 10'000),
      choice("context_compression", {"CONTEXT_COMPRESSION"}, &C::context_compression,
             {"on", "off"}),
      text("features", {"MILLRACE_FEATURES"}, &C::features),
      time("jobs_ttl", {"JOBS_TTL"}, &C::jobs_ttl, limits::job_kept_min, 3650 * 24h),

      checked("webhook_allow", {"WEBHOOK_ALLOW"}, &C::webhook_allow,
              "addresses and ranges such as 10.0.0.0/8 or fd00::/8, separated by commas",
              [](std::string_view given) { return parse_ip_ranges(given).has_value(); }),
      time("webhook_timeout", {"WEBHOOK_TIMEOUT"}, &C::webhook_timeout, 100ms, 5min),

      checked("url", {"MILLRACE_URL"}, &C::url, "http(s)://host[:port][/path] or host:port",
              [](std::string_view given) { return given.empty() || value::edge_url(given); }),
      secret("api_key", {"MILLRACE_API_KEY"}, &C::api_key),
      text("no_color", {"NO_COLOR"}, &C::no_color),

      debug_setting(),
      choice("log_level", {"MILLRACE_LOG_LEVEL"}, &C::log_level,
             {"debug", "info", "warn", "error"}),
      choice("log_format", {"MILLRACE_LOG_FORMAT"}, &C::log_format, {"auto", "json", "text"}),

      later("lambda_t0_url", "LAMBDA_T0_URL", "http(s)://host[:port][/path]", web_address),
      later("lambda_t1_url", "LAMBDA_T1_URL", "http(s)://host[:port][/path]", web_address),
      later("lambda_t2_url", "LAMBDA_T2_URL", "http(s)://host[:port][/path]", web_address),
      later("lambda_t3_url", "LAMBDA_T3_URL", "http(s)://host[:port][/path]", web_address),
      later("use_mock", "USE_MOCK", "true or false", truth_value),
      later("aws_access_key_id", "AWS_ACCESS_KEY_ID", "any text but an empty one", some_words,
            true),
      later("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "any text but an empty one",
            some_words, true),
      later("aws_session_token", "AWS_SESSION_TOKEN", "any text but an empty one", some_words,
            true),
      later("aws_region", "AWS_REGION", "any text but an empty one", some_words),
      later("s3_endpoint", "S3_ENDPOINT", "http(s)://host[:port]", web_address),
      later("s3_bucket", "S3_BUCKET", "any text but an empty one", some_words),
  };
  return table;
}

}  // namespace millrace
