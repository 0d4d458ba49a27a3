#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "ops/cli/checks.h"
#include "ops/cli/edge.h"
#include "ops/cli/json.h"
#include "ops/data/data_folder.h"
#include "shared/disk/folder.h"
#include "shared/runtime/config_value.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

constexpr Duration answer_wait = 5s;

/// Whether the address could be listened on: 0, or the errno.
int bindable(const Config& config) {
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(config.host.c_str(), std::to_string(config.port).c_str(), &wanted, &raw) != 0)
    return EADDRNOTAVAIL;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  const disk::File socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return ::bind(socket.fd(), found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
}

/// An edge answered `/readyz`.
Check answered(const BlockingAnswer& answer, const std::string& url) {
  const Json json(answer.body);
  if (json.text("/status") == "ready") return {"edge", Verdict::ok, "ready at " + url};
  if (const auto detail = json.text("/detail"); !detail.empty())
    return {"edge", Verdict::fail, "at " + url + " keeps nothing", detail};
  std::string waits;
  for (const auto* part : {"queue", "event_log", "store"})
    if (json.text(std::string("/") + part) == "unavailable")
      waits.append(waits.empty() ? "" : ", ").append(part);
  return {"edge", Verdict::fail, "at " + url + " waits for " + waits,
          "mend what is named above; its log says more"};
}

Check nobody(const Config& config, const std::string& url, bool wanted) {
  if (wanted)
    return {"edge", Verdict::fail, "none answers at " + url,
            "start it, or name another by MILLRACE_URL (--url) or PORT"};
  const int failed = bindable(config);
  if (failed == 0)
    return {"edge", Verdict::ok,
            fmt::format("none runs; {} is free for it", url.substr(url.find("://") + 3))};
  const std::string why = failed == EADDRINUSE      ? "is taken by another program"
                          : failed == EADDRNOTAVAIL ? "is no address of this machine"
                                                    : "may not be listened on by this user";
  return {"edge", Verdict::fail, url.substr(url.find("://") + 3) + " " + why,
          "set PORT (--port) or HOST (--host) to another"};
}

Check models(const BlockingAnswer& answer, const Config& config) {
  const std::string url = config_value::without_password(config.llm_server_url);
  if (answer.how != HttpHow::complete)
    return {"model", Verdict::fail, "no answer from " + url + " (" + answer.detail + ")",
            "start the model's server, or set LLM_SERVER_URL"};
  if (answer.status == 401 || answer.status == 403)
    return {"model", Verdict::fail, fmt::format("{} answers {}", url, answer.status),
            "set LLM_API_KEY (or OPENAI_API_KEY, OPENROUTER_API_KEY) to a key it takes"};
  const Json json(answer.body);
  const auto listed = json.list("/data");
  if (answer.status != 200 || listed.empty())
    return {"model", Verdict::warn, fmt::format("{}/v1/models answers {}", url, answer.status),
            "check LLM_SERVER_URL; a server that lists no models may still answer"};
  const bool known = std::ranges::any_of(
      listed, [&](const std::string& one) { return Json(one).text("/id") == config.model_id; });
  const std::string says = fmt::format("{} lists {} models", url, listed.size());
  if (known || config.model_id == Config().model_id) return {"model", Verdict::ok, says};
  return {"model", Verdict::warn, says + ", not " + config.model_id,
          "set MODEL_ID to one it lists, such as " + Json(listed.front()).text("/id")};
}

}  // namespace

Checks check_model(const Config& config) {
  if (config.llm_server_url.empty())
    return {{"model", Verdict::warn, "none is configured: a simulator answers every job",
             "set LLM_SERVER_URL to an OpenAI-compatible server"}};
  BlockingRequest request{.url = config.llm_server_url + "/v1/models", .timeout = answer_wait};
  if (!config.llm_api_key.empty())
    request.headers.push_back("Authorization: Bearer " + config.llm_api_key);
  return {models(BlockingHttp().ask(request), config)};
}

Checks check_edge(const Config& config) {
  Edge edge(config);
  const auto answer = edge.get("/readyz", answer_wait);
  if (answer.how == HttpHow::complete && Json(answer.body).text("/status") != "")
    return {answered(answer, edge.url())};
  if (answer.how == HttpHow::complete)
    return {{"edge", Verdict::fail,
             fmt::format("{} answers {}: it is another program's", edge.url(), answer.status),
             "set PORT (--port) or MILLRACE_URL (--url) to another"}};
  const bool wanted =
      !config.url.empty() || (embedded(config) && DataFolder::holder(config.data).has_value());
  return {nobody(config, edge.url(), wanted)};
}

}  // namespace millrace::cli
