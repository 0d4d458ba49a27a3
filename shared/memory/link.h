#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "shared/runtime/error.h"
#include "shared/runtime/task.h"
#include "shared/runtime/time.h"

namespace millrace::memory {

/// One connection of one process to one in-memory server: the place where a simulation delays,
/// cuts and loses. What is sent owns all it touches, for it may arrive after its sender has gone.
/// Belongs to the loop of its process.
class Link {
 public:
  using Work = std::function<void()>;
  virtual ~Link() = default;

  /// `there` runs at the server when the request arrives; returns when the answer has come.
  /// `unavailable`: it never ran and never will; `timed_out`: it may have run, or may yet; at
  /// `give_up` at the latest.
  virtual Task<Result<>> call(Work there, Instant give_up) = 0;
  /// There, without an answer. Neither a tell nor a call overtakes one that was sent before.
  virtual void tell(Work there) = 0;
  /// From the server to this process, in order; nothing arrives over a connection that was cut.
  virtual void push(Work here) = 0;
  /// The connection stands.
  virtual bool up() const = 0;
  /// Called on the process's loop whenever the connection stands again: pushes may have been lost.
  virtual void on_restored(Work hear) = 0;
};

/// A call whose answer is a value: `there` gives it at the server.
template <class T>
Task<Result<T>> ask(Link& link, std::function<Result<T>()> there, Instant give_up) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  const auto came =
      co_await link.call([answer, there = std::move(there)] { answer->emplace(there()); }, give_up);
  if (!came) co_return Failure(came.error());
  co_return std::move(**answer);
}

}  // namespace millrace::memory
