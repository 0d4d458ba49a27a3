#include <fmt/format.h>

#include <algorithm>

#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/key_store.h"
#include "ops/cli/store_place.h"
#include "shared/runtime/json_text.h"

namespace millrace::cli {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr const char* row_format = "{:<21} {:<16} {:<18} {:<14} {:<16} {:<16} {:<8} {}";

struct Wanted {
  std::string tenant = "default";
  std::string scopes = "submit,read";
  std::string rate;
  std::string name;
};

std::string minute_of(const std::optional<WallTime>& when) {
  if (!when) return "-";
  std::string text = to_rfc3339(*when).substr(0, 16);
  text[10] = ' ';
  return text;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(R"(,")").append(name).append(R"(":)");
  if (text.empty())
    out += "null";
  else
    append_json_string(out, text);
}

std::string time_text(const std::optional<WallTime>& when) {
  return when ? to_rfc3339(*when) : std::string();
}

/// `text`: the key itself, where it is shown, and the Store it is in.
std::string json_of(const ApiKey& key, std::string_view text = {}, std::string_view store = {}) {
  std::string out = R"({"id":)";
  append_json_string(out, key.id);
  if (!text.empty()) append_member(out, "key", text);
  if (!store.empty()) append_member(out, "store", store);
  append_member(out, "tenant", key.tenant);
  append_member(out, "name", key.name);
  out += R"(,"scopes":[)";
  for (const Scope scope : {Scope::submit, Scope::read, Scope::admin}) {
    if (!key.scopes.has(scope)) continue;
    if (out.back() != '[') out += ',';
    append_json_string(out, to_string(scope));
  }
  out += ']';
  append_member(out, "rate", key.rate ? key.rate->str() : std::string());
  append_member(out, "created_at", to_rfc3339(key.created_at));
  append_member(out, "last_used", time_text(key.last_used));
  append_member(out, "revoked_at", time_text(key.revoked_at));
  return out + "}";
}

std::string row_of(const ApiKey& key) {
  return fmt::format(row_format, key.id, key.tenant, key.scopes.str(),
                     key.rate ? key.rate->str() : "-", minute_of(key.created_at),
                     minute_of(key.last_used), key.revoked_at ? "revoked" : "good", key.name);
}

Exit failed(Screen& screen, Errc error) {
  if (error == Errc::overloaded)
    screen.error(fmt::format("there are {} keys, which is the most allowed", api_keys_max));
  else
    screen.error(fmt::format("the store did not answer ({}); `millrace doctor` looks at it",
                             to_string(error)));
  return Exit::failed;
}

/// What is wrong with what was asked for; empty: nothing.
std::string wrong(const Wanted& wanted) {
  if (!is_tenant_name(wanted.tenant))
    return fmt::format(
        "--tenant {} is not a tenant: allowed are 1 to 64 letters, digits, dots, "
        "dashes and underscores, a letter or digit first",
        wanted.tenant);
  if (!Scopes::parse(wanted.scopes))
    return fmt::format(
        "--scope {} is not a list of scopes: allowed are submit, read and admin, "
        "with commas between them",
        wanted.scopes);
  if (!wanted.rate.empty() && !TokenRate::parse(wanted.rate))
    return fmt::format(
        "--rate {} is not a rate: allowed is such as 10/s, 600/min or 1000/h, with "
        "what may come at once behind a colon (10/s:50), from 1/d to 1000000/s",
        wanted.rate);
  if (wanted.name.size() > name_bytes_max) return "--name has more than 200 bytes";
  return {};
}

constexpr const char* other_store =
    "MILLRACE_DATA (--data) or DATABASE_URL (--database-url) name another store";

/// Where a key went and from when on it counts: one in a store that nobody serves opens nothing.
void tell_place(Screen& screen, const StorePlace& place) {
  const std::string made = place.there ? "" : ", which was not there before";
  if (!place.alone)
    screen.note(Ink::dim,
                fmt::format("it is in {}{}; edges on it know it within 2 s", place.name, made));
  else if (!place.server.empty())
    screen.note(Ink::dim,
                fmt::format("it is in {}, which process {} serves and knows it within 2 s",
                            place.name, place.server));
  else
    screen.note(Ink::yellow,
                fmt::format("it is in {}{}; no millrace serves that now: the key counts from a "
                            "start on it, and for no other millrace; {}",
                            place.name, made, other_store));
}

Exit create(Command::Given& given, const Wanted& wanted) {
  auto& screen = given.screen;
  if (const auto why = wrong(wanted); !why.empty()) {
    screen.error(why);
    return Exit::usage;
  }
  const auto place = store_place(given.config);
  KeyStore store(given.config, KeyStore::Missing::made);
  const std::string text = new_api_key(store.random());
  ApiKey key;
  key.hash = hash_of_key(text).value();
  key.id = key_id(key.hash);
  key.tenant = wanted.tenant;
  key.name = wanted.name;
  key.scopes = Scopes::parse(wanted.scopes).value();
  if (!wanted.rate.empty()) key.rate = TokenRate::parse(wanted.rate);
  key.created_at = store.now();
  const auto made = store.add(key);
  if (!made) return failed(screen, made.error());
  screen.line(screen.json() ? json_of(*made, text, place.name) : text);
  screen.note(Ink::dim, fmt::format("{} of tenant {} ({}); it is shown this once", made->id,
                                    made->tenant, made->scopes.str()));
  tell_place(screen, place);
  return Exit::succeeded;
}

Exit list(Command::Given& given, const std::string& tenant) {
  auto& screen = given.screen;
  KeyStore store(given.config, KeyStore::Missing::is_empty);
  auto keys = store.all();
  if (!keys) return failed(screen, keys.error());
  if (!tenant.empty())
    std::erase_if(*keys, [&tenant](const ApiKey& key) { return key.tenant != tenant; });
  std::ranges::sort(*keys, {}, [](const ApiKey& key) { return std::pair(key.created_at, key.id); });
  if (keys->empty()) {
    const auto place = store_place(given.config);
    screen.note(Ink::dim,
                fmt::format("no such keys{}{}; {}", place.there ? " in " : ": there is no ",
                            place.name, other_store));
  }
  if (!keys->empty() && !screen.json())
    screen.line(
        screen.inked(Ink::bold, fmt::format(row_format, "ID", "TENANT", "SCOPES", "RATE",
                                            "CREATED (UTC)", "LAST USED", "STATE", "NAME")));
  for (const auto& key : *keys) screen.line(screen.json() ? json_of(key) : row_of(key));
  return Exit::succeeded;
}

Exit revoke(KeyStore& store, Command::Given& given, const std::string& id) {
  auto& screen = given.screen;
  const auto key = store.revoke(id);
  if (!key && key.error() == Errc::not_found) {
    screen.error(fmt::format("there is no key {} in {}; `millrace keys list` shows their ids", id,
                             store_place(given.config).name));
    return Exit::not_found;
  }
  if (!key) return failed(screen, key.error());
  screen.line(screen.json() ? json_of(*key) : key->id + " revoked");
  return Exit::succeeded;
}

}  // namespace

