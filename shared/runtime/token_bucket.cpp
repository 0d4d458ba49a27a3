#include "shared/runtime/token_bucket.h"

#include <array>
#include <charconv>

namespace millrace {
namespace {

constexpr double least_per_s = 1.0 / 86'400;
constexpr double most_per_s = 1'000'000;

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array units{Unit{"s", 1}, Unit{"min", 60}, Unit{"h", 3600}, Unit{"d", 86'400}};

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::string text_of(double number) {
  std::array<char, 32> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed)
          .ptr;
  return {digits.data(), end};
}

Duration seconds(double count) {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(count));
}

}  // namespace

std::optional<TokenRate> TokenRate::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto colon = text.find(':', slash);
  const auto unit =
      std::ranges::find(units, text.substr(slash + 1, colon - slash - 1), &Unit::name);
  const auto count = number_in(text.substr(0, slash));
  if (!count || unit == units.end()) return std::nullopt;
  TokenRate rate{.per_s = *count / unit->seconds};
  rate.burst = std::max(1.0, std::floor(rate.per_s));
  if (colon != text.npos) {
    const auto burst = number_in(text.substr(colon + 1));
    if (!burst || *burst < 1 || *burst > most_per_s || *burst != std::floor(*burst))
      return std::nullopt;
    rate.burst = *burst;
  }
  const bool allowed = rate.per_s >= least_per_s && rate.per_s <= most_per_s;
  return allowed ? std::optional(rate) : std::nullopt;
}

std::string TokenRate::str() const {
  const auto* unit = std::ranges::find_if(units, [this](const Unit& each) {
    const double count = per_s * each.seconds;
    return std::abs(count - std::round(count)) < 1e-9 * count && std::round(count) >= 1;
  });
  if (unit == units.end()) unit = units.begin();
  const double count = per_s * unit->seconds;
  const double whole = std::round(count);
  const bool is_whole = std::abs(count - whole) < 1e-9 * count;
  return text_of(is_whole ? whole : count).append("/").append(unit->name) + ":" + text_of(burst);
}

TokensTaken TokenBucket::take(TokenRate rate, std::uint32_t wanted, Instant now) {
  const double past = std::chrono::duration<double>(std::max(now - at_, Duration{})).count();
  tokens_ = std::min(rate.burst, tokens_ + past * rate.per_s);
  at_ = std::max(at_, now);
  // A token that is short by less than a clock can tell is whole.
  constexpr double rounding = 1e-6;
  const double there = std::floor(tokens_ + rounding);
  TokensTaken out;
  out.taken = static_cast<std::uint32_t>(std::min<double>(wanted, there));
  tokens_ = std::max(0.0, tokens_ - out.taken);
  out.left = tokens_;
  if (tokens_ + rounding < 1) out.next_in = seconds((1 - tokens_) / rate.per_s);
  return out;
}

Instant TokenBucket::full_at(TokenRate rate) const {
  return at_ + seconds(std::max(0.0, rate.burst - tokens_) / rate.per_s);
}

}  // namespace millrace
