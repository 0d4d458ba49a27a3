#include "ops/roles/edge_role.h"

#include <cstdio>

#include "ops/roles/store_claim.h"
#include "producer/conversations/detail_shape.h"
#include "producer/openai/error_shape.h"
#include "shared/runtime/config_value.h"

namespace millrace {
namespace {

/// Each surface tells errors in its own shape.
http::Response tell_problem(const Problem& problem, std::string_view path) {
  if (conversations::serves(path)) return conversations::detail_response(Refusal{problem, {}, {}});
  return openai::serves(path) ? openai::path_error(problem, path) : http::to_response(problem);
}

access::EdgeGate::Auth auth_of(const Config& config) {
  using Auth = access::EdgeGate::Auth;
  if (config.auth == "auto") return Auth::automatic;
  return config.auth == "on" ? Auth::on : Auth::off;
}

http::ServerOptions server_options(const Config& config, http::Gate& gate) {
  http::ServerOptions options;
  options.host = config.host;
  options.port = config.port;
  options.cors_origins = config.cors_origins;
  options.tell_problem = tell_problem;
  options.gate = &gate;
  return options;
}

relay::FindJob find_in(Store& store) {
  return [&store](JobId id) { return store.find_noted(id); };
}

}  // namespace

EdgeRole::EdgeRole(Loop& loop, EdgeShared& shared)
    : loop_(loop),
      shared_(shared),
      queue_(shared.services.queue(loop.clock)),
      store_(shared.services.store(loop.clock)),
      log_(shared.services.log(loop.clock)),
      objects_(shared.services.objects(loop.clock)),
      cache_(shared.services.cache(loop.clock)),
      sessions_(loop.clock, shared.services.sessions(loop.clock), cache_->cache(),
                shared.config.session_timeout),
      api_keys_(shared.services.api_keys(loop.clock)),
      key_book_(*api_keys_, loop.clock),
      limiter_(cache_->cache(), loop.clock),
      gate_({.keys = key_book_,
             .limiter = limiter_,
             .auth = auth_of(shared.config),
             .address_rate = TokenRate::parse(shared.config.address_rate),
             .tell = tell_problem,
             .pages = access::PageRules({.cors_origins = shared.config.cors_origins,
                                         .allowed_hosts = shared.config.allowed_hosts,
                                         .loopback = config_value::loopback(shared.config.host)}),
             .trusted_proxies = parse_ip_ranges(shared.config.trusted_proxies).value(),
             .metrics = &shared.gate_metrics}),
      hub_(loop.clock, log_->log(), find_in(*store_), shared.relay_metrics),
      relay_routes_(hub_, shared.urls),
      ender_(log_->log(), *store_, loop.clock, loop.random),
      lookup_(log_->log(), *store_, loop.clock, ender_),
      cancel_(log_->log(), *store_, loop.clock, ender_),
      eraser_({*store_, log_->log(), objects_->objects(), cancel_, loop.clock,
               shared.config.unkept_ttl}),
      quota_(*store_, loop.clock, shared.config.tenant_jobs_max),
      interrupt_(log_->log(), cancel_, sessions_, loop.clock),
      submit_({.queue = *queue_,
               .log = log_->log(),
               .store = *store_,
               .objects = objects_->objects(),
               .clock = loop.clock,
               .random = loop.random,
               .metrics = shared.ingress_metrics,
               .interrupt = interrupt_,
               .log_needed = shared.config.kafka_brokers.empty(),
               .keeps = [&shared] { return shared.services.trouble().empty(); },
               .quota = &quota_}),
      jobs_routes_(
          {submit_, lookup_, cancel_, *store_, objects_->objects(), loop.clock,
           shared.ingress_metrics,
           [this](const JobId& id, Seq after) { return relay_routes_.open_stream(id, after); },
           [this](const JobId& id) { return relay_routes_.sign_stream_url(id); }, shared.guard}),
      object_routes_(objects_->objects(), shared.services.link_signer(), loop.clock),
      chat_routes_({submit_, lookup_, cancel_, hub_, loop.clock, shared.ingress_metrics}),
      response_routes_({submit_, lookup_, cancel_, hub_, *store_, objects_->objects(), loop.clock,
                        shared.ingress_metrics, eraser_}),
      models_routes_(openai::ModelsRoutes::served(shared.config.model_id,
                                                  shared.config.llm_server_url.empty())),
      session_routes_({sessions_, eraser_, loop.clock, loop.random,
                       [&shared] { return shared.services.queue_ready(); },
                       [this] { return log_->log().reachable(); },
                       [this] { return store_->healthy(); }, shared.model}),
      turns_({sessions_,
              submit_,
              loop.clock,
              loop.random,
              lookup_,
              shared.model,
              {.messages = shared.config.max_context_messages,
               .summarise = shared.config.context_compression == "on"}}),
      message_routes_(
          {turns_, sessions_, lookup_, hub_, loop.clock, loop.random, shared.config.features}),
      health_routes_({[&shared] { return shared.services.queue_ready(); }, log_->log(), *store_,
                      shared.metrics, [&shared] { return shared.services.trouble(); }}),
      letters_(shared.services.dead_letters(loop.clock)),
      redrive_({*store_, objects_->objects(), submit_, loop.clock, loop.random, letters_.get()}),
      letter_routes_(letters_.get(), redrive_,
                     [&shared] { return shared.services.trouble().empty(); }),
      queue_routes_([this] { return shared_.services.queue_lag(loop_.clock.now()); }),
      outbox_(shared.services.webhooks(loop.clock)),
      webhook_routes_(*outbox_),
      server_(loop.clock, loop.random, router_, server_options(shared.config, gate_)),
      nursery_(loop.clock) {
  jobs_routes_.add_to(router_);
  relay_routes_.add_to(router_);
  object_routes_.add_to(router_);
  chat_routes_.add_to(router_);
  response_routes_.add_to(router_);
  models_routes_.add_to(router_);
  session_routes_.add_to(router_);
  message_routes_.add_to(router_);
  health_routes_.add_to(router_);
  letter_routes_.add_to(router_);
  queue_routes_.add_to(router_);
  webhook_routes_.add_to(router_);
  page_routes_.add_to(router_);
  docs_routes_.add_to(router_);
}

Task<> EdgeRole::run() {
  (void)co_await key_book_.read();  // no request is answered 503 for want of them
  server_.listen();
  std::printf("listening on http://%s:%u\n", shared_.config.host.c_str(), server_.port());
  std::fflush(stdout);
  if (shared_.on_listening)
    shared_.on_listening("http://" + shared_.config.host + ":" + std::to_string(server_.port()));
  nursery_.start(key_book_.run());
  nursery_.start(cache_->run());
  nursery_.start(log_->run());
  nursery_.start(objects_->run());
  nursery_.start(hub_.run());
  nursery_.start(eraser_.run());
  nursery_.start(hold_store_claim(log_->log(), *store_, loop_.clock));
  nursery_.start(serve());
  co_await nursery_.join();
}

Task<> EdgeRole::serve() {
  co_await server_.run();
  co_await submit_.join();
  co_await chat_routes_.join();
  co_await response_routes_.join();
  nursery_.stop();
}

void EdgeRole::drain() {
  server_.drain(shared_.config.drain_grace);
}

}  // namespace millrace