int create_key(Words words) {
  Wanted wanted;
  Command command("keys create",
                  "Makes an API key and prints it, this once: of it only a hash is kept. From the "
                  "first key on, every route wants one.");
  auto& app = command.words();
  app.add_option("--tenant", wanted.tenant, "Whose objects it sees; default");
  app.add_option("--scope", wanted.scopes, "submit, read, admin, or several; submit,read");
  app.add_option("--rate", wanted.rate,
                 "Requests it may make: 10/s, 600/min, and at once: 10/s:50; no limit");
  app.add_option("--name", wanted.name, "What people call it");
  return command.run(std::move(words),
                     [&wanted](Command::Given& given) { return create(given, wanted); });
}

int list_keys(Words words) {
  std::string tenant;
  Command command("keys list", "Lists API keys, the oldest first; the keys themselves nobody has.");
  command.words().add_option("--tenant", tenant, "Those of a tenant");
  return command.run(std::move(words),
                     [&tenant](Command::Given& given) { return list(given, tenant); });
}

int revoke_keys(Words words) {
  std::vector<std::string> ids;
  Command command("keys revoke", "Ends API keys: every edge refuses them within 2 s.");
  command.words().add_option("id", ids, "The ids of keys (key_…)")->required();
  return command.run(std::move(words), [&ids](Command::Given& given) {
    KeyStore store(given.config, KeyStore::Missing::is_empty);
    Exit worst = Exit::succeeded;
    for (const auto& id : ids) worst = std::max(worst, revoke(store, given, id));
    return worst;
  });
}

}  // namespace millrace::cli
