#include "shared/sessions.h"

namespace millrace {

std::string question_id(const JobId& job) {
  return derived_job_id("question", job.str()).str();
}

std::string answer_id(const JobId& job) {
  return job.str();
}

std::string_view answer_status(JobState state) {
  switch (state) {
    case JobState::cancelled:
      return "interrupted";
    case JobState::failed:
      return "failed";
    case JobState::expired:
      return "expired";
    default:
      return "complete";
  }
}

bool leaves_answer(const Outcome& outcome) {
  return outcome.state == JobState::succeeded || !outcome.text.empty();
}

}  // namespace millrace
