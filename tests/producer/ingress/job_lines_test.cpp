#include "producer/ingress/job_lines.h"

#include "producer/ingress/limits.h"
#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

const Headers ndjson{{"content-type", "application/x-ndjson"}};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(JobLines, EveryLineIsAnsweredInOrderAndABadOneStopsNoOther) {
  World w;
  auto response =
      w.post("{\"input\":\"a\"}\r\n\nnonsense\n{\"input\":\"b\",\"model\":\"\"}\n{\"input\":\"c\"}",
             ndjson);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  const auto lines = split(w.drain(response));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(at(lines[0], "/line"), "1");
  EXPECT_EQ(at(lines[0], "/status"), "queued");
  EXPECT_EQ(at(lines[1], "/line"), "3");
  EXPECT_EQ(at(lines[1], "/error/code"), "invalid_json");
  EXPECT_EQ(at(lines[2], "/line"), "4");
  EXPECT_EQ(at(lines[2], "/error/field"), "/model");
  EXPECT_EQ(at(lines[3], "/line"), "5");
  ASSERT_EQ(w.queue.jobs.size(), 2u);
  EXPECT_EQ(at(lines[3], "/id"), w.queue.jobs[1].id.str());
}

TEST(JobLines, AllBelongToTheTraceOfTheRequest) {
  World w;
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  Headers headers = ndjson;
  headers.emplace_back("traceparent", trace);
  auto response = w.post("{\"input\":\"a\"}\n{\"input\":\"b\"}", headers);
  w.drain(response);
  ASSERT_EQ(w.queue.jobs.size(), 2u);
  for (const auto& job : w.queue.jobs) EXPECT_EQ(job.traceparent, trace);
}

std::string many(int count) {
  std::string body;
  for (int i = 0; i < count; ++i) body += R"({"input":")" + std::to_string(i) + "\"}\n";
  return body;
}

TEST(JobLines, ManyAreOnTheirWayAtOnceButNotAll) {
  World w;
  w.queue.latency = 1s;
  auto response = w.post(many(200), ndjson);
  FakeWriter out(w.clock);
  w.nursery.start(response.stream(out));
  w.clock.run_for(100ms);
  EXPECT_EQ(w.log.records.size(), ingress_limits::ndjson_lines_at_once);
  w.clock.run_for(5s);
  const auto lines = split(out.bytes);
  ASSERT_EQ(lines.size(), 200u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(at(lines[i], "/line"), std::to_string(i + 1));
    EXPECT_EQ(at(lines[i], "/id"), w.queue.jobs[i].id.str());
  }
}

TEST(JobLines, AnOutageIsTheAnswerOfEachLine) {
  World w;
  w.queue.fails = Errc::timed_out;
  auto response = w.post(many(2), ndjson);
  const auto lines = split(w.drain(response));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(at(lines[1], "/error/code"), "outcome_unknown");
  EXPECT_EQ(at(lines[1], "/error/id"), w.queue.jobs[1].id.str());
}

TEST(JobLines, AClientThatLeavesStopsTheLinesNotYetBegun) {
  World w;
  auto response = w.post(many(1000), ndjson);
  FakeWriter out(w.clock);
  out.leaves_after = 1;
  w.drain(response, out);
  EXPECT_LT(w.queue.jobs.size(), 200u);
  EXPECT_GE(w.queue.jobs.size(), ingress_limits::ndjson_lines_at_once);
  for (const auto& job : w.queue.jobs) EXPECT_TRUE(w.store.rows.contains(job.id));
}

TEST(JobLines, TheSameRequestWithAKeyMakesNoJobTwice) {
  World w;
  Headers headers = ndjson;
  headers.emplace_back("idempotency-key", "k");
  auto first = w.post(many(10), headers);
  const std::string answers = w.drain(first);
  auto again = w.post(many(10), headers);
  EXPECT_EQ(w.drain(again), answers);
  EXPECT_EQ(w.queue.jobs.size(), 10u);
  EXPECT_EQ(w.log.records.size(), 10u);
}

TEST(JobLines, AnEmptyBodyIs400) {
  World w;
  for (const auto* body : {"", "\n \r\n"}) {
    const auto response = w.post(body, ndjson);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(at(response.body, "/field"), "body");
  }
}

TEST(JobLines, EachLineMayHaveALargeInput) {
  World w;
  const std::string large(600'000, 'x');
  Headers headers = ndjson;
  headers.emplace_back("idempotency-key", "k");
  const std::string body =
      many(1) + "{\"input\":\"" + large + "\"}\n{\"input\":\"y" + large + "\"}";
  auto response = w.post(body, headers);
  const std::string answers = w.drain(response);
  EXPECT_EQ(split(answers).size(), 3u);
  EXPECT_EQ(answers.find("error"), std::string::npos);
  ASSERT_EQ(w.queue.jobs.size(), 3u);
  EXPECT_EQ(w.objects.kept.size(), 2u);
  auto again = w.post(body, headers);
  EXPECT_EQ(w.drain(again), answers);
  EXPECT_EQ(w.queue.jobs.size(), 3u);
  EXPECT_EQ(w.objects.kept.size(), 2u);
}

}  // namespace
}  // namespace millrace::ingress_test
