#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// What a model says beside the text of its answer.
enum class Aside : std::uint8_t {
  reasoning,  ///< how it came to the answer
  refusal,    ///< why it gives none
};

/// The type of its events, and the member of a result that has it.
std::string_view to_string(Aside kind);

struct Asides {
  std::string reasoning;
  std::string refusal;

  std::string& of(Aside kind) { return kind == Aside::reasoning ? reasoning : refusal; }
  bool operator==(const Asides&) const = default;
};

/// `,"reasoning":…,"refusal":…`: those that there are, behind other members.
void append_members(std::string& out, const Asides& asides);
/// These alone as an object; empty where there are none.
std::string to_json(const Asides& asides);
/// Back from an object; what is no string is left out.
Asides read_asides(std::string_view object);

}  // namespace millrace
