#include "shared/runtime/error.h"

namespace millrace {

std::string_view to_string(Errc error) noexcept {
  switch (error) {
    case Errc::closed:
      return "closed";
    case Errc::cancelled:
      return "cancelled";
    case Errc::timed_out:
      return "timed_out";
    case Errc::unavailable:
      return "unavailable";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::fenced:
      return "fenced";
    case Errc::lost:
      return "lost";
    case Errc::overloaded:
      return "overloaded";
    case Errc::invalid:
      return "invalid";
    case Errc::corrupt:
      return "corrupt";
  }
  return "unknown";
}

}  // namespace millrace
