#include "shared/contract/envelope.h"

#include <gtest/gtest.h>

#include "shared/contract/webhook.h"

namespace millrace {
namespace {

Job sample() {
  Job job;
  SeededRandom random(7);
  job.id = new_job_id(WallTime(std::chrono::milliseconds(1'790'000'000'123)), random);
  job.session = "세션-1";
  job.input = R"([{"role":"user","content":"안녕 \"you\"\n"}])";
  job.model = "sim";
  job.max_tokens = 64;
  job.temperature = 0.25;
  job.priority = Priority::bulk;
  job.created_at = WallTime(std::chrono::milliseconds(1'790'000'000'123));
  job.not_before = job.created_at + 5s;
  job.deadline = job.created_at + 24h;
  job.metadata = R"({"a":[1,2,{"b":null}]})";
  job.request = R"({"store":true,"instructions":"짧게"})";
  job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  return job;
}

template <class T>
const T& as(const std::variant<Job, UnknownVersion, MalformedEnvelope>& read) {
  return std::get<T>(read);
}

TEST(Envelope, ReadsBackEveryFieldItWrote) {
  const Job job = sample();
  const std::string text = encode_envelope(job);
  const auto read = decode_envelope(text);
  ASSERT_TRUE(std::holds_alternative<Job>(read)) << as<MalformedEnvelope>(read).reason;
  const Job& back = as<Job>(read);
  EXPECT_EQ(back.id, job.id);
  EXPECT_EQ(back.session, job.session);
  EXPECT_EQ(back.input, job.input);
  EXPECT_EQ(back.model, job.model);
  EXPECT_EQ(back.max_tokens, job.max_tokens);
  EXPECT_EQ(back.temperature, job.temperature);
  EXPECT_EQ(back.priority, job.priority);
  EXPECT_EQ(back.created_at, job.created_at);
  EXPECT_EQ(back.not_before, job.not_before);
  EXPECT_EQ(back.deadline, job.deadline);
  EXPECT_EQ(back.metadata, job.metadata);
  EXPECT_EQ(back.request, job.request);
  EXPECT_EQ(back.traceparent, job.traceparent);
  EXPECT_EQ(back.envelope, text);
}

TEST(Envelope, CarriesItsWebhookAndTheEventsItWants) {
  const auto carried = [](const Webhook& webhook) {
    Job job = sample();
    job.envelope = R"({"webhook":)";
    append_webhook(job.envelope, webhook);
    job.envelope += '}';
    return encode_envelope(job);
  };
  const Webhook all{"https://a.example/x", every_end};
  EXPECT_NE(carried(all).find(R"("webhook":{"url":"https://a.example/x"})"), std::string::npos);
  EXPECT_EQ(webhook_in(carried(all)), all);
  Webhook some = all;
  some.ends = end_bit(JobState::cancelled) | end_bit(JobState::failed);
  std::string envelope = carried(some);
  EXPECT_EQ(webhook_in(envelope), some);
  EXPECT_EQ(encode_envelope(as<Job>(decode_envelope(envelope))), envelope);
  envelope.replace(envelope.find("job.failed"), 10, "job.paused");
  EXPECT_EQ(webhook_in(envelope)->ends, end_bit(JobState::cancelled));
}

TEST(Envelope, NamesNoWebhookWhereOnlyItsDataDo) {
  Job job = sample();
  job.input = R"("{\"webhook\":{\"url\":\"http://a.example\"}}")";
  job.metadata = R"({"webhook":{"url":"http://a.example"}})";
  EXPECT_FALSE(webhook_in(encode_envelope(job)));
  EXPECT_FALSE(webhook_in(""));
  EXPECT_FALSE(webhook_in(R"({"webhook":)"));
  EXPECT_FALSE(webhook_in(R"({"webhook":{"url":7}})"));
}

TEST(Envelope, CarriesParametersItDoesNotKnowAsTheyWereWritten) {
  Job job = sample();
  job.max_completion_tokens = true;
  job.server_defaults = true;
  job.params = R"({"top_p":0.10,"tools":[{"n":12345678901234567890123,"s":"a\"}"}],"stop":"한"})";
  const auto read = decode_envelope(encode_envelope(job));
  ASSERT_TRUE(std::holds_alternative<Job>(read)) << as<MalformedEnvelope>(read).reason;
  EXPECT_EQ(as<Job>(read).params, job.params);
  EXPECT_EQ(as<Job>(read).max_tokens, job.max_tokens);
  EXPECT_TRUE(as<Job>(read).max_completion_tokens);
  EXPECT_TRUE(as<Job>(read).server_defaults);
  EXPECT_EQ(encode_envelope(as<Job>(read)), encode_envelope(job));
}

