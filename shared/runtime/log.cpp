#include "shared/runtime/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "shared/runtime/json_text.h"
#include "shared/runtime/time.h"

namespace millrace::log {
namespace {

constexpr std::size_t text_bytes_max = 500;
std::atomic<bool> as_json{true};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr std::string_view name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "info";
}

std::string now_rfc3339() {
  return to_rfc3339(
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

spdlog::logger& logger() {
  static const auto made = [] {
    auto sink = spdlog::stderr_logger_mt("millrace");
    sink->set_pattern("%v");
    return sink;
  }();
  return *made;
}

}  // namespace

Field::Field(std::string_view key, std::string_view text) : key_(key) {
  json_ += '"';
  append_json_escaped(json_, cut_utf8(text, text_bytes_max));
  json_ += '"';
}

void open(Level least, bool json) {
  as_json = json;
  logger().set_level(to_spdlog(least));
}

void write(Level level, std::string_view event, Fields fields) {
  if (!logger().should_log(to_spdlog(level))) return;
  std::string line;
  if (as_json) {
    line.append("{\"ts\":\"").append(now_rfc3339()).append("\",\"level\":\"").append(name(level));
    line.append("\",\"event\":\"").append(event).append("\"");
    for (const auto& field : fields)
      line.append(",\"").append(field.key()).append("\":").append(field.json());
    line += '}';
  } else {
    line.append(now_rfc3339().substr(11, 12)).append(" ").append(name(level)).append(" ");
    line.append(event);
    for (const auto& field : fields)
      line.append(" ").append(field.key()).append("=").append(field.json());
  }
  logger().log(to_spdlog(level), line);
}

}  // namespace millrace::log
