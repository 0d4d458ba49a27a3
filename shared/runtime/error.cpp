#include "shared/runtime/error.h"

#include <cerrno>

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
    case Errc::full:
      return "full";
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

Errc refused_write(int why) noexcept {
  return why == ENOSPC || why == EDQUOT ? Errc::full : Errc::unavailable;
}

}  // namespace millrace
