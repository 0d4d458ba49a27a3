#include "producer/ingress/redrive.h"

#include "producer/ingress/job_eraser.h"
#include "shared/contract/redriven.h"
#include "tests/producer/ingress/redrive_world.h"

namespace millrace::ingress_test {
namespace {

JobId sent_as(const http::Response& response, int place = 0) {
  const auto id = at(response.body, "/data/" + std::to_string(place) + "/id");
  return JobId::parse(id).value_or(JobId{});
}

/// On an edge that can search the letters, and on one that cannot.
class RedriveOne : public testing::TestWithParam<bool> {
 protected:
  RedriveWorld w{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Edges, RedriveOne, testing::Bool());

TEST_P(RedriveOne, ItsWorkIsAcceptedAsANewJobThatNamesIt) {
  Job job = RedriveWorld::question();
  job.session = "s";
  job.metadata = R"({"mine":1})";
  const JobId old = w.ended(job);
  const auto response = w.redrive_one(old);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(at(response.body, "/data/0/from"), old.str());
  const JobId id = sent_as(response);
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_EQ(w.queue.jobs[0].id, id);
  EXPECT_EQ(w.queue.jobs[0].session, "s");
  EXPECT_EQ(w.queue.jobs[0].metadata, R"({"mine":1,"redriven_from":")" + old.str() + "\"}");
  EXPECT_TRUE(w.log.records.contains(id));
  EXPECT_TRUE(w.store.rows.contains(id)) << "whoever asks for it now finds it";
}

TEST_P(RedriveOne, EachTimeItIsAnotherJob) {
  const JobId old = w.ended();
  const JobId first = sent_as(w.redrive_one(old));
  EXPECT_NE(sent_as(w.redrive_one(old)), first);
  EXPECT_EQ(w.queue.jobs.size(), 2u);
}

TEST_P(RedriveOne, MembersThatThisBuildDoesNotKnowGoWithIt) {
  const JobId old = w.ended();
  std::string& envelope = w.store.rows.at(old).envelope;
  envelope.insert(1, R"("of_tomorrow":[1],)");
  EXPECT_EQ(w.redrive_one(old).status, 200);
  EXPECT_NE(w.queue.jobs.at(0).envelope.find(R"("of_tomorrow":[1])"), std::string::npos);
}

TEST_P(RedriveOne, OnlyWhatFailedAndIsTheTenantsIsFound) {
  Job job = RedriveWorld::question();
  const JobId succeeded = w.ended(job, JobState::succeeded);
  const JobId live = w.ended(job, JobState::running);
  job.tenant = "anna";
  const JobId anothers = w.ended(job);
  for (const auto& id : {succeeded, live, anothers, new_job_id(w.clock.wall(), w.random)}) {
    const auto response = w.redrive_one(id);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(at(response.body, "/code"), "job_not_found");
  }
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST_P(RedriveOne, WhatItWasAskedHasToBeThere) {
  const JobId unreadable = w.ended();
  w.store.rows.at(unreadable).envelope = "{}";
  Job job = RedriveWorld::question();
  job.input.clear();
  job.input_ref = InputRef{.key = "gone", .size = 3, .sha256 = std::string(64, 'a')};
  const JobId gone = w.ended(job);
  const JobId erased = w.ended();
  JobEraser eraser({w.store, w.log, w.objects, w.cancel, w.clock, 5min});
  ASSERT_FALSE(w.run(eraser.erase(w.store.rows.at(erased))));
  for (const auto& id : {unreadable, gone, erased}) {
    const auto response = w.redrive_one(id);
    EXPECT_EQ(response.status, 409);
    EXPECT_EQ(at(response.body, "/code"), "not_redrivable");
    EXPECT_EQ(header(response, "x-should-retry"), "false");
  }
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST_P(RedriveOne, ItIsRefusedAsASubmissionIs) {
  const JobId old = w.ended();
  w.queue.fails = Errc::overloaded;
  EXPECT_EQ(at(w.redrive_one(old).body, "/code"), "overloaded");
  EXPECT_TRUE(w.log.records.empty()) << "nothing is kept of it";
  w.queue.fails.reset();
  w.store.fails = Errc::unavailable;
  EXPECT_EQ(at(w.redrive_one(old).body, "/code"), "store_unavailable");
  w.store.fails.reset();
  w.trouble = "gone";
  EXPECT_EQ(w.redrive_one(old).status, 503);
}

TEST_P(RedriveOne, ItWaitsItsTurnInABusySessionWhateverItsOnBusySaid) {
  const JobId live = w.posted(R"({"input":"x","session":"s"})");
  for (const char* on_busy : {"reject", "interrupt", "rollback"}) {
    Job job = RedriveWorld::question();
    job.session = "s";
    job.on_busy = on_busy;
    EXPECT_EQ(w.redrive_one(w.ended(job)).status, 200) << on_busy;
  }
  EXPECT_EQ(w.log.records.at(live).state, JobState::queued);
  EXPECT_EQ(w.queue.jobs.size(), 4u);
}

TEST(RedriveUnsent, EachIsSentOnceUnderADerivedId) {
  RedriveWorld w;
  const JobId first = w.ended();
  const JobId second = w.ended();
  ASSERT_EQ(w.redrive_one(second).status, 200);
  const auto response = w.redrive("");
  EXPECT_EQ(at(response.body, "/sent"), "1");
  const Job old = std::get<Job>(decode_envelope(w.store.rows.at(first).envelope));
  EXPECT_EQ(sent_as(response), redriven_id(old));
  EXPECT_EQ(at(w.redrive("").body, "/sent"), "0");
}

TEST(RedriveUnsent, ARunThatCouldNotNoteWhatItSentMakesNoJobTwice) {
  RedriveWorld w;
  w.ended();
  w.letters.note_fails = Errc::unavailable;
  const JobId id = sent_as(w.redrive(""));
  w.letters.note_fails.reset();
  w.clock.run_for(1min);
  EXPECT_EQ(sent_as(w.redrive("")), id);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(RedriveUnsent, WhatCannotBeDoneAgainIsSkippedAndARefusalThatPassesEndsThePage) {
  RedriveWorld w;
  w.store.rows.erase(w.ended());
  w.ended();
  w.ended();
  w.queue.fails = Errc::unavailable;
  const auto cut = w.redrive("");
  EXPECT_EQ(at(cut.body, "/skipped"), "1");
  EXPECT_EQ(at(cut.body, "/sent"), "0");
  EXPECT_EQ(at(cut.body, "/next"), "1");
  EXPECT_EQ(at(w.redrive(R"({"after":1})").body, "/code"), "queue_unavailable");
  w.queue.fails.reset();
  EXPECT_EQ(at(w.redrive(R"({"after":1})").body, "/sent"), "2");
}

}  // namespace
}  // namespace millrace::ingress_test
