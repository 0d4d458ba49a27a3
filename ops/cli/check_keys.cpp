#include "ops/cli/checks.h"
#include "ops/cli/edge.h"
#include "ops/cli/json.h"
#include "shared/runtime/config_value.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

constexpr Duration answer_wait = 5s;

Check open_to_all(const std::string& who, const Config& config) {
  Check check{"keys", Verdict::ok, who + " may do everything, without an API key"};
  if (config_value::loopback(config.host)) return check;
  check.verdict = Verdict::warn;
  check.remedy =
      "make a key (`millrace keys create`) and take AUTH=off away, unless a proxy guards the door";
  return check;
}

/// What an edge would do that begins now.
Check as_configured(const Config& config) {
  if (config.auth == "off") return open_to_all("whoever reaches " + config.host, config);
  if (config.auth == "on" || config_value::loopback(config.host))
    return {"keys", Verdict::ok,
            config.auth == "on" ? "AUTH=on: every route wants an API key"
                                : "every route wants an API key once one is made; " + config.host +
                                      " is reached from this host alone"};
  return {"keys", Verdict::ok,
          "an edge on " + config.host + " wants API keys, and does not start before one is made"};
}

}  // namespace

Checks check_keys(const Config& config) {
  Config nobody = config;
  nobody.api_key.clear();
  Edge edge(nobody);
  constexpr const char* harmless = "/v1/models";
  const auto without = edge.get(harmless, answer_wait);
  if (without.status == 200 && Json(without.body).text("/object") == "list")
    return {open_to_all("whoever reaches the edge at " + edge.url(), config)};
  if (without.how != HttpHow::complete || without.status != 401) return {as_configured(config)};
  if (config.api_key.empty())
    return {{"keys", Verdict::warn, "the edge wants an API key, and MILLRACE_API_KEY is not set",
             "set it: commands such as submit and jobs need one (`millrace keys create`)"}};
  const auto with = Edge(config).get(harmless, answer_wait);
  if (with.status == 401 || with.status == 429)
    return {{"keys", Verdict::fail, "the edge does not know the key in MILLRACE_API_KEY",
             "`millrace keys list` shows those there are, `millrace keys create` makes one"}};
  return {{"keys", Verdict::ok, "the edge wants an API key, and knows that in MILLRACE_API_KEY"}};
}

}  // namespace millrace::cli