TEST(Envelope, ParametersMayBeAllThereIs) {
  Job job = sample();
  job.max_tokens.reset();
  job.temperature.reset();
  job.params = R"({"seed":7})";
  const std::string text = encode_envelope(job);
  EXPECT_TRUE(text.contains(R"("params":{"seed":7},)"));
  EXPECT_EQ(as<Job>(decode_envelope(text)).params, job.params);
  EXPECT_FALSE(as<Job>(decode_envelope(text)).server_defaults);
}

TEST(Envelope, SaysHowMuchOfItsSessionGoesWithAMessage) {
  Job job = sample();
  job.context = SessionContext{10, true};
  EXPECT_EQ(as<Job>(decode_envelope(encode_envelope(job))).context, job.context);
  job.context = SessionContext{10};
  const std::string text = encode_envelope(job);
  EXPECT_TRUE(text.contains(R"("context":{"messages":10},)"));
  EXPECT_EQ(as<Job>(decode_envelope(text)).context, job.context);
  std::string wrong = text;
  wrong.replace(wrong.find("10}"), 2, "0 ");
  EXPECT_TRUE(std::holds_alternative<MalformedEnvelope>(decode_envelope(wrong)));
}

TEST(Envelope, NamesAnInputThatIsElsewhere) {
  Job job = sample();
  job.input.clear();
  job.input_ref = InputRef{"inputs/한", 300'000, std::string(64, 'a')};
  const auto read = decode_envelope(encode_envelope(job));
  ASSERT_TRUE(std::holds_alternative<Job>(read)) << as<MalformedEnvelope>(read).reason;
  EXPECT_EQ(as<Job>(read).input_ref, job.input_ref);
  EXPECT_EQ(as<Job>(read).input, "");
}

TEST(Envelope, HasAnInputOrNamesOneAndNeverBoth) {
  Job job = sample();
  job.input.clear();
  job.input_ref = InputRef{"k", 300'000, std::string(64, 'a')};
  const auto text = encode_envelope(job);
  const auto without = [&text](std::string_view part, std::string_view instead) {
    std::string changed = text;
    return changed.replace(changed.find(part), part.size(), instead);
  };
  const std::vector<std::string> wrong{without(R"("input_ref":)", R"("input":"x","input_ref":)"),
                                       without(R"("input_ref":)", R"("other":)"),
                                       without(R"("key":"k")", R"("key":"")"),
                                       without(R"("size":300000)", R"("size":"many")"),
                                       without(R"("sha256":"a)", R"("sha256":")"),
                                       without(R"("sha256")", R"("md5")")};
  for (const auto& each : wrong) {
    const auto read = decode_envelope(each);
    ASSERT_TRUE(std::holds_alternative<MalformedEnvelope>(read)) << each;
    EXPECT_NE(as<MalformedEnvelope>(read).reason.find("input"), std::string::npos);
  }
}

TEST(Envelope, KeepsMembersItDoesNotKnow) {
  std::string text = encode_envelope(sample());
  text.insert(1, R"("from_a_newer_build":{"x":1},)");
  const auto read = decode_envelope(text);
  ASSERT_TRUE(std::holds_alternative<Job>(read));
  EXPECT_EQ(as<Job>(read).envelope, text);
}

TEST(Envelope, ATraceThatIsNoneCostsNoJob) {
  Job job = sample();
  job.traceparent = "nonsense";
  const auto read = decode_envelope(encode_envelope(job));
  ASSERT_TRUE(std::holds_alternative<Job>(read));
  EXPECT_EQ(as<Job>(read).traceparent, "");
}

TEST(Envelope, TellsANewerVersionFromNonsense) {
  std::string text = encode_envelope(sample());
  text.replace(text.find("\"v\":1"), 5, "\"v\":2");
  EXPECT_EQ(as<UnknownVersion>(decode_envelope(text)).version, 2);
  for (const char* bad : {"", "nonsense", "[]", "{}", R"({"v":1})", "\xff\xfe", R"({"v":"1"})"})
    EXPECT_TRUE(std::holds_alternative<MalformedEnvelope>(decode_envelope(bad))) << bad;
}

TEST(Envelope, AFaultNamesItsMember) {
  std::string text = encode_envelope(sample());
  const auto at = text.find("\"deadline\":\"") + 12;
  text.replace(at, 4, "soon");
  EXPECT_NE(as<MalformedEnvelope>(decode_envelope(text)).reason.find("`deadline`"),
            std::string::npos);
}

TEST(Envelope, EveryPrefixIsMalformedAndNoneCrashes) {
  const std::string text = encode_envelope(sample());
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    const auto read = decode_envelope(std::string_view(text).substr(0, bytes));
    EXPECT_TRUE(std::holds_alternative<MalformedEnvelope>(read)) << bytes;
  }
}

}  // namespace
}  // namespace millrace
