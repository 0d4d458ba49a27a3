#include "producer/webhooks/delivery_view.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

WebhookDelivery pending() {
  WebhookDelivery delivery;
  delivery.job = *JobId::parse("0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7");
  delivery.url = "https://example.com/a?\"b";
  delivery.ended_as = JobState::failed;
  delivery.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000));
  delivery.next_at = delivery.created_at + std::chrono::seconds(1);
  return delivery;
}

TEST(DeliveryView, SaysWhatIsKnownAndNullForTheRest) {
  EXPECT_EQ(
      delivery_json(pending()),
      R"({"id":"msg_0190a1b2c3d47e5f807192a3b4c5d6e7",)"
      R"("job":"0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7","type":"job.failed",)"
      R"("url":"https://example.com/a?\"b","state":"pending","attempts":0,)"
      R"("created_at":"2026-01-01T00:00:00.000Z","next_attempt_at":"2026-01-01T00:00:01.000Z",)"
      R"("ended_at":null,"last_status":null,"last_error":null})");
}

TEST(DeliveryView, AHistoryTellsItsAttemptsNewestFirst) {
  WebhookHistory history{.delivery = pending(), .attempts = {}};
  EXPECT_TRUE(history_json(history).ends_with(R"(,"history":[]})"));
  history.attempts = {
      {.number = 2,
       .at = pending().created_at,
       .took = std::chrono::milliseconds(7),
       .status = 200,
       .error = ""},
      {.number = 1, .at = pending().created_at, .took = {}, .status = 0, .error = "연결 없음"}};
  EXPECT_TRUE(history_json(history).ends_with(
      R"(,"history":[{"attempt":2,"at":"2026-01-01T00:00:00.000Z","duration_ms":7,"status":200,)"
      R"("error":null},{"attempt":1,"at":"2026-01-01T00:00:00.000Z","duration_ms":0,)"
      R"("status":null,"error":"연결 없음"}]})"));
}

TEST(DeliveryView, AListSaysWhetherThereIsMoreAndWhereItGoesOn) {
  EXPECT_EQ(delivery_list_json({}, 2), R"({"data":[],"has_more":false,"next":null})");
  const auto two = delivery_list_json({pending(), pending()}, 1);
  EXPECT_TRUE(two.ends_with(R"(],"has_more":true,"next":"msg_0190a1b2c3d47e5f807192a3b4c5d6e7"})"));
  EXPECT_EQ(two.find("},{"), std::string::npos);
}

TEST(DeliveryView, SecretsAreTheOneThatSignsAndTheOneBefore) {
  EXPECT_EQ(secrets_json({"whsec_a"}), R"({"secret":"whsec_a","previous":null})");
  EXPECT_EQ(secrets_json({"whsec_b", "whsec_a"}), R"({"secret":"whsec_b","previous":"whsec_a"})");
}

}  // namespace
}  // namespace millrace
