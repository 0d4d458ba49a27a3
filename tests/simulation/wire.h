#pragma once
#include <memory>
#include <string>
#include <vector>

#include "shared/memory/link.h"
#include "shared/runtime/signal.h"
#include "tests/simulation/world.h"

namespace millrace::sim {

/// How a server and the network before it behave at the moment. Chances are in 10,000 calls.
struct Weather {
  std::uint32_t lose_request = 0;   ///< never arrives; the caller hears nothing
  std::uint32_t lose_answer = 0;    ///< done, but the caller hears nothing
  std::uint32_t delay_request = 0;  ///< arrives long after the caller has given up
  std::uint32_t refuse = 0;         ///< not done, and the caller hears so
  std::uint32_t cut = 0;            ///< the connection breaks
  std::uint32_t lose_push = 0;      ///< a message of pub/sub vanishes
  std::uint64_t slowest_ms = 1;     ///< one way
};

class Wire;

/// A server as its wires see it.
struct Host {
  explicit Host(std::string its_name) : name(std::move(its_name)) {}
  /// Every connection to it breaks.
  void cut_all();

  const std::string name;
  bool up = true;
  std::uint64_t epoch = 0;   ///< of this run of it: what was sent to an earlier one is lost
  std::uint64_t losses = 0;  ///< of all it had
  Weather weather;
  std::vector<Wire*> wires;  ///< all that ever were
};

/// A memory::Link over the world's network.
class Wire final : public memory::Link {
 public:
  Wire(World& world, Process& process, Host& host)
      : world_(world), process_(process), life_(process.life), host_(host) {
    host_.wires.push_back(this);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  Task<Result<>> call(Work there, Instant give_up) override;
  void tell(Work there) override;
  void push(Work here) override;
  bool up() const override { return up_ && !life_->dead; }
  void on_restored(Work hear) override { restored_ = std::move(hear); }

  /// The connection breaks: who waits for an answer hears that there will be none.
  void cut();

 private:
  struct Call;
  enum class Fate : std::uint8_t { good, request_lost, answer_lost, request_late, refused };

  Fate draw();
  Instant arrival();
  void send(Instant when, Work there, std::shared_ptr<Call> call);
  Work unless_all_was_lost(Work there);
  void answer(std::shared_ptr<Call> call, std::uint64_t connection);
  void restore_later();
  bool lost_on_the_way(std::uint64_t epoch) const { return !host_.up || host_.epoch != epoch; }

  World& world_;
  Process& process_;
  std::shared_ptr<Life> life_;
  Host& host_;
  bool up_ = true;
  std::uint64_t connection_ = 0;
  Instant last_arrival_{};
  Instant last_return_{};
  std::vector<std::weak_ptr<Call>> waiting_;
  Work restored_;
};

}  // namespace millrace::sim
