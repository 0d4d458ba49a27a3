#pragma once
#include <span>
#include <string_view>

namespace millrace {

/// The one of `known` that `word` was most likely meant to be: the fewest letters to insert, leave
/// out, change or swap with their neighbour (optimal string alignment), at most a third of its
/// length. Empty where none is so near. For messages: takes time by the product of the lengths.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace millrace
