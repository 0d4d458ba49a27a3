#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace millrace {
namespace asio = boost::asio;

/// Every loop is an `io_context(1)` run by one thread; nothing is shared between loops.
using Executor = asio::io_context::executor_type;

/// A coroutine on one loop. It never changes threads; what it awaits resumes it where it was.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// The completion token for Asio operations inside a `Task`.
inline constexpr asio::use_awaitable_t<Executor> use_task{};
}  // namespace millrace
