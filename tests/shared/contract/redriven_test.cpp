#include "shared/contract/redriven.h"

#include <gtest/gtest.h>

#include "shared/contract/envelope.h"

namespace millrace {
namespace {

struct Redriven : testing::Test {
  SeededRandom random{7};
  const WallTime then{std::chrono::milliseconds(1'790'000'000'123)};
  const WallTime now = then + 50h;

  Job old() {
    Job job;
    job.id = new_job_id(then, random);
    job.session = "s";
    job.input = R"([{"role":"user","content":"안녕 \"you\"\n"}])";
    job.model = "sim";
    job.max_tokens = 64;
    job.temperature = 0.25;
    job.created_at = then;
    job.not_before = then + 5s;
    job.deadline = then + 2h;
    job.metadata = R"({"a":[1,2,{"b":null}]})";
    job.envelope = encode_envelope(job);
    return job;
  }
};

TEST_F(Redriven, NamesTheSameLargeInput) {
  Job before = old();
  before.input.clear();
  before.input_ref = InputRef{"inputs/k", 300'000, std::string(64, 'a')};
  before.envelope = encode_envelope(before);
  EXPECT_EQ(redriven(before, new_job_id(now, random), now).input_ref, before.input_ref);
}

TEST_F(Redriven, IsTheSameWorkUnderAnIdAndTimesOfItsOwn) {
  const Job before = old();
  const JobId id = new_job_id(now, random);
  const Job after = redriven(before, id, now);
  EXPECT_EQ(after.id, id);
  EXPECT_EQ(after.key(), before.key());
  EXPECT_EQ(after.input, before.input);
  EXPECT_EQ(after.model, before.model);
  EXPECT_EQ(after.max_tokens, before.max_tokens);
  EXPECT_EQ(after.temperature, before.temperature);
  EXPECT_EQ(after.created_at, now);
  EXPECT_EQ(after.deadline, now + 2h);
  EXPECT_FALSE(after.not_before);
  EXPECT_EQ(after.metadata, R"({"a":[1,2,{"b":null}],"redriven_from":")" + before.id.str() + "\"}");
}

TEST_F(Redriven, KeepsMembersItDoesNotKnow) {
  Job before = old();
  before.envelope.insert(1, R"("from_a_newer_build":{"x":1},)");
  const Job after = redriven(before, new_job_id(now, random), now);
  EXPECT_NE(after.envelope.find(R"("from_a_newer_build":{"x":1})"), std::string::npos);
}

TEST_F(Redriven, KeepsNumbersOfAnySize) {
  const std::string numbers = R"("order":123456789012345678901234567890,"x":1e400)";
  Job before = old();
  before.metadata = "{" + numbers + "}";
  before.envelope = encode_envelope(before);
  const Job after = redriven(before, new_job_id(now, random), now);
  EXPECT_EQ(after.metadata, "{" + numbers + R"(,"redriven_from":")" + before.id.str() + "\"}");
}

TEST_F(Redriven, NamesTheJobItCameFromLast) {
  const Job first = old();
  const Job second = redriven(first, new_job_id(now, random), now);
  const Job third = redriven(second, new_job_id(now, random), now);
  EXPECT_EQ(third.metadata, R"({"a":[1,2,{"b":null}],"redriven_from":")" + second.id.str() + "\"}");
}

TEST_F(Redriven, WithoutMetadataHasOnlyItsOrigin) {
  Job before = old();
  before.metadata.clear();
  before.envelope = encode_envelope(before);
  EXPECT_EQ(redriven(before, new_job_id(now, random), now).metadata,
            R"({"redriven_from":")" + before.id.str() + "\"}");
}

TEST_F(Redriven, ALifetimeThatNoJobMayHaveIsCut) {
  Job before = old();
  before.created_at += std::chrono::years(2000);
  before.envelope = encode_envelope(before);
  EXPECT_EQ(redriven(before, new_job_id(now, random), now).deadline, now);
  before.deadline += std::chrono::years(7000);
  before.envelope = encode_envelope(before);
  EXPECT_EQ(redriven(before, new_job_id(now, random), now).deadline, now + 7 * 24h);
}

TEST_F(Redriven, OneJobHasOneIdForAll) {
  const Job one = old();
  const Job other = old();
  EXPECT_EQ(redriven_id(one), redriven_id(one));
  EXPECT_NE(redriven_id(one), redriven_id(other));
  EXPECT_NE(redriven_id(one), one.id);
}

}  // namespace
}  // namespace millrace
