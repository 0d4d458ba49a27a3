#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// The words of one answer. The n-th token depends only on n and the prompt, so a run that was
/// cut can be gone on with, and compared byte for byte.
class SimText {
 public:
  /// `prompt` is the whole conversation but for a trailing assistant message; `question` its last
  /// user message: Korean words answer a Korean one.
  SimText(std::string_view prompt, std::string_view question);

  /// Token `number`, counted from 1: a word, with a space before it but for the first.
  std::string_view token(std::uint32_t number) const;

 private:
  std::uint64_t seed_;
  bool korean_;
};

/// The tokens of the answer that any other model name gets: it says that this is a simulation, in
/// the language of the question.
const std::vector<std::string>& sim_default_answer(std::string_view question);

/// How far a prefix has come in an answer.
struct SimPlace {
  std::uint32_t tokens = 0;     ///< of the answer's own, whole
  std::size_t begun_bytes = 0;  ///< of the next one, which the prefix cut in two
};

/// Finds the answer's own tokens at the end of `prefix`; other words may stand before them.
/// `token(n)` gives the n-th, counted from 1, and is asked for at most `tokens`.
template <class Token>
SimPlace place_after(std::string_view prefix, std::uint32_t tokens, const Token& token) {
  const std::string_view head = token(1);
  for (auto start = prefix.find(head); start != std::string_view::npos;
       start = prefix.find(head, start + 1)) {
    auto rest = prefix.substr(start);
    SimPlace place;
    while (place.tokens < tokens && !rest.empty()) {
      const std::string_view next = token(place.tokens + 1);
      if (!rest.starts_with(next)) break;
      rest.remove_prefix(next.size());
      ++place.tokens;
    }
    if (rest.empty()) return place;
    if (place.tokens < tokens && token(place.tokens + 1).starts_with(rest)) {
      place.begun_bytes = rest.size();
      return place;
    }
  }
  return {};
}

/// How many stamps (`@<ns>@ `) a prefix holds.
std::uint32_t stamps_in(std::string_view prefix);

/// FNV-1a: small, and the same on every machine.
std::uint64_t sim_hash(std::string_view text);

}  // namespace millrace
