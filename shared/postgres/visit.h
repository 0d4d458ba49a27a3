#pragma once
#include <expected>
#include <optional>
#include <string>

#include "shared/postgres/connection.h"
#include "shared/postgres/own_loop.h"

namespace millrace::postgres {

template <class T>
using Told = std::expected<T, std::string>;

/// A connection of the calling thread, for what is done before there is a loop, or without one.
class Visit {
 public:
  /// Tries until `open_within` is over, for a server may still be starting, unless the login is
  /// refused. `patience`: for each answer. The error is a sentence in Postgres's words.
  static Told<std::unique_ptr<Visit>> open(const std::string& url, Duration open_within,
                                           Duration patience);

  /// Blocks until `work(Connection&)`, a Task<Told<T>>, has ended. Once.
  template <class T, class Work>
  Told<T> get(Work work) {
    std::optional<Told<T>> result;
    loop_.run(serve(keep(work(connection_), result)));
    return std::move(*result);
  }

 private:
  Visit(const std::string& url, Duration patience) : connection_(loop_.clock(), url, patience) {}

  Task<> serve(Task<> beside);
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }

  OwnLoop loop_;
  Connection connection_;
};

}  // namespace millrace::postgres
