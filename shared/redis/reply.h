#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

struct redisReply;

namespace millrace::redis {

/// A reply of the server or a part of one, borrowed. Reading what is not there gives nil, empty
/// text and 0, so replies are taken apart without a check at each step.
class ReplyView {
 public:
  explicit ReplyView(const redisReply* reply = nullptr) : reply_(reply) {}

  bool nil() const;
  bool error() const;
  std::string_view text() const;  ///< of a string, a status or an error
  std::int64_t number() const;    ///< of an integer, or of text that is a decimal number
  std::size_t size() const;       ///< of an array
  ReplyView operator[](std::size_t index) const;

 private:
  const redisReply* reply_;
};

/// A whole reply, owned. Empty when the connection ended before the reply came.
class Reply {
 public:
  Reply() = default;
  explicit Reply(redisReply* reply) : reply_(reply) {}
  explicit operator bool() const { return reply_ != nullptr; }
  ReplyView view() const { return ReplyView(reply_.get()); }

 private:
  struct Free {
    void operator()(redisReply* reply) const noexcept;
  };
  std::unique_ptr<redisReply, Free> reply_;
};

}  // namespace millrace::redis
