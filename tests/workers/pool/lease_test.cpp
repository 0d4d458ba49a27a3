#include "workers/pool/lease.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

const Instant sent{100s};

TEST(Lease, GivesNoRightBeforeItIsGranted) {
  EXPECT_FALSE(Lease(Token{}).may_act(Instant{}));
}

TEST(Lease, CountsFromBeforeItsRenewalWasSent) {
  Lease lease(Token{});
  lease.granted(sent);
  EXPECT_TRUE(lease.may_act(sent + 7s));
  EXPECT_FALSE(lease.may_act(sent + 7s + 1ns));
}

TEST(Lease, AnAnswerThatComesLateNeverShortensIt) {
  Lease lease(Token{});
  lease.granted(sent + 5s);
  lease.granted(sent);
  EXPECT_TRUE(lease.may_act(sent + 12s));
}

TEST(Lease, IsDueForRenewalAfterThreeSeconds) {
  Lease lease(Token{});
  lease.granted(sent);
  EXPECT_FALSE(lease.renewal_due(sent + 2999ms));
  EXPECT_TRUE(lease.renewal_due(sent + 3s));
}

}  // namespace
}  // namespace millrace
