#pragma once
#include <functional>
#include <string>

#include "producer/conversations/model_probe.h"
#include "producer/ingress/job_eraser.h"
#include "shared/http/router.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"
#include "shared/sessions.h"

namespace millrace::conversations {

/// The sessions of conversations, and how well the server is:
///
///   POST /api/sessions {"metadata"}            the new session
///   GET /api/sessions/{id}
///   DELETE /api/sessions/{id}                  with all that was said in it, in its jobs too:
///                                              `{"session_id","deleted":true}`
///   GET /api/sessions/{id}/messages?limit=10
///   POST /api/session/create {"user_id"}       `{"session_id":"session_<unix>_<random>",
///                                              "created_at"}`
///   GET /api/health                            and each dependency; 503 when one is down
///   GET /health                                the server alone
///
/// Errors are `{"detail":"…"}`. One a loop; outlives the server that uses its router.
class SessionRoutes {
 public:
  struct Parts {
    Sessions& sessions;
    JobEraser& eraser;
    Clock& clock;
    Random& random;
    std::function<bool()> queue_ready;
    std::function<bool()> log_ready;
    std::function<bool()> store_ready;
    const ModelProbe& model;
  };
  explicit SessionRoutes(Parts parts) : parts_(std::move(parts)) {}
  SessionRoutes(const SessionRoutes&) = delete;
  SessionRoutes& operator=(const SessionRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> create(http::Request& request);
  Task<http::Response> create_for_user(http::Request& request);
  Task<http::Response> show(http::Request& request);
  Task<http::Response> remove(http::Request& request);
  Task<http::Response> messages(http::Request& request);
  Task<http::Response> health(http::Request& request);
  Task<http::Response> alive(http::Request& request);

  Parts parts_;
};

}  // namespace millrace::conversations
