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
  const LinkSigner signer("secret");
  const SignedUrls urls(signer);
  const auto url = urls.sign(job_id(1), noon);
  EXPECT_TRUE(url.starts_with("/v1/jobs/" + job_id(1).str() + "/events?expires="));
  const auto link = link_in(url);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, noon), Verdict::good);
  const auto end = noon + limits::stream_url_valid;
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, end - 1ms), Verdict::good);
  EXPECT_EQ(urls.verify(job_id(1), link.expires, link.signature, end), Verdict::expired);
}

TEST(SignedUrl, NoChangeOfAnyPartIsAccepted) {
  const LinkSigner signer("secret");
  const SignedUrls urls(signer);
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

TEST(SignedUrl, WithoutASecretNothingIsSigned) {
  const LinkSigner none("");
  EXPECT_EQ(SignedUrls(none).sign(job_id(1), noon), "/v1/jobs/" + job_id(1).str() + "/events");
}

// Links that are in use stay good when the product is replaced.
TEST(SignedUrl, TheSignatureNeverChanges) {
  const LinkSigner signer("secret");
  const auto link = link_in(SignedUrls(signer).sign(job_id(1), noon));
  EXPECT_EQ(link.expires, "1772370000");
  EXPECT_EQ(link.signature, "926671007d8a6603783a293c461bf2578b144f46624874011f150d6638a25432");
}

}  // namespace
}  // namespace millrace::relay
