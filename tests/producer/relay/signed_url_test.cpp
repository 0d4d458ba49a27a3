#include "producer/relay/signed_url.h"

#include <gtest/gtest.h>

#include "shared/runtime/limits.h"
#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using test::job_id;
using Verdict = SignedUrls::Verdict;

constexpr WallTime noon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

struct Link {
  std::string expires;
  std::string signature;
};

Link link_in(const std::string& url) {
  const auto expires = url.find("expires=") + 8;
  const auto amp = url.find('&', expires);
  return {url.substr(expires, amp - expires), url.substr(url.find("signature=") + 10)};
}

TEST(SignedUrl, OpensTheStreamItWasMadeForUntilItExpires) {
  const SignedUrls urls("secret");
  const auto url = urls.sign(job_id(1), noon);
  EXPECT_TRUE(url.starts_with("/v1/jobs/" + job_id(1).str() + "/events?expires="));
  const auto link = link_in(url);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, noon), Verdict::good);
  const auto end = noon + limits::stream_url_valid;
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, end - 1ms), Verdict::good);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, end), Verdict::expired);
}

TEST(SignedUrl, NoChangeOfAnyPartIsAccepted) {
  const SignedUrls urls("secret");
  const auto link = link_in(urls.sign(job_id(1), noon));
  EXPECT_EQ(urls.verify(job_id(2), link.expires, link.signature, noon), Verdict::bad);
  EXPECT_EQ(urls.verify(job_id(1), "9" + link.expires, link.signature, noon), Verdict::bad);
  EXPECT_EQ(urls.verify(job_id(1), link.expires + "0", link.signature, noon), Verdict::bad);
  EXPECT_EQ(urls.verify(job_id(1), "", link.signature, noon), Verdict::bad);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, "", noon), Verdict::bad);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature + "0", noon), Verdict::bad);
  for (std::size_t i = 0; i < link.signature.size(); ++i) {
    auto tampered = link.signature;
    tampered[i] = tampered[i] == '0' ? '1' : '0';
    EXPECT_EQ(urls.verify(job_id(1), link.expires, tampered, noon), Verdict::bad) << i;
  }
}

TEST(SignedUrl, ANewSecretSignsWhileTheOldOneIsStillAccepted) {
  const SignedUrls before("old");
  const SignedUrls during("new, old");
  const SignedUrls after("new");
  const auto old_link = link_in(before.sign(job_id(1), noon));
  const auto new_link = link_in(during.sign(job_id(1), noon));
  EXPECT_EQ(during.verify(job_id(1), old_link.expires, old_link.signature, noon), Verdict::good);
  EXPECT_EQ(after.verify(job_id(1), new_link.expires, new_link.signature, noon), Verdict::good);
  EXPECT_EQ(after.verify(job_id(1), old_link.expires, old_link.signature, noon), Verdict::bad);
}

TEST(SignedUrl, WithoutASecretNothingIsSignedAndNoSignatureIsGood) {
  const SignedUrls none(" , ");
  EXPECT_EQ(none.sign(job_id(1), noon), "/v1/jobs/" + job_id(1).str() + "/events");
  const auto link = link_in(SignedUrls("").sign(job_id(1), noon));
  EXPECT_EQ(none.verify(job_id(1), link.expires, link.signature, noon), Verdict::bad);
}

}  // namespace
}  // namespace millrace::relay
