#pragma once
#include "shared/memory/broker.h"
#include "shared/memory/bugs.h"
#include "shared/memory/log_server.h"
#include "shared/memory/object_store.h"
#include "shared/memory/tables.h"
#include "tests/simulation/wire.h"
#include "workers/llm/chat_model.h"

namespace millrace::sim {

/// How often a model fails in each way, in 10,000 turns, and how it speaks.
struct ModelMood {
  std::uint32_t cut = 0;      ///< the stream breaks off
  std::uint32_t busy = 0;     ///< 429 with Retry-After
  std::uint32_t broken = 0;   ///< 5xx
  std::uint32_t refuses = 0;  ///< 400: no later try will help
  std::uint32_t stalls = 0;   ///< nothing comes until the idle time-out
};

/// One question to a model, as the upstream saw it.
struct Turn {
  JobId job;
  std::string session;
  const Process* asker = nullptr;
  Instant began{};
  std::optional<Instant> ended;  ///< by either side
  std::size_t prefix_bytes = 0;
  std::size_t pieces = 0;  ///< said
};

/// Everything outside of millrace's own processes: what survives any of them.
struct Servers {
  Servers(World& world, const memory::Bugs& bugs, memory::LogServer::Options log_options);
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  Host log_host{"log"};
  Host store_host{"store"};
  Host broker_host{"broker"};
  Host objects_host{"objects"};
  std::chrono::microseconds log_clock_wrong_by{};
  const memory::Bugs& bugs;
  memory::LogServer log;
  memory::Tables store;
  memory::Broker broker;
  memory::Objects objects;
  const LinkSigner link_signer{"a secret of sixteen bytes or more"};
  ModelMood mood;
  std::vector<Turn> turns;

 private:
  void tick(World& world);
};

}  // namespace millrace::sim
