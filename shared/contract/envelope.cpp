#include "shared/contract/envelope.h"

#include <simdjson.h>

#include "shared/contract/any_json.h"
#include "shared/contract/raw_members.h"
#include "shared/contract/trace.h"
#include "shared/contract/webhook.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

void member(std::string& out, std::string_view name) {
  if (out.size() > 1) out += ',';
  out.append("\"").append(name).append("\":");
}

void text_member(std::string& out, std::string_view name, std::string_view value) {
  member(out, name);
  append_json_string(out, value);
}

void time_member(std::string& out, std::string_view name, WallTime value) {
  member(out, name);
  out += '"';
  append_rfc3339(out, value);
  out += '"';
}

void params_member(std::string& out, const Job& job) {
  member(out, "params");
  std::string params = "{";
  if (job.max_tokens) {
    member(params, job.max_completion_tokens ? "max_completion_tokens" : "max_tokens");
    append_number(params, std::uint64_t{*job.max_tokens});
  }
  if (job.temperature) {
    member(params, "temperature");
    append_number(params, *job.temperature);
  }
  if (job.params.size() > 2) {
    if (params.size() > 1) params += ',';
    params.append(job.params, 1, job.params.size() - 2);
  }
  out.append(params).append("}");
}

void input_ref_member(std::string& out, const InputRef& ref) {
  member(out, "input_ref");
  std::string inside = "{";
  text_member(inside, "key", ref.key);
  member(inside, "size");
  append_number(inside, ref.size);
  text_member(inside, "sha256", ref.sha256);
  out.append(inside).append("}");
}

void context_member(std::string& out, const SessionContext& context) {
  member(out, "context");
  std::string inside = "{";
  member(inside, "messages");
  append_number(inside, std::uint64_t{context.messages});
  if (context.summarise) inside += R"(,"summarise":true)";
  out.append(inside).append("}");
}

/// Reads one envelope member by member; the first fault is kept and the rest is skipped.
class Reader {
 public:
  Reader(dom::element root, std::string_view envelope) : root_(root), envelope_(envelope) {}

  void text(const char* name, std::string& into, bool required) {
    std::string_view value;
    const auto error = root_[name].get(value);
    if (!error)
      into = value;
    else if (required || error != simdjson::NO_SUCH_FIELD)
      fail(name, "must be a string");
  }

  void time(const char* name, std::optional<WallTime>& into) {
    std::string value;
    text(name, value, false);
    if (value.empty()) return;
    into = from_rfc3339(value);
    if (!into) fail(name, "must be an RFC 3339 time");
  }

  void json(const char* name, std::string& into) {
    dom::element value;
    if (root_[name].get(value))
      fail(name, "is missing");
    else
      into = simdjson::minify(value);
  }

  /// A member that is somebody else's, to be given back as it was written.
  void as_written(std::string_view name, std::string& into) {
    into = one_line(raw_member(envelope_, root_, name));
  }

  /// The input, or where it is: one of the two.
  void input(Job& job) {
    dom::element ref;
    if (root_["input_ref"].get(ref)) return json("input", job.input);
    dom::element beside;
    if (!root_["input"].get(beside)) fail("input_ref", "must not stand beside `input`");
    std::string_view key;
    std::string_view sha256;
    InputRef read;
    if (ref["key"].get(key) || key.empty() || ref["size"].get(read.size) ||
        ref["sha256"].get(sha256) || sha256.size() != 64)
      return fail("input_ref", "must have `key`, `size` and `sha256`");
    read.key = key;
    read.sha256 = sha256;
    job.input_ref = std::move(read);
  }

  void context(Job& job) {
    dom::element context;
    if (root_["context"].get(context)) return;
    std::uint64_t messages = 0;
    if (context["messages"].get(messages) || messages < 1 || messages > UINT32_MAX)
      return fail("context", "must have `messages`, a number from 1");
    bool summarise = false;
    (void)context["summarise"].get(summarise);
    job.context =
        SessionContext{.messages = static_cast<std::uint32_t>(messages), .summarise = summarise};
  }

  void params(Job& job) {
    dom::object params;
    if (root_["params"].get(params)) return;
    RawMembers raw(raw_member(envelope_, root_, "params"));
    std::string others = "{";
    for (const auto [name, value] : params) {
      const auto written = raw.next();
      const bool completion = name == "max_completion_tokens";
      std::uint64_t count = 0;
      double number = 0;
      if (completion || name == "max_tokens") {
        if (value.get(count)) continue;
        job.max_tokens = static_cast<std::uint32_t>(count);
        job.max_completion_tokens = completion;
      } else if (name == "temperature") {
        if (!value.get(number)) job.temperature = number;
      } else {
        member(others, name);
        others += one_line(written);
      }
    }
    if (others.size() > 1) job.params = std::move(others) + '}';
  }

