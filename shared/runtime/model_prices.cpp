#include "shared/runtime/model_prices.h"

#include <charconv>

namespace millrace {
namespace {

constexpr std::uint64_t million = 1'000'000;
constexpr std::size_t price_places = 6;
constexpr std::size_t cost_places = 12;
constexpr std::string_view digits = "0123456789";

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

/// In millionths.
std::optional<std::uint64_t> read_price(std::string_view text) {
  const auto dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view places = dot == text.npos ? "" : text.substr(dot + 1);
  if (whole.empty() || whole.size() > 7 || places.size() > price_places) return std::nullopt;
  if (dot != text.npos && places.empty()) return std::nullopt;
  std::string number(whole);
  number.append(places).append(price_places - places.size(), '0');
  if (number.find_first_not_of(digits) != number.npos) return std::nullopt;
  std::uint64_t millionths = 0;
  std::from_chars(number.data(), number.data() + number.size(), millionths);
  if (millionths > million * million) return std::nullopt;
  return millionths;
}

/// `units` of 10^-places, without needless zeros.
std::string decimal(std::uint64_t units, std::size_t places) {
  std::string text = std::to_string(units);
  if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
  text.insert(text.size() - places, ".");
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::optional<ModelPrices> ModelPrices::read(std::string_view list) {
  ModelPrices read;
  while (!trimmed(list).empty()) {
    const auto comma = list.find(',');
    const std::string_view entry = trimmed(list.substr(0, comma));
    list = comma == list.npos ? "" : list.substr(comma + 1);
    const auto equals = entry.rfind('=');
    const auto slash = entry.rfind('/');
    if (equals == entry.npos || slash == entry.npos || slash < equals) return std::nullopt;
    const std::string_view name = trimmed(entry.substr(0, equals));
    const auto prompt = read_price(trimmed(entry.substr(equals + 1, slash - equals - 1)));
    const auto completion = read_price(trimmed(entry.substr(slash + 1)));
    if (name.empty() || !prompt || !completion) return std::nullopt;
    if (!read.prices_.emplace(name, Price{*prompt, *completion}).second) return std::nullopt;
  }
  return read;
}

std::string ModelPrices::str() const {
  std::string list;
  for (const auto& [name, price] : prices_) {
    if (!list.empty()) list += ", ";
    list.append(name).append("=").append(decimal(price.prompt, price_places));
    list.append("/").append(decimal(price.completion, price_places));
  }
  return list;
}

const ModelPrices::Price* ModelPrices::of(std::string_view model) const {
  if (const auto own = prices_.find(model); own != prices_.end()) return &own->second;
  for (std::size_t length = model.size() + 1; length-- > 0;) {
    const auto beginning = prices_.find(std::string(model.substr(0, length)) + '*');
    if (beginning != prices_.end()) return &beginning->second;
  }
  return nullptr;
}

std::optional<std::string> ModelPrices::cost(std::string_view model, std::uint64_t prompt_tokens,
                                             std::uint64_t completion_tokens) const {
  const Price* const price = prices_.empty() || model.empty() ? nullptr : of(model);
  if (!price) return std::nullopt;
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  std::uint64_t sum = 0;
  // Beyond what this holds, 18 million of the currency, the counts are not to be believed.
  if (__builtin_mul_overflow(price->prompt, prompt_tokens, &read) ||
      __builtin_mul_overflow(price->completion, completion_tokens, &written) ||
      __builtin_add_overflow(read, written, &sum))
    return std::nullopt;
  return decimal(sum, cost_places);
}

}  // namespace millrace
