#include "shared/runtime/time.h"

#include <array>

namespace millrace {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

void put_digits(char* at, unsigned value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// Takes exactly `width` digits from the front of `text`; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return -1;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// `Z`, `z` or `+hh:mm` at the very end, as minutes east of UTC.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const int hours = take_digits(text, 2);
  if (hours < 0 || hours > 23 || !take(text, ':')) return std::nullopt;
  const int minutes = take_digits(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (east ? 1 : -1) * (hours * 60 + minutes);
}

}  // namespace

void append_rfc3339(std::string& out, WallTime when) {
  const auto day = std::chrono::floor<days>(when);
  const std::chrono::year_month_day date(day);
  const auto in_day = static_cast<unsigned>((when - day).count());
  std::array<char, 24> text;
  put_digits(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  text[4] = '-';
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  text[7] = '-';
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  text[10] = 'T';
  put_digits(&text[11], in_day / 3'600'000, 2);
  text[13] = ':';
  put_digits(&text[14], in_day / 60'000 % 60, 2);
  text[16] = ':';
  put_digits(&text[17], in_day / 1'000 % 60, 2);
  text[19] = '.';
  put_digits(&text[20], in_day % 1'000, 3);
  text[23] = 'Z';
  out.append(text.data(), text.size());
}

std::string to_rfc3339(WallTime when) {
  std::string out;
  append_rfc3339(out, when);
  return out;
}

std::optional<WallTime> from_rfc3339(std::string_view text) {
  const int year = take_digits(text, 4);
  if (year < 1970 || !take(text, '-')) return std::nullopt;
  const int month = take_digits(text, 2);
  if (!take(text, '-')) return std::nullopt;
  const int day = take_digits(text, 2);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (month < 1 || day < 1 || !date.ok()) return std::nullopt;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return std::nullopt;
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return std::nullopt;
  const int second = take_digits(text, 2);
  if (second < 0 || second > 60) return std::nullopt;  // 60: a leap second
  int milli = 0;
  if (take(text, '.')) {
    int digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
      if (digits < 3) milli = milli * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) milli *= 10;
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const auto local = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second) +
                     milliseconds(milli);
  return std::chrono::time_point_cast<milliseconds>(local - std::chrono::minutes(*offset));
}

}  // namespace millrace