  void flag(const char* name, bool& into) {
    bool value = false;
    if (!root_[name].get(value)) into = value;
  }

  /// A trace is worth no job: what is no parent is none.
  void trace(Job& job) {
    std::string_view text;
    if (!root_["traceparent"].get(text)) job.traceparent = read_traceparent(text).value_or("");
  }

  void fail(std::string_view name, std::string_view what) {
    if (fault_.empty()) fault_.append("envelope member `").append(name).append("` ").append(what);
  }
  const std::string& fault() const { return fault_; }

 private:
  dom::element root_;
  std::string_view envelope_;
  std::string fault_;
};

Job read_members(Reader& read) {
  Job job;
  std::string id;
  read.text("id", id, true);
  const auto parsed = JobId::parse(id);
  if (parsed)
    job.id = *parsed;
  else
    read.fail("id", "must be a UUID");
  read.text("kind", job.kind, true);
  read.text("tenant", job.tenant, true);
  read.text("session", job.session, false);
  read.input(job);
  read.context(job);
  read.text("model", job.model, false);
  read.params(job);
  read.flag("server_defaults", job.server_defaults);
  std::string priority;
  read.text("priority", priority, false);
  if (priority == "bulk") job.priority = Priority::bulk;
  std::optional<WallTime> created;
  std::optional<WallTime> deadline;
  read.time("created_at", created);
  read.time("not_before", job.not_before);
  read.time("deadline", deadline);
  if (!created) read.fail("created_at", "is missing");
  if (!deadline) read.fail("deadline", "is missing");
  job.created_at = created.value_or(WallTime{});
  job.deadline = deadline.value_or(WallTime{});
  read.flag("kept", job.kept);
  read.text("on_busy", job.on_busy, false);
  read.as_written("metadata", job.metadata);
  read.as_written("request", job.request);
  read.trace(job);
  return job;
}

}  // namespace

std::string encode_envelope(const Job& job) {
  std::string out;
  out.reserve(job.input.size() + job.params.size() + job.metadata.size() + job.request.size() +
              512);
  out += '{';
  member(out, "v");
  append_number(out, static_cast<std::uint64_t>(envelope_version));
  text_member(out, "id", job.id.str());
  text_member(out, "kind", job.kind);
  text_member(out, "tenant", job.tenant);
  if (!job.session.empty()) text_member(out, "session", job.session);
  if (job.input_ref) {
    input_ref_member(out, *job.input_ref);
  } else {
    member(out, "input");
    out += job.input;
  }
  if (job.context) context_member(out, *job.context);
  if (!job.model.empty()) text_member(out, "model", job.model);
  params_member(out, job);
  if (job.server_defaults) out += R"(,"server_defaults":true)";
  text_member(out, "priority", job.priority == Priority::bulk ? "bulk" : "interactive");
  time_member(out, "created_at", job.created_at);
  if (job.not_before) time_member(out, "not_before", *job.not_before);
  time_member(out, "deadline", job.deadline);
  if (!job.kept) out += R"(,"kept":false)";
  text_member(out, "on_busy", job.on_busy);
  if (!job.metadata.empty()) {
    member(out, "metadata");
    out += job.metadata;
  }
  if (!job.request.empty()) {
    member(out, "request");
    out += job.request;
  }
  if (const auto webhook = webhook_in(job.envelope)) {
    member(out, "webhook");
    append_webhook(out, *webhook);
  }
  if (!job.traceparent.empty()) text_member(out, "traceparent", job.traceparent);
  out += '}';
  return out;
}

std::variant<Job, UnknownVersion, MalformedEnvelope> decode_envelope(std::string_view text) {
  thread_local dom::parser parser;
  dom::element root;
  const auto error = parse_any_json(parser, text, root);
  if (error) return MalformedEnvelope{std::string("not JSON: ") + simdjson::error_message(error)};
  if (!root.is_object()) return MalformedEnvelope{"not a JSON object"};
  std::int64_t version = 0;
  if (root["v"].get(version)) return MalformedEnvelope{"envelope member `v` is missing"};
  if (version != envelope_version) return UnknownVersion{version};
  Reader read(root, text);
  Job job = read_members(read);
  if (!read.fault().empty()) return MalformedEnvelope{read.fault()};
  job.envelope = text;
  return job;
}

}  // namespace millrace
