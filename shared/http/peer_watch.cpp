#include "shared/http/peer_watch.h"

namespace millrace::http {

PeerWatch::~PeerWatch() {
  if (!call_) return;
  call_->to = nullptr;
  wire_.cancel_waits();
}

Signal& PeerWatch::watch() {
  if (call_) return wake_;
  call_ = std::make_shared<Call>(this);
  wire_.socket().async_wait(Socket::wait_read, [call = call_](boost::system::error_code error) {
    if (call->to && !error) call->to->look();
  });
  return wake_;
}

void PeerWatch::look() {
  char next = 0;
  boost::system::error_code error;
  wire_.socket().receive(asio::buffer(&next, 1), Socket::message_peek, error);
  gone_ = error && error != asio::error::would_block;
  if (gone_) wake_.notify();
}

}  // namespace millrace::http
