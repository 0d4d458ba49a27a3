#include "shared/runtime/link_signer.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using Verdict = LinkSigner::Verdict;

constexpr WallTime noon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

struct Link {
  std::string expires;
  std::string signature;
};

Link signed_by(const LinkSigner& signer, std::string_view what, WallTime until) {
  const auto query = signer.sign(what, until);
  const auto amp = query.find('&');
  return {query.substr(8, amp - 8), query.substr(amp + 11)};
}

TEST(LinkSigner, OpensWhatItWasMadeForUntilItExpires) {
  const LinkSigner signer("secret");
  const auto link = signed_by(signer, "this", noon + 1h);
  EXPECT_EQ(signer.verify("this", link.expires, link.signature, noon), Verdict::good);
  EXPECT_EQ(signer.verify("this", link.expires, link.signature, noon + 1h - 1ms), Verdict::good);
  EXPECT_EQ(signer.verify("this", link.expires, link.signature, noon + 1h), Verdict::expired);
  EXPECT_EQ(signer.verify("that", link.expires, link.signature, noon), Verdict::bad);
}

TEST(LinkSigner, WhatIsSignedEndsWhereItsExpiryBegins) {
  const LinkSigner signer("secret");
  const auto link = signed_by(signer, "this\n9", noon);
  EXPECT_EQ(signer.verify("this", "9\n" + link.expires, link.signature, noon), Verdict::bad);
}

TEST(LinkSigner, ANewSecretSignsWhileTheOldOneIsStillAccepted) {
  const LinkSigner before("old");
  const LinkSigner during("new, old");
  const LinkSigner after("new");
  const auto old_link = signed_by(before, "this", noon + 1h);
  const auto new_link = signed_by(during, "this", noon + 1h);
  EXPECT_EQ(during.verify("this", old_link.expires, old_link.signature, noon), Verdict::good);
  EXPECT_EQ(after.verify("this", new_link.expires, new_link.signature, noon), Verdict::good);
  EXPECT_EQ(after.verify("this", old_link.expires, old_link.signature, noon), Verdict::bad);
}

TEST(LinkSigner, WithoutASecretNothingIsSignedAndNoSignatureIsGood) {
  const LinkSigner none(" , ");
  EXPECT_EQ(none.sign("this", noon), "");
  const auto link = signed_by(LinkSigner("secret"), "this", noon + 1h);
  EXPECT_EQ(none.verify("this", link.expires, link.signature, noon), Verdict::bad);
  EXPECT_EQ(none.verify("this", link.expires, "", noon), Verdict::bad);
}

}  // namespace
}  // namespace millrace
