#include "shared/redis/reply.h"

#include <hiredis/hiredis.h>

#include <charconv>

namespace millrace::redis {

void Reply::Free::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

bool ReplyView::nil() const {
  return !reply_ || reply_->type == REDIS_REPLY_NIL;
}

bool ReplyView::error() const {
  return reply_ && reply_->type == REDIS_REPLY_ERROR;
}

std::string_view ReplyView::text() const {
  if (!reply_) return {};
  switch (reply_->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      return {reply_->str, reply_->len};
    default:
      return {};
  }
}

std::int64_t ReplyView::number() const {
  if (reply_ && reply_->type == REDIS_REPLY_INTEGER) return reply_->integer;
  const auto digits = text();
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::size_t ReplyView::size() const {
  return reply_ && reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

ReplyView ReplyView::operator[](std::size_t index) const {
  return ReplyView(index < size() ? reply_->element[index] : nullptr);
}

}  // namespace millrace::redis
