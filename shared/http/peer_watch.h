#pragma once
#include <memory>

#include "shared/http/message.h"
#include "shared/http/wire.h"

namespace millrace::http {

/// Notices, once asked to, that the peer of a request leaves while it is handled. Takes no byte
/// off the socket: what comes behind the request is the next one, and ends the watch.
class PeerWatch final : public WaitingPeer {
 public:
  explicit PeerWatch(Wire& wire) : wire_(wire), wake_(wire.context().clock) {}
  ~PeerWatch() override;
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  Signal& watch() override;
  bool gone() const override { return gone_; }

 private:
  /// What the socket's callback has of us; it may be called when we are not there any more.
  struct Call {
    PeerWatch* to;
  };

  void look();

  Wire& wire_;
  Signal wake_;
  std::shared_ptr<Call> call_;
  bool gone_ = false;
};

}  // namespace millrace::http
