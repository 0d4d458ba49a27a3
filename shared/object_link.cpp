#include "shared/object_link.h"

#include "shared/runtime/json_text.h"
#include "shared/runtime/percent_encoded.h"

namespace millrace {
namespace {

/// Sizes come first, so that no two names are one text.
std::string signed_text(const ObjectName& name) {
  return "millrace object\n" + std::to_string(name.tenant.size()) + " " +
         std::to_string(name.key.size()) + "\n" + name.tenant + name.key;
}

bool fits_a_url(std::string_view text) {
  return valid_utf8(text) && !text.contains('\0');
}

}  // namespace

Result<std::string> object_link(const LinkSigner& signer, const ObjectName& name, WallTime until,
                                WallTime now) {
  const bool linkable = name.valid() && fits_a_url(name.tenant) && fits_a_url(name.key);
  if (!linkable || until <= now || until > now + ObjectStore::link_valid_max)
    return Failure(Errc::invalid);
  const auto permission = signer.sign(signed_text(name), until);
  if (permission.empty()) return Failure(Errc::unavailable);
  return std::string(object_link_path) + "?tenant=" + percent_encoded(name.tenant) +
         "&key=" + percent_encoded(name.key) + "&" + permission;
}

LinkSigner::Verdict verify_object_link(const LinkSigner& signer, const ObjectName& name,
                                       std::string_view expires, std::string_view signature,
                                       WallTime now) {
  if (!name.valid()) return LinkSigner::Verdict::bad;
  return signer.verify(signed_text(name), expires, signature, now);
}

}  // namespace millrace
