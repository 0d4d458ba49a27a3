#include "shared/contract/webhook.h"

#include <gtest/gtest.h>

#include <array>

#include "shared/runtime/hmac.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

const std::string published_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(WebhookSignature, IsTheOneThatStandardWebhooksPublishes) {
  EXPECT_EQ(webhook_signature(std::array{published_secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                              1614265330s, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, HasOneForEachSecretInForce) {
  const std::array both{webhook_secret("another"), published_secret};
  const auto two = webhook_signature(both, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330s,
                                     R"({"test": 2432232314})");
  EXPECT_TRUE(two.starts_with("v1,"));
  EXPECT_TRUE(two.ends_with(" v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

TEST(WebhookSignature, SecretsReadAsBase64) {
  EXPECT_EQ(webhook_secret(""), "whsec_");
  EXPECT_EQ(webhook_secret("f"), "whsec_Zg==");
  EXPECT_EQ(webhook_secret("fo"), "whsec_Zm8=");
  EXPECT_EQ(webhook_secret("foobar"), "whsec_Zm9vYmFy");
  for (const char* bytes : {"f", "fo", "foo", "foob"})
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("===="), "");
  EXPECT_EQ(from_base64("Zg="), "");
  EXPECT_EQ(from_base64("Z!=="), "");
}

TEST(WebhookId, NamesAJobAndLeadsBackToIt) {
  const auto job = *JobId::parse("0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7");
  EXPECT_EQ(webhook_id(job), "msg_0190a1b2c3d47e5f807192a3b4c5d6e7");
  EXPECT_EQ(job_of_webhook(webhook_id(job)), job);
  for (const char* wrong :
       {"", "msg_", "msg_0190a1b2c3d47e5f807192a3b4c5d6e", "0190a1b2",
        "msg_0190a1b2c3d47e5f807192a3b4c5d6eg", "msg_0190A1B2C3D47E5F807192A3B4C5D6E7",
        "msg_0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7"})
    EXPECT_FALSE(job_of_webhook(wrong)) << wrong;
}

TEST(Webhook, EveryEndHasItsEvent) {
  for (const auto state :
       {JobState::succeeded, JobState::failed, JobState::cancelled, JobState::expired}) {
    EXPECT_EQ(end_event(state), "job." + std::string(to_string(state)));
    EXPECT_EQ(end_of_event(end_event(state)), state);
  }
  EXPECT_EQ(end_event(JobState::running), "");
  EXPECT_FALSE(end_of_event("job.running"));
  EXPECT_FALSE(end_of_event(""));
}

TEST(Webhook, TheBoundOnAReceiverCountsItsHostAndPort) {
  EXPECT_EQ(webhook_host("https://Example.com/A"), "example.com");
  EXPECT_EQ(webhook_host("http://[::1]:80?x=/"), "[::1]:80");
}

}  // namespace
}  // namespace millrace
